"""The head of an upstream response, and how the end of its content is told. Pure."""

from enum import Enum


class Framing(Enum):
    """How the end of a response's content is told (RFC 9112, section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class ResponseHead:
    """Status line and fields of a response, as they came."""

    __slots__ = ("fields", "framing", "keep_alive", "reason", "status")

    def __init__(self) -> None:
        self.status = 0
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.framing = Framing.NONE
        self.keep_alive = False

    def field(self, name: bytes) -> bytes:
        """Return the first value of the field `name` (lower case), or nothing."""
        for key, value in self.fields:
            if key.lower() == name:
                return value
        return b""


def framing(method: str, head: ResponseHead) -> Framing:
    """Return how the content of the answer to `method` is framed (RFC 9112, 6.3)."""
    if method == "HEAD" or head.status in {204, 304}:
        return Framing.NONE
    found = Framing.CLOSE
    for name, value in head.fields:
        lower = name.lower()
        if lower == b"transfer-encoding":
            # Any other last coding ends with the connection (RFC 9112, 6.3).
            chunked = value.lower().endswith(b"chunked")
            return Framing.CHUNKED if chunked else Framing.CLOSE
        if lower == b"content-length":
            found = Framing.LENGTH
    return found
