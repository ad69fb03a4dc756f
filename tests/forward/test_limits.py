"""What callers may take: over it they are answered at once, and others go on."""

import asyncio

from proxy.forward.limits import InboundLimits
from tests.forward.rig import Peer, answer, rig

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Holding:
    """An upstream that answers when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked = asyncio.Semaphore(0)

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.read_message()
            self.asked.release()
            await self.go_on.wait()
            await peer.send(answer())


async def test_a_caller_has_so_many_calls_under_way_and_no_more() -> None:
    upstream = Holding()
    async with (
        rig(upstream, most_in_flight=2) as it,
        it.client() as one,
        it.client() as two,
        it.client() as three,
    ):
        for client in (one, two):
            await client.send(GET)
            await upstream.asked.acquire()
        await three.send(GET)
        refused = await three.read_message()
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"limits.in_flight" in refused
        assert b"Retry-After: 1" in refused
        upstream.go_on.set()
        assert (await one.read_message()).endswith(b"ok")
        assert (await two.read_message()).endswith(b"ok")
        # The connection stays, and there is room again.
        await three.send(GET)
        assert (await three.read_message()).endswith(b"ok")


async def test_a_connection_too_many_is_closed() -> None:
    async def upstream(peer: Peer) -> None:
        while True:
            await peer.read_message()
            await peer.send(answer())

    async with rig(upstream, limits_inbound=InboundLimits(connections=1)) as it:
        async with it.client() as one:
            await one.send(GET)
            assert (await one.read_message()).endswith(b"ok")
            async with it.client() as two:
                await two.gone()
            await one.send(GET)
            assert (await one.read_message()).endswith(b"ok")
        while it.inbound.connections:
            await asyncio.sleep(0.01)
        async with it.client() as three:
            await three.send(GET)
            assert (await three.read_message()).endswith(b"ok")


async def test_a_head_has_so_many_bytes_and_no_more() -> None:
    async def upstream(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(answer())

    limits = InboundLimits(head_size=8192)
    async with rig(upstream, limits_inbound=limits) as it:
        assert b" 431 " in await it.get(fields=b"X: %b\r\n" % (b"x" * 8192))
        async with it.client() as dripping:
            await dripping.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(10):
                await dripping.send(b"X: %b\r\n" % (b"x" * 1000))
            assert b" 431 " in await dripping.reader.read()
        assert b" 200 OK" in await it.get(fields=b"X: %b\r\n" % (b"x" * 8000))


def post(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size


async def test_content_over_the_budget_is_sent_but_not_kept() -> None:
    """The budget is all there is: no upload may make more of it."""

    async def upstream(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(answer(b"", b"401 Unauthorized"))

    async with rig(upstream, buffered=100_000) as it, it.client() as client:
        await client.send(post(300_000))
        for _ in range(3):
            await client.send(b"x" * 100_000)
        # Kept, it would have been sent again with another token.
        assert (await client.read_message()).startswith(b"HTTP/1.1 401 ")
        assert it.exchanges[0].received == 300_000
        assert it.inbound.budget.content == 0


async def test_with_nothing_left_of_the_budget_a_call_is_refused() -> None:
    upstream = Holding()
    async with (
        rig(upstream, buffered=1000) as it,
        it.client() as one,
        it.client() as two,
    ):
        await one.send(post(900) + b"x" * 900)
        await upstream.asked.acquire()
        assert it.inbound.budget.content == 900
        await one.send(post(900) + b"x" * 900)  # waits for its turn
        it.inbound.budget.content += 101
        await two.send(post(1) + b"x")
        refused = await two.read_message()
        # What takes no room needs none.
        upstream.go_on.set()
        await two.send(GET)
        assert (await two.read_message()).endswith(b"ok")
        it.inbound.budget.content -= 101
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"limits.buffered" in refused
        assert (await one.read_message()).endswith(b"ok")


async def test_what_readers_leave_unread_counts() -> None:
    big = b"x" * 10_000_000

    async def upstream(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(answer(big))

    async with rig(upstream, buffered=10_000) as it, it.client() as reader:
        await reader.send(GET)
        while not it.inbound.budget.unsent:
            await asyncio.sleep(0.05)
        assert b"limits.buffered" in await it.get()
        assert (await reader.read_message()).endswith(b"x")
        while it.inbound.budget.unsent:
            await asyncio.sleep(0.05)
