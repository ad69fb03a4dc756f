"""A paid call that is sent twice by mistake is paid once."""

import asyncio

from proxy.access.repeats import PaidCalls
from proxy.config import CallRule
from tests.forward.rig import Peer, answer, rig

PAID = (CallRule("POST", "/api/*/start"),)
WINDOW = 60.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def start(content: bytes = b'{"id": 1}', fields: bytes = b"") -> bytes:
    return (
        b"POST /api/v1/start HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n%b\r\n%b" % (len(content), fields, content)
    )


class Till:
    """An upstream that counts what it is told to start."""

    def __init__(self, *answers: bytes) -> None:
        self.heard: list[bytes] = []
        self._answers = list(answers)

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.heard.append(await peer.read_message())
            reply = self._answers.pop(0) if self._answers else answer()
            if not reply:
                return
            await peer.send(reply)


async def test_the_same_call_again_is_refused_and_told_how_it_is_meant() -> None:
    till = Till()
    async with rig(till, paid_calls=PAID) as it:
        assert b" 200 OK" in await it.call(start())
        again = await it.call(start())
        assert len(till.heard) == 1
        assert again.startswith(b"HTTP/1.1 409 Conflict\r\n")
        assert b"X-Proxy-Allow-Repeat: 1" in again
        meant = await it.call(start(fields=b"X-Proxy-Allow-Repeat: 1\r\n"))
        assert b" 200 OK" in meant
    assert len(till.heard) == 2
    assert b"allow-repeat" not in till.heard[1].lower()


async def test_another_call_is_another_call() -> None:
    till = Till()
    async with rig(till, paid_calls=PAID) as it:
        await it.call(start())
        await it.call(start(b'{"id": 2}'))
        free = b"POST /api/v1/free HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        for _ in range(2):
            await it.call(
                free.replace(b"Host: x", b"Host: localhost\r\nConnection: close")
                + b"\r\n"
            )
    assert len(till.heard) == 4


async def test_the_call_may_be_made_again_after_a_while() -> None:
    till, clock = Till(), Clock()
    async with rig(till, paid_calls=PAID, clock=clock) as it:
        await it.call(start())
        clock.now += WINDOW
        await it.call(start())
    assert len(till.heard) == 2


async def test_what_the_upstream_refused_may_be_sent_again() -> None:
    till = Till(answer(b"no", b"400 Bad Request"))
    async with rig(till, paid_calls=PAID) as it:
        await it.call(start())
        assert b" 200 OK" in await it.call(start())


async def test_a_call_that_broke_off_may_have_been_carried_out() -> None:
    till = Till(b"")
    async with rig(till, paid_calls=PAID) as it:
        assert b" 502 " in await it.call(start())
        assert b" 409 " in await it.call(start())
    assert len(till.heard) == 1


async def test_a_call_whose_token_was_rejected_is_sent_again_and_counts_once() -> None:
    till = Till(answer(b"", b"401 Unauthorized"))
    async with rig(till, paid_calls=PAID) as it:
        assert b" 200 OK" in await it.call(start())
        assert b" 409 " in await it.call(start())
    assert len(till.heard) == 2


async def test_a_call_that_could_not_be_sent_is_no_first_one() -> None:
    till = Till()
    async with rig(till, paid_calls=PAID) as it:
        it.credential.holds_all, it.credential.go_on = True, asyncio.Event()
        async with it.client() as leaving:
            await leaving.send(start())
            await it.credential.asked.wait()
        await it.recorded.wait()
        it.credential.go_on.set()
        assert b" 200 OK" in await it.call(start())
    assert len(till.heard) == 1


async def test_a_second_one_is_refused_while_the_first_is_under_way() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.read_message()
        begun.set()
        await go_on.wait()
        await peer.send(answer())

    async with rig(slow, paid_calls=PAID) as it, it.client() as first:
        await first.send(start())
        await begun.wait()
        refused = await it.call(start())
        assert b" 409 " in refused
        assert b"still under way" in refused
        go_on.set()
        assert b" 200 OK" in await first.reader.read()


async def test_a_client_that_waits_for_leave_is_asked_for_its_content() -> None:
    till = Till()
    async with rig(till, paid_calls=PAID) as it, it.client() as client:
        head, _, content = start(fields=b"Expect: 100-continue\r\n").partition(
            b"\r\n\r\n"
        )
        await client.send(head + b"\r\n\r\n")
        assert await client.read_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(content)
        assert b" 200 OK" in await client.reader.read()
    assert b"expect" not in till.heard[0].lower()
    assert till.heard[0].endswith(content)


async def test_content_that_breaks_off_is_never_sent() -> None:
    till = Till()
    async with rig(till, paid_calls=PAID) as it, it.client() as client:
        await client.send(start()[:-3])
        client.writer.write_eof()
        assert b" 400 " in await client.reader.read()
    assert till.heard == []


async def test_long_content_is_sent_unseen() -> None:
    till = Till()
    long = b"x" * 100_000
    async with rig(till, paid_calls=PAID) as it:
        for _ in range(2):
            assert b" 200 OK" in await it.call(start(long))
    assert [len(each) - each.find(b"\r\n\r\n") - 4 for each in till.heard] == [
        len(long)
    ] * 2


def test_without_a_window_no_call_is_a_paid_one() -> None:
    assert not PaidCalls(PAID, 0, Clock()).concerns("POST", "/api/v1/start")
