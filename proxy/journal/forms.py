"""Forms with their secret and personal values masked. Pure."""

import re

from proxy.journal.json_text import masked_value
from proxy.journal.media import parameters, text_of
from proxy.journal.octets import masked_octets
from proxy.journal.personal import TooMuchError, hides, is_name, level_of
from proxy.journal.texts import masked_parameters, masked_text
from proxy.redaction import MASK

_FILE_NAME = re.compile(
    r"""(;\s*+filename[\w*]*+\s*+=\s*+)(?:"(?:[^"\\]|\\.)*+"?|[^;]*+)""", re.IGNORECASE
)
# One name, whole and uncoded; whatever else there may be, programs read differently.
_DISPOSITION = re.compile(
    r"""content-disposition:\s*+form-data;\s*+name=(?:"([^"\\%]*+)"|([\w.-]++))"""
    r"""(?:;\s*+filename\*?=(?:"(?:[^"\\]|\\.)*+"|[^\s;"]++))*+;?\s*""",
    re.IGNORECASE,
)
_PLAIN_CODINGS = frozenset({"7bit", "8bit", "binary"})
_ODD = f'\r\nContent-Disposition: form-data; name="{MASK}"\r\n\r\n{MASK}'.encode()
_PARTS_LIMIT = 200


def masked_form(text: str, *, unmasked: bool, whole: bool) -> str:
    """Return form-urlencoded `text`, masked by the names of its parameters."""
    if not whole:
        # The last may be half a value, which no longer looks like what it is.
        kept, separator, _ = text.rpartition("&")
        text = f"{kept}{separator}{MASK}"
    return masked_parameters(text, unmasked=unmasked)


def masked_multipart(
    data: bytes, content_type: str, *, unmasked: bool, whole: bool
) -> bytes | None:
    """Return multipart/form-data with the parts masked by their names.

    The frame stays. None when it is not whole, or not such a form.

    Raises:
        TooMuchError: it has more parts, or values, than are looked into.
    """
    boundary = parameters(content_type).get("boundary", "")
    if not boundary or not whole:
        return None
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    if data.count(delimiter) > _PARTS_LIMIT:
        raise TooMuchError
    # The first delimiter has no line before it.
    first, *parts = (b"\r\n" + data).split(delimiter)
    if first.strip() or not parts or parts[-1].strip() != b"--":
        return None
    shown = [_masked_part(part, unmasked) for part in parts[:-1]]
    if None in shown:
        return None
    pieces = [b"", *(part for part in shown if part is not None), parts[-1]]
    return delimiter.join(pieces).removeprefix(b"\r\n")


def readable_multipart(data: bytes, content_type: str) -> str:
    """Return multipart/form-data as a text; bytes that are none are counted."""
    boundary = parameters(content_type).get("boundary", "")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    pieces = [_readable_part(part) for part in (b"\r\n" + data).split(delimiter)]
    return delimiter.decode("utf-8", "replace").join(pieces).removeprefix("\r\n")


def _readable_part(part: bytes) -> str:
    if (text := text_of(part)) is not None:
        return text
    head, blank, content = part.partition(b"\r\n\r\n")
    told = f"[{len(content)} bytes]" if blank else f"[{len(part)} bytes]"
    return (head + blank).decode("utf-8", "replace") + told if blank else told


def _masked_part(part: bytes, unmasked: bool) -> bytes | None:
    head, blank, content = part.partition(b"\r\n\r\n")
    text = text_of(head)
    if not blank or text is None or not text.startswith("\r\n"):
        return None
    lines = text[2:].split("\r\n")
    named = [line for line in lines if line.lower().startswith("content-disposition")]
    if not named:
        return None
    found = _DISPOSITION.fullmatch(named[0])
    if found is None or len(named) > 1 or not all(map(_is_usual, lines)):
        return _ODD
    name = found[1] or found[2] or ""
    if not unmasked and not is_name(name):
        return _ODD
    is_file = "filename" in parameters(named[0]) or "filename*" in parameters(named[0])
    return b"\r\n%b\r\n\r\n%b" % (
        "\r\n".join(_masked_line(line, unmasked) for line in lines).encode(),
        _masked_content(content, name, is_file, unmasked),
    )


def _is_usual(line: str) -> bool:
    """Return whether `line` of a part's head leaves its content what it seems."""
    name, _, value = line.lower().partition(":")
    if name == "content-transfer-encoding":
        return value.strip() in _PLAIN_CODINGS
    if name == "content-type" and value.strip().startswith(("multipart/", "message/")):
        return False
    return re.fullmatch(r"[\w-]+", name, re.ASCII) is not None


def _masked_line(line: str, unmasked: bool) -> str:
    if line.lower().startswith("content-disposition"):
        return masked_file_name(line, unmasked=unmasked)
    return masked_text(line, unmasked=unmasked)


def masked_file_name(value: str, *, unmasked: bool) -> str:
    """Return a `Content-Disposition` without the name of its file."""
    return value if unmasked else _FILE_NAME.sub(rf'\1"{MASK}"', value)


def _masked_content(content: bytes, name: str, is_file: bool, unmasked: bool) -> bytes:
    text = text_of(content)
    hidden = hides(level_of(name), unmasked=unmasked) or (
        (is_file or text is None) and not unmasked
    )
    if hidden and content:
        return MASK.encode()
    if text is None:
        return masked_octets(content) or MASK.encode()
    # Whatever it is called, a text may hold a token.
    return masked_value(text, unmasked=unmasked).encode()
