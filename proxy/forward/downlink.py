"""Writes the response to one inbound request, byte for byte."""

import asyncio
from email.utils import formatdate
from typing import Protocol

from proxy.answers import PROXY_NAME, error_body, error_fields
from proxy.errors import ProxyError
from proxy.forward.fields import field_lines, relayed_lines
from proxy.forward.relay import status_line
from proxy.http1.head import ResponseHead

ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
"""The Allow field of our own answers."""

TextFields = list[tuple[str, str]]

_REASONS = {
    200: b"OK",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
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


class Line(Protocol):
    """The connection to write on."""

    transport: asyncio.Transport | None

    def write_eof(self) -> None:
        """Say that nothing more will be written."""

    def abort(self) -> None:
        """End the connection at once, and visibly."""

    @property
    def can_reset(self) -> bool:
        """Whether the client can be told a cut from an end."""


class Downlink:
    """The way back to the client of one connection, for one request after the other.

    `keep_alive` says whether the connection may carry another one; `sent` counts the
    bytes written since `begin`.
    """

    __slots__ = ("_line", "head_sent", "http10", "keep_alive", "sent")

    def __init__(self, line: Line) -> None:
        self._line = line
        self.keep_alive = True
        self.http10 = False
        self.head_sent = False
        self.sent = 0

    def begin(self, *, http10: bool, keep_alive: bool) -> None:
        """Make ready for the answer to another request."""
        self.http10 = http10
        self.keep_alive = keep_alive
        self.head_sent = False
        self.sent = 0

    def interim(self, head: ResponseHead) -> None:
        """Relay a 1xx response, to those who know them (RFC 9110, section 15.2)."""
        if not self.http10 and not self.head_sent:
            lines = (status_line(head), *relayed_lines(head), b"\r\n")
            self._put(b"\r\n".join(lines))

    def write_continue(self) -> None:
        """Ask the client for its content (RFC 9110, section 15.2.1)."""
        self._put(b"HTTP/1.1 100 Continue\r\n\r\n")

    def write(self, data: bytes) -> None:
        """Write a piece of content."""
        self.sent += len(data)
        self._put(data)

    def _put(self, data: bytes) -> None:
        transport = self._line.transport
        # Until the loss is told, uvloop would complain of each piece.
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def write_chunk(self, data: bytes) -> None:
        """Write a piece of content as a chunk (RFC 9112, section 7.1)."""
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def write_head(self, lines: list[bytes], content: bytes = b"") -> None:
        """Write the head made of `lines`, with whatever of the content has come."""
        self.head_sent = True
        # RFC 9112, section 9.3: HTTP/1.1 persists and HTTP/1.0 closes unless told.
        if not self.keep_alive:
            lines.append(b"Connection: close")
        elif self.http10:
            lines.append(b"Connection: keep-alive")
        lines.append(b"\r\n" + content)
        self.write(b"\r\n".join(lines))

    def write_switch(self, lines: list[bytes]) -> None:
        """Write the head of a 101, after which the bytes are another protocol's."""
        self.head_sent = True
        self.keep_alive = False
        self.write(b"\r\n".join((*lines, b"Connection: Upgrade", b"", b"")))

    @property
    def can_cut(self) -> bool:
        """Whether content that ends with the connection can be told from a cut."""
        return self._line.can_reset

    def write_eof(self) -> None:
        """Say that nothing more will be written."""
        self._line.write_eof()

    def answer(
        self, error: ProxyError, extra: TextFields, *, with_content: bool
    ) -> None:
        """Send `error` as an answer of our own, with the `extra` fields."""
        fields = [*error_fields(error), *extra]
        if error.status == 405:
            fields.append(("Allow", ALLOWED))
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
        lines = [b"HTTP/1.1 %d %b" % (status, _REASONS.get(status, b""))]
        lines += field_lines([*fields, ("Date", formatdate(usegmt=True))])
        if status < 400:
            lines.append(b"Proxy-Status: " + PROXY_NAME.encode())
        if status != 204:
            lines.append(b"Content-Length: %d" % len(body))
        self.write_head(lines, body if with_content else b"")

    def cut(self, *, visibly: bool) -> None:
        """End a response that cannot be completed.

        `visibly` resets the connection, for content whose end is told by the close;
        otherwise what was relayed still arrives, and is seen to be short.
        """
        self.keep_alive = False
        if visibly:
            self._line.abort()
