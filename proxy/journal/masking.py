"""An exchange as it may be shown: secrets never, personal data when asked for. Pure.

Text that is neither JSON nor a form is hidden with the personal data: a name or a
message in a page has no shape to be known by.
"""

from dataclasses import replace
from typing import Any, Final

from proxy.journal.challenges import (
    masked_challenge,
    masked_cookies,
    masked_protocols,
)
from proxy.journal.entry import Entry, KeptContent, Message, TextField
from proxy.journal.forms import (
    masked_file_name,
    masked_form,
    masked_multipart,
    readable_multipart,
)
from proxy.journal.json_text import masked_json, masked_value
from proxy.journal.media import (
    MULTIPART,
    Decoded,
    ShownContent,
    decoded,
    kind_of,
    kind_of_read,
    media_type,
    text_of,
)
from proxy.journal.octets import masked_octets
from proxy.journal.personal import Level, TooMuchError, hides, level_of
from proxy.journal.texts import masked_target, masked_text
from proxy.redaction import MASK, redact_fields

_SET_COOKIES: Final = frozenset({"set-cookie", "set-cookie2"})
_COOKIES: Final = _SET_COOKIES | {"cookie", "cookie2"}
_CHALLENGES: Final = frozenset(
    {
        *("authentication-info", "proxy-authenticate", "proxy-authentication-info"),
        "www-authenticate",
    }
)
_URLS: Final = frozenset(
    {
        *("content-location", "location", "referer", "x-forwarded-uri"),
        *("x-original-uri", "x-original-url", "x-rewrite-url"),
    }
)
_PERSONS: Final = frozenset(
    {
        *("from", "remote-user", "x-authenticated-user", "x-forwarded-user"),
        *("x-login", "x-remote-user", "x-user"),
    }
)
_BOM: Final = "\ufeff"
_HIDDEN: Final = MASK.encode()
_LINES_LIMIT: Final = 2000


def masked(entry: Entry, *, unmasked: bool = False) -> Entry:
    """Return `entry` fit to show; with `unmasked`, only what is secret is hidden."""

    def text(value: str) -> str:
        return masked_text(value, unmasked=unmasked)

    return replace(
        entry,
        method=text(entry.method),
        target=masked_target(entry.target, unmasked=unmasked),
        request_id=text(entry.request_id),
        reason=text(entry.reason),
        error=entry.error and text(entry.error),
        detail=entry.detail and text(entry.detail),
        caller=entry.caller and text(entry.caller),
        upstream=masked_target(entry.upstream, unmasked=True),
        listener=masked_target(entry.listener, unmasked=True),
        request=_masked_message(entry.request, unmasked),
        response=entry.response and _masked_message(entry.response, unmasked),
        masked=not unmasked,
    )


def _masked_message(message: Message, unmasked: bool) -> Message:
    fields = masked_fields(message.fields, unmasked=unmasked)
    return Message(fields, masked_content(message, unmasked=unmasked))


# -- Fields ---------------------------------------------------------------------------


def masked_fields(fields: list[TextField], *, unmasked: bool) -> list[TextField]:
    """Return `fields` in their order, with values masked by name and by shape."""
    return [(name, _masked_field(name, value, unmasked)) for name, value in fields]


def _masked_field(name: str, value: str, unmasked: bool) -> str:
    lowered = name.lower()
    if lowered in _COOKIES:
        is_set = lowered in _SET_COOKIES
        return masked_cookies(value, is_set=is_set, unmasked=unmasked)
    (shown,) = redact_fields([(name, value)])
    if shown[1] != value:
        return shown[1]
    if value and lowered != "age" and hides(_level_of_field(name), unmasked=unmasked):
        return MASK
    return _masked_value_of(lowered, value, unmasked)


def _level_of_field(name: str) -> Level | None:
    return Level.PERSONAL if name.lower() in _PERSONS else level_of(name)


def _masked_value_of(lowered: str, value: str, unmasked: bool) -> str:
    if lowered in _URLS:
        return masked_target(value, unmasked=unmasked)
    if lowered in _CHALLENGES:
        return masked_challenge(value)
    if lowered == "sec-websocket-protocol":
        return masked_protocols(value, unmasked=unmasked)
    if lowered == "content-disposition":
        value = masked_file_name(value, unmasked=unmasked)
    try:
        return masked_value(value, unmasked=unmasked)
    except TooMuchError:
        return MASK


# -- Content --------------------------------------------------------------------------


def masked_content(message: Message, *, unmasked: bool) -> KeptContent | None:
    """Return the message's content fit to show; None when it was not kept.

    It is a `ShownContent` where it differs from what was sent. What is too much to
    look into is hidden from everyone.
    """
    content = message.content
    if content is None or not content.data:
        return content
    read = decoded(message)
    # A token could be in what nobody can look into.
    try:
        data = None if read is None else _shown_data(message, read, unmasked)
    except TooMuchError:
        data = None
    if data is None or read is None:
        return ShownContent(
            _HIDDEN, content.size, "", hidden=True, whole=content.is_whole
        )
    if data == content.data:
        return content
    if unmasked and data == read.data:
        return content  # in its coding, as there was nothing to mask
    return ShownContent(data, content.size, "", whole=read.whole)


def _shown_data(message: Message, read: Decoded, unmasked: bool) -> bytes | None:
    """Return what is shown of the content; None when it is hidden."""
    named = media_type(message)
    kind = kind_of_read(message, read)
    if kind == "form" and named == MULTIPART:
        content_type = message.value("content-type") or ""
        return masked_multipart(
            read.data, content_type, unmasked=unmasked, whole=read.whole
        )
    if kind in {"image", "binary"}:
        # The parts of a mail may be in codings of their own.
        is_mail = named.startswith(("multipart/", "message/"))
        return masked_octets(read.data) if unmasked and not is_mail else None
    text = text_of(read.data)
    if text is None:
        return None
    bom = _BOM if text.startswith(_BOM) else ""
    shown = _masked_by_kind(kind, text.removeprefix(_BOM), read.whole, unmasked)
    return None if shown is None else (bom + shown).encode()


def _masked_by_kind(kind: str, text: str, whole: bool, unmasked: bool) -> str | None:
    if kind == "json":
        shown = masked_json(text, unmasked=unmasked, whole=whole)
        if shown is not None:
            return shown
    elif kind == "form":
        return masked_form(text, unmasked=unmasked, whole=whole)
    return _masked_lines(text) if unmasked else None


def _masked_lines(text: str) -> str | None:
    """Return a text without its secrets; its lines may be JSON each."""
    lines = text.split("\n")
    if len(lines) <= _LINES_LIMIT and any(map(_is_json, lines)):
        text = "\n".join(
            (_is_json(line) and masked_json(line, unmasked=True)) or line
            for line in lines
        )
    shown = masked_text(text, unmasked=True)
    return None if shown == MASK else shown


def _is_json(line: str) -> bool:
    return line.startswith("{") and line.rstrip().endswith("}")


def shown(
    message: Message, safe: KeptContent | None = None, *, unmasked: bool
) -> dict[str, Any] | None:
    """Return what the admin API shows of the content; None when it was not kept.

    The message is the original one. `safe` is its `masked_content`, if that was made
    before.
    """
    content = message.content
    if content is None:
        return None
    safe = safe or masked_content(message, unmasked=unmasked) or content
    is_masked = isinstance(safe, ShownContent)
    hidden = isinstance(safe, ShownContent) and safe.hidden
    read = decoded(message)
    kind = kind_of_read(message, read)
    text = None
    if read is not None and not hidden and kind in {"json", "form", "text"}:
        text = _readable(message, safe.data if is_masked else read.data)
    return {
        "size": content.size,
        "kept": len(content.data),
        # Few phone numbers are possible: the hash of what is masked would tell which.
        "sha256": None if is_masked else content.sha256,
        "media_type": media_type(message),
        "kind": kind,
        "text": text,
        "hidden": hidden,
    }


def _readable(message: Message, data: bytes) -> str:
    if media_type(message) == MULTIPART:
        return readable_multipart(data, message.value("content-type") or "")
    return data.decode("utf-8", "replace").removeprefix(_BOM)


__all__ = [
    "kind_of",
    "masked",
    "masked_content",
    "masked_fields",
    "shown",
]
