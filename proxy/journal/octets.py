"""Bytes that are no text, or claim to be none, without the secrets among them. Pure."""

import zlib
from typing import Final

from proxy.journal.media import DECODED_LIMIT, text_of
from proxy.journal.texts import masked_text
from proxy.redaction import MASK

_GZIP: Final = b"\x1f\x8b"
_BEGINNINGS: Final = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"),
    *(b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    *(b"OggS", b"ID3", b"fLaC", b"\x1a\x45\xdf\xa3", b"wOFF", b"wOF2"),
)
"""Images, documents, sound, film and fonts: what tells them from text in bytes."""


def masked_octets(data: bytes) -> bytes | None:
    """Return `data` as it may be shown unmasked; None when it is to be hidden.

    Files of a known format are as they are. What may be a text in some other coding
    loses its secrets; where that cannot be done, nothing is shown.
    """
    if data.startswith(_GZIP):
        return _checked_gzip(data)
    if _is_known(data) and text_of(data) is None:
        return data
    if b"\0" in data:
        # Without them, what may be UTF-16 has the usual shapes.
        told = data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
        return data if masked_text(told, unmasked=True) == told else None
    text = masked_text(data.decode("utf-8", "surrogateescape"), unmasked=True)
    return None if text == MASK else text.encode("utf-8", "surrogateescape")


def _is_known(data: bytes) -> bool:
    is_riff = data.startswith(b"RIFF") and data[8:12] in {b"WEBP", b"WAVE", b"AVI "}
    return is_riff or data[4:8] == b"ftyp" or data.startswith(_BEGINNINGS)


def _checked_gzip(data: bytes) -> bytes | None:
    engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        inner = engine.decompress(data, DECODED_LIMIT + 1)
    except zlib.error:
        return None
    if len(inner) > DECODED_LIMIT or engine.unused_data or inner.startswith(_GZIP):
        return None
    return data if masked_octets(inner) == inner else None
