"""The patient: profile, medical card, payments, push notifications."""

import re
from typing import Any

from proxy.sandbox.answers import Answer, bad_argument, item, not_found, page
from proxy.sandbox.calls.call import Call
from proxy.sandbox.data.dates import parse_date, written

_TEXTS = ("lastName", "firstName", "middleName", "city", "allergies")
_PLATFORMS = ("ios", "android", "web")
_SHARE_DAYS = 30


def profile(call: Call) -> Answer:
    """Return the profile."""
    return item(call.patient.shown())


def update_profile(call: Call) -> Answer:
    """Change the members that were sent; the others stay."""
    changes: dict[str, Any] = {}
    for name in _TEXTS:
        if call.body.has(name):
            changes[name] = call.body.text(name, longest=200)
    for name, low, high in (("heightCm", 30, 260), ("weightKg", 1, 400)):
        if call.body.has(name):
            changes[name] = _between(call, name, low, high)
    if call.body.has("email"):
        changes["email"] = _email(call)
    if call.body.has("gender"):
        changes["gender"] = _one_of(call, "gender", ("male", "female"))
    if call.body.has("birthDate"):
        changes["birthDate"] = _birth_date(call)
    call.patient.profile.update(changes)
    return item(call.patient.shown())


def share_medical_card(call: Call) -> Answer:
    """Open the medical card to a doctor for thirty days."""
    number = call.body.whole("doctorId")
    doctor = call.world.doctors.get(number)
    if doctor is None:
        raise not_found("doctor", f"Врач {number} не найден.")
    share = {
        "id": call.world.new_id(),
        "doctor": doctor.short(),
        "created": written(call.now),
        "expires": written(call.now + _SHARE_DAYS * 86400),
    }
    call.patient.shares.append(share)
    return item(share)


def operations(call: Call) -> Answer:
    """List deposits, payments and refunds, the newest first."""
    found = sorted(
        call.patient.operations, key=lambda one: (one.created_at, one.id), reverse=True
    )
    if call.query.has("type"):
        wanted = call.query.text("type")
        found = [operation for operation in found if operation.kind == wanted]
    return page([operation.shown() for operation in found], *call.paging)


def subscribe(call: Call) -> Answer:
    """Remember a device for push notifications."""
    token = call.body.text("token", longest=400)
    platform = _one_of(call, "platform", _PLATFORMS)
    subscription = {
        "token": token,
        "platform": platform,
        "created": written(call.now),
        "isActive": True,
    }
    call.patient.subscriptions[token] = subscription
    return item(subscription)


def unsubscribe(call: Call) -> Answer:
    """Forget one device, or all."""
    devices = call.patient.subscriptions
    if not call.query.has("token"):
        removed = len(devices)
        devices.clear()
    elif devices.pop(call.query.text("token"), None) is None:
        raise not_found("token", "Такой подписки нет.")
    else:
        removed = 1
    return item({"removedCount": removed, "isActive": False})


def _between(call: Call, name: str, low: int, high: int) -> int:
    value = call.body.whole(name)
    if not low <= value <= high:
        raise bad_argument(name, f"Параметр {name}: от {low} до {high}.")
    return value


def _email(call: Call) -> str:
    value = call.body.text("email", longest=200)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise bad_argument("email", "Неверный адрес электронной почты.")
    return value


def _one_of(call: Call, name: str, allowed: tuple[str, ...]) -> str:
    value = call.body.text(name)
    if value not in allowed:
        raise bad_argument(name, f"Параметр {name}: {', '.join(allowed)}.")
    return value


def _birth_date(call: Call) -> str:
    text = call.body.text("birthDate")
    try:
        parse_date(text)
    except ValueError:
        raise bad_argument("birthDate", "Дата ISO 8601.") from None
    return text
