"""Content that is kept while it passes, and exchanges that are looked at meanwhile."""

import asyncio
import hashlib

import pytest

from proxy.config import AccessConfig
from proxy.forward.content import InboundContent
from proxy.forward.keeping import Keeping
from proxy.forward.limits import Budget
from proxy.http1.framing import Counted
from tests.forward.rig import Peer, answer, rig

POST = b"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
)
REJECTED = b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"


@pytest.fixture
def keeping() -> Keeping:
    return Keeping(2**20, wanted=True)


async def test_chunks_are_kept_without_their_frames(keeping: Keeping) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.reader.readuntil(b"0\r\n\r\n")
        await peer.send(CHUNKED[:60])
        await asyncio.sleep(0.02)
        await peer.send(CHUNKED[60:])

    async with rig(script, keeping=keeping) as it, it.client() as client:
        await client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.02)
        await client.send(b"2\r\nde\r\n0\r\n\r\n")
        assert await client.reader.read()
        kept = (await it.exchange()).kept
    assert kept is not None
    assert (kept.request.data, kept.request.size) == (b"abcde", 5)
    assert (kept.response.data, kept.response.size) == (b"hello world", 11)
    assert kept.response.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert keeping.under_way == 0


async def test_what_is_sent_twice_is_kept_once(keeping: Keeping) -> None:
    async def script(peer: Peer) -> None:
        assert (await peer.read_message()).endswith(b"\r\n\r\nabc")
        await peer.send(REJECTED)
        assert (await peer.read_message()).endswith(b"\r\n\r\nabc")
        await peer.send(answer(b"yes"))

    async with rig(script, keeping=keeping) as it:
        await it.call(POST + b"Content-Length: 3\r\n\r\nabc")
        exchange = await it.exchange()
    assert exchange.replayed
    assert exchange.kept is not None
    assert exchange.kept.request.data == b"abc"
    assert exchange.kept.response.data == b"yes"


async def cuts(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")


async def hangs(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    await peer.gone()


@pytest.mark.parametrize("how", ["cut", "left", "refused", "early"])
async def test_nothing_counts_as_under_way_when_all_is_over(
    keeping: Keeping, how: str
) -> None:
    script = hangs if how == "left" else cuts
    denied = AccessConfig.parse({"deny": ["POST /*"]}) if how == "refused" else None
    async with rig(script, keeping=keeping, access=denied) as it:
        async with it.client() as client:
            length = b"Content-Length: 5\r\n\r\n"
            await client.send(POST + length + (b"ab" if how == "early" else b"abcde"))
            if how == "left":
                await client.reader.readuntil(b"half")
                assert keeping.under_way == 9
            elif how != "early":
                await client.reader.read()
        exchange = await it.exchange()
    assert exchange.kept is not None
    assert exchange.kept.request.data in (b"abcde", b"ab")
    assert keeping.under_way == 0


async def test_nothing_is_kept_where_that_is_not_wanted() -> None:
    keeping = Keeping(2**20)
    async with rig(cuts, keeping=keeping) as it:
        await it.call(POST + b"Content-Length: 5\r\n\r\nabcde")
        assert (await it.exchange()).kept is None


async def test_an_answer_that_goes_on_is_seen(keeping: Keeping) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        await go_on.wait()
        await peer.send(b"half")

    async with rig(script, keeping=keeping) as it, it.client() as client:
        await client.send(POST + b"Content-Length: 3\r\n\r\nabc")
        await client.reader.readuntil(b"half")
        [seen] = it.inbound.under_way()
        assert (seen.status, seen.received) == (200, 3)
        assert seen.kept is not None
        assert seen.kept.response.data == b"half"
        before = seen.seconds
        [again] = it.inbound.under_way()
        assert again is seen
        assert again.seconds > before
        go_on.set()
        await client.reader.read()
        assert it.inbound.under_way() == []


def test_what_comes_after_it_was_forgotten_counts_no_more(keeping: Keeping) -> None:
    class Source:
        def pause_reading(self) -> None: ...
        def resume_reading(self) -> None: ...

    kept = keeping.begin()
    content = InboundContent(Counted(10), Source(), keep=0, budget=Budget(2**20))
    content.keep_in(kept.request)
    content.feed(b"abc")
    kept.ended()
    content.forget()
    content.feed(b"defghij")

    assert kept.request.data == b"abc"
    assert keeping.under_way == 0
