"""Writes the response to one inbound request, byte for byte."""

from email.utils import formatdate

from proxy.answers import PROXY_NAME, error_body, error_fields
from proxy.errors import ProxyError
from proxy.forward.connection import UpstreamConnection
from proxy.forward.fields import field_lines, relayed_lines
from proxy.forward.inbound import InboundConnection
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


class Downlink:
    """The way back to the client of one request.

    `keep_alive` says whether the connection may carry another one; `sent` counts the
    bytes written.
    """

    __slots__ = ("_connection", "head_sent", "http10", "sent")

    def __init__(self, connection: InboundConnection, *, http10: bool = False) -> None:
        self._connection = connection
        self.http10 = http10
        self.head_sent = False
        self.sent = 0

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after this response."""
        return self._connection.keep_alive

    @keep_alive.setter
    def keep_alive(self, stays: bool) -> None:
        self._connection.keep_alive = stays

    def interim(self, head: ResponseHead) -> None:
        """Relay a 1xx response, to those who know them (RFC 9110, section 15.2)."""
        if not self.http10 and not self.head_sent:
            lines = (status_line(head), *relayed_lines(head), b"\r\n")
            self._connection.write(b"\r\n".join(lines))

    def write(self, data: bytes) -> None:
        """Write a piece of content."""
        self.sent += len(data)
        self._connection.write(data)

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
        lines += (b"", content)
        self.write(b"\r\n".join(lines))

    def write_switch(self, lines: list[bytes]) -> None:
        """Write the head of a 101, after which the bytes are another protocol's."""
        self.head_sent = True
        self.keep_alive = False
        self.write(b"\r\n".join((*lines, b"Connection: Upgrade", b"", b"")))

    @property
    def can_cut(self) -> bool:
        """Whether content that ends with the connection can be told from a cut."""
        return self._connection.can_reset

    def write_eof(self) -> None:
        """Say that nothing more will be written."""
        self._connection.write_eof()

    def attach(self, upstream: UpstreamConnection) -> None:
        """Let this client's back-pressure stop `upstream` until `detach`."""
        self._connection.relay_from(upstream)

    def detach(self) -> None:
        """End what `attach` began."""
        self._connection.relay_from(None)

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
            self._connection.abort()


def status_line(head: ResponseHead) -> bytes:
    """Return the status line of `head`, for a client of ours."""
    return b"HTTP/1.1 %d %b" % (head.status, head.reason)
