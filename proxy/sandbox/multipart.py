"""A streaming parser of multipart/form-data (RFC 7578, RFC 2046 section 5.1). No I/O.

Our own, and not aiohttp's: the fake API must hash the content as it came, and a fake
that shares a parser with the client in the tests would share its mistakes.
"""

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import unquote

PART_LIMIT = 10 * 1024 * 1024
# Of one request: what is over it counts as too large an attachment.
TOTAL_LIMIT = 64 * 1024 * 1024
_HEAD_LIMIT = 16 * 1024
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))')


class MultipartError(Exception):
    """The content is no multipart/form-data, or ends too early."""


@dataclass(slots=True)
class Part:
    """One field or file; `too_large` when it went over the limit and was dropped."""

    name: str
    file_name: str | None
    content_type: str
    content: bytearray = field(default_factory=bytearray, repr=False)
    too_large: bool = False

    def add(self, data: bytes | bytearray) -> None:
        """Take in a piece of the content."""
        if self.too_large or len(self.content) + len(data) > PART_LIMIT:
            self.too_large = True
            self.content.clear()
        else:
            self.content += data


class _State(Enum):
    PREAMBLE = auto()
    HEAD = auto()
    CONTENT = auto()
    EPILOGUE = auto()


class MultipartParser:
    """Feed it pieces of content; `close` returns the parts."""

    def __init__(self, content_type: str) -> None:
        boundary = _parameters(content_type).get("boundary", "")
        if not content_type.lower().startswith("multipart/form-data") or not boundary:
            raise MultipartError("not multipart/form-data with a boundary")
        self._delimiter = b"\r\n--" + boundary.encode()
        # The first delimiter has no line before it.
        self._buffer = bytearray(b"\r\n")
        self._state = _State.PREAMBLE
        self._parts: list[Part] = []
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take in the next piece."""
        self._buffer += data
        while self._step():
            pass

    def close(self) -> list[Part]:
        """Return the parts, when the closing delimiter has come."""
        if self._state is not _State.EPILOGUE:
            raise MultipartError("the closing delimiter is missing")
        return self._parts

    def _step(self) -> bool:
        """Go one step on; False when more data is needed."""
        match self._state:
            case _State.PREAMBLE | _State.CONTENT:
                return self._to_delimiter()
            case _State.HEAD:
                return self._head()
            case _State.EPILOGUE:
                self._buffer.clear()
                return False

    def _to_delimiter(self) -> bool:
        at = self._buffer.find(self._delimiter)
        # The last bytes may be the beginning of a delimiter.
        safe = at if at >= 0 else len(self._buffer) - len(self._delimiter) + 1
        if safe > 0:
            if self._state is _State.CONTENT:
                self._total += safe
                part = self._parts[-1]
                part.too_large = part.too_large or self._total > TOTAL_LIMIT
                part.add(self._buffer[:safe])
            del self._buffer[:safe]
        after = len(self._delimiter)
        if at < 0 or len(self._buffer) < after + 2:
            return False
        closing = self._buffer[after : after + 2] == b"--"
        self._state = _State.EPILOGUE if closing else _State.HEAD
        del self._buffer[:after]
        return True

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise MultipartError("the head of a part is too long")
            return False
        self._parts.append(_part(self._buffer[:end].decode("utf-8", "replace")))
        del self._buffer[: end + 4]
        self._state = _State.CONTENT
        return True


def _part(head: str) -> Part:
    fields = {}
    for line in head.strip().split("\r\n"):
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    parameters = _parameters(fields.get("content-disposition", ""))
    if "name" not in parameters:
        raise MultipartError("a part has no name")
    return Part(
        name=parameters["name"],
        file_name=_file_name(parameters),
        content_type=fields.get("content-type", "text/plain"),
    )


def _file_name(parameters: dict[str, str]) -> str | None:
    # RFC 7578 forbids this form, and clients send it for names that are not ASCII.
    extended = parameters.get("filename*")
    if extended is not None:
        return unquote(extended.rpartition("'")[2])
    return parameters.get("filename")


def _parameters(value: str) -> dict[str, str]:
    found = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or bare
    return found
