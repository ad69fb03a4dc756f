"""Broken, slow and missing upstreams; clients that leave. Nothing is sent twice."""

import asyncio
import socket

import pytest

from proxy.forward.dial import Origin
from proxy.forward.pool import PoolLimits
from proxy.http1.head import MAX_FIELD, MAX_TARGET
from tests.forward.rig import Peer, Script, answer, rig

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)
QUICK = PoolLimits(connect_timeout=0.2, response_timeout=0.2, idle_timeout=0.2)


async def never(peer: Peer) -> None:
    raise AssertionError("nothing should have come here")


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class TestUnreachable:
    async def test_refused(self) -> None:
        async with rig(never, origin=Origin("127.0.0.1", closed_port())) as it:
            got = await it.get()
            assert it.exchanges[0].error == "connection_refused"
        assert got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"Proxy-Status: telemed-proxy; error=connection_refused; " in got
        assert b'"type": "upstream", "value": "refused"' in got

    async def test_no_such_name(self) -> None:
        async with rig(never, origin=Origin("no-such-host.invalid", 80)) as it:
            got = await it.get()
        assert got.startswith(b"HTTP/1.1 502 ")
        assert b"error=dns_error" in got

    async def test_nobody_accepts(self) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            filler = [socket.socket() for _ in range(4)]
            for one in filler:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            async with rig(never, origin=Origin("127.0.0.1", port), limits=QUICK) as it:
                got = await it.get()
            for one in filler:
                one.close()
        assert got.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert b"error=connection_timeout" in got

    async def test_it_leads_back_to_us(self) -> None:
        async def script(peer: Peer) -> None:
            assert await peer.reader.read() == b""

        async with rig(script, is_own=lambda peer, local: True) as it:
            got = await it.get()
        assert got.startswith(b"HTTP/1.1 508 Loop Detected\r\n")
        assert b"error=proxy_loop_detected" in got


class TestNoAnswer:
    async def test_silence_ends_in_504(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.gone()

        async with rig(script, limits=QUICK) as it:
            got = await it.get()
            assert it.upstream.connections == 1
        assert got.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert b"error=http_response_timeout" in got

    async def test_a_head_that_drips_in_ends_in_504(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                await peer.send(b"x")
                await asyncio.sleep(0.02)

        async with rig(script, limits=QUICK) as it:
            assert (await it.get()).startswith(b"HTTP/1.1 504 ")

    @pytest.mark.parametrize(
        "begin", [b"", b"HTTP/1.1 200 OK\r\nContent-"], ids=["nothing", "half a head"]
    )
    async def test_a_cut_before_the_head_ends_in_502(self, begin: bytes) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(begin)
            peer.writer.close()

        async with rig(script) as it:
            got = await it.get()
            assert it.upstream.connections == 1
        assert got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"error=http_response_incomplete" in got
        assert b'"value": "incomplete"' in got

    @pytest.mark.parametrize(
        "response",
        [
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
            b"Connection: upgrade\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000,
        ],
        ids=["not HTTP", "two lengths", "two framings", "101 unasked", "endless head"],
    )
    async def test_an_answer_that_is_not_valid_ends_in_502(
        self, response: bytes
    ) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(response)
            await peer.gone()

        async with rig(script) as it:
            assert (await it.get()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


class TestCutShort:
    """After the status line has gone out, the only honest error is a visible cut."""

    @pytest.mark.parametrize(
        "response",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ],
        ids=["length", "chunked"],
    )
    @pytest.mark.parametrize("how", ["close", "reset", "silence"])
    async def test_content_never_looks_complete(
        self, response: bytes, how: str
    ) -> None:
        relayed = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(response)
            await relayed.wait()
            if how == "reset":
                peer.reset()
            elif how == "silence":
                await peer.gone()

        async with rig(script, limits=QUICK) as it, it.client() as client:
            await client.send(GET.replace(b"Connection: close\r\n", b""))
            head = await client.read_head()
            relayed.set()
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            rest = await client.reader.read()
            exchange = await it.exchange()
        assert exchange.error is not None
        if b"chunked" in head:
            assert not rest.endswith(b"0\r\n\r\n")
        else:
            assert len(rest) < 10

    @pytest.mark.parametrize(
        "sent",
        [
            b"garbage",
            b"HTTP/2",
            b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            b"HTTP/1.1 200 \x00",
        ],
    )
    async def test_what_can_become_no_answer_is_not_waited_for(
        self, sent: bytes
    ) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(sent)
            await peer.gone()

        async with rig(script) as it:
            got = await it.get()
        assert got.startswith(b"HTTP/1.1 502 ")
        assert b"error=http_protocol_error" in got

    async def test_content_that_is_broken_from_the_start_is_not_begun(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"
            )
            await peer.gone()

        async with rig(script) as it:
            assert (await it.get()).startswith(b"HTTP/1.1 502 ")

    async def test_content_that_ends_with_the_connection_is_reset(self) -> None:
        relayed = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
            await relayed.wait()
            peer.reset()

        async with rig(script) as it, it.client() as client:
            await client.send(GET)
            await client.read_head()
            assert await client.reader.readexactly(5) == b"hello"
            relayed.set()
            with pytest.raises(ConnectionResetError):
                await client.reader.read()


def closing_after(responses: int, requests: list[bytes]) -> Script:
    """Return a script that closes its connection on the request after so many."""

    async def script(peer: Peer) -> None:
        for _ in range(responses):
            requests.append(await peer.read_message())
            await peer.send(answer())
        requests.append(await peer.read_message())
        peer.reset()

    return script


class TestStaleConnections:
    async def test_a_get_goes_out_again_on_a_new_connection(self) -> None:
        requests: list[bytes] = []
        async with rig(closing_after(1, requests)) as it:
            assert (await it.get()).startswith(b"HTTP/1.1 200 ")
            assert (await it.get()).startswith(b"HTTP/1.1 200 ")
            assert it.upstream.connections == 2
            assert [one.resent for one in it.exchanges] == [False, True]
        assert len(requests) == 3

    async def test_a_put_goes_out_again_with_its_content(self) -> None:
        requests: list[bytes] = []
        put = POST.replace(b"POST", b"PUT")
        async with rig(closing_after(1, requests)) as it:
            await it.get()
            assert (await it.call(put)).startswith(b"HTTP/1.1 200 ")
        assert [one[-5:] for one in requests[1:]] == [b"hello", b"hello"]

    async def test_a_post_is_never_sent_again(self) -> None:
        requests: list[bytes] = []
        async with rig(closing_after(1, requests)) as it:
            await it.get()
            got = await it.call(POST)
            assert it.upstream.connections == 1
        assert got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"error=http_response_incomplete" in got
        assert sum(one.startswith(b"POST") for one in requests) == 1

    async def test_a_get_that_fails_on_a_new_connection_is_not_sent_again(
        self,
    ) -> None:
        requests: list[bytes] = []
        async with rig(closing_after(0, requests)) as it:
            assert (await it.get()).startswith(b"HTTP/1.1 502 ")
        assert len(requests) == 1

    async def test_a_get_whose_answer_has_begun_is_not_sent_again(self) -> None:
        requests = []

        async def script(peer: Peer) -> None:
            requests.append(await peer.read_message())
            await peer.send(answer())
            requests.append(await peer.read_message())
            await peer.send(b"HTTP/1.1 2")
            peer.writer.close()

        async with rig(script) as it:
            await it.get()
            assert (await it.get()).startswith(b"HTTP/1.1 502 ")
        assert len(requests) == 2

    async def test_a_post_takes_no_connection_that_has_been_idle(self) -> None:
        async def script(peer: Peer) -> None:
            while True:
                await peer.read_message()
                await peer.send(answer())

        async with rig(script, limits=PoolLimits(fresh=-1)) as it:
            await it.get()
            await it.call(POST)
            assert it.upstream.connections == 2

    async def test_a_connection_that_the_upstream_closed_is_not_used(self) -> None:
        closed = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_message()
            await peer.send(answer())
            peer.writer.close()
            await peer.writer.wait_closed()
            closed.set()

        async with rig(script) as it:
            await it.get()
            await closed.wait()
            await asyncio.sleep(0.01)
            assert (await it.call(POST)).startswith(b"HTTP/1.1 200 ")

    async def test_an_answer_to_nothing_ends_the_connection(self) -> None:
        said = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_message()
            await peer.send(answer(b"1"))
            if it.upstream.connections == 1:
                await asyncio.sleep(0.02)
                await peer.send(answer(b"poison"))
                said.set()
            await peer.gone()

        async with rig(script) as it:
            await it.get()
            await said.wait()
            await asyncio.sleep(0.02)
            assert (await it.get()).endswith(b"1")

    async def test_one_that_waits_for_content_carries_no_other_request(self) -> None:
        """It would take the next request for the rest of the content before."""
        requests = []

        async def script(peer: Peer) -> None:
            requests.append(await peer.read_head())
            await peer.send(answer(b"no", b"413 Content Too Large"))
            requests.append(await peer.reader.read())

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(
                    POST.replace(b"Content-Length: 5", b"Content-Length: 9")
                )
                await client.read_message()
            assert (await it.get(b"/next")).startswith(b"HTTP/1.1 413 ")
            assert it.upstream.connections == 2
        assert [b"/next" in one for one in requests[:2]] == [False, False]

    async def test_a_second_answer_to_one_request_is_dropped(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_message()
            await peer.send(answer(b"mine") + answer(b"poison"))
            await peer.gone()

        async with rig(script) as it:
            assert (await it.get()).endswith(b"mine")
            assert (await it.get()).endswith(b"mine")
            assert it.upstream.connections == 2

    async def test_two_stale_ones_cost_a_get_nothing_either(self) -> None:
        accepted, both = 0, asyncio.Event()

        async def script(peer: Peer) -> None:
            nonlocal accepted
            accepted += 1
            stale = accepted < 3
            while True:
                await peer.read_message()
                await both.wait()
                await peer.send(answer())
                if stale:
                    await peer.read_message()
                    peer.reset()

        async with rig(script) as it:
            calls = [asyncio.ensure_future(it.get()) for _ in range(2)]
            while accepted < 2:
                await asyncio.sleep(0.01)
            both.set()
            await asyncio.gather(*calls)
            assert (await it.get()).startswith(b"HTTP/1.1 200 ")
            assert it.upstream.connections == 3

    async def test_a_killed_request_goes_out_twice_at_most(self) -> None:
        """However many kept connections there are for it to kill."""
        puts, filled = 0, asyncio.Event()

        async def script(peer: Peer) -> None:
            nonlocal puts
            while (await peer.read_head()).startswith(b"GET"):
                await filled.wait()
                await peer.send(answer())
            puts += 1
            peer.reset()

        async with rig(script) as it:
            calls = [asyncio.ensure_future(it.get()) for _ in range(8)]
            while it.upstream.connections < 8:
                await asyncio.sleep(0.01)
            filled.set()
            await asyncio.gather(*calls)
            got = await it.call(POST.replace(b"POST", b"PUT"))
        assert got.startswith(b"HTTP/1.1 502 ")
        assert puts == 2

    async def test_one_that_brought_much_at_once_can_be_used_again(self) -> None:
        """Reading from it was stopped for its content, which was all there."""

        async def script(peer: Peer) -> None:
            while True:
                await peer.read_message()
                await peer.send(answer(b"x" * 100_000))

        async with rig(script, limits=QUICK) as it:
            for request in (GET, POST, GET, POST):
                got = await it.call(request)
                assert got.endswith(b"x" * 100_000)
            assert it.upstream.connections == 1


class TestLeavingClients:
    async def test_they_take_no_place_with_them(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(answer(b"no", b"413 Content Too Large"))
            await peer.gone()

        limits = PoolLimits(max_connections=1, connect_timeout=1)
        upload = POST.replace(b"Content-Length: 5", b"Content-Length: 99999")
        async with rig(script, limits=limits) as it:
            for number in range(60):
                async with it.client() as client:
                    await client.send(upload)
                    for _ in range(number % 12):
                        await asyncio.sleep(0)
            assert (await it.get()).startswith(b"HTTP/1.1 413 ")

    @pytest.mark.parametrize("begun", [False, True], ids=["waiting", "reading"])
    async def test_the_upstream_transfer_stops(self, begun: bool) -> None:
        started, gone = asyncio.Event(), asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_head()
            if begun:
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi")
            started.set()
            await peer.gone()
            gone.set()

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(GET)
                await started.wait()
                if begun:
                    await client.read_head()
            await gone.wait()
            assert (await it.exchange()).error == "client_left"

    async def test_a_half_sent_request_is_not_completed(self) -> None:
        gone = asyncio.Event()
        rest = []

        async def script(peer: Peer) -> None:
            await peer.read_head()
            rest.append(await peer.reader.read())
            gone.set()

        async with rig(script) as it:
            async with it.client() as client:
                await client.send(POST[:-2])
                await asyncio.sleep(0.02)
            await gone.wait()
        assert rest == [b"hel"]

    async def test_content_that_breaks_its_framing_is_not_completed(self) -> None:
        received = []

        async def script(peer: Peer) -> None:
            await peer.read_head()
            received.append(await peer.reader.read())

        async with rig(script) as it, it.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )
            await asyncio.sleep(0.02)
            await client.send(b"nonsense\r\n")
            got = await client.reader.read()
        assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert not received[0].endswith(b"0\r\n\r\n")

    async def test_content_that_never_comes_is_the_clients_fault(self) -> None:
        async def script(peer: Peer) -> None:
            await peer.gone()

        async with rig(script, limits=QUICK) as it, it.client() as client:
            await client.send(POST[:-2])
            head = await client.read_head()
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


class TestMalformed:
    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"nonsense\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n", b"400"),
            (b"GET /%b HTTP/1.1\r\n\r\n" % (b"x" * MAX_TARGET), b"414"),
            (b"GET / HTTP/1.1\r\nX: %b\r\n\r\n" % (b"x" * MAX_FIELD), b"431"),
            (b"GET / HTTP/1.1\r\n%b\r\n" % (b"X: y\r\n" * 300), b"431"),
            (b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
            (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
            (b"GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"403"),
        ],
        ids=[
            "not HTTP",
            "no Host",
            "space in a name",
            "long target",
            "long field",
            "many fields",
            "CONNECT",
            "TRACE",
            "another authority",
        ],
    )
    async def test_it_is_refused_and_reaches_nothing(
        self, request_: bytes, status: bytes
    ) -> None:
        async with rig(never) as it, it.client() as client:
            await client.send(request_)
            message = await client.read_message()
            assert it.upstream.connections == 0
            assert (await it.exchange()).status == int(status)
        assert message.startswith(b"HTTP/1.1 %b " % status)
        assert b"Proxy-Status: telemed-proxy; error=http_request_" in message

    async def test_no_refusal_echoes_what_was_refused(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        field = b"Authorization: Bearer planted-secret"
        async with rig(never) as it, it.client() as client:
            await client.send(
                b"GET / HTTP/1.1\r\n%b%b\r\n\r\n" % (field, b"x" * MAX_FIELD)
            )
            message = await client.read_message()
        assert b"planted-secret" not in message
        assert "planted-secret" not in caplog.text


async def test_no_more_connections_are_opened_than_allowed() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.read_message()
            await go_on.wait()
            await peer.send(answer())

    async with rig(script, limits=PoolLimits(max_connections=2)) as it:
        calls = [asyncio.ensure_future(it.get()) for _ in range(6)]
        while it.upstream.connections < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        go_on.set()
        answers = await asyncio.gather(*calls)
        assert it.upstream.connections == 2
    assert {one[:15] for one in answers} == {b"HTTP/1.1 200 OK"}


async def test_waiting_for_a_connection_ends_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    limits = PoolLimits(max_connections=1, connect_timeout=0.1, response_timeout=5)
    async with rig(script, limits=limits) as it, it.client() as first:
        await first.send(GET)
        while it.upstream.connections < 1:
            await asyncio.sleep(0.01)
        got = await it.get()
    assert got.startswith(b"HTTP/1.1 504 ")
    assert b"error=connection_limit_reached" in got


async def test_failed_connections_free_their_places() -> None:
    port = closed_port()
    limits = PoolLimits(max_connections=1, connect_timeout=0.5)
    async with rig(never, origin=Origin("127.0.0.1", port), limits=limits) as it:
        for _ in range(3):
            assert b"error=connection_refused" in await it.get()
        assert it.pool.opened == 0


async def test_a_fault_of_ours_is_answered_and_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with rig(never) as it:

        async def broken(*, rejected: str | None = None) -> str:
            raise ZeroDivisionError

        it.credential.access_token = broken  # type: ignore[method-assign]
        got = await it.get()
        exchange = await it.exchange()
    assert got.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"error=proxy_internal_error" in got
    assert (exchange.status, exchange.answered_by) == (500, "proxy")
    assert "ZeroDivisionError" in caplog.text


async def test_our_answer_to_head_has_no_content() -> None:
    nowhere = Origin("127.0.0.1", closed_port())
    async with rig(never, origin=nowhere) as it, it.client() as client:
        for _ in range(2):
            await client.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await client.read_head()
            assert head.startswith(b"HTTP/1.1 502 ")
            assert b"\r\nContent-Length: " in head


async def test_broken_framing_is_told_though_nothing_was_sent_yet() -> None:
    """The client breaks its chunks while the token is still awaited."""
    async with rig(never) as it, it.client() as client:
        it.credential.holds_all, it.credential.go_on = True, asyncio.Event()
        it.upstream.script = Peer.gone
        await client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        await it.credential.asked.wait()
        await client.send(b"nonsense\r\n")
        await asyncio.sleep(0.02)
        it.credential.go_on.set()
        got = await client.reader.read()
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_an_sms_is_asked_for_once_though_its_connection_was_stale() -> None:
    requests: list[bytes] = []
    target = b"/api/v1/access/validation-code?code=7&number=9161234567"
    async with rig(closing_after(1, requests)) as it:
        await it.get()
        got = await it.get(target)
    assert got.startswith((b"HTTP/1.1 502 ", b"HTTP/1.1 200 "))
    assert sum(target in one for one in requests) == 1


async def test_nor_is_it_asked_for_again_after_a_rejection() -> None:
    heads = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.read_head())
        await peer.send(answer(b"", b"401 Unauthorized"))
        await peer.gone()

    async with rig(script) as it:
        got = await it.get(b"/api/v1/access/validation-code?code=7&number=1")
    assert got.startswith(b"HTTP/1.1 401 ")
    assert len(heads) == 1


async def test_silence_is_no_reason_to_send_again() -> None:
    """Only a close without an answer is the race with a stale connection."""
    heads = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.read_head())
        await peer.send(answer())
        heads.append(await peer.read_head())
        await peer.gone()

    limits = PoolLimits(response_timeout=0.2)
    async with rig(script, limits=limits) as it:
        await it.get()
        got = await it.get()
    assert got.startswith(b"HTTP/1.1 504 ")
    assert len(heads) == 2


async def test_connections_that_are_being_opened_count_against_the_limit() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.read_message()
            await peer.send(answer())

    limits = PoolLimits(max_connections=2, fresh=-1.0)
    async with rig(script, limits=limits) as it:
        await asyncio.gather(*(it.get() for _ in range(2)))
        await asyncio.gather(*(it.call(POST) for _ in range(2)))
        assert len(it.pool._idle) + len(it.pool._busy) <= 2


class TestWarmth:
    async def test_a_connection_is_open_before_the_first_call(self) -> None:
        accepted = asyncio.Event()

        async def script(peer: Peer) -> None:
            accepted.set()
            await peer.read_message()
            await peer.send(answer())
            await peer.gone()

        async with rig(script, limits=PoolLimits(warm_connections=1)) as it:
            await accepted.wait()
            await asyncio.sleep(0.01)
            assert (await it.get()).startswith(b"HTTP/1.1 200 ")
            assert it.upstream.connections == 1

    async def test_a_stale_one_costs_a_get_nothing(self) -> None:
        accepted = 0
        warm = asyncio.Event()

        async def script(peer: Peer) -> None:
            nonlocal accepted
            accepted += 1
            if accepted == 1:
                warm.set()
                await peer.read_message()
                peer.reset()
                return
            await peer.read_message()
            await peer.send(answer())

        async with rig(script, limits=PoolLimits(warm_connections=1)) as it:
            await warm.wait()
            await asyncio.sleep(0.01)
            assert (await it.get()).startswith(b"HTTP/1.1 200 ")
            assert (await it.exchange()).resent

    async def test_one_that_cannot_be_had_is_not_asked_for_at_every_tick(self) -> None:
        tried = 0

        def count(*_: object) -> bool:
            nonlocal tried
            tried += 1
            return True  # our own listener: refused like any other failure

        limits = PoolLimits(warm_connections=1, idle_timeout=0.04)
        async with rig(Peer.gone, limits=limits, is_own=count):
            await asyncio.sleep(0.1)
        assert tried == 1

    async def test_one_that_was_closed_is_replaced(self) -> None:
        again = asyncio.Event()
        accepted = 0

        async def script(peer: Peer) -> None:
            nonlocal accepted
            accepted += 1
            if accepted > 1:
                again.set()
                await peer.gone()

        limits = PoolLimits(warm_connections=1, idle_timeout=0.04)
        async with rig(script, limits=limits):
            await again.wait()

    async def test_idle_connections_end_with_their_time(self) -> None:
        gone = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.read_message()
            await peer.send(answer())
            await peer.gone()
            gone.set()

        async with rig(script, limits=PoolLimits(keepalive=0.05)) as it:
            await it.get()
            await gone.wait()


async def test_an_exchange_that_failed_holds_on_to_nothing() -> None:
    """It may be kept for long, and what failed with it must not be."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        peer.reset()

    async with rig(script) as it:
        await it.call(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        fault = (await it.exchange()).fault
    assert fault is not None
    assert fault.proxy_error == "http_response_incomplete"
    assert (fault.__traceback__, fault.__cause__, fault.__context__) == (
        None,
        None,
        None,
    )
