"""The inbound side: aiohttp's HTTP server, with a way to write a response unaltered.

aiohttp parses requests, limits them and keeps connections alive. What it adds to
responses is not wanted here, so a response is written to the transport as bytes, by
`Downlink`, and aiohttp is only told whether the connection stays open.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import _ErrInfo

from proxy.answers import error_body, error_fields
from proxy.errors import ProxyError, RequestError
from proxy.forward.connection import UpstreamConnection
from proxy.forward.fields import field_lines
from proxy.forward.response import ResponseHead

# The two differ by a byte so that it can be told which one a message went over.
MAX_TARGET = 64 * 1024
MAX_FIELD = MAX_TARGET + 1
MAX_FIELDS = 256

# Linger for no time: what makes a close a reset (struct linger: two shorts on Windows).
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

TextFields = list[tuple[str, str]]

_REASONS = {
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    421: b"Misdirected Request",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    508: b"Loop Detected",
}


class InboundConnection(web.RequestHandler):
    """One inbound connection whose back-pressure reaches the upstream connection."""

    __slots__ = ("_refused", "relaying")

    def __init__(self, manager: "InboundServer", **options: Any) -> None:
        super().__init__(manager, **options)
        self._refused = manager.refused
        self.relaying: UpstreamConnection | None = None

    def data_received(self, data: bytes) -> None:
        """Parse what the client sent; broken framing ends the request under way.

        aiohttp's C parser tells only the connection of it, and whoever reads the
        content would wait for ever.
        """
        super().data_received(data)
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo):
            request = self._current_request
            if request is not None and not request.content.is_eof():
                request.content.set_exception(web.RequestPayloadError())
                request.content.feed_eof()  # so that aiohttp looks for no more of it

    def pause_writing(self) -> None:
        """Stop the upstream, as the client does not keep up."""
        super().pause_writing()
        if self.relaying is not None:
            self.relaying.pause()

    def resume_writing(self) -> None:
        """Let the upstream go on."""
        super().resume_writing()
        if self.relaying is not None:
            self.relaying.resume()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp refused, in our shape and without echoing any of it."""
        error = _refusal(exc)
        self._refused(error)
        downlink = Downlink(request)
        downlink.keep_alive = False
        downlink.answer(error, [], with_content=True)
        return cast("web.StreamResponse", downlink)


class InboundServer(web.Server):
    """Makes an `InboundConnection` of every connection.

    `handler` answers the requests; `refused` hears of what aiohttp would not read as
    one.
    """

    def __init__(self, handler: Any, refused: Callable[[ProxyError], None]) -> None:
        # A client that leaves stops the upstream transfer.
        super().__init__(handler, handler_cancellation=True)
        self.refused = refused

    def __call__(self) -> web.RequestHandler:
        """Return the protocol of a new connection."""
        return InboundConnection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,  # content crosses as it came
            max_line_size=MAX_TARGET,
            max_field_size=MAX_FIELD,
            max_headers=MAX_FIELDS,
        )


class Downlink:
    """Writes the response to one inbound request, and is what its handler returns.

    aiohttp asks of it `prepare`, `write_eof` and `keep_alive` only.
    """

    __slots__ = (
        "_connection",
        "_transport",
        "_writer",
        "head_sent",
        "http10",
        "keep_alive",
        "sent",
    )

    def __init__(self, inbound: web.BaseRequest) -> None:
        connection = inbound.protocol
        assert isinstance(connection, InboundConnection)  # noqa: S101  we made it
        self._connection = connection
        self._transport = inbound.transport
        self._writer = inbound.writer
        self.http10 = inbound.version < (1, 1)
        self.keep_alive = inbound.keep_alive
        self.head_sent = False
        self.sent = 0

    async def prepare(self, _: web.BaseRequest) -> None:
        """Do nothing: the response is written already."""

    async def write_eof(self) -> None:
        """Wait until the client keeps up, before its next request is looked at."""
        if self._connection.writing_paused:
            await self._writer.drain()

    def interim(self, head: ResponseHead) -> None:
        """Relay a 1xx response, to those who know them (RFC 9110, section 15.2)."""
        if not self.http10 and self._transport is not None:
            lines = [b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)]
            lines += [b"%b: %b\r\n" % field for field in head.fields]
            self._transport.write(b"".join(lines) + b"\r\n")

    def write(self, data: bytes) -> None:
        """Write a piece of content."""
        self.sent += len(data)
        if self._transport is not None:
            self._transport.write(data)

    def write_chunk(self, data: bytes) -> None:
        """Write a piece of content as a chunk (RFC 9112, section 7.1)."""
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def write_head(self, data: bytes) -> None:
        """Write the head, with whatever of the content has come."""
        self.head_sent = True
        self.write(data)

    def connection_line(self) -> bytes:
        """Return the Connection field to send, or nothing where the default is meant.

        RFC 9112, section 9.3: HTTP/1.1 persists and HTTP/1.0 closes unless told.
        """
        if not self.keep_alive:
            return b"Connection: close\r\n"
        return b"Connection: keep-alive\r\n" if self.http10 else b""

    def attach(self, upstream: UpstreamConnection) -> None:
        """Let this client's back-pressure stop `upstream` until `detach`."""
        self._connection.relaying = upstream
        if self._connection.writing_paused:
            upstream.pause()

    def detach(self) -> None:
        """End what `attach` began."""
        self._connection.relaying = None

    def answer(
        self, error: ProxyError, extra: TextFields, *, with_content: bool
    ) -> None:
        """Send `error` as an answer of our own, with the `extra` fields."""
        fields = [*error_fields(error), *extra]
        if error.status == 405:
            fields.append(("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        body = error_body(error)
        self.respond(error.status, fields, body, with_content=with_content)

    def respond(
        self,
        status: int,
        fields: TextFields,
        body: bytes = b"",
        *,
        with_content: bool = True,
    ) -> None:
        """Send a response of our own."""
        lines = [b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b""))]
        lines += field_lines(fields)
        if status != 204:
            lines.append(b"Content-Length: %d\r\n" % len(body))
        lines += (self.connection_line(), b"\r\n")
        if with_content:
            lines.append(body)
        self.write_head(b"".join(lines))

    def cut(self, *, visibly: bool) -> None:
        """End a response that cannot be completed.

        `visibly` resets the connection, for content whose end is told by the close;
        otherwise what was relayed still arrives, and is seen to be short.
        """
        self.keep_alive = False
        if self._transport is None:
            return
        if not visibly:
            self._transport.close()
            return
        if (connection := self._transport.get_extra_info("socket")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()


def _refusal(exc: BaseException | None) -> RequestError:
    # aiohttp 3.14 tells these apart by no type of their own.
    if isinstance(exc, LineTooLong):
        if MAX_TARGET in exc.args:
            return RequestError("the request target is too long", status=414)
        return RequestError("a request field is too long", status=431)
    if exc is not None and "Too many" in str(exc):
        return RequestError("the request has too many fields", status=431)
    return RequestError("the request is not valid HTTP/1.1", value="http")
