"""What kind of content a message has, and its bytes without a content coding. Pure."""

import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from proxy.journal.entry import KeptContent, Message

Kind = Literal["none", "json", "form", "text", "image", "binary"]

DECODED_LIMIT: Final = 256 * 1024
"""What a coded content may grow to. More is not looked into, and so not shown."""
_CODINGS_LIMIT: Final = 2

_TEXTS: Final = ("application/xml", "application/javascript", "application/graphql")
_FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
# A type that says nothing, or that programs send without thinking.
_VAGUE: Final = frozenset({"", "text/plain", "application/octet-stream", _FORM})

_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))')


@dataclass(frozen=True, slots=True)
class Decoded:
    """Content without its coding; `whole` says whether it goes to its end."""

    data: bytes
    whole: bool


def media_type(message: Message) -> str:
    """Return the media type in lower case, without parameters; empty if unknown."""
    return (message.value("content-type") or "").partition(";")[0].strip().lower()


def parameters(value: str) -> dict[str, str]:
    """Return the parameters of a field value, by their names in lower case."""
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
        for name, quoted, bare in _PARAMETER.findall(value)
    }


def codings(message: Message) -> list[str]:
    """Return the content codings in the order in which they were applied."""
    values = [
        value for name, value in message.fields if name.lower() == "content-encoding"
    ]
    words = [word.strip().lower() for word in ",".join(values).split(",")]
    return [word for word in words if word not in {"", "identity"}]


def decoded(message: Message) -> Decoded | None:
    """Return the content without its codings; None when it cannot be looked into.

    That is so for codings other than gzip and deflate, for broken content, and for
    what grows beyond the limit.
    """
    content = message.content
    if content is None:
        return None
    read = Decoded(content.data, content.is_whole)
    applied = codings(message)
    if len(applied) > _CODINGS_LIMIT:
        return None
    for coding in reversed(applied):
        inflated = _inflated(read, coding)
        if inflated is None:
            return None
        read = inflated
    return read


def _inflated(read: Decoded, coding: str) -> Decoded | None:
    if not read.data:
        return read
    if coding in {"gzip", "x-gzip"}:
        return _inflate(read, 16 + zlib.MAX_WBITS)
    if coding == "deflate":
        # Some servers leave out the frame that RFC 9110, section 8.4.1.2, asks for.
        return _inflate(read, zlib.MAX_WBITS) or _inflate(read, -zlib.MAX_WBITS)
    return None


def _inflate(read: Decoded, window: int) -> Decoded | None:
    engine = zlib.decompressobj(window)
    try:
        data = engine.decompress(read.data, DECODED_LIMIT + 1)
    except zlib.error:
        return None
    # A second member, or whatever follows, would go unseen.
    if len(data) > DECODED_LIMIT or engine.unused_data:
        return None
    return Decoded(data, read.whole and engine.eof)


def text_of(data: bytes) -> str | None:
    """Return `data` as text in UTF-8, a byte order mark included; None: it is none.

    A character that was cut off at the end is left out.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        if exc.reason != "unexpected end of data":
            return None
        text = data[: exc.start].decode("utf-8")
    return None if "\0" in text else text


def image_type(data: bytes) -> str | None:
    """Return the type of the image that begins as `data` does; None: it is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def kind_of(message: Message) -> Kind:
    """Return how the message's content can be shown.

    It is an image only if its type says so and its bytes agree; what is not kept, or
    in a coding that cannot be undone, is binary.
    """
    return kind_of_read(message, decoded(message))


def kind_of_read(message: Message, read: Decoded | None) -> Kind:
    """Return what `kind_of` does, of a message that was `decoded` before."""
    content = message.content
    if content is not None and content.size == 0:
        return "none"
    if read is None:
        return "binary"
    named = media_type(message)
    kind = claimed_kind(named, read.data)
    # Files within a form may hold any bytes.
    may_be_bytes = kind in {"image", "binary"} or named == MULTIPART
    return kind if may_be_bytes or text_of(read.data) is not None else "binary"


def claimed_kind(named: str, data: bytes) -> Kind:
    """Return the kind of `data` of media type `named`, text or not."""
    if named.startswith("image/"):
        return "image" if image_type(data) == named else _image_as_text(named)
    looks_like_json = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}
    is_json = named.endswith(("/json", "+json"))
    if is_json or (named in _VAGUE and looks_like_json):
        return "json"
    if named in {_FORM, MULTIPART}:
        return "form"
    is_text = named.startswith("text/") or named.endswith("+xml") or named in _TEXTS
    return (
        "text" if is_text or (named == "" and text_of(data) is not None) else "binary"
    )


def _image_as_text(named: str) -> Kind:
    return "text" if named == "image/svg+xml" else "binary"


@dataclass(frozen=True, slots=True)
class ShownContent(KeptContent):
    """Content as an export shows it: masked, and without its codings.

    `size` stays the true one, as it was sent; `sha256` is empty, since what is hidden
    could be found by trying. `hidden` says that nothing of it is shown.
    """

    hidden: bool = False
    whole: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept, whatever masks made of its length."""
        return self.whole
