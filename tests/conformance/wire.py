"""A strict reader of HTTP/1.x messages that keeps their raw heads.

It shares no code with the program: a shared parser would share its mistakes. It reads
all that has been received so far, again each time; `Reading.fault` says where that
stops being a message.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Framing = Literal["none", "length", "chunked", "close", "tunnel"]

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(_TOKEN + rb" [\x21-\x7e]+ HTTP/1\.[01]")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9]\d\d [\t\x20-\x7e\x80-\xff]*")
_FIELD_LINE = re.compile(_TOKEN + rb":[\t\x20-\x7e\x80-\xff]*")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?")

_WITHOUT_CONTENT = frozenset({204, 304})


@dataclass
class Message:
    """A request or response whose head has come, and as much of the rest as has."""

    head: bytes
    """Everything up to and including the empty line."""
    content: bytes = b""
    """Decoded from chunks; after a 101, whatever follows."""
    framing: Framing = "none"
    trailers: tuple[bytes, ...] = ()
    complete: bool = False

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    @property
    def fields(self) -> list[bytes]:
        """The field lines, as they came."""
        return self.head.split(b"\r\n")[1:-2]

    @property
    def method(self) -> bytes:
        return self.line.split(b" ", 1)[0]

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]

    @property
    def status(self) -> int:
        return int(self.line.split(b" ")[1])

    @property
    def interim(self) -> bool:
        return self.status // 100 == 1 and self.status != 101

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the fields called `name`, in any case."""
        split = (line.partition(b":") for line in self.fields)
        return [
            value.strip(b" \t")
            for one, _, value in split
            if one.lower() == name.lower()
        ]


@dataclass
class Reading:
    """The messages in what was received, and what is left over."""

    messages: list[Message]
    rest: bytes = b""
    fault: str = ""


class _MoreNeededError(Exception):
    """What was received ends here."""


class _MalformedError(Exception):
    """What was received is not HTTP/1.x, or is ambiguous."""


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        line = self.data[self.at : end if end >= 0 else len(self.data)]
        if b"\r" in line[:-1] or b"\0" in line:
            raise _MalformedError(f"CR or NUL inside the line {line[:80]!r}")
        if end < 0:
            raise _MoreNeededError
        if not line.endswith(b"\r"):
            raise _MalformedError(f"bare LF after {line[:80]!r}")
        self.at = end + 1
        return line[:-1]

    def take(self, most: int) -> bytes:
        piece = self.data[self.at : self.at + most]
        self.at += len(piece)
        return piece

    def rest(self) -> bytes:
        return self.take(len(self.data))


def read_requests(data: bytes, *, tunnel_after: int | None = None) -> Reading:
    """Read requests; what follows number `tunnel_after` is no HTTP."""
    cursor, messages = _Cursor(data), list[Message]()

    def one() -> None:
        message = Message(_head(cursor, _REQUEST_LINE))
        messages.append(message)
        if tunnel_after is not None and len(messages) > tunnel_after:
            message.framing, message.content = "tunnel", cursor.rest()
        else:
            message.framing, length = _framing(message)
            _read_content(cursor, message, length)
        message.complete = True

    return _read_all(cursor, messages, one)


def read_responses(
    data: bytes, methods: Sequence[bytes], *, ended: str = ""
) -> Reading:
    """Read the responses to requests of `methods`; `ended` is "", "eof" or "reset"."""
    cursor, messages = _Cursor(data), list[Message]()

    def one() -> None:
        message = Message(_head(cursor, _STATUS_LINE))
        answered = sum(not earlier.interim for earlier in messages)
        messages.append(message)
        method = methods[answered] if answered < len(methods) else b"GET"
        if message.status == 101:
            message.framing, message.content = "tunnel", cursor.rest()
        elif method != b"HEAD" and not _without_content(message.status):
            _read_response_content(cursor, message, ended)
        message.complete = message.framing != "close" or ended == "eof"

    return _read_all(cursor, messages, one)


def _read_all(
    cursor: _Cursor, messages: list[Message], one: Callable[[], None]
) -> Reading:
    start = 0
    try:
        while cursor.at < len(cursor.data):
            start = cursor.at
            one()
    except _MoreNeededError:
        # A message whose head has come is listed, incomplete; the rest is within it.
        begun = bool(messages) and not messages[-1].complete
        return Reading(messages, b"" if begun else cursor.data[start:])
    except _MalformedError as error:
        return Reading(messages, cursor.data[cursor.at :], str(error))
    return Reading(messages)


def _head(cursor: _Cursor, start_line: re.Pattern[bytes]) -> bytes:
    begin = cursor.at
    line = cursor.line()
    if not start_line.fullmatch(line):
        raise _MalformedError(f"not a start line: {line[:80]!r}")
    _field_lines(cursor)
    return cursor.data[begin : cursor.at]


def _field_lines(cursor: _Cursor) -> tuple[bytes, ...]:
    lines = []
    while line := cursor.line():
        if not _FIELD_LINE.fullmatch(line):
            raise _MalformedError(f"not a field line: {line[:80]!r}")
        lines.append(line)
    return tuple(lines)


def _without_content(status: int) -> bool:
    return status // 100 == 1 or status in _WITHOUT_CONTENT


def _framing(message: Message) -> tuple[Framing, int]:
    """Return the framing and the length that the head announces."""
    codings = message.values(b"Transfer-Encoding")
    lengths = message.values(b"Content-Length")
    if codings and lengths:
        raise _MalformedError("both Transfer-Encoding and Content-Length")
    if codings:
        if [coding.lower() for coding in codings] != [b"chunked"]:
            raise _MalformedError(f"Transfer-Encoding is {codings}")
        return "chunked", 0
    if lengths:
        if len(lengths) > 1 or not re.fullmatch(rb"\d{1,15}", lengths[0]):
            raise _MalformedError(f"Content-Length is {lengths}")
        return "length", int(lengths[0])
    return "none", 0


def _read_response_content(cursor: _Cursor, message: Message, ended: str) -> None:
    message.framing, length = _framing(message)
    if message.framing != "none":
        _read_content(cursor, message, length)
        return
    message.framing = "close"
    message.content = cursor.rest()
    if ended != "eof":
        raise _MoreNeededError


def _read_content(cursor: _Cursor, message: Message, length: int) -> None:
    if message.framing == "chunked":
        while size := _chunk_size(cursor.line()):
            _read_length(cursor, message, size)
            if cursor.line():
                raise _MalformedError("a chunk is longer than its size says")
        message.trailers = _field_lines(cursor)
    else:
        _read_length(cursor, message, length)


def _read_length(cursor: _Cursor, message: Message, length: int) -> None:
    piece = cursor.take(length)
    message.content += piece
    if len(piece) < length:
        raise _MoreNeededError


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_LINE.fullmatch(line)
    if not match:
        raise _MalformedError(f"not a chunk size: {line[:80]!r}")
    return int(match[1], 16)
