"""A long way to the upstream: a TCP relay that holds everything for a while.

`python -m bench.relay PORT TARGET SECONDS`. It cannot hold the two packets that open a
connection, as the kernel answers those. So it holds the first bytes of each connection
for two ways more: a client that speaks first, as TLS and HTTP clients do, gets each
answer at the moment at which it would come over such a way.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import cast


def due(now: float, delay: float, last: float, *, opens: bool) -> float:
    """Return when bytes that came `now` are to arrive, after those of `last`."""
    return max(last, now + delay * (3 if opens else 1))


class Side(asyncio.Protocol):
    """One end of a relayed connection; what comes in leaves at the other, later."""

    def __init__(self, delay: float, *, opens: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay = delay
        self._opens = opens
        self._last = 0.0
        self._transport: asyncio.Transport | None = None
        self.other: Side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._later(lambda: self.other.send(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._later(lambda: self.other.close())

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _later(self, action: Callable[[], None]) -> None:
        now = self._loop.time()
        self._last = due(now, self._delay, self._last, opens=self._opens)
        self._opens = False
        self._loop.call_at(self._last, action)


class Inbound(Side):
    """The client's end, which opens the other one."""

    def __init__(self, target: int, delay: float) -> None:
        super().__init__(delay, opens=True)
        self._target = target
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = Side(self._delay, opens=False)
        self.other.other = self
        # Well before the first bytes are due.
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        await self._loop.create_connection(
            lambda: self.other, "127.0.0.1", self._target
        )


async def main(port: int, target: int, delay: float) -> None:
    """Relay until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Inbound(target, delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
