"""Makes an `Entry` of an exchange, when somebody looks. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from proxy.answers import error_body, error_fields
from proxy.errors import ProxyError
from proxy.forward.exchange import Exchange
from proxy.forward.fields import RESPONSE_NOTED
from proxy.forward.keeping import Kept, Part
from proxy.http1.framing import FRAMING
from proxy.http1.head import (
    Field,
    FieldSection,
    ResponseHead,
    parse_response,
    value_of,
)
from proxy.journal.entry import Entry, KeptContent, Message, TextField

_NO_CONTENT = KeptContent(b"", 0, hashlib.sha256().hexdigest())


@dataclass(frozen=True, slots=True)
class Place:
    """Where exchanges take place: the API's base URL, and our own, see `Entry`."""

    upstream: str
    listener: str


def entry_of(exchange: Exchange, place: Place, *, running: bool = False) -> Entry:
    """Return what there is to show of `exchange`; `running` says that it goes on."""
    raw, fault = exchange.answer, exchange.fault
    answer = None if raw is None else parse_response(raw, RESPONSE_NOTED)
    is_ours = exchange.answered_by == "proxy"
    return Entry(
        id=exchange.id,
        number=exchange.number,
        request_id=exchange.request_id,
        started=exchange.started,
        method=exchange.method,
        target=exchange.target,
        request=_request(exchange.section, exchange.kept),
        response=_response(exchange, answer, fault if is_ours else None),
        http_version="1.0" if exchange.http10 else "1.1",
        status=exchange.status,
        reason=_reason(exchange.status, None if is_ours else answer),
        answered_by=exchange.answered_by,
        error=exchange.error,
        detail=None if fault is None else fault.description,
        caller=exchange.caller,
        running=running,
        warm=exchange.reused if exchange.sent_at else None,
        replayed=exchange.replayed,
        resent=exchange.resent,
        paid=exchange.paid,
        replay_of=exchange.replay_of,
        seconds=exchange.seconds,
        timing=exchange.stages(),
        received=exchange.received,
        sent=exchange.sent,
        upstream=place.upstream,
        listener=place.listener,
    )


def nothing_of(exchange: Exchange, *, running: bool) -> Entry:
    """Return an entry for an exchange of which nothing else can be shown."""
    return Entry(
        id=exchange.id,
        number=exchange.number,
        request_id=exchange.id,
        started=exchange.started,
        method="-",
        target="-",
        request=Message([], None),
        response=None,
        status=exchange.status,
        answered_by=exchange.answered_by,
        running=running,
        seconds=exchange.seconds,
        received=exchange.received,
        sent=exchange.sent,
    )


def _reason(status: int, answer: ResponseHead | None) -> str:
    """Return the reason phrase of a relayed answer, or of one of ours."""
    if answer is not None:
        return _text(answer.reason)
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # there was no response
        return ""


def _request(section: FieldSection | None, kept: Kept | None) -> Message:
    if section is None:  # what came was no request
        return Message([], None)
    content: KeptContent | None = _NO_CONTENT
    if not FRAMING.isdisjoint(section.seen):
        content = None if kept is None else _kept(kept.request)
    return Message(_fields(section.fields), content)


def _response(
    exchange: Exchange, answer: ResponseHead | None, fault: ProxyError | None
) -> Message | None:
    if fault is not None:
        body = error_body(fault)
        whole = KeptContent(body, len(body), hashlib.sha256(body).hexdigest())
        fields = [
            *error_fields(fault),
            ("X-Request-Id", exchange.request_id),
            ("Date", formatdate(exchange.started + exchange.seconds, usegmt=True)),
            ("Content-Length", str(len(body))),
        ]
        return Message(fields, _NO_CONTENT if exchange.method == "HEAD" else whole)
    if answer is None:
        return Message([], _NO_CONTENT) if exchange.status else None
    kept = None if exchange.kept is None else exchange.kept.response
    content = None if kept is None else _kept(kept)
    if _is_without_content(exchange.method, answer):
        content = _NO_CONTENT
    return Message(_fields(answer.fields), content)


def _is_without_content(method: str, answer: ResponseHead) -> bool:
    """Say whether a response has no content, by what its head says."""
    return (
        method == "HEAD"
        or answer.status in (204, 304)
        or answer.seen.get(b"content-length") == b"0"
    )


def _kept(part: Part) -> KeptContent | None:
    """Return what was kept; None where something came, and nothing of it was kept."""
    if part.size and not part.kept:
        return None
    return KeptContent(part.data, part.size, part.sha256)


def _fields(fields: Iterable[Field]) -> list[TextField]:
    return [
        (_text(field[1][: len(field[0])]), _text(value_of(field))) for field in fields
    ]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
