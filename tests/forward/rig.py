"""A forwarding listener between a raw client and a raw, scripted upstream."""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proxy.access.repeats import PaidCalls
from proxy.access.rules import AccessRules
from proxy.config import AccessConfig, CallRule
from proxy.forward.dial import Origin
from proxy.forward.exchange import Exchange
from proxy.forward.forwarding import Parts
from proxy.forward.handler import NOTED, ForwardHandler
from proxy.forward.inbound_server import InboundServer
from proxy.forward.keeping import Keeping
from proxy.forward.limits import Budget, InboundLimits
from proxy.forward.pool import Pool, PoolLimits
from proxy.forward.relay import ForwardOptions

Script = Callable[["Peer"], Awaitable[None]]

_SOCKET_BUFFER = 64 * 1024
"""Bytes that the kernel keeps for a reader: left alone, it grows by tens of megabytes,
and what a stalled reader holds back would be the kernel's and not the proxy's."""


INBOUND_LIMITS = InboundLimits()


class Peer:
    """One end of a connection, read and written as bytes."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def read_head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def read_message(self) -> bytes:
        """Read a head and the content that its Content-Length announces."""
        head = await self.read_head()
        return head + await self.reader.readexactly(content_length(head))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Leave with a RST, which an abort alone does not send."""
        linger = struct.pack("ii", 1, 0)
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the other end has left."""
        try:
            while await self.reader.read(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass


def _socket() -> socket.socket:
    """Return a socket whose reader's share of the kernel's memory is bounded."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
    return made


async def settled(count: Callable[[], int]) -> int:
    """Wait until `count` has stopped to grow, and return it."""
    last, same = count(), 0
    while same < 4:
        await asyncio.sleep(0.05)
        same = same + 1 if count() == last else 0
        last = count()
    return last


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def answer(
    body: bytes = b"ok", status: bytes = b"200 OK", fields: bytes = b""
) -> bytes:
    """Return a response with Content-Length."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        len(body),
        fields,
        body,
    )


@dataclass
class FakeCredential:
    """Tokens `token-0`, `token-1`, ...: a rejected one is replaced, once.

    With `go_on` set to an event, whoever has `asked` for a token waits for it; for a
    replacement only, unless `holds_all`. Every other one asks for a token as if that
    took no time.
    """

    current_number: int = 0
    refreshes: int = 0
    gives_up: bool = False
    refreshed: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event | None = None
    holds_all: bool = False
    _asked: int = 0

    def current(self) -> str | None:
        self._asked += 1
        if self.holds_all or self._asked % 2:
            return None
        return f"token-{self.current_number}"

    async def access_token(self, *, rejected: str | None = None) -> str:
        await asyncio.sleep(0)
        if self.go_on is not None and (rejected is not None or self.holds_all):
            self.asked.set()
            await self.go_on.wait()
        if rejected == f"token-{self.current_number}" and not self.gives_up:
            self.current_number += 1
            self.refreshes += 1
            self.refreshed.set()
        return f"token-{self.current_number}"


class Upstream:
    """Runs one script for each connection, and keeps what they read."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.failures: list[BaseException] = []

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.script(Peer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as exc:  # noqa: BLE001  told by `close`
            self.failures.append(exc)
        finally:
            writer.transport.abort()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        assert self.failures == [], self.failures


@dataclass
class Rig:
    """The running parts of one test."""

    port: int
    pool: Pool
    inbound: InboundServer
    upstream: Upstream
    upstream_port: int
    credential: FakeCredential
    exchanges: list[Exchange]
    recorded: asyncio.Event

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Peer]:
        """Connect a raw client."""
        connection = _socket()
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(
            connection, ("127.0.0.1", self.port)
        )
        reader, writer = await asyncio.open_connection(sock=connection, limit=2**20)
        try:
            yield Peer(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def call(self, request: bytes) -> bytes:
        """Send one request on a connection of its own; return all that comes back."""
        async with self.client() as client:
            await client.send(request)
            return await client.reader.read()

    async def get(self, target: bytes = b"/", fields: bytes = b"") -> bytes:
        """Return all that comes back to a GET whose connection is then closed."""
        return await self.call(
            b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b\r\n"
            % (target, fields)
        )

    async def exchange(self) -> Exchange:
        """Wait for the first exchange to be recorded."""
        await self.recorded.wait()
        return self.exchanges[0]


@asynccontextmanager
async def rig(
    script: Script,
    *,
    limits: PoolLimits | None = None,
    options: ForwardOptions | None = None,
    replay_limit: int = 12 * 1024 * 1024,
    access: AccessConfig | None = None,
    origin: Origin | None = None,
    serve_tls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    is_own: Callable[..., bool] | None = None,
    host: str = "127.0.0.1",
    paid_calls: tuple[CallRule, ...] = (),
    clock: Callable[[], float] = time.monotonic,
    buffered: int = 2**30,
    most_in_flight: int = 1000,
    limits_inbound: InboundLimits | None = None,
    keeping: Keeping | None = None,
) -> AsyncIterator[Rig]:
    """Run a forwarding listener in front of an upstream that follows `script`."""
    loop = asyncio.get_running_loop()
    upstream = Upstream(script)
    accepting = _socket()
    accepting.bind(("127.0.0.1", 0))
    behind = await asyncio.start_server(
        upstream.accept, sock=accepting, ssl=serve_tls, limit=2**20
    )
    upstream_port = behind.sockets[0].getsockname()[1]
    pool = Pool(
        origin or Origin(host, upstream_port, tls),
        limits or PoolLimits(),
        is_own=is_own or (lambda *_: False),
    )
    pool.start()
    exchanges: list[Exchange] = []
    recorded = asyncio.Event()

    def record(exchange: Exchange) -> None:
        exchanges.append(exchange)
        recorded.set()

    credential = FakeCredential()
    rules = AccessRules(access or AccessConfig(), ["127.0.0.1"])
    paid = PaidCalls(paid_calls, 60.0, clock=clock)
    kept = keeping or Keeping(0)
    parts = Parts(pool, credential, rules, paid, options or ForwardOptions(), kept)
    budget = Budget(buffered)
    handler = ForwardHandler(
        parts, record, most_in_flight=most_in_flight, budget=budget
    )
    inbound = InboundServer(
        handler.answer,
        handler.refuse,
        noted=NOTED,
        replay_limit=replay_limit,
        limits=limits_inbound or INBOUND_LIMITS,
        budget=budget,
    )
    front = await loop.create_server(inbound, "127.0.0.1", 0)
    port = front.sockets[0].getsockname()[1]
    try:
        yield Rig(
            port,
            pool,
            inbound,
            upstream,
            upstream_port,
            credential,
            exchanges,
            recorded,
        )
    finally:
        front.close()
        await inbound.shutdown(1)
        await pool.close()
        behind.close()
        await upstream.close()
