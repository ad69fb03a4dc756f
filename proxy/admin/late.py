"""An admin listener that is there from the start, and loaded when somebody comes.

aiohttp takes nearly half as much memory as the rest of this program, and as long to
load. Most proxies run for weeks without anybody looking at the page.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, cast

from proxy.listeners import ProtocolFactory
from proxy.tasks import cancel, spawn

logger = logging.getLogger(__name__)

MOST: Final = 128
"""Connections at a time: people and probes take a few, and what others take must not
come out of the open files that forwarded calls need."""

_BUFFERED = 64 * 1024


class LateAdmin:
    """Makes the protocol of each connection with what `load` returns the first time."""

    def __init__(self, load: Callable[[], Awaitable[ProtocolFactory]]) -> None:
        self._load = load
        self._factory: ProtocolFactory | None = None
        self._loading: asyncio.Task[None] | None = None
        self.waiting: set[_Waiting] = set()

    async def close(self) -> None:
        """Load nothing any more, and end who waits for it."""
        await cancel(self._loading)
        for waiting in tuple(self.waiting):
            waiting.go_on(None)

    def __call__(self) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection."""
        return _Waiting(self) if self._factory is None else self._factory()

    def join(self, waiting: "_Waiting") -> None:
        """Let a connection wait, if it still has to."""
        if self._factory is not None:
            waiting.go_on(self._factory)
            return
        self.waiting.add(waiting)
        if self._loading is None:
            self._loading = spawn(self._make_ready(), name="load the admin listener")

    async def _make_ready(self) -> None:
        try:
            self._factory = await self._load()
        finally:
            self._loading = None  # the next connection tries again
            loop = asyncio.get_running_loop()
            for waiting in tuple(self.waiting):
                # Each by itself: one that fails must not keep the others.
                loop.call_soon(waiting.go_on, self._factory)


class _Waiting(asyncio.Protocol):
    """A connection that came too early; keeps what it is sent."""

    def __init__(self, admin: LateAdmin) -> None:
        self._admin = admin
        self._buffer = b""
        self._ended = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait, if there is room."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._admin.waiting) >= MOST:
            self._transport.abort()
        else:
            self._admin.join(self)

    def data_received(self, data: bytes) -> None:
        """Keep `data`."""
        self._buffer += data
        if len(self._buffer) > _BUFFERED and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Stay: the client may wait for its answer."""
        self._ended = True
        return self._transport is not None and self._transport.can_write_eof()

    def connection_lost(self, _: Exception | None) -> None:
        """Wait no more."""
        self._admin.waiting.discard(self)

    def go_on(self, factory: ProtocolFactory | None) -> None:
        """Let the connection's own protocol have what came; without one, end it."""
        self._admin.waiting.discard(self)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if factory is None:
            transport.abort()
            return
        protocol = cast("asyncio.Protocol", factory())
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        transport.resume_reading()
        if self._buffer:
            protocol.data_received(self._buffer)
        if self._ended and not protocol.eof_received():
            transport.close()
