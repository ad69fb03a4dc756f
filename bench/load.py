"""Clients that record each call's time, where wrk keeps only sums.

Each keeps its connection, and sends the next call when it got an answer.
"""

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200 "


@dataclass
class Calls:
    """Calls that ended: when, and after how many seconds; and how many failed."""

    ended: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0


class Client(asyncio.Protocol):
    """One client; it ends at its first failure, or when it is told to."""

    def __init__(self, request: bytes, calls: Calls) -> None:
        self._request = request
        self._calls = calls
        self._buffer = b""
        self._began = 0.0
        self._stopping = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        if not self._buffer.startswith(_OK) or length is None:
            self._end(failed=True)
        elif len(self._buffer) >= end + int(length[1]):
            now = time.perf_counter()
            self._calls.ended.append(now)
            self._calls.seconds.append(now - self._began)
            self._buffer = b""
            if self._stopping:
                self._end()
            else:
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._end(failed=True)

    def stop(self) -> None:
        """End after the call that is under way."""
        self._stopping = True

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _end(self, *, failed: bool = False) -> None:
        self._calls.failed += failed
        self.done.set_result(None)
        self._transport.close()


def request(url: str) -> bytes:
    """Return a GET of `url` as it is sent."""
    parts = urlsplit(url)
    return f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


@asynccontextmanager
async def clients(url: str, count: int) -> AsyncIterator[Calls]:
    """Load `url` with `count` clients until the block ends; yield their calls."""
    parts, calls, sent = urlsplit(url), Calls(), request(url)
    loop = asyncio.get_running_loop()
    everybody = []
    for _ in range(count):
        _, client = await loop.create_connection(
            lambda: Client(sent, calls), parts.hostname or "", parts.port or 80
        )
        everybody.append(client)
    try:
        yield calls
    finally:
        for client in everybody:
            client.stop()
        async with asyncio.timeout(30):
            for client in everybody:
                await client.done


def run(measure: Callable[[], Awaitable[Calls]]) -> Calls:
    """Run `measure` on a loop of its own, with nothing collected meanwhile."""

    async def main() -> Calls:
        return await measure()

    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main())
    finally:
        gc.enable()
