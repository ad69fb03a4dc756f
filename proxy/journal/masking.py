"""An exchange as it may be shown: secrets never, personal data when asked for. Pure.

Text that is neither JSON nor a form is hidden with the personal data: a name or a
message in a page has no shape to be known by.
"""

import re
from dataclasses import replace
from typing import Any, Final

from proxy.access.cookies import PREFIX
from proxy.journal.entry import Entry, KeptContent, Message, TextField
from proxy.journal.forms import masked_file_name, masked_form, masked_multipart
from proxy.journal.json_text import masked_json
from proxy.journal.media import (
    MULTIPART,
    Decoded,
    ShownContent,
    claimed_kind,
    decoded,
    kind_of,
    media_type,
    text_of,
)
from proxy.journal.personal import Level, hides, level_of
from proxy.journal.texts import masked_target, masked_text
from proxy.redaction import MASK, redact_fields

_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_URLS: Final = frozenset({"content-location", "location", "referer"})
_BOM: Final = "\ufeff"
_HIDDEN: Final = MASK.encode()


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
        return _masked_cookies(value, lowered == "set-cookie", unmasked)
    (shown,) = redact_fields([(name, value)])
    if shown[1] != value:
        return shown[1]
    if value and lowered != "age" and hides(level_of(name), unmasked=unmasked):
        return MASK
    if lowered in _URLS:
        return masked_target(value, unmasked=unmasked)
    value = masked_text(value, unmasked=unmasked)
    if lowered == "content-disposition":
        return masked_file_name(value, unmasked=unmasked)
    return value


def _masked_cookies(value: str, is_set: bool, unmasked: bool) -> str:
    # Of Set-Cookie, the first is the cookie; the others say how long it lives.
    first, *others = re.split(r"(;\s*)", value)
    rest = others if is_set else [_masked_cookie(each, unmasked) for each in others]
    return _masked_cookie(first, unmasked) + "".join(rest)


def _masked_cookie(pair: str, unmasked: bool) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return pair if unmasked or pair.strip("; \t") == "" else MASK
    is_ours = name.strip().lower().startswith(PREFIX)
    is_secret = is_ours or level_of(name) is Level.SECRET
    if value and (is_secret or not unmasked):
        return f"{masked_text(name, unmasked=unmasked)}={MASK}"
    return masked_text(pair, unmasked=unmasked)


# -- Content --------------------------------------------------------------------------


def masked_content(message: Message, *, unmasked: bool) -> KeptContent | None:
    """Return the message's content fit to show; None when it was not kept.

    It is a `ShownContent` where it differs from what was sent.
    """
    content = message.content
    if content is None or not content.data:
        return content
    shown = _shown_data(message, unmasked)
    if shown is None:
        return ShownContent(
            _HIDDEN, content.size, "", hidden=True, whole=content.is_whole
        )
    data, whole = shown
    if data == content.data:
        return content
    read = decoded(message)
    if unmasked and read is not None and data == read.data:
        return content  # in its coding, as there was nothing to mask
    return ShownContent(data, content.size, "", whole=whole)


def _shown_data(message: Message, unmasked: bool) -> tuple[bytes, bool] | None:
    """Return what is shown, and whether it is whole; None when it is hidden."""
    read = decoded(message)
    if read is None:
        # A token could be in what nobody can look into.
        return None
    kind = kind_of(message)
    if kind in {"image", "binary"}:
        data = _without_secrets(media_type(message), read.data) if unmasked else None
        return None if data is None else (data, read.whole)
    if kind == "form" and media_type(message) == MULTIPART:
        content_type = message.value("content-type") or ""
        form = masked_multipart(
            read.data, content_type, unmasked=unmasked, whole=read.whole
        )
        return None if form is None else (form, read.whole)
    text = _masked_by_kind(kind, read, unmasked)
    return None if text is None else (text.encode(), read.whole)


def _without_secrets(named: str, data: bytes) -> bytes | None:
    """Return bytes as they are, but for what was meant as text and is none."""
    if claimed_kind(named, data) in {"image", "binary"}:
        return data
    if b"\0" in data:
        return None  # UTF-16, most likely, in which no secret has its usual shape
    text = masked_text(data.decode("utf-8", "surrogateescape"), unmasked=True)
    return text.encode("utf-8", "surrogateescape")


def _masked_by_kind(kind: str, read: Decoded, unmasked: bool) -> str | None:
    text = text_of(read.data)
    if text is None:
        return None
    bom = _BOM if text.startswith(_BOM) else ""
    bare = text.removeprefix(_BOM)
    if kind == "json":
        shown = masked_json(bare, unmasked=unmasked, whole=read.whole)
        if shown is not None:
            return bom + shown
    elif kind == "form":
        return bom + masked_form(bare, unmasked=unmasked, whole=read.whole)
    return bom + masked_text(bare, unmasked=True) if unmasked else None


def shown(message: Message, *, unmasked: bool) -> dict[str, Any] | None:
    """Return what the admin API shows of the content; None when it was not kept.

    The message is the original one.
    """
    content = message.content
    if content is None:
        return None
    kind = kind_of(message)
    safe = masked_content(message, unmasked=unmasked)
    hidden = isinstance(safe, ShownContent) and safe.hidden
    text = None
    if safe is not None and not hidden and kind in {"json", "form", "text"}:
        read = safe if isinstance(safe, ShownContent) else decoded(message)
        text = read.data.decode("utf-8", "replace").removeprefix(_BOM) if read else None
    return {
        "size": content.size,
        "kept": len(content.data),
        # Few phone numbers are possible: the hash of what is masked would tell which.
        "sha256": None if isinstance(safe, ShownContent) else content.sha256,
        "media_type": media_type(message),
        "kind": kind,
        "text": text,
        "hidden": hidden,
    }


__all__ = [
    "kind_of",
    "masked",
    "masked_content",
    "masked_fields",
    "shown",
]
