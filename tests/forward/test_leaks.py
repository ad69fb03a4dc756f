"""Nothing is left behind, whatever breaks off in which moment."""

import asyncio

from proxy.config import CallRule
from proxy.forward.pool import PoolLimits
from tests.forward.rig import Peer, answer, rig

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
)
SWITCHED = b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"


async def test_what_a_tunnel_did_not_take_is_counted_no_more() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCHED)
        await go_on.wait()

    async with rig(script) as it, it.client() as client:
        await client.send(UPGRADE)
        await client.read_head()
        client.writer.write(b"x" * 8_000_000)
        while not it.inbound.budget.content:
            await asyncio.sleep(0.01)
        go_on.set()
        await client.gone()
        await it.exchange()
        assert it.inbound.budget.content == 0


async def test_nor_is_content_that_comes_after_its_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"TRACE / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        )
        await it.exchange()
        for _ in range(10):
            await client.send(b"x" * 10_000)
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert it.inbound.budget.content == 0


async def test_a_stalled_tunnel_ends_with_its_client() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(SWITCHED)
        await asyncio.Event().wait()

    async with rig(script) as it:
        async with it.client() as client:
            await client.send(UPGRADE)
            await client.read_head()
            client.writer.write(b"x" * 32_000_000)
            while not it.inbound.budget.content:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            client.reset()
        exchange = await it.exchange()
        assert exchange.error == "client_left"
        assert it.inbound.budget.content == 0


async def test_a_paid_call_whose_content_does_not_come_is_given_up() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    limits = PoolLimits(response_timeout=0.1)
    paid = (CallRule("POST", "/start"),)
    async with (
        rig(script, limits=limits, paid_calls=paid) as it,
        it.client() as client,
    ):
        await client.send(
            b"POST /start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na"
        )
        assert (await client.read_head()).startswith(b"HTTP/1.1 408 ")


async def test_a_long_head_behind_another_request_is_read_to_its_end() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_message()
            begun.set()
            await go_on.wait()
            await peer.send(answer())

    fields = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 30_000) for number in range(7))
    async with rig(script) as it, it.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await begun.wait()
        client.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % fields)
        await asyncio.sleep(0.1)
        go_on.set()
        assert (await client.read_message()).endswith(b"ok")
        assert (await client.read_message()).endswith(b"ok")


async def test_a_client_that_leaves_at_once_leaves_nothing_behind() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.read_message()
            await peer.send(answer())

    paid = (CallRule("POST", "/start"),)
    async with rig(script, paid_calls=paid) as it:
        for _ in range(20):
            async with it.client() as client:
                client.writer.write(
                    b"POST /start HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Length: 0\r\n\r\n"
                )
                await asyncio.sleep(0)
                client.reset()
        while it.inbound.connections:
            await asyncio.sleep(0.01)
        assert (await it.get()).endswith(b"ok")


async def test_nor_does_the_content_of_a_request_that_became_a_tunnel() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(SWITCHED)
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\n"
            b"Connection: Upgrade\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
        )
        await client.read_head()
        assert it.inbound.budget.content == 1000
        await client.send(b"y" * 10)
        client.writer.write_eof()
        await client.gone()
        exchange = await it.exchange()
        assert exchange.received == 1010
        assert it.inbound.budget.content == 0
