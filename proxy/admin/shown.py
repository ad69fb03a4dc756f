"""The JSON members in which the API shows an exchange. Pure."""

from typing import Any, Final

from proxy.clock import iso_utc
from proxy.journal.endpoints import endpoint_of
from proxy.journal.entry import Entry, Message, TextField
from proxy.journal.explain import is_unsure, reason, why
from proxy.journal.masking import masked, masked_fields, shown
from proxy.journal.texts import masked_target, masked_text

_SEARCHED: Final = 16 * 1024
"""Bytes of content that is looked through for a word; a longer one is not. As many are
looked through of the fields."""

_SHOWN: Final = 1000
"""Characters of a target in a list, and of a field that is looked through: masking
more of them would take too long for what may be done for hundreds at a time."""


def summary_of(entry: Entry) -> dict[str, Any]:
    """Return the members of a line in the list, masked; `entry` is not."""
    told = why(entry)
    return {
        "id": entry.id,
        "number": entry.number,
        "request_id": _masked(entry.request_id),
        "started": iso_utc(entry.started, milliseconds=True),
        "method": _masked(entry.method),
        "target": masked_target(_shortened(entry.target), unmasked=False),
        "endpoint": endpoint_of(entry.target),
        "status": entry.status,
        "answered_by": entry.answered_by,
        "error": entry.error,
        "why": told and _masked(told),
        "reason": reason(entry),
        "unsure": is_unsure(entry),
        "seconds": round(entry.seconds, 6),
        "received": entry.received,
        "sent": entry.sent,
        "caller": entry.caller and _masked(entry.caller),
        "agent": _agent(entry.request),
        "running": entry.running,
        "warm": entry.warm,
        "replayed": entry.replayed,
        "resent": entry.resent,
        "paid": entry.paid,
        "replay_of": entry.replay_of,
    }


def _shortened(target: str) -> str:
    """Return the beginning of a long `target`, less what would be cut in two."""
    if len(target) <= _SHOWN:
        return target
    beginning = target[:_SHOWN]
    whole = max(map(beginning.rfind, "/?&"))
    return beginning[: max(1, whole)] + "…"


def detail_of(entry: Entry, unmasked: bool) -> dict[str, Any]:
    """Return all there is to show of `entry`, which is not masked."""
    safe = masked(entry, unmasked=unmasked)
    members = summary_of(entry)
    members |= {
        "target": safe.target,
        "masked": safe.masked,
        "http_version": entry.http_version,
        "timing": [
            {"stage": stage, "seconds": round(seconds, 6)}
            for stage, seconds in entry.timing.items()
        ],
        "request": _message(entry.request, safe.request, unmasked=unmasked),
        "response": None,
    }
    if entry.response is not None and safe.response is not None:
        response = _message(entry.response, safe.response, unmasked=unmasked)
        members["response"] = {
            "status": entry.status,
            "reason": safe.reason,
            **response,
        }
    return members


def searched_text(entry: Entry, *, unmasked: bool) -> str:
    """Return what is looked through for a word: fields, and content that was kept.

    Of all of them the beginning, masked as what is shown, without case.
    """
    parts = []
    for message in (entry.request, entry.response):
        if message is None:
            continue
        fields = masked_fields(_beginnings(message), unmasked=unmasked)
        parts += [f"{name}: {value}" for name, value in fields]
        if message.content is not None and message.content.size <= _SEARCHED:
            told = shown(message, unmasked=unmasked)
            parts.append(((told and told["text"]) or "")[:_SEARCHED])
    return "\n".join(parts).casefold()


def _beginnings(message: Message) -> list[TextField]:
    """Return the fields of `message`, long ones cut, as far as there is room."""
    room, fields = _SEARCHED, []
    for name, value in message.fields:
        room -= len(name) + min(len(value), _SHOWN)
        if room < 0:
            break
        fields.append((name, value[:_SHOWN]))
    return fields


def _message(message: Message, safe: Message, *, unmasked: bool) -> dict[str, Any]:
    return {
        "fields": [[name, value] for name, value in safe.fields],
        "content": shown(message, safe.content, unmasked=unmasked),
    }


def _agent(request: Message) -> str | None:
    """Return the first product in User-Agent, which most programs are known by."""
    agent = request.value("user-agent")
    return _masked(agent.split(" ")[0][:64]) if agent else None


def _masked(text: str) -> str:
    return masked_text(text, unmasked=False)
