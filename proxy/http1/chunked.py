"""The chunked transfer coding (RFC 9112, section 7.1)."""

import re
from typing import Final

from proxy.http1.errors import MalformedError
from proxy.http1.head import Field, is_hopeless, parse_trailers

MAX_SIZE_LINE: Final = 4096
"""Bytes of a chunk's size with its extensions, which mean nothing here."""

MAX_TRAILERS: Final = 16 * 1024

# Section 7.1.1: white space only around what it may stand around.
_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,15})"
    rb"(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb"|\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*"
)

# What a line that has not come whole may begin with.
_SIZE_START = re.compile(rb"[0-9A-Fa-f]{1,15}(?:[ \t;].*|\r?)\Z", re.DOTALL)

_SIZE, _DATA, _DATA_END, _TRAILERS = range(4)
_MORE: Final = -1


class Chunked:
    """Reads chunked content; extensions are dropped, `trailers` are kept."""

    __slots__ = ("_at", "_held", "_left", "done", "trailers")

    def __init__(self) -> None:
        self._at = _SIZE
        self._held = b""  # the beginning of something that has not come whole
        self._left = 0
        self.done = False
        self.trailers: list[Field] = []

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the content in `data` and what follows the last chunk.

        Raises MalformedError.
        """
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        at = 0
        while not self.done and at < len(data):
            if self._at == _DATA:
                reached = self._take(data, at, pieces)
            elif self._at == _SIZE:
                reached = self._size(data, at)
            elif self._at == _DATA_END:
                reached = self._data_end(data, at)
            else:
                reached = self._trailers(data, at)
            if reached == _MORE:
                self._held = data[at:]
                return b"".join(pieces), b""
            at = reached
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), data[at:]

    # Each step returns where the next begins, or _MORE when more has to come first.

    def _size(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n", at, at + MAX_SIZE_LINE)
        if end < 0:
            if (
                len(data) - at >= MAX_SIZE_LINE
                or is_hopeless(data[at:])
                or _SIZE_START.match(data, at) is None
            ):
                raise MalformedError("a chunk's size is too long or not valid")
            return _MORE
        match = _SIZE_LINE.fullmatch(data, at, end)
        if match is None:
            raise MalformedError("a chunk's size is not valid")
        self._left = int(match[1], 16)
        self._at = _DATA if self._left else _TRAILERS
        return end + 2

    def _take(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        end = min(at + self._left, len(data))
        if end > at:
            pieces.append(data[at:end])
            self._left -= end - at
        if not self._left:
            self._at = _DATA_END
        return end

    def _data_end(self, data: bytes, at: int) -> int:
        found = data[at : at + 2]
        if found == b"\r\n":
            self._at = _SIZE
            return at + 2
        if found not in (b"", b"\r"):
            raise MalformedError("a chunk is longer than its size")
        return _MORE

    def _trailers(self, data: bytes, at: int) -> int:
        if data[at : at + 2] == b"\r\n":
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at, at + MAX_TRAILERS)
        if end < 0:
            if len(data) - at >= MAX_TRAILERS or is_hopeless(data[at:]):
                raise MalformedError("the trailers are too long or not ended")
            return _MORE
        self.trailers = parse_trailers(data[at:end])
        self.done = True
        return end + 4
