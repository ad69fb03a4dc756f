"""One listener of the sandbox: a low-level aiohttp server on loopback."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# The caller under test may send what a careful server refuses; refusing that is its
# own job, not that of the fake behind it.
_LINE_LIMIT = 128 * 1024


class Listener:
    """A server with an address; open connections can be cut from outside."""

    def __init__(
        self,
        handler: Handler,
        *,
        host: str,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._ssl = ssl_context
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None

    async def start(self) -> None:
        """Bind and accept; a port that was given by the system is kept."""
        self._server = web.Server(
            self._handler,
            access_log=None,
            auto_decompress=False,  # what arrived is recorded as it arrived
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
        )
        # What still runs then hangs on purpose, or belongs to a client that is slow.
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._host, self._port, ssl_context=self._ssl, backlog=1024
        )
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop accepting and close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self._server = None

    def drop_connections(self) -> int:
        """Reset every open connection, busy or idle; return how many there were."""
        handlers = self._server.connections if self._server is not None else []
        transports = [each.transport for each in handlers if each.transport is not None]
        for transport in transports:
            reset_transport(transport)
        return len(transports)

    @property
    def url(self) -> str:
        """Return the origin: scheme, host and port."""
        scheme = "https" if self._ssl is not None else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}"


def reset_transport(transport: asyncio.WriteTransport) -> None:
    """Close a connection with RST instead of FIN."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
