"""The request that is sent when an exchange is to happen again, edited or not. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy.access.repeats import ALLOW_REPEAT
from proxy.errors import ConflictError, RequestError
from proxy.forward.exchange import Exchange
from proxy.forward.fields import HOP_BY_HOP
from proxy.http1.framing import FRAMING
from proxy.http1.head import FieldSection, value_of
from proxy.journal.entry import Entry, TextField
from proxy.redaction import MASK

# What belongs to the connection or is written anew, and what would ask us to wait.
_NOT_AGAIN: Final = HOP_BY_HOP | FRAMING | {b"host", b"expect", ALLOW_REPEAT}

_CONTROLS: Final = frozenset(map(chr, (*range(0x20), 0x7F)))


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change; None stands for what it was.

    What is as `masked` shows it stands for the original, too.
    `confirmed` says that a call that costs money is meant.
    """

    method: str | None = None
    target: str | None = None
    fields: Sequence[TextField] | None = None
    content: str | None = None
    confirmed: bool = False


class Again(NamedTuple):
    """A request to be sent: `data` is all of it."""

    method: str
    target: str
    data: bytes


def request_again(
    exchange: Exchange, masked: Entry, edit: Edit, authority: bytes
) -> Again:
    """Return the request of `exchange` with `edit` made to it, to be sent to us.

    `masked` is how the exchange is shown; `authority` is that of a listener. Raises
    RequestError, or ConflictError for what cannot be sent again.
    """
    section = exchange.section
    if section is None:
        raise ConflictError("This was no valid request, so it cannot be sent again.")
    if exchange.status == 101:
        raise ConflictError(
            "A connection that went over to another protocol cannot be sent again."
        )
    method = exchange.method if edit.method is None else edit.method.strip()
    content = _content(exchange, masked, edit)
    target = _target(exchange.target, masked, edit)
    lines = [
        b"%b %b HTTP/1.1" % (_encoded(method, "method"), target),
        b"Host: " + authority,
        b"Connection: close",
        *_field_lines(section, masked, edit),
    ]
    if (
        content
        or b"content-length" in section.seen
        or method in ("POST", "PUT", "PATCH")
    ):
        lines.append(b"Content-Length: %d" % len(content))
    if edit.confirmed:
        lines.append(b"X-Proxy-Allow-Repeat: 1")
    data = b"\r\n".join((*lines, b"", content))
    return Again(method, target.decode("utf-8", "surrogateescape"), data)


def _target(target: str, masked: Entry, edit: Edit) -> bytes:
    if edit.target is None or edit.target == masked.target:
        return target.encode()
    if not edit.target.startswith("/"):
        raise RequestError("The target begins with a slash.", value="target")
    return _encoded(edit.target, "target")


def _field_lines(section: FieldSection, masked: Entry, edit: Edit) -> list[bytes]:
    """Return the lines of the fields, less those of the connection."""
    if edit.fields is None:
        return [line for lower, line in section.fields if lower not in _NOT_AGAIN]
    shown = list(zip(masked.request.fields, section.fields, strict=True))
    lines = []
    for name, value in edit.fields:
        if name.strip().lower().encode("utf-8", "replace") in _NOT_AGAIN:
            continue
        same = next((each for each in shown if each[0] == (name, value)), None)
        if same is None:
            lines.append(_field_line(name, value))
        else:
            shown.remove(same)
            field = same[1]
            lines.append(field[1][: len(field[0])] + b": " + value_of(field))
    return lines


def _field_line(name: str, value: str) -> bytes:
    if ":" in name or not name.strip():
        raise RequestError("A field is a name and a value.", value="fields")
    encoded = _encoded(name.strip(), "fields")
    if not _CONTROLS.isdisjoint(value):
        raise RequestError("A field's value is one line of text.", value="fields")
    return encoded + b": " + _bytes_of(value.strip(), "fields")


def _shown_content(masked: Entry) -> str:
    content = masked.request.content
    return "" if content is None else content.data.decode("utf-8", "replace")


def _content(exchange: Exchange, masked: Entry, edit: Edit) -> bytes:
    shown = _shown_content(masked)
    if edit.content is not None and edit.content != shown:
        if MASK in edit.content and MASK in shown:
            raise RequestError(
                f"There are masks ({MASK}) in this content, which would be sent as "
                "they are; have personal data shown before you edit it.",
                value="masked",
            )
        return _bytes_of(edit.content, "content")
    assert exchange.section is not None  # noqa: S101  its caller has looked
    if FRAMING.isdisjoint(exchange.section.seen):
        return b""
    kept = exchange.kept
    if kept is None or kept.request.kept < kept.request.size:
        raise ConflictError(
            "The content of this request was not kept, so it cannot be sent again; "
            "have content kept first, or give another content.",
            value="content",
        )
    return kept.request.data


def _bytes_of(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:  # half of a pair, which JSON can hold
        raise RequestError(
            f"There is a character in {what} that cannot be sent.", value=what
        ) from exc


def _encoded(text: str, what: str) -> bytes:
    encoded = _bytes_of(text, what)
    if not text or " " in text or not _CONTROLS.isdisjoint(text):
        raise RequestError(f"That is no {what} of a request.", value=what)
    return encoded


def named_fields(pairs: Iterable[object]) -> list[TextField]:
    """Return the fields in `pairs` as they come in JSON. Raises RequestError."""
    fields = []
    for pair in pairs:
        match pair:
            case [str(name), str(value)]:
                fields.append((name, value))
            case _:
                raise RequestError(
                    'Fields are pairs: [["Name", "value"], ...].', value="fields"
                )
    return fields
