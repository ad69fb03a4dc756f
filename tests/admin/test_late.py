"""An admin listener that is loaded when somebody comes keeps nobody out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from proxy.admin.late import MOST, LateAdmin
from proxy.listeners import ProtocolFactory

Load = Callable[[], Awaitable[ProtocolFactory]]


class Echo(asyncio.Protocol):
    """Answers each line, and says how many came when the client has said all."""

    def __init__(self) -> None:
        self.lines = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.lines += data.count(b"\n")
        self.transport.write(data)

    def eof_received(self) -> bool:
        self.transport.write(b"%d lines" % self.lines)
        self.transport.close()
        return True


class Loading:
    """Takes until it is told, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.times = 0
        self._failures = failures

    async def __call__(self) -> ProtocolFactory:
        self.times += 1
        self.begun.set()
        await self.go_on.wait()
        if self.times <= self._failures:
            raise OSError("no")
        return Echo


@asynccontextmanager
async def listening(load: Load) -> AsyncIterator[tuple[LateAdmin, int]]:
    admin = LateAdmin(load)
    server = await asyncio.get_running_loop().create_server(admin, "127.0.0.1", 0)
    try:
        yield admin, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.05)  # until both ends have heard of their ends


async def test_who_comes_early_is_answered_and_loaded_for_once() -> None:
    load = Loading()
    async with listening(load) as (_, port):
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for number, (_, writer) in enumerate(clients):
            writer.write(b"early %d\n" % number)
        await load.begun.wait()
        await asyncio.sleep(0.05)
        load.go_on.set()
        for number, (reader, writer) in enumerate(clients):
            assert await reader.readline() == b"early %d\n" % number
            writer.write(b"late\n")
            assert await reader.readline() == b"late\n"
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"after\n")
        assert await reader.readline() == b"after\n"
        writer.close()
    assert load.times == 1


async def test_one_that_has_said_all_before_is_answered() -> None:
    load = Loading()
    async with listening(load) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"all\n")
        writer.write_eof()
        await load.begun.wait()
        await asyncio.sleep(0.05)
        load.go_on.set()
        assert await reader.read() == b"all\n1 lines"
        writer.close()


async def test_what_is_long_waits_and_arrives_whole() -> None:
    load = Loading()
    content = b"x" * 3_000_000 + b"\n"
    async with listening(load) as (admin, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**23)
        writer.write(content)
        await load.begun.wait()
        await asyncio.sleep(0.1)
        [waiting] = admin.waiting
        assert len(waiting._buffer) < len(content) / 2
        load.go_on.set()
        assert await reader.readline() == content
        writer.close()


async def test_a_failure_ends_who_waits_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    load = Loading(failures=1)
    load.go_on.set()
    async with listening(load) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"again\n")
        assert await reader.readline() == b"again\n"
        writer.close()
    assert "load the admin listener" in caplog.text


async def test_no_more_wait_than_there_is_room_for() -> None:
    load = Loading()
    async with listening(load) as (admin, port):
        clients = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST + 5)
        ]
        await load.begun.wait()
        await asyncio.sleep(0.1)
        assert len(admin.waiting) == MOST
        load.go_on.set()
        for reader, writer in clients:
            with suppress(ConnectionError):
                writer.write_eof()
                await reader.read()
            writer.close()
        assert not admin.waiting
