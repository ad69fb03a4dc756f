"""What crosses the proxy arrives as it was sent, in both directions."""

import asyncio
import hashlib
import re

import pytest

from proxy.config import AccessConfig
from proxy.forward.relay import ForwardOptions
from proxy.forward.target import Rewrite
from tests.forward.rig import Peer, Script, answer, rig, settled


def recording(seen: list[bytes], *responses: bytes) -> Script:
    """Return a script that answers each request with the next response."""

    async def script(peer: Peer) -> None:
        for response in responses:
            seen.append(await peer.read_message())
            await peer.send(response)
        await peer.gone()

    return script


async def test_the_request_arrives_as_it_was_sent_with_the_token() -> None:
    seen: list[bytes] = []
    async with rig(recording(seen, answer())) as it:
        await it.call(
            b"POST /a%2Fb/../c?x=1&&y=+;z HTTP/1.1\r\n"
            b"hOST: localhost\r\nAuthorization: Bearer mine\r\nX-b: 1\r\nx-A: 2\r\n"
            b"X-b: \xd0\x98\r\nauthorization: Basic x\r\nX-Proxy-Key: k\r\n"
            b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
        )
        assert seen == [
            b"POST /a%%2Fb/../c?x=1&&y=+;z HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
            b"X-b: 1\r\nx-A: 2\r\nX-b: \xd0\x98\r\nContent-Length: 5\r\n"
            b"Via: 1.1 telemed-proxy\r\n"
            b"Authorization: Bearer token-0\r\n\r\nhello" % it.upstream_port
        ]


async def test_the_response_arrives_as_it_was_sent() -> None:
    response = (
        b"HTTP/1.1 299 Odd But \xd0\x9e\xd0\x9a\r\nserver: IIS\r\nX-a:\r\nx-A: 2\r\n"
        b"Set-Cookie: a=1\r\nDate: then\r\nSet-Cookie: b=2\r\nContent-Length: 3\r\n"
        b"Content-Encoding: br\r\n\r\n\x00\xff\x01"
    )
    async with rig(recording([], response)) as it:
        relayed = await it.get()
    assert relayed == response.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


async def test_an_empty_reason_stays_empty() -> None:
    async with rig(recording([], b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")) as it:
        assert (await it.get()).startswith(b"HTTP/1.1 200 \r\n")


async def test_chunked_content_crosses_in_both_directions() -> None:
    seen = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        seen.append(await peer.reader.readuntil(b"0\r\n\r\n"))
        await peer.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n"
            b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer-Field: x\r\n\r\n"
        )
        await peer.gone()

    async with rig(script) as it:
        relayed = await it.call(
            b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        )
    assert seen == [b"5\r\nhello\r\n0\r\n\r\n"]
    assert relayed == (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n"
        b"Connection: close\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "response"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n"),
    ],
    ids=["HEAD", "HEAD chunked", "204", "304"],
)
async def test_responses_without_content_end_with_their_head(
    method: bytes, response: bytes
) -> None:
    second = answer(b"second")
    async with rig(recording([], response, second)) as it, it.client() as client:
        await client.send(method + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await client.read_head() == response
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await client.read_message() == second
        assert it.upstream.connections == 1


async def test_both_legs_are_kept_alive() -> None:
    seen: list[bytes] = []
    script = recording(seen, *[answer(b"%d" % n) for n in range(5)])
    async with rig(script) as it, it.client() as client:
        for number in range(5):
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await client.read_message()).endswith(b"%d" % number)
        assert it.upstream.connections == 1


async def test_pipelined_requests_are_answered_in_order() -> None:
    script = recording([], *[answer(b"%d" % n) for n in range(3)])
    async with rig(script) as it, it.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        bodies = [(await client.read_message())[-1:] for _ in range(3)]
    assert bodies == [b"0", b"1", b"2"]


class TestOldClients:
    async def test_http_1_0_gets_unchunked_content_and_a_close(self) -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        script = recording([], chunked + b"2\r\nhi\r\n0\r\n\r\n")
        async with rig(script) as it:
            relayed = await it.call(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert relayed == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi"

    async def test_http_1_0_may_keep_its_connection(self) -> None:
        script = recording([], answer(b"1"), answer(b"2"))
        async with rig(script) as it, it.client() as client:
            for body in (b"1", b"2"):
                await client.send(
                    b"GET / HTTP/1.0\r\nHost: localhost\r\n"
                    b"Connection: keep-alive\r\n\r\n"
                )
                message = await client.read_message()
                assert b"Connection: keep-alive" in message
                assert message.endswith(body)


class TestStreaming:
    async def test_the_first_piece_arrives_before_the_last_is_sent(self) -> None:
        more = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1"
            )
            await more.wait()
            await peer.send(b"data: 2")
            peer.writer.close()

        async with rig(script) as it, it.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await client.read_head()
            assert b"Connection: close" in head
            assert await client.reader.readexactly(7) == b"data: 1"
            more.set()
            assert await client.reader.read() == b"data: 2"

    async def test_content_is_sent_up_as_it_comes(self) -> None:
        arrived = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            assert await peer.reader.readexactly(3) == b"abc"
            arrived.set()
            assert await peer.reader.readexactly(3) == b"def"
            await peer.send(answer())
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc"
            )
            await arrived.wait()
            await client.send(b"def")
            assert (await client.read_message()).endswith(b"ok")

    async def test_a_client_that_does_not_read_stops_the_upstream(self) -> None:
        size, sent = 64 * 1024 * 1024, 0
        piece = bytes(65536)
        stuck = asyncio.Event()

        async def script(peer: Peer) -> None:
            nonlocal sent
            await peer.read_head()
            peer.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            while sent < size:
                peer.writer.write(piece)
                sent += len(piece)
                if peer.writer.transport.get_write_buffer_size() > 1_000_000:
                    stuck.set()
                await peer.writer.drain()
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await client.read_head()
            # Let everything fill up: socket buffers, ours, the client's.
            assert await settled(lambda: sent) < size * 3 / 4
            digest = hashlib.sha256()
            left = size
            while left:
                data = await client.reader.read(min(left, 1_000_000))
                digest.update(data)
                left -= len(data)
        assert digest.digest() == hashlib.sha256(bytes(size)).digest()

    async def test_a_client_that_only_asks_is_answered_no_further(self) -> None:
        """Pipelined requests are not answered into memory."""
        served = 0

        async def script(peer: Peer) -> None:
            nonlocal served
            while True:
                await peer.read_message()
                served += 1
                await peer.send(answer(b"x" * 50_000))

        async with rig(script) as it, it.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
            assert await settled(lambda: served) < 500
            for _ in range(1000):
                assert (await client.read_message()).endswith(b"x" * 50_000)

    async def test_nor_is_a_long_answer_behind_others_read_into_memory(self) -> None:
        size, sent = 64 * 1024 * 1024, 0

        async def script(peer: Peer) -> None:
            nonlocal sent
            for _ in range(200):
                await peer.read_message()
                await peer.send(answer(b"x" * 50_000))
            await peer.read_message()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            while sent < size:
                await peer.send(bytes(65536))
                sent += 65536

        async with rig(script) as it, it.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 201)
            for _ in range(200):
                await client.read_message()
            await client.read_head()
            assert await settled(lambda: sent) < size * 3 / 4

    async def test_an_upstream_that_does_not_read_stops_the_client(self) -> None:
        size, sent = 64 * 1024 * 1024, 0
        go_on = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await go_on.wait()
            left = size
            while left:
                left -= len(await peer.reader.read(min(left, 1_000_000)))
            await peer.send(answer())
            await peer.gone()

        async def upload(client: Peer) -> None:
            nonlocal sent
            piece = bytes(65536)
            while sent < size:
                await client.send(piece)
                sent += len(piece)

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"PUT / HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: %d\r\n\r\n" % size
            )
            uploading = asyncio.ensure_future(upload(client))
            assert await settled(lambda: sent) < size * 3 / 4
            go_on.set()
            assert (await client.read_message()).endswith(b"ok")
            await uploading

    async def test_an_early_answer_reaches_a_client_that_still_uploads(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(answer(b"no", b"413 Content Too Large"))
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: 100000000\r\n\r\nabc"
            )
            message = await client.read_message()
        assert message.startswith(b"HTTP/1.1 413 ")
        assert b"Connection: close" in message


async def test_chunks_that_come_after_their_head_are_not_ended_by_it() -> None:
    got_head = asyncio.Event()
    content = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        got_head.set()
        content.append(await peer.reader.readuntil(b"0\r\n\r\n"))
        await peer.send(answer())
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await got_head.wait()
        await client.send(b"3\r\nabc\r\n0\r\n\r\n")
        await client.read_message()
    assert content == [b"3\r\nabc\r\n0\r\n\r\n"]


class TestContinue:
    REQUEST = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Content-Length: 5\r\n\r\n"
    )

    async def test_the_upstream_says_when_to_go_on(self) -> None:
        async def script(peer: Peer) -> None:
            assert b"Expect: 100-continue" in await peer.read_head()
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await peer.reader.readexactly(5) == b"hello"
            await peer.send(answer())
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(self.REQUEST)
            assert await client.read_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"hello")
            assert (await client.read_message()).startswith(b"HTTP/1.1 200 OK")

    async def test_the_upstream_may_refuse_before_the_content(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(answer(b"", b"417 Expectation Failed"))
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(self.REQUEST)
            assert (await client.read_message()).startswith(b"HTTP/1.1 417 ")

    async def test_a_rejected_token_costs_the_client_nothing(self) -> None:
        async def script(peer: Peer) -> None:
            if b"token-0" in await peer.read_head():
                await peer.send(answer(b"", b"401 Unauthorized"))
                return
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await peer.reader.readexactly(5) == b"hello"
            await peer.send(answer())
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(self.REQUEST)
            assert await client.read_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"hello")
            assert (await client.read_message()).startswith(b"HTTP/1.1 200 OK")

    async def test_interim_responses_are_not_for_http_1_0(self) -> None:
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        script = recording([], early + answer(), early + answer())
        async with rig(script) as it:
            assert (await it.get()).startswith(early)
            old = await it.call(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert old.startswith(b"HTTP/1.1 200 OK")


class TestOurOrigin:
    RESPONSE = answer(
        fields=b"Location: https://api.test/next\r\n"
        b"Set-Cookie: a=1; Domain=api.test; Path=/\r\n"
    )

    async def test_the_upstreams_origin_becomes_ours(self) -> None:
        options = ForwardOptions(rewrite=Rewrite(b"https://api.test", b"api.test"))
        async with rig(recording([], self.RESPONSE), options=options) as it:
            relayed = await it.get()
        assert b"\r\nLocation: http://localhost/next\r\n" in relayed
        assert b"\r\nSet-Cookie: a=1; Path=/\r\n" in relayed

    async def test_it_stays_when_that_is_switched_off(self) -> None:
        async with rig(recording([], self.RESPONSE)) as it:
            relayed = await it.get()
        assert b"\r\nLocation: https://api.test/next\r\n" in relayed


async def test_server_timing_is_added_on_request() -> None:
    options = ForwardOptions(server_timing=True)
    async with rig(recording([], answer()), options=options) as it:
        relayed = await it.get()
    async with rig(recording([], answer()), options=options) as it:
        named = await it.get(b"/", b"X-Request-Id: mine-17\r\n")
    timing = re.search(rb"\r\nServer-Timing: (.*)\r\n", relayed)
    assert timing is not None
    assert re.fullmatch(
        rb"access;dur=[0-9.]+, (?:[a-z]+;dur=[0-9.]+, )*upstream;dur=[0-9.]+"
        rb', id;desc="[0-9a-f]+-1"',
        timing[1],
    )
    assert re.search(rb"\r\nX-Request-Id: [0-9a-f]+-1\r\n", relayed)
    assert b"\r\nX-Request-Id: mine-17\r\n" in named


async def test_an_allowed_page_can_read_the_answer() -> None:
    page = "https://app.example"
    theirs = b"Access-Control-Allow-Origin: *\r\n"
    access = AccessConfig.parse({"allowed_origins": page})
    async with rig(recording([], answer(fields=theirs)), access=access) as it:
        preflight = await it.call(
            b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n"
            b"Access-Control-Request-Method: POST\r\n\r\n"
        )
        relayed = await it.get(b"/", b"Origin: https://app.example\r\n")
        assert it.upstream.connections == 1
    assert preflight.startswith(b"HTTP/1.1 204 ")
    assert b"Access-Control-Allow-Methods: POST\r\n" in preflight
    assert relayed.count(b"Access-Control-Allow-Origin") == 1
    assert b"Access-Control-Allow-Origin: https://app.example\r\n" in relayed


async def test_a_page_that_may_not_call_reaches_nothing() -> None:
    async with rig(recording([], answer())) as it:
        refused = await it.get(b"/", b"Origin: https://evil.example\r\n")
        assert it.upstream.connections == 0
    assert refused.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"error=http_request_denied" in refused
