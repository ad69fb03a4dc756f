"""Consultation requests: the three kinds, what they cost, how they end."""

from collections.abc import Callable

from proxy.sandbox.answers import (
    Answer,
    ApiError,
    bad_argument,
    conflict,
    item,
    json_answer,
    not_found,
    page,
)
from proxy.sandbox.calls.call import Call
from proxy.sandbox.calls.media import store_parts
from proxy.sandbox.data.doctors import Doctor
from proxy.sandbox.data.patient import (
    ABORTED,
    ACTIVE,
    CANCELLED,
    RUNNING,
    STATUS_NAMES,
    TERMINATED,
    WAITING,
    Consultation,
    Message,
    Operation,
)

Function = Callable[[Call], Answer]


def list_of(kind: str | None) -> Function:
    """Return the call that lists the patient's consultations of `kind`."""

    def list_consultations(call: Call) -> Answer:
        found = call.patient.of_kind(kind)
        if call.query.has("status"):
            wanted = call.query.text("status")
            if wanted not in STATUS_NAMES:
                raise bad_argument("status", f"Статусы: {', '.join(STATUS_NAMES)}.")
            found = [one for one in found if one.status == wanted]
        if call.query.has("doctorId"):
            number = call.query.whole("doctorId")
            found = [one for one in found if one.doctor.id == number]
        if call.query.has("createdFromUtc"):
            since = call.query.date("createdFromUtc")
            found = [one for one in found if one.created_at >= since]
        return page([one.shown() for one in found], *call.paging)

    return list_consultations


def one_of(kind: str | None) -> Function:
    """Return the call that answers one consultation of `kind`."""

    def get_consultation(call: Call) -> Answer:
        return item(call.consultation(kind).shown())

    return get_consultation


def start(kind: str) -> Function:
    """Return the call that starts a consultation of `kind` and takes the money."""

    def start_consultation(call: Call) -> Answer:
        text = call.body.text("text") if kind == "writing" else _optional(call, "text")
        phone = _phone(call) if kind == "callback" else call.patient.phone
        doctor = _doctor(call, kind)
        attachments = call.attachments()
        one = Consultation(
            id=call.world.new_id(),
            kind=kind,
            doctor=doctor,
            status=RUNNING if kind == "voip" else WAITING,
            created_at=call.now,
            price=doctor.price_of(kind),
            text=text,
            phone=phone,
            attachments=attachments,
        )
        _pay(call, one)
        call.patient.consultations[one.id] = one
        if kind == "writing":
            number = call.world.new_id()
            question = Message(number, one.id, True, text, call.now, True, attachments)
            one.messages.append(question)
        return item(one.shown())

    return start_consultation


def terminate(kind: str) -> Function:
    """Return the call by which the patient ends a consultation; answered bare."""

    def terminate_consultation(call: Call) -> Answer:
        one = call.consultation(kind)
        refund = one.status == WAITING
        _end(call, one, TERMINATED, allowed=ACTIVE)
        if refund:
            _refund(call, one)
        return json_answer(one.shown())

    return terminate_consultation


def cancel(call: Call) -> Answer:
    """Take back a question that no doctor has answered; the money returns."""
    one = call.consultation("writing")
    _end(call, one, CANCELLED, allowed=(WAITING,))
    _refund(call, one)
    return item(one.shown())


def abort(call: Call) -> Answer:
    """Stop a conversation that a doctor has taken up; the money is spent."""
    one = call.consultation("writing")
    _end(call, one, ABORTED, allowed=(RUNNING,))
    return item(one.shown())


def feedback(kind: str | None) -> Function:
    """Return the call that takes the patient's opinion of a finished consultation."""

    def patient_feedback(call: Call) -> Answer:
        one = call.consultation(kind)
        rating = call.body.whole("rating")
        if not 1 <= rating <= 5:
            raise bad_argument("rating", "Оценка: от 1 до 5.")
        if one.status in ACTIVE:
            raise conflict("status", "Оценить можно только завершённую консультацию.")
        one.feedback = {"rating": rating, "text": _optional(call, "text")}
        return item(one.shown())

    return patient_feedback


def status(call: Call) -> Answer:
    """Return only the status of a consultation."""
    one = call.consultation()
    name = STATUS_NAMES[one.status]
    return item({"id": one.id, "status": one.status, "statusName": name})


def medical_report(call: Call) -> Answer:
    """Return the doctor's conclusion."""
    one = call.consultation()
    if one.report is None:
        raise not_found("medicalReport", f"По обращению {one.id} заключения нет.")
    return item({"requestId": one.id, "doctor": one.doctor.short()} | one.report)


def attach_document(call: Call) -> Answer:
    """Add uploaded files to a consultation."""
    number = next((p for p in call.parts if p.name.lower() == "requestid"), None)
    if number is None:
        one = call.consultation()
    elif bytes(number.content).isdigit():
        one = call.own_consultation(int(number.content))
    else:
        raise bad_argument("requestId", "requestId должен быть целым числом.")
    one.attachments += store_parts(call)
    return item(one.shown())


def has_unread_messages(call: Call) -> Answer:
    """Say whether the doctor has written something new; answered bare."""
    unread = call.consultation("writing").unread
    return json_answer({"hasUnreadMessages": unread > 0, "count": unread})


def _optional(call: Call, name: str) -> str:
    return call.body.text(name) if call.body.has(name) else ""


def _phone(call: Call) -> str:
    if not call.body.has("phone"):
        return call.patient.phone
    digits = call.body.text("phone").lstrip("+")
    if not digits.isdigit() or not 7 <= len(digits) <= 15:
        raise bad_argument("phone", "Телефон записывается цифрами, от 7 до 15.")
    return digits


def _doctor(call: Call, kind: str) -> Doctor:
    """Return the doctor that was asked for, or one on duty."""
    if not call.body.has("doctorId"):
        on_duty = (each for each in call.world.doctors.values() if each.on_duty)
        return next(on_duty)
    number = call.body.whole("doctorId")
    doctor = call.world.doctors.get(number)
    if doctor is None:
        raise not_found("doctor", f"Врач {number} не найден.")
    if not doctor.on_duty and kind != "writing":
        raise conflict("doctor", f"{doctor.full_name} сейчас не принимает звонки.")
    return doctor


def _pay(call: Call, one: Consultation) -> None:
    if call.patient.balance < one.price:
        described = f"Нужно {one.price} руб., на счёте {call.patient.balance} руб."
        raise ApiError(402, "insufficient_funds", "balance", described)
    _operate(call, "payment", -one.price, f"Консультация {one.id}", one.id)


def _refund(call: Call, one: Consultation) -> None:
    _operate(call, "refund", one.price, f"Возврат: Консультация {one.id}", one.id)


def _operate(call: Call, kind: str, amount: int, text: str, request_id: int) -> None:
    call.patient.balance += amount
    call.patient.operations.append(
        Operation(call.world.new_id(), kind, amount, call.now, text, request_id)
    )


def _end(
    call: Call, one: Consultation, status: str, *, allowed: tuple[str, ...]
) -> None:
    if one.status not in allowed:
        described = f"Обращение {one.id}: {STATUS_NAMES[one.status].lower()}."
        raise conflict("status", described)
    one.status = status
    one.ended_at = call.now
