"""One client connection: its requests in turn, its times, and its end."""

import asyncio
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from proxy import sock_diag
from proxy.forward import inbound as module, inbound_server
from proxy.forward.limits import InboundLimits
from proxy.forward.peer import has_left
from proxy.forward.pool import PoolLimits
from tests.forward import rig as rig_module
from tests.forward.rig import Peer, answer, rig, settled

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n"


async def echo(peer: Peer) -> None:
    while True:
        await peer.read_message()
        await peer.send(answer())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every time that a client is given be over at once."""
    limits = InboundLimits(head_time=0.05)
    monkeypatch.setattr(rig_module, "INBOUND_LIMITS", limits)
    for name in ("IDLE_TIME", "LINGER_TIME", "STALL_TIME", "DOUBT_TIME"):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(inbound_server, "_TICK", 0.02)


class TestHalfClosed:
    async def test_a_client_that_has_ended_its_side_gets_its_answer(self) -> None:
        go_on = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await go_on.wait()
            await peer.send(answer(b"late"))
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            client.writer.write_eof()
            await asyncio.sleep(0.05)
            go_on.set()
            assert (await client.reader.read()).endswith(b"late")

    async def test_so_do_all_requests_that_it_had_sent(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(GET * 3)
            client.writer.write_eof()
            assert (await client.reader.read()).count(b"200 OK") == 3

    async def test_half_a_request_is_no_request(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(GET[:-2])
            client.writer.write_eof()
            assert await client.reader.read() == b""
            assert it.upstream.connections == 0

    async def test_content_that_ends_too_early_is_told_and_never_complete(self) -> None:
        seen = []

        async def script(peer: Peer) -> None:
            seen.append(await peer.reader.read())

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
            )
            client.writer.write_eof()
            assert (await client.reader.read()).startswith(b"HTTP/1.1 400 ")
            await it.exchange()
        assert all(one == b"" or one.endswith(b"half") for one in seen)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has left")
    async def test_a_client_that_has_left_stops_the_wait_at_once(self) -> None:
        left = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.gone()
            left.set()

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(GET)
                # Answered by nobody: the upstream only waits.
                await _until(lambda: it.upstream.connections == 1)
                client.writer.close()
                await client.writer.wait_closed()
            await left.wait()
            assert (await it.exchange()).error == "client_left"

    @pytest.mark.usefixtures("quick")
    async def test_where_nobody_knows_it_is_given_up_after_a_while(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "has_left", lambda _: None)

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            client.writer.write_eof()
            await client.gone()
            assert (await it.exchange()).error == "client_left"


class TestTimes:
    @pytest.mark.usefixtures("quick")
    @pytest.mark.parametrize("sent", [b"", GET], ids=["new", "kept"])
    async def test_a_client_that_asks_nothing_is_let_go(self, sent: bytes) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(sent)
            got = await client.reader.read()
        assert got.count(b"HTTP/1.1") == bool(sent)

    @pytest.mark.usefixtures("quick")
    async def test_a_head_that_drips_in_is_answered_408(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(GET[:-2])
            got = await client.reader.read()
            assert (await it.exchange()).status == 408
        assert got.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"\r\nConnection: close\r\n" in got

    @pytest.mark.usefixtures("quick")
    @pytest.mark.parametrize("drop", [b"\r\n", b"\r", b"G"])
    async def test_drops_buy_no_time(self, drop: bytes) -> None:
        async with rig(echo) as it, it.client() as client:

            async def drip() -> None:
                while True:
                    await client.send(drop)
                    await asyncio.sleep(0.01)

            dripping = asyncio.ensure_future(drip())
            await client.gone()
            dripping.cancel()
            await asyncio.wait([dripping])

    @pytest.mark.usefixtures("quick")
    async def test_nobody_waits_for_ever_for_a_client_to_read(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(b"nonsense\r\n\r\n")
            await client.gone()

    @pytest.mark.usefixtures("quick")
    async def test_an_exchange_may_take_its_time(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await asyncio.sleep(0.2)
            await peer.send(answer())
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            assert (await client.read_message()).endswith(b"ok")


class TestRefusals:
    @pytest.mark.parametrize(
        "sent",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\nHost: localhost\n\n",
            b"GET / HTTP/1.1\r\nHost: a\x00",
            b"GET /" + b"x" * 70_000,
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000,
            b"GET / HTTP/1.1\r\n" + b"X: 1234\r\n" * 40_000,
        ],
        ids=[
            "TLS",
            "bare LF",
            "NUL",
            "endless target",
            "endless field",
            "endless head",
        ],
    )
    async def test_what_can_become_no_request_is_not_waited_for(
        self, sent: bytes
    ) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(sent)
            got = await client.reader.read()
            assert it.upstream.connections == 0
        assert got[9:12] in {b"400", b"414", b"431"}
        assert b'"type": "bad_argument", "value": "http"' in got

    async def test_tls_to_a_plain_port_is_told_so(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(b"\x16\x03\x01\x02\x00\x01")
            assert b"use http://" in await client.reader.read()

    async def test_blank_lines_before_a_request_mean_nothing(self) -> None:
        async with rig(echo) as it, it.client() as client:
            for piece in (b"\r", b"\n\r\n", GET):
                await client.send(piece)
                await asyncio.sleep(0.01)
            assert (await client.read_message()).endswith(b"ok")

    async def test_requests_before_nonsense_are_answered(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(GET * 2 + b"nonsense\r\n\r\n" + GET)
            got = await client.reader.read()
        assert got.count(b"HTTP/1.1 200 OK") == 2
        assert got.count(b"HTTP/1.1 400 Bad Request") == 1

    async def test_http_1_0_without_a_host_is_served(self) -> None:
        async with rig(echo) as it:
            got = await it.call(b"GET / HTTP/1.0\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")

    async def test_an_absolute_target_says_the_host_whatever_host_says(self) -> None:
        async with rig(echo) as it:
            ours, other = [
                await it.call(
                    b"GET http://%b:%d/a HTTP/1.1\r\nHost: elsewhere.example\r\n"
                    b"Connection: close\r\n\r\n" % (named, it.port)
                )
                for named in (b"127.0.0.1", b"other.example")
            ]
        assert ours.startswith(b"HTTP/1.1 200 OK\r\n")
        assert other.startswith(b"HTTP/1.1 403 Forbidden\r\n")

    async def test_max_forwards_ends_here(self) -> None:
        async with rig(echo) as it:
            got = await it.call(
                b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n"
                b"Connection: close\r\n\r\n"
            )
            assert it.upstream.connections == 0
        assert got.startswith(b"HTTP/1.1 200 OK\r\nAllow: GET, ")

    async def test_a_request_that_has_been_here_is_going_in_circles(self) -> None:
        async with rig(echo) as it:
            got = await it.get(b"/", b"Via: 1.1 telemed-proxy\r\n")
            assert it.upstream.connections == 0
        assert got.startswith(b"HTTP/1.1 508 ")
        assert b"error=proxy_loop_detected" in got

    async def test_a_broken_chunk_cuts_the_upload_and_is_told(self) -> None:
        seen = []

        async def script(peer: Peer) -> None:
            await peer.read_head()
            seen.append(await peer.reader.read())

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )
            await _until(lambda: it.upstream.connections == 1)
            await client.send(b"zz\r\n" + GET)
            got = await client.reader.read()
        assert got.startswith(b"HTTP/1.1 400 ")
        assert got.count(b"HTTP/1.1") == 1
        assert all(b"0\r\n\r\n" not in one for one in seen)


class TestBackPressure:
    async def test_requests_that_wait_for_their_turn_are_not_taken_into_memory(
        self,
    ) -> None:
        sent = 0

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.gone()

        async def ask(client: Peer) -> None:
            nonlocal sent
            while True:
                await client.send(GET * 1000)
                sent += len(GET) * 1000

        async with rig(script) as it, it.client() as client:
            asking = asyncio.ensure_future(ask(client))
            assert await settled(lambda: sent) < 48 * 1024 * 1024
            asking.cancel()

    async def test_a_client_that_is_behind_already_stops_the_next_answer(self) -> None:
        class Upstream:
            paused = False

            def pause(self) -> None:
                self.paused = True

            def resume(self) -> None:
                self.paused = False

        async with rig(echo) as it:
            connection, upstream = it.inbound(), Upstream()
            connection.pause_writing()
            connection.relay_from(upstream)
            assert upstream.paused


class TestAnswersBeforeTheEnd:
    """A client that still sends has to be able to read its answer."""

    @pytest.mark.parametrize(
        ("begun", "rest", "status"),
        [
            (b"Content-Length: 10000000\r\n\r\nabc", b"x" * 1000, b"413"),
            (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"zz\r\n", b"400"),
        ],
        ids=["early answer", "broken chunk"],
    )
    async def test_it_is_not_reset(
        self, begun: bytes, rest: bytes, status: bytes
    ) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            if status == b"413":
                await peer.send(answer(b"no", b"413 Content Too Large"))
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + begun)
            await _until(lambda: it.upstream.connections == 1)
            await client.send(rest)
            message = await client.read_message()
            for _ in range(5):
                await client.send(rest)
                await asyncio.sleep(0.01)
        assert message[9:12] == status


async def test_a_cut_in_the_middle_of_an_upload_is_read_before_it_is_noticed() -> None:
    """The upstream breaks its answer off while the client still sends."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.reset()

    async with rig(script) as it, it.client() as client:
        await client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc"
        )
        await client.read_head()
        for _ in range(5):
            await client.send(b"x" * 1000)
            await asyncio.sleep(0.01)
        assert await client.reader.read() == b"hello"


class TestTrailers:
    SCRIPTED = (
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=1\r\n\r\n"
    )

    async def script(self, peer: Peer) -> None:
        while True:
            await peer.read_head()
            await peer.send(self.SCRIPTED)

    async def test_they_reach_those_who_take_them(self) -> None:
        async with rig(self.script) as it:
            got = await it.get(b"/", b"TE: trailers\r\n")
        assert b"\r\nTrailer: X-Sum\r\n" in got
        assert got.endswith(b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n")

    async def test_and_nobody_else(self) -> None:
        async with rig(self.script) as it:
            got = await it.get()
            old = await it.call(b"GET / HTTP/1.0\r\nTE: trailers\r\n\r\n")
        assert b"X-Sum" not in got
        assert got.endswith(b"0\r\n\r\n")
        assert b"X-Sum" not in old
        assert old.endswith(b"\r\n\r\nok")


async def test_a_stale_connection_is_noticed_before_a_post_goes_out() -> None:
    """The upstream closes right after its answer, without saying so."""
    delivered = 0

    async def script(peer: Peer) -> None:
        nonlocal delivered
        await peer.read_message()
        delivered += 1
        await peer.send(answer())

    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
    async with rig(script) as it, it.client() as client:
        for _ in range(20):
            await client.send(post)
            assert (await client.read_message()).startswith(b"HTTP/1.1 200 ")
    assert delivered == 20


class TestShutdown:
    async def test_a_connection_at_rest_is_closed_at_once(self) -> None:
        async with rig(echo) as it, it.client() as client:
            await client.send(GET)
            await client.read_message()
            await it.inbound.shutdown(5)
            assert await client.reader.read() == b""

    async def test_one_in_an_exchange_has_a_while_to_end_it(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await asyncio.sleep(0.05)
            await peer.send(answer())
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            await _until(lambda: it.upstream.connections == 1)
            await it.inbound.shutdown(5)
            assert (await client.read_message()).endswith(b"ok")
            assert await client.reader.read() == b""

    async def test_what_was_written_by_then_still_arrives(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(answer(b"x" * 10_000_000))
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            await client.read_head()
            ending = asyncio.ensure_future(it.inbound.shutdown(10))
            content = await client.reader.readexactly(10_000_000)
            await ending
        assert content == b"x" * 10_000_000

    async def test_content_that_the_end_cuts_short_does_not_look_whole(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            await client.read_head()
            await it.inbound.shutdown(0.01)
            with pytest.raises(ConnectionResetError):
                await client.reader.read()

    async def test_and_is_cut_then(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            await _until(lambda: it.upstream.connections == 1)
            await it.inbound.shutdown(0.01)
            await client.gone()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has left")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_the_kernel_knows_who_has_left(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    loop = asyncio.get_running_loop()
    with socket.socket(family) as listening, socket.socket(family) as client:
        listening.bind((host, 0))
        listening.listen()
        client.connect(listening.getsockname())
        accepted, _ = listening.accept()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=accepted)
        assert has_left(transport) is False
        client.shutdown(socket.SHUT_WR)
        assert has_left(transport) is False
        client.close()
        assert has_left(transport) is True
        transport.abort()
        await asyncio.sleep(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has left")
async def test_it_knows_of_unix_sockets_too() -> None:
    loop = asyncio.get_running_loop()
    accepted, client = socket.socketpair(socket.AF_UNIX)
    with client:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=accepted)
        assert has_left(transport) is False
        client.shutdown(socket.SHUT_WR)
        assert has_left(transport) is False
    assert has_left(transport) is True
    transport.abort()
    await asyncio.sleep(0)


def test_of_those_on_other_machines_it_knows_nothing() -> None:
    assert has_left(cast("asyncio.Transport", Addressed("192.0.2.1"))) is None


def test_nor_of_those_that_the_kernel_cannot_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it cannot look for sockets at all, it says the same as of one that left."""
    monkeypatch.setattr(sock_diag, "find", lambda *_: None)
    assert has_left(cast("asyncio.Transport", Addressed("127.0.0.1"))) is None


@dataclass
class Addressed:
    """A transport between two ports of a host."""

    host: str

    def get_extra_info(self, name: str) -> object:
        return (self.host, 1 if name == "peername" else 2)


class TestClientsThatHurt:
    """What one client does must not cost the others, nor for ever."""

    async def test_a_flood_of_blank_lines_is_read_in_one_go(self) -> None:
        async with rig(echo) as it, it.client() as client:
            for _ in range(4):
                await client.send(b"\r\n" * 125_000)
            await client.send(GET)
            assert (await client.read_message()).endswith(b"ok")

    async def test_requests_that_wait_stay_bounded_while_answers_are_read(self) -> None:
        most = 0

        async def script(upstream: Peer) -> None:
            nonlocal most
            while True:
                await upstream.read_message()
                most = max(most, *(len(one._buffer) for one in it.inbound.connections))
                await upstream.send(answer(b""))

        async def ask(client: Peer) -> None:
            for _ in range(40):
                await client.send(GET * 2000)

        async with rig(script) as it, it.client() as client:
            asking = asyncio.ensure_future(ask(client))
            for _ in range(3000):
                await client.read_message()
            asking.cancel()
        assert most < 1024 * 1024

    @pytest.mark.usefixtures("quick")
    @pytest.mark.parametrize("size", [100_000, 12_000_000])
    @pytest.mark.parametrize("ending", [b"keep-alive", b"close"])
    async def test_a_client_that_never_reads_is_given_up(
        self, ending: bytes, size: int
    ) -> None:
        async def script(upstream: Peer) -> None:
            while True:
                await upstream.read_message()
                await upstream.send(answer(b"x" * size))

        request = GET[:-2] + b"Connection: %b\r\n\r\n" % ending
        limits = PoolLimits(idle_timeout=0.1)
        async with rig(script, limits=limits) as it, it.client() as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.send(request * 100)
            await _until(lambda: bool(it.exchanges))
            await _until(lambda: not it.inbound.connections)

    async def test_a_tunnel_that_the_upstream_resets_is_cut_visibly(self) -> None:
        async def script(upstream: Peer) -> None:
            await upstream.read_head()
            await upstream.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                b"Connection: Upgrade\r\n\r\n"
            )
            await upstream.reader.readexactly(2)
            upstream.reset()

        async with rig(script) as it, it.client() as client:
            await client.send(GET[:-2] + UPGRADE)
            await client.read_head()
            await client.send(b"go")
            with pytest.raises(ConnectionResetError):
                await client.reader.read()
            assert (await it.exchange()).error == "http_response_incomplete"

    async def test_one_that_left_a_tunnel_is_noticed_though_nobody_speaks(self) -> None:
        async def script(upstream: Peer) -> None:
            await upstream.read_head()
            await upstream.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                b"Connection: Upgrade\r\n\r\n"
            )
            await asyncio.Event().wait()

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(GET[:-2] + UPGRADE)
                await client.read_head()
                client.writer.close()
                await client.writer.wait_closed()
            assert (await it.exchange()).error == "client_left"

    async def test_a_switch_of_protocols_in_the_middle_of_an_upload_is_refused(
        self,
    ) -> None:
        async def script(upstream: Peer) -> None:
            await upstream.read_head()
            await upstream.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                b"Connection: Upgrade\r\n\r\n"
            )
            await upstream.gone()

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                b"Upgrade: x\r\nContent-Length: 100\r\n\r\nabc"
            )
            assert (await client.read_message()).startswith(b"HTTP/1.1 502 ")

    async def test_one_that_left_before_an_early_answer_harms_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        go_on = asyncio.Event()

        async def script(upstream: Peer) -> None:
            await upstream.read_head()
            await go_on.wait()
            await upstream.send(answer(b"no", b"413 Content Too Large"))
            await upstream.gone()

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(
                    b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Length: 10000000\r\n\r\nabc"
                )
                await _until(lambda: it.upstream.connections == 1)
                client.reset()
            go_on.set()
            await it.exchange()
        assert [one for one in caplog.records if one.levelname == "ERROR"] == []


async def test_on_a_unix_socket_chunks_tell_an_end_from_a_cut(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def script(upstream: Peer) -> None:
        await upstream.read_head()
        await upstream.send(b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nhello")
        await go_on.wait()
        upstream.reset()

    async with rig(script) as it:
        loop = asyncio.get_running_loop()
        path = str(tmp_path / "s")
        listening = await loop.create_unix_server(it.inbound, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(GET)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nTransfer-Encoding: chunked\r\n" in head
        assert await reader.readexactly(10) == b"5\r\nhello\r\n"
        go_on.set()
        assert await reader.read() == b""
        writer.close()
        listening.close()


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


async def test_a_quick_reader_that_becomes_slow_is_waited_for() -> None:
    """More is written ahead to a quick one, and little when it is quick no more."""
    piece = bytes(256 * 1024)
    total, sent = 64 * 1024 * 1024, 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.read_message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent < total:
            await peer.send(piece)
            sent += len(piece)
        await peer.gone()

    async with rig(script) as it, it.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.read_head()
        left = total
        while left > total * 3 / 4:
            left -= len(await client.reader.read(2**20))
        for _ in range(3):  # a pause, a little, and another pause
            await settled(lambda: sent)
            left -= len(await client.reader.readexactly(2**20))
        stopped = await settled(lambda: sent)
        assert stopped < total * 7 / 8
        [inbound] = it.inbound.connections
        assert inbound.unsent < 512 * 1024
        while left:
            left -= len(await client.reader.readexactly(min(left, 2**20)))
