"""Upgrades: a tunnel after 101, with the token on the handshake."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.forward.dial import Origin
from tests.forward.rig import Peer, answer, rig

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nAuthorization: Bearer mine\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n"
)


async def never(peer: Peer) -> None:
    raise AssertionError("nothing should have come here")


async def test_bytes_go_both_ways_from_the_first_on() -> None:
    heads = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.read_head())
        await peer.send(SWITCH + b"hello")
        assert await peer.reader.readexactly(5) == b"early"
        assert await peer.reader.readexactly(4) == b"more"
        await peer.send(b"\x00\xff" * 50_000)
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE + b"early")
        head = await client.read_head()
        assert await client.reader.readexactly(5) == b"hello"
        await client.send(b"more")
        assert await client.reader.readexactly(100_000) == b"\x00\xff" * 50_000
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nUpgrade: websocket\r\n" in head
    assert b"\r\nConnection: Upgrade\r\n" in head
    assert b"\r\nSec-WebSocket-Accept: y\r\n" in head
    assert b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" in heads[0]
    assert heads[0].count(b"Authorization") == 1
    assert b"\r\nAuthorization: Bearer token-0\r\n" in heads[0]
    assert (await it.exchange()).status == 101


async def test_a_tunnel_is_seen_while_it_lasts() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH + b"hello")
        await peer.gone()

    async with rig(script) as it:
        async with it.client() as client:
            await client.send(HANDSHAKE + b"early")
            await client.read_head()
            await client.reader.readexactly(5)
            [seen] = it.inbound.under_way()
            assert (seen.status, seen.received) == (101, 5)
            assert seen.sent > 5 < seen.seconds * 1e9
        await it.exchange()
        assert it.inbound.under_way() == []


async def test_each_side_may_end_before_the_other() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH + b"bye")
        peer.writer.write_eof()
        assert await peer.reader.read() == b"and you"

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        await client.read_head()
        assert await client.reader.read() == b"bye"
        await client.send(b"and you")
        client.writer.write_eof()
        await it.exchange()
        assert it.exchanges[0].error is None


async def test_the_client_may_end_first() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH)
        assert await peer.reader.read() == b"question"
        await peer.send(b"answer")

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        await client.read_head()
        await client.send(b"question")
        client.writer.write_eof()
        assert await client.reader.read() == b"answer"


async def test_a_client_that_leaves_takes_the_upstream_along() -> None:
    left = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH)
        await peer.gone()
        left.set()

    async with rig(script) as it:
        async with it.client() as client:
            await client.send(HANDSHAKE)
            await client.read_head()
        await left.wait()


async def test_an_upstream_that_leaves_takes_the_client_along() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH)
        peer.reset()

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        await client.read_head()
        await client.gone()


async def test_a_client_that_does_not_read_stops_the_upstream() -> None:
    size, sent = 64 * 1024 * 1024, 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.read_head()
        await peer.send(SWITCH)
        while sent < size:
            await peer.send(bytes(65536))
            sent += 65536

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        await client.read_head()
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.1)
        assert sent < size * 3 / 4


async def test_the_upstream_may_refuse_and_the_connection_goes_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(answer(b"no", b"426 Upgrade Required"))
        await peer.read_head()
        await peer.send(answer(b"yes"))
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        assert (await client.read_message()).endswith(b"no")
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await client.read_message()).endswith(b"yes")


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HANDSHAKE.replace(b"websocket", b"other"),
        HANDSHAKE.replace(b"Upgrade: websocket", b"Upgrade: h2c"),
    ],
    ids=["unasked", "to another protocol", "to HTTP/2"],
)
async def test_nothing_else_is_switched_to(request_head: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCH)
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(request_head)
        message = await client.read_message()
    assert message.startswith(b"HTTP/1.1 502 ")


async def test_a_rejected_token_is_replaced_on_the_handshake_too() -> None:
    async def script(peer: Peer) -> None:
        if b"token-0" in await peer.read_head():
            await peer.send(answer(b"", b"401 Unauthorized"))
            await peer.read_head()
        await peer.send(SWITCH + b"in")
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(HANDSHAKE)
        assert (await client.read_head()).startswith(b"HTTP/1.1 101 ")
        assert await client.reader.readexactly(2) == b"in"


async def test_real_websockets_talk_through_it() -> None:
    seen = []

    async def chat(request: web.Request) -> web.WebSocketResponse:
        seen.append(request.headers["Authorization"])
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        async for message in socket:
            if message.data == "bye":
                await socket.close(code=4000, message=b"so long")
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data[::-1])
            else:
                await socket.send_bytes(message.data[::-1])
        return socket

    app = web.Application()
    app.router.add_get("/chat", chat)
    async with TestServer(app) as server:
        assert server.port is not None
        origin = Origin("127.0.0.1", server.port)
        async with (
            rig(never, origin=origin) as it,
            aiohttp.ClientSession() as session,
            session.ws_connect(
                f"{it.url}/chat", protocols=["chat"], headers={"Authorization": "mine"}
            ) as socket,
        ):
            assert socket.protocol == "chat"
            await socket.send_str("здравствуйте")
            assert await socket.receive_str() == "етйувтсвардз"
            content = bytes(range(256)) * 4000
            await socket.send_bytes(content)
            assert await socket.receive_bytes() == content[::-1]
            await socket.ping()
            await socket.send_str("bye")
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 4000
    assert seen == ["Bearer token-0"]
