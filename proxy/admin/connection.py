"""The admin listener's connections: how many, whose, and for how long.

What is no HTTP is told so in our own shape.
"""

import asyncio
from typing import Protocol, cast

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage

from proxy.admin.guard import SECURITY_FIELDS, error_response
from proxy.admin.late import MOST
from proxy.answers import PROXY_NAME, error_body, error_fields
from proxy.errors import AccessDeniedError, RequestError

IDLE_TIME = 75.0
"""Seconds for a request to come whole with its head, and between two requests."""

_GOODBYE_TIME = 2.0


class Callers(Protocol):
    """Knows whose connections may be used."""

    def refusal(self, transport: asyncio.BaseTransport) -> AccessDeniedError | None:
        """Return why the connection may not be used, None if it may."""


class AdminConnection(web.RequestHandler):
    """aiohttp's, less its own error pages and the log's echo of what was refused."""

    __slots__ = ("_connections", "_is_malformed", "_turned_away")

    def __init__(
        self, connections: "AdminConnections", server: web.Server, idle_time: float
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=idle_time,
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,  # nobody needs it here, and it can bring a bomb
        )
        self._connections = connections
        self._turned_away: asyncio.Transport | None = None
        self._is_malformed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read requests, unless this connection may not be used."""
        transport = cast("asyncio.Transport", transport)
        if not self._connections.add(self):
            self._turned_away = transport
            transport.abort()
            return
        error = self._connections.refusal(transport)
        if error is None:
            super().connection_made(transport)
            return
        # Nothing that comes is looked at, but whoever it is may read why.
        self._turned_away = transport
        transport.write(_whole_answer(error))
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(_GOODBYE_TIME, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read a request, until what comes is none."""
        if self._turned_away is not None or self._is_malformed:
            return
        super().data_received(data)
        # aiohttp would keep an error, and the bytes it is about, for every piece.
        self._is_malformed = bool(self._messages) and not isinstance(
            self._messages[-1][0], RawRequestMessage
        )

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)
        if self._turned_away is None:
            super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp would not read as a request."""
        response = error_response(
            RequestError("The request is not valid HTTP/1.1.", value="http")
        )
        response.headers.update(SECURITY_FIELDS)
        response.headers[hdrs.SERVER] = PROXY_NAME
        response.force_close()
        return response


class AdminConnections:
    """Makes an `AdminConnection` of every connection to `server`.

    At most `most` live at a time; `callers`, where given, says whose may be used.
    """

    def __init__(
        self,
        server: web.Server,
        callers: Callers | None = None,
        *,
        most: int = MOST,
        idle_time: float = IDLE_TIME,
    ) -> None:
        self._server = server
        self._callers = callers
        self._most = most
        self._idle_time = idle_time
        self._open: set[AdminConnection] = set()

    def __call__(self) -> AdminConnection:
        """Return the protocol of a new connection."""
        return AdminConnection(self, self._server, self._idle_time)

    def add(self, connection: AdminConnection) -> bool:
        """Count `connection`; say whether there is room for it."""
        if len(self._open) >= self._most:
            return False
        self._open.add(connection)
        return True

    def discard(self, connection: AdminConnection) -> None:
        """Count `connection` no more."""
        self._open.discard(connection)

    def refusal(self, transport: asyncio.BaseTransport) -> AccessDeniedError | None:
        """Return why the connection may not be used, None if it may."""
        return None if self._callers is None else self._callers.refusal(transport)


def _whole_answer(error: AccessDeniedError) -> bytes:
    """Return `error` as an answer that needs no request."""
    body = error_body(error) + b"\n"
    fields = [
        *error_fields(error),
        *SECURITY_FIELDS.items(),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {error.status} Forbidden\r\n{lines}\r\n".encode() + body
