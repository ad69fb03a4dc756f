"""Forms with their secret and personal values masked. Pure."""

import re

from proxy.journal.json_text import masked_value
from proxy.journal.media import parameters, text_of
from proxy.journal.personal import hides, level_of
from proxy.journal.texts import masked_parameters, masked_text
from proxy.redaction import MASK

_FILE_NAME = re.compile(
    r"""(;\s*filename\*?\s*=\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s;]*)""", re.IGNORECASE
)


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
    """
    boundary = parameters(content_type).get("boundary", "")
    if not boundary or not whole:
        return None
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    # The first delimiter has no line before it.
    first, *parts = (b"\r\n" + data).split(delimiter)
    if first.strip() or not parts or parts[-1].strip() != b"--":
        return None
    shown = [_masked_part(part, unmasked) for part in parts[:-1]]
    if None in shown:
        return None
    pieces = [b"", *(part for part in shown if part is not None), parts[-1]]
    return delimiter.join(pieces).removeprefix(b"\r\n")


def _masked_part(part: bytes, unmasked: bool) -> bytes | None:
    head, blank, content = part.partition(b"\r\n\r\n")
    text = text_of(head)
    if not blank or text is None or not text.startswith("\r\n"):
        return None
    lines = text[2:].split("\r\n")
    named = next(
        (line for line in lines if line.lower().startswith("content-disposition:")),
        None,
    )
    if named is None:
        return None
    shown = "\r\n".join(_masked_line(line, unmasked) for line in lines)
    return b"\r\n%b\r\n\r\n%b" % (
        shown.encode(),
        _masked_content(content, parameters(named), unmasked),
    )


def _masked_line(line: str, unmasked: bool) -> str:
    return masked_file_name(masked_text(line, unmasked=unmasked), unmasked=unmasked)


def masked_file_name(value: str, *, unmasked: bool) -> str:
    """Return a `Content-Disposition` without the name of its file."""
    return value if unmasked else _FILE_NAME.sub(rf'\1"{MASK}"', value)


def _masked_content(content: bytes, named: dict[str, str], unmasked: bool) -> bytes:
    level = level_of(named.get("name", ""))
    is_file = any(name.startswith("filename") for name in named)
    text = text_of(content)
    hidden = hides(level, unmasked=unmasked) or (
        (is_file or text is None) and not unmasked
    )
    if hidden and content:
        return MASK.encode()
    # Whatever it is called, a text may hold a token.
    return content if text is None else masked_value(text, unmasked=unmasked).encode()
