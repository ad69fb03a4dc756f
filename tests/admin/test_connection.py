"""The admin listener's connections: how many, whose, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from proxy.access.hosts import OwnNames
from proxy.admin.connection import IDLE_TIME, AdminConnections, Callers
from proxy.admin.guard import CONTENT_TIME, Guard
from proxy.admin.late import MOST
from proxy.errors import AccessDeniedError

GET = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Nobody:
    """Lets in nobody."""

    asked: int = 0

    def refusal(self, _: asyncio.BaseTransport) -> AccessDeniedError | None:
        self.asked += 1
        return AccessDeniedError("Only the user.", value="user")


@dataclass
class Served:
    port: int
    handled: list[bytes]

    @asynccontextmanager
    async def client(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def status(self) -> bytes:
        async with self.client() as (reader, writer):
            writer.write(GET)
            return (await reader.readline())[9:12]


@asynccontextmanager
async def serving(
    callers: Callers | None = None,
    *,
    most: int = MOST,
    idle_time: float = IDLE_TIME,
    content_time: float = CONTENT_TIME,
) -> AsyncIterator[Served]:
    handled: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        handled.append(await request.read())
        return web.Response(text="well")

    guard = Guard(OwnNames([]), None, content_time=content_time)
    app = web.Application(middlewares=[guard.middleware])
    app.router.add_route("*", "/api/status", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    factory = AdminConnections(runner.server, callers, most=most, idle_time=idle_time)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    async with server:
        yield Served(server.sockets[0].getsockname()[1], handled)
        await runner.cleanup()


async def test_a_connection_that_may_be_used_is() -> None:
    async with serving() as server:
        assert await server.status() == b"200"
        assert await server.status() == b"200"


async def test_who_may_not_call_is_told_so_and_not_listened_to() -> None:
    nobody = Nobody()
    async with serving(nobody) as server, server.client() as (reader, writer):
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.write(GET * 3)
        head, _, body = answer.partition(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b'"value": "user"' in body
        assert b"Proxy-Status: telemed-proxy; error=http_request_denied" in head
        assert b"X-Content-Type-Options: nosniff" in head
        assert f"Content-Length: {len(body)}".encode() in head
        assert server.handled == []
        assert nobody.asked == 1


async def test_who_may_not_call_does_not_stay() -> None:
    async with serving(Nobody(), most=1) as server, server.client():
        await asyncio.sleep(0.05)
        assert await server.status() == b""  # there is room for one only
        async with asyncio.timeout(10):
            while await server.status() != b"403":  # though that one does not go
                await asyncio.sleep(0.1)


async def test_more_connections_than_there_is_room_for_are_cut() -> None:
    async with serving(most=2) as server:
        async with server.client() as one, server.client() as other:
            for reader, writer in (one, other):
                writer.write(GET)
                await reader.readline()
            async with server.client() as (reader, writer):
                writer.write(GET)
                with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                    await reader.readexactly(1)
            one[1].write(GET)
            assert b"200" in await one[0].readuntil(b"200 OK")
        await asyncio.sleep(0.05)
        assert await server.status() == b"200"


@pytest.mark.parametrize("begun", [b"", b"GET /api/status HTTP/1.1\r\nHost: "])
async def test_a_head_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    limits = serving(idle_time=0.2)
    async with limits as server, server.client() as (reader, writer):
        writer.write(begun)
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_byte_now_and_then_wins_no_time() -> None:
    limits = serving(idle_time=0.3)
    async with limits as server, server.client() as (reader, writer):
        writer.write(b"GET /api/status HTTP/1.1\r\n")

        async def trickle() -> None:
            while not writer.is_closing():
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.05)

        task = asyncio.ensure_future(trickle())
        try:
            assert await asyncio.wait_for(reader.read(), 5) == b""
        except ConnectionError:
            pass
        finally:
            task.cancel()


async def test_content_that_does_not_come_is_not_waited_for() -> None:
    limits = serving(content_time=0.1)
    async with limits as server, server.client() as (reader, writer):
        writer.write(
            b"POST /api/status HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert (await asyncio.wait_for(reader.readline(), 5))[9:12] == b"408"
    assert server.handled == []


def test_the_limits_are_sane() -> None:
    assert (MOST, IDLE_TIME, CONTENT_TIME) == (128, 75, 30)
