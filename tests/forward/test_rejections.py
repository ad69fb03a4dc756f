"""A rejected token leads to one refresh and one replay; nothing else does."""

import asyncio
import gzip

import pytest

from tests.forward.rig import Peer, Script, answer, rig, settled

OAUTH = b'{"type": "oauth", "value": null}'
JSON = b"Content-Type: application/json\r\n"


def refusing(seen: list[bytes], refusal: bytes, *, always: bool = False) -> Script:
    """Return a script that answers requests with the first token by `refusal`."""

    async def script(peer: Peer) -> None:
        while True:
            message = await peer.read_message()
            seen.append(message)
            rejected = always or b"Bearer token-0\r\n" in message
            await peer.send(refusal if rejected else answer(b"served"))

    return script


POST = (
    b"POST /start HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)


@pytest.mark.parametrize(
    "refusal",
    [
        answer(b'{"message": "denied"}', b"401 Unauthorized", JSON),
        answer(b"", b"401 Unauthorized"),
        answer(OAUTH, b"403 Forbidden", JSON),
        answer(
            gzip.compress(OAUTH, mtime=0),
            b"403 Forbidden",
            b"Content-Encoding: gzip\r\n",
        ),
        b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(OAUTH), OAUTH),
    ],
    ids=["401", "401 empty", "403 oauth", "403 oauth gzip", "403 oauth chunked"],
)
async def test_a_post_is_replayed_whole_with_the_new_token(refusal: bytes) -> None:
    seen: list[bytes] = []
    async with rig(refusing(seen, refusal)) as it:
        relayed = await it.call(POST)
        assert it.credential.refreshes == 1
        assert it.exchanges[0].replayed
    assert relayed.endswith(b"served")
    first, second = seen
    assert first.endswith(b"hello")
    assert second == first.replace(b"token-0", b"token-1")


async def test_a_real_refusal_is_relayed_untouched_and_refreshes_nothing() -> None:
    seen: list[bytes] = []
    refusal = answer(b'{"type": "forbidden"}', b"403 Forbidden", JSON)
    async with rig(refusing(seen, refusal)) as it:
        relayed = await it.call(POST)
        assert it.credential.refreshes == 0
    assert relayed == refusal.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    assert len(seen) == 1


async def test_a_large_403_is_relayed_whole() -> None:
    seen: list[bytes] = []
    content = b'{"type": "oauth", "x": "' + b"y" * 300_000 + b'"}'
    async with rig(refusing(seen, answer(content, b"403 Forbidden"))) as it:
        relayed = await it.call(POST)
        assert it.credential.refreshes == 0
    assert relayed.endswith(content)


async def test_a_second_rejection_is_relayed() -> None:
    seen: list[bytes] = []
    refusal = answer(OAUTH, b"403 Forbidden", JSON)
    async with rig(refusing(seen, refusal, always=True)) as it:
        relayed = await it.call(POST)
        assert it.credential.refreshes == 1
    assert relayed.startswith(b"HTTP/1.1 403 ")
    assert relayed.endswith(OAUTH)
    assert len(seen) == 2


async def test_a_rejection_is_relayed_when_no_better_token_can_be_had() -> None:
    seen: list[bytes] = []
    refusal = answer(OAUTH, b"403 Forbidden", JSON)
    async with rig(refusing(seen, refusal)) as it:
        it.credential.gives_up = True
        assert (await it.call(POST)).endswith(OAUTH)
    assert len(seen) == 1


async def test_over_the_limit_the_rejection_is_relayed_and_still_refreshes() -> None:
    seen: list[bytes] = []
    refusal = answer(b"", b"401 Unauthorized")
    async with rig(refusing(seen, refusal), replay_limit=4) as it:
        relayed = await it.call(POST)
        assert relayed.startswith(b"HTTP/1.1 401 ")
        await it.credential.refreshed.wait()
    assert len(seen) == 1


async def test_chunked_content_is_kept_for_the_replay_too() -> None:
    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            content = await peer.reader.readuntil(b"0\r\n\r\n")
            rejected = b"token-0" in head
            await peer.send(
                answer(b"", b"401 Unauthorized") if rejected else answer(content)
            )

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(3):
            await client.send(b"3\r\nabc\r\n")
            await asyncio.sleep(0.01)
        await client.send(b"0\r\n\r\n")
        message = await client.read_message()
    content = message.split(b"\r\n\r\n", 1)[1]
    assert b"".join(content.split(b"\r\n")[1::2]) == b"abcabcabc"


async def test_expect_stays_here_when_the_content_has_come() -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            seen.append(head)
            if b"100-continue" in head:
                await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            await peer.reader.readexactly(5)
            rejected = b"token-0" in head
            await peer.send(answer(b"", b"401 Unauthorized") if rejected else answer())

    async with rig(script) as it, it.client() as client:
        await client.send(POST.replace(b"Content", b"Expect: 100-continue\r\nContent"))
        assert (await client.read_head()).startswith(b"HTTP/1.1 100 ")
        assert (await client.read_head()).startswith(b"HTTP/1.1 200 ")
    assert [b"Expect" in head for head in seen] == [True, False]


async def test_content_that_outgrows_the_limit_meanwhile_is_never_sent_in_part() -> (
    None
):
    """More of it comes while the new token is awaited."""
    sent = []
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        if b"token-0" in await peer.read_head():
            await peer.send(answer(b"", b"401 Unauthorized"))
            await peer.gone()
            return
        sent.append(await peer.reader.readuntil(b"\r\n0\r\n\r\n"))
        await peer.send(answer())
        await peer.gone()

    async with rig(script, replay_limit=1000) as it, it.client() as client:
        it.credential.go_on = go_on
        await client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n"
        )
        await it.credential.asked.wait()
        await client.send(b"2000\r\n%b\r\n0\r\n\r\n" % (b"x" * 0x2000))
        await asyncio.sleep(0.02)
        go_on.set()
        head = await client.read_head()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert sent[0].split(b"\r\n", 1)[1].startswith(b"begin")
    assert sent[0].count(b"x") == 0x2000


async def test_a_rejection_in_the_middle_of_an_upload_loses_nothing() -> None:
    """The upstream refuses at the head, while the client is still sending."""
    received = []

    async def script(peer: Peer) -> None:
        if b"token-0" in await peer.read_head():
            await peer.send(answer(b"", b"401 Unauthorized", b"Connection: close\r\n"))
            await peer.gone()
            return
        received.append(await peer.reader.readexactly(1_000_000))
        await peer.send(answer())
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        )
        for number in range(100):
            await client.send(bytes([number]) * 10_000)
            await asyncio.sleep(0)
        assert (await client.read_message()).startswith(b"HTTP/1.1 200 ")
    assert received == [b"".join(bytes([n]) * 10_000 for n in range(100))]


async def test_a_rejection_is_not_read_into_memory_while_a_token_is_awaited() -> None:
    size, sent = 64 * 1024 * 1024, 0
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        nonlocal sent
        if b"token-1" in await peer.read_head():
            await peer.send(answer())
            return
        await peer.send(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            await peer.send(bytes(65536))
            sent += 65536

    async with rig(script) as it, it.client() as client:
        it.credential.go_on = go_on
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await it.credential.asked.wait()
        assert await settled(lambda: sent) < size * 3 / 4
        go_on.set()
        assert (await client.read_message()).endswith(b"ok")
