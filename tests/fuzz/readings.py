"""One way to say what three parsers read: this program's, h11's and aiohttp's.

h11 and aiohttp's parser (llhttp) are kept by others and share no code with this one.
Each message gets a fresh parser, so that where it ends is found anew every time.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, cast

import h11
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import (
    HttpRequestParser,
    HttpResponseParser,
    RawRequestMessage,
    RawResponseMessage,
)
from aiohttp.streams import StreamReader

from proxy.forward.fields import RESPONSE_NOTED
from proxy.forward.handler import NOTED
from proxy.http1.chunked import Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.framing import Reader, UntilClose, request_reader, response_reader
from proxy.http1.head import (
    Field,
    check_host,
    check_target,
    parse_request,
    parse_response,
    value_of,
)

State = Literal["whole", "part", "broken"]

Pairs = tuple[tuple[bytes, bytes], ...]
"""Fields: names in lower case, and values without the white space around them."""

LIMIT = 2**20
"""More than any message here has: it is not limits that parsers are compared for."""


class RefusedError(Exception):
    """A parser does not take the head of a message."""


@dataclass(frozen=True)
class Message:
    """What a parser made of a message whose head it took.

    `line` is method and target, or status and reason. `end` is where a whole message
    ends in the data that it was read from; a broken one has malformed content.
    """

    line: tuple[bytes, bytes]
    fields: Pairs
    content: bytes = b""
    trailers: Pairs = ()
    state: State = "whole"
    end: int = 0

    def values(self, name: bytes) -> list[bytes]:
        return [value for one, value in self.fields if one == name]


@dataclass(frozen=True)
class Reading:
    """The messages in some data, and if the last, or what follows it, is bad."""

    messages: tuple[Message, ...] = ()
    refused: bool = False

    @property
    def whole(self) -> list[Message]:
        return [one for one in self.messages if one.state == "whole"]


def read_all(read: Callable[[bytes], Message | None], data: bytes) -> Reading:
    """Read requests with `read` until one is refused, or not whole."""
    messages: list[Message] = []
    while True:
        while data.startswith(b"\r\n"):  # RFC 9112, section 2.2
            data = data[2:]
        try:
            message = read(data)
        except RefusedError:
            return Reading(tuple(messages), refused=True)
        if message is None:
            return Reading(tuple(messages))
        messages.append(message)
        if message.state != "whole":
            return Reading(tuple(messages), refused=message.state == "broken")
        data = data[message.end :]


# -- This program --------------------------------------------------------------------


def our_request(data: bytes) -> Message | None:
    """Read the request that `data` begins with; None before its head has come.

    Raises RefusedError.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    try:
        head = parse_request(data[:end], NOTED)
        check_host(head)
        check_target(head)
        reader = request_reader(head)
    except MalformedError as error:
        raise RefusedError from error
    line = head.method.encode(), head.target
    return _with_content(Message(line, pairs(head.fields)), reader, data, end + 4)


def our_response(method: bytes, data: bytes) -> Message | None:
    """Read the response to `method`, interim or not, that `data` begins with.

    Content without a length ends with the data. None and RefusedError as above.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    try:
        head = parse_response(data[:end], RESPONSE_NOTED)
        interim = head.status < 200
        reader = None if interim else response_reader(method.decode(), head)
    except MalformedError as error:
        raise RefusedError from error
    line = b"%d" % head.status, head.reason
    return _with_content(Message(line, pairs(head.fields)), reader, data, end + 4)


def pairs(fields: Iterable[Field]) -> Pairs:
    return tuple((field[0], value_of(field)) for field in fields)


def _with_content(
    made: Message, reader: Reader | None, data: bytes, at: int
) -> Message:
    """Return `made` with its content, which begins in `data` at `at`."""
    if reader is None:
        return replace(made, end=at)
    try:
        content, rest = reader.feed(data[at:])
    except MalformedError:
        return replace(made, content=_before_the_fault(data[at:]), state="broken")
    if isinstance(reader, Chunked):
        made = replace(made, trailers=pairs(reader.trailers))
    whole = reader.done or isinstance(reader, UntilClose)
    end = len(data) - len(rest)
    return replace(made, content=content, state="whole" if whole else "part", end=end)


def _before_the_fault(data: bytes) -> bytes:
    """Return the content of broken chunks that is handed on before it is noticed."""
    reader, content = Chunked(), b""
    try:
        for at in range(len(data)):
            content += reader.feed(data[at : at + 1])[0]
    except MalformedError:
        pass
    return content


# -- h11 -----------------------------------------------------------------------------


def h11_request(data: bytes) -> Message | None:
    """Read the request that `data` begins with, as `our_request` does.

    A target beyond ASCII, which h11 refuses, is read as this program sends it on.
    """
    plain = encoded(data)
    connection = h11.Connection(h11.SERVER, LIMIT)
    if plain:
        connection.receive_data(plain)
    made = _h11_message(connection)
    return made and replace(made, end=len(data) - len(connection.trailing_data[0]))


def h11_responses(
    method: bytes, data: bytes, *, ended: bool, http10: bool = False
) -> Reading:
    """Read the responses to one request of `method`: interim ones, and the final one.

    `ended` says that the connection was closed in good order after them.
    """
    connection = h11.Connection(h11.CLIENT, LIMIT)
    version, fields = (b"1.0", []) if http10 else (b"1.1", [(b"Host", b"x")])
    connection.send(
        h11.Request(method=method, target="/", headers=fields, http_version=version)
    )
    connection.send(h11.EndOfMessage())
    if data:
        connection.receive_data(data)
    if ended:
        connection.receive_data(b"")
    messages: list[Message] = []
    while True:
        try:
            message = _h11_message(connection)
        except RefusedError:
            return Reading(tuple(messages), refused=True)
        if message is None:
            return Reading(tuple(messages))
        end = len(data) - len(connection.trailing_data[0])
        messages.append(replace(message, end=end))
        if int(message.line[0]) >= 200:
            return Reading(tuple(messages), refused=message.state == "broken")


def _h11_message(connection: h11.Connection) -> Message | None:
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise RefusedError from error
    if isinstance(event, h11.Request):
        made = Message((event.method, event.target), tuple(event.headers))
    elif isinstance(event, h11.Response | h11.InformationalResponse):
        line = b"%d" % event.status_code, event.reason
        made = Message(line, tuple(event.headers))
    else:
        return None
    interim = isinstance(event, h11.InformationalResponse)
    return made if interim else _with_h11_content(made, connection)


def _with_h11_content(made: Message, connection: h11.Connection) -> Message:
    content = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return replace(made, content=content, state="broken")
        if isinstance(event, h11.EndOfMessage):
            trailers = tuple(event.headers)
            return replace(made, content=content, trailers=trailers)
        if not isinstance(event, h11.Data):
            return replace(made, content=content, state="part")
        content += event.data


def encoded(data: bytes) -> bytes:
    """Return `data`, a request, with the bytes of its target made plain ASCII."""
    line, end, rest = data.partition(b"\r\n")
    line = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % ord(byte[0]), line)
    return line + end + rest


# -- aiohttp -------------------------------------------------------------------------


@dataclass
class AiohttpReading:
    """What aiohttp's parser made of pieces of data.

    `fault` says what it refused in the end. `keeps` is what it makes of the first
    message's Connection field, and `upgrades` says that another protocol follows it.
    """

    messages: list[Message]
    fault: str = ""
    keeps: bool = True
    upgrades: bool = False


def aiohttp_requests(pieces: Iterable[bytes]) -> AiohttpReading:
    """Read requests that come in `pieces`."""
    return _aiohttp(
        HttpRequestParser(
            _Receiver(),
            _NO_LOOP,
            LIMIT,
            max_line_size=LIMIT,
            max_field_size=LIMIT,
            max_headers=LIMIT,
            auto_decompress=False,
        ),
        pieces,
    )


def aiohttp_responses(method: bytes, pieces: Iterable[bytes]) -> AiohttpReading:
    """Read responses to `method` that come in `pieces`."""
    return _aiohttp(
        HttpResponseParser(
            _Receiver(),
            _NO_LOOP,
            LIMIT,
            max_line_size=LIMIT,
            max_field_size=LIMIT,
            max_headers=LIMIT,
            response_with_body=method != b"HEAD",
            read_until_eof=True,
            auto_decompress=False,
        ),
        pieces,
    )


class _Receiver(BaseProtocol):
    """Whom the parser would tell to wait; here nobody has to."""

    def __init__(self) -> None:
        super().__init__(_NO_LOOP)


_NO_LOOP = cast("asyncio.AbstractEventLoop", object())


def _aiohttp(
    parser: HttpRequestParser | HttpResponseParser, pieces: Iterable[bytes]
) -> AiohttpReading:
    found: list[tuple[RawRequestMessage | RawResponseMessage, StreamReader]] = []
    reading = AiohttpReading([])
    try:
        for piece in pieces:
            messages, upgraded, _ = parser.feed_data(piece)
            found += messages
            reading.upgrades = reading.upgrades or upgraded
    except HttpProcessingError as error:
        reading.fault = str(error)
    for head, content in found:
        reading.messages.append(_aiohttp_message(head, content))
    if found:
        head = found[0][0]
        reading.keeps = not head.should_close
        reading.upgrades = reading.upgrades or head.upgrade
    return reading


def _aiohttp_message(
    head: RawRequestMessage | RawResponseMessage, content: StreamReader
) -> Message:
    if isinstance(head, RawRequestMessage):
        line = head.method, head.path
    else:
        line = str(head.code), head.reason
    start, rest = (part.encode("utf-8", "surrogateescape") for part in line)
    fields = tuple((name.lower(), value) for name, value in head.raw_headers)
    if content.exception() is not None:
        return Message((start, rest), fields, b"".join(content._buffer), (), "broken")
    state: State = "whole" if content.is_eof() else "part"
    return Message((start, rest), fields, content.read_nowait(), (), state)
