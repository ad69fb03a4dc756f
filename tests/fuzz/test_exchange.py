"""The running proxy, between a client and an upstream that may both send anything.

Over real sockets; both sides send in pieces, and what arrives at the other side is read
by h11. Whatever was sent, an exchange ends.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, strategies as st
from hypothesis.strategies import DrawFn

from proxy.forward.pool import PoolLimits
from tests.forward.conftest import pytest_asyncio_loop_factories as loop_factories
from tests.forward.rig import Peer, Rig, answer, rig
from tests.fuzz.readings import (
    Message,
    RefusedError,
    encoded,
    h11_request,
    h11_responses,
    read_all,
)
from tests.fuzz.rules import (
    FOR_US,
    FRAMING,
    H11_REFUSES,
    HOP_BY_HOP,
    has_framed_interim,
    has_spaced_names,
    is_known,
    names,
    outbound_form,
    persists,
    relayed,
    sent_on,
)
from tests.fuzz.strategies import (
    Request,
    Response,
    cuts,
    nearly_requests,
    nearly_responses,
    requests,
    responses,
    split,
)
from tests.fuzz.trying import examples

TIME = 10.0
"""Seconds after which an exchange that has not ended hangs."""

LIMITS = PoolLimits(response_timeout=1, idle_timeout=1)
"""What shows that the proxy waits for something that does not come."""

TOKEN = b"Bearer token-0"

Runner = asyncio.Runner


LOOPS = loop_factories()


@pytest.fixture(scope="module", params=LOOPS.values(), ids=list(LOOPS))
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    with Runner(loop_factory=request.param) as runner:
        yield runner


@dataclass(frozen=True)
class Answer:
    """What an upstream sends, and whether it stays, closes or resets then."""

    pieces: list[bytes]
    then: Literal["stay", "close", "reset"] = "stay"


@dataclass
class Origin:
    """An upstream that answers requests in turn, whatever connection they come on.

    `requests` are those that came, as bytes and as read, and `faults` what was none. It
    waits for the content before it answers, if it is not `hasty`.
    """

    answers: Callable[[int, Message], Answer]
    hasty: bool = False
    requests: list[tuple[bytes, Message]] = field(default_factory=list)
    faults: list[bytes] = field(default_factory=list)

    async def __call__(self, peer: Peer) -> None:
        data, answered = b"", False
        while more := await peer.reader.read(65536):
            data += more
            while (message := self._read(data)) is not None:
                if not answered:
                    self.requests.append((data[: message.end], message))
                    one = self.answers(len(self.requests) - 1, message)
                    if not await self._answer(peer, one):
                        return
                answered = message.state != "whole"
                if answered:
                    break
                data = data[message.end :]

    def _read(self, data: bytes) -> Message | None:
        """Return a request that is to be answered, or whose rest is to be read."""
        try:
            message = h11_request(data)
        except RefusedError:
            self.faults.append(data)
            return None
        if message is None:
            return None
        if message.state == "broken":
            self.faults.append(data)
        return message if self.hasty or message.state == "whole" else None

    async def _answer(self, peer: Peer, one: Answer) -> bool:
        """Send an answer, and say if more may follow."""
        await send(peer, one.pieces)
        if one.then == "reset":
            peer.reset()
        elif one.then == "close":
            peer.writer.close()
            await peer.writer.wait_closed()
        return one.then == "stay"


async def send(peer: Peer, pieces: Iterable[bytes]) -> None:
    """Send `pieces` one by one, with time for the other side to take each."""
    for piece in pieces:
        await peer.send(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def read_to_end(peer: Peer) -> tuple[bytes, bool]:
    """Return all that comes, and whether the end was a good one."""
    data = b""
    try:
        while more := await peer.reader.read(65536):
            data += more
    except ConnectionError:
        return data, False
    return data, True


async def read_answer(
    peer: Peer, data: bytes, method: bytes
) -> tuple[tuple[Message, ...], bytes, bool]:
    """Read the answer that `data` may be the beginning of.

    Return its messages, and all that came; the answer is whole, or the end was reached,
    and then whether it was a good one.
    """
    while True:
        messages = h11_responses(method, data, ended=False).messages
        if messages and is_final(messages[-1]) and messages[-1].state == "whole":
            return messages, data, True
        try:
            more = await peer.reader.read(65536)
        except ConnectionError:
            return messages, data, False
        if not more:
            return h11_responses(method, data, ended=True).messages, data, True
        data += more


def is_final(message: Message) -> bool:
    return int(message.line[0]) >= 200


@asynccontextmanager
async def between(origin: Origin) -> AsyncIterator[tuple[Rig, Peer]]:
    """Run a proxy in front of `origin`, and connect a client."""
    async with asyncio.timeout(TIME), rig(origin, limits=LIMITS) as it:
        it.credential.gives_up = True
        async with it.client() as client:
            yield it, client


# -- Valid on both sides -------------------------------------------------------------


@st.composite
def _exchanges(draw: DrawFn) -> list[tuple[Request, Response]]:
    asked = draw(st.lists(requests(), min_size=1, max_size=3))
    return [(one, draw(responses(one.method))) for one in asked]


@examples(120)
@given(made=_exchanges(), at=cuts, at_answer=cuts, pipelined=st.booleans())
def test_valid_messages_cross_whole(
    runner: Runner,
    made: list[tuple[Request, Response]],
    at: list[int],
    at_answer: list[int],
    pipelined: bool,
) -> None:
    runner.run(cross(made, at, at_answer, pipelined=pipelined))


async def cross(
    made: list[tuple[Request, Response]],
    at: list[int],
    at_answer: list[int],
    *,
    pipelined: bool,
) -> None:
    answers = [
        Answer(split(one.wire, at_answer), "stay" if stays(one) else "close")
        for _, one in made
    ]
    origin = Origin(lambda number, _: answers[number])
    async with between(origin) as (it, client):
        data, served = b"", 0
        if pipelined:
            await send(client, split(b"".join(one.wire for one, _ in made), at))
        for request, response in made:
            if not pipelined:
                await send(client, split(request.wire, at))
            messages, data, _ = await read_answer(client, data, request.method)
            assert_answered(request, response, messages, data)
            data = data[messages[-1].end :]
            served += 1
            if not keeps(request, response):
                break
        else:
            client.writer.write_eof()
        assert data == b""
        assert await read_to_end(client) == (b"", True)
        assert origin.faults == []
        authority = b"127.0.0.1:%d" % it.upstream_port
        for (request, _), came in zip(made[:served], origin.requests, strict=True):
            assert_sent_on(request, *came, authority)
        ended = [one for one in answers[: served - 1] if one.then == "close"]
        assert it.upstream.connections == 1 + len(ended)


def stays(response: Response) -> bool:
    """Say whether an upstream keeps its connection after `response`."""
    told_by_close = response.body.framing == "close"
    return persists(response.lines, response.minor) and not told_by_close


def keeps(request: Request, response: Response) -> bool:
    """Say whether the client's connection outlives `response`."""
    told_by_close = response.body.framing == "close" or (
        response.body.framing == "chunked" and request.minor == 0
    )
    return persists(request.lines, request.minor) and not told_by_close


def assert_answered(
    request: Request, response: Response, messages: tuple[Message, ...], data: bytes
) -> None:
    """Check what the client got, its heads byte for byte."""
    http10 = request.minor == 0
    takes_trailers = any(
        b"trailers" in line.lower() and not http10
        for line in request.lines
        if line.lower().startswith(b"te:")
    )
    chunked = response.body.framing == "chunked"
    heads = []
    for one in (*response.interim, response):
        lines = [b"HTTP/1.1 %d %b" % (one.status, one.reason or b"")]
        lines += relayed(
            one.lines,
            one.status,
            announced=chunked and takes_trailers and one is response,
            http10=http10,
        )
        if one is response and not keeps(request, response):
            lines.append(b"Connection: close")
        elif one is response and http10:
            lines.append(b"Connection: keep-alive")
        if one is response or not http10:
            heads.append(plain_coding(lines))
    got = data.split(b"\r\n\r\n", len(heads))[: len(heads)]
    assert [plain_coding(head.split(b"\r\n")) for head in got] == heads
    final = messages[-1]
    assert final.state == "whole"
    assert final.content == response.body.content
    trailers = [
        line
        for line in response.body.trailers
        if takes_trailers
        and names([line])[0] not in FRAMING | {b"authorization", b"host"}
    ]
    assert list(final.trailers) == [
        (line.partition(b":")[0].lower(), line.partition(b":")[2].strip(b" \t"))
        for line in trailers
    ]


def plain_coding(lines: Iterable[bytes]) -> list[bytes]:
    """Return `lines` with a Transfer-Encoding as this program may write it, too."""
    return [
        b"Transfer-Encoding: chunked"
        if line.lower().startswith(b"transfer-encoding:")
        else line
        for line in lines
    ]


def assert_sent_on(
    request: Request, came: bytes, read: Message, authority: bytes
) -> None:
    """Check what the upstream got, its head byte for byte."""
    target = outbound_form(request.method, encoded(request.target))
    kept = sent_on(request.lines, http10=request.minor == 0)
    first, host, *lines = came.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert first == b"%b %b HTTP/1.1" % (request.method, target)
    assert host == b"Host: " + authority
    assert lines[: len(kept)] == kept
    assert lines[-1] == b"Authorization: " + TOKEN
    assert names(lines).count(b"authorization") == 1
    assert read.content == request.body.content
    chunked = request.body.framing == "chunked"
    assert read.values(b"transfer-encoding") == [b"chunked"] * chunked


# -- Requests that are nearly valid --------------------------------------------------

REFUSALS = frozenset({400, 403, 405, 414, 421, 431})


@examples(150)
@given(data=nearly_requests, at=cuts, hasty=st.booleans())
def test_no_request_is_smuggled(
    runner: Runner, data: bytes, at: list[int], hasty: bool
) -> None:
    runner.run(attack(data, at, hasty=hasty))


async def attack(data: bytes, at: list[int], *, hasty: bool) -> None:
    """Send `data` and then the end, and compare what came of it with what h11 reads."""

    def numbered(number: int, request: Message) -> Answer:
        body = b"" if request.line[0] == b"HEAD" else b"ok"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Number: %d\r\n\r\n"
        return Answer([head % number + body])

    origin = Origin(numbered, hasty)
    async with between(origin) as (it, client):
        with suppress(ConnectionError):
            await send(client, split(data, at))
            if hasty:
                # For what is answered although it is not whole, and never will be.
                await asyncio.sleep(0.01)
            client.writer.write_eof()
        received, in_order = await read_to_end(client)
        assert in_order
        forwarded = [request for _, request in origin.requests]
        await assert_others_served(it, origin)
    assert origin.faults == []
    for request in forwarded:
        assert request.values(b"authorization") == [TOKEN]
    assert_as_read(data, received, forwarded, hasty=hasty)


async def assert_others_served(it: Rig, origin: Origin) -> None:
    """Check that the connections to the upstream are left as another client needs."""
    number = len(origin.requests)
    async with it.client() as client:
        await send(client, [b"GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"])
        [message], _, _ = await read_answer(client, b"", b"GET")
    assert message.values(b"x-number") == [b"%d" % number]
    [(_, request)] = origin.requests[number:]
    assert request.line == (b"GET", b"/other")


def assert_as_read(
    data: bytes, received: bytes, forwarded: list[Message], *, hasty: bool
) -> None:
    """Check that each request of `data` was refused, or forwarded and answered."""
    meant = read_all(h11_request, data).messages
    relayed_ones = []
    for number, final in enumerate(answers_in(received, meant)):
        if not final.values(b"x-number"):
            assert_refused(final, meant[number : number + 1])
            continue
        # Where h11 stops at what is known to be valid, there is nothing to compare.
        if meant[number].state == "broken" and is_known(
            H11_REFUSES, data, meant[number]
        ):
            return
        assert meant[number].state == "whole" or hasty
        count = int(final.values(b"x-number")[0])
        relayed_ones.append(count)
        assert_same_request(forwarded[count], meant[number])
    if hasty:
        # What was answered early may have been found to be malformed later.
        assert relayed_ones == sorted(set(relayed_ones))
    else:
        assert relayed_ones == list(range(len(forwarded)))


def assert_refused(final: Message, meant: tuple[Message, ...]) -> None:
    """Check an answer of the proxy's own."""
    if final.line[0] == b"200":
        [asked] = meant
        assert asked.line[0] == b"OPTIONS"
        assert asked.values(b"max-forwards") == [b"0"]
    else:
        assert int(final.line[0]) in REFUSALS
        assert final.values(b"proxy-status")


def answers_in(received: bytes, meant: tuple[Message, ...]) -> Iterator[Message]:
    """Yield the answers that the client got; there is nothing else in `received`."""
    number = 0
    while received:
        method = meant[number].line[0] if number < len(meant) else b"GET"
        head = received.partition(b"\r\n\r\n")
        if method == b"HEAD" and head[2][:1] == b"{":
            # What is refused for its form is answered as if it were a GET.
            method = b"GET"
        [final] = h11_responses(method, received, ended=True).messages
        assert final.state == "whole"
        yield final
        received = received[final.end :]
        number += 1


def assert_same_request(sent: Message, meant: Message) -> None:
    method, target = meant.line
    assert sent.line == (method, outbound_form(method, target))
    if sent.state == "whole":
        assert sent.content == meant.content
    else:
        assert meant.content.startswith(sent.content)
    coding = b"transfer-encoding"
    assert sent.values(coding) == meant.values(coding)
    varying = {b"max-forwards"} if method == b"OPTIONS" else set()
    *crossed, (via, _) = [
        (name, value)
        for name, value in sent.fields
        if name not in HOP_BY_HOP | FOR_US | varying
    ]
    assert via == b"via"
    lines = [b"%b: %b" % one for one in meant.fields if one[0] not in varying]
    kept = sent_on(lines, http10=b"expect" not in dict(crossed))
    assert [b"%b: %b" % one for one in crossed] == kept


# -- Responses that are nearly valid -------------------------------------------------

PROBE = answer(b"the next one", fields=b"X-Probe: 1\r\n")


@dataclass(frozen=True)
class Asked:
    """The request to which something nearly valid is the answer."""

    method: bytes
    minor: int
    takes_trailers: bool

    @property
    def wire(self) -> bytes:
        lines = [b"%b / HTTP/1.%d" % (self.method, self.minor), b"Host: localhost"]
        if self.takes_trailers:
            lines.append(b"TE: trailers")
        lines.append(b"Connection: keep-alive")
        return b"\r\n".join((*lines, b"", b""))


_asked = st.builds(
    Asked,
    st.sampled_from([b"GET", b"GET", b"HEAD", b"POST"]),
    st.sampled_from([1, 1, 1, 0]),
    st.booleans(),
)


@examples(150)
@given(
    asked=_asked,
    data=nearly_responses(b"GET"),
    at=cuts,
    then=st.sampled_from(["close", "reset", "stay"]),
)
def test_no_answer_is_made_up(
    runner: Runner,
    asked: Asked,
    data: bytes,
    at: list[int],
    then: Literal["close", "reset", "stay"],
) -> None:
    if then == "stay" and not is_told_by_itself(asked.method, data):
        then = "close"
    runner.run(relay(asked, data, at, then))


def is_told_by_itself(method: bytes, data: bytes) -> bool:
    """Say whether the end of an answer is known before the connection is closed."""
    reading = h11_responses(method, data, ended=False)
    last = reading.messages[-1:]
    whole = bool(last) and is_final(last[0]) and last[0].state == "whole"
    return whole or reading.refused


async def relay(
    asked: Asked, data: bytes, at: list[int], then: Literal["close", "reset", "stay"]
) -> None:
    """Answer with `data`, and compare what the client gets with what h11 reads."""
    first = Answer(split(data, at), then)
    origin = Origin(lambda number, _: Answer([PROBE]) if number else first)
    async with between(origin) as (_, client):
        await send(client, [asked.wire])
        got, received, in_order = await read_answer(client, b"", asked.method)
        assert got
        final = got[-1]
        assert is_final(final)
        rest = received[final.end :]
        if final.state == "whole" and final.values(b"connection") != [b"close"]:
            await assert_probed(client, rest)
        elif in_order:
            rest += (await read_to_end(client))[0]
            assert rest == b"" or final.state != "whole"
    assert origin.faults == []
    assert TOKEN not in received
    if final.values(b"proxy-status") and final.line[0] == b"502":
        return
    if not has_spaced_names(data) and not has_framed_interim(data):
        meant = h11_responses(asked.method, data, ended=then == "close")
        assert_relayed(asked, got, data, meant.messages)


async def assert_probed(client: Peer, data: bytes) -> None:
    """Check that the next request on the connection gets its own answer."""
    await send(client, [b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    [probed], data, _ = await read_answer(client, data, b"GET")
    assert data[: probed.end] == PROBE
    client.writer.write_eof()
    assert data[probed.end :] + (await read_to_end(client))[0] == b""


def assert_relayed(
    asked: Asked,
    got: tuple[Message, ...],
    data: bytes,
    meant: tuple[Message, ...],
) -> None:
    """Check that the client got what was `meant`, or sees that it did not get all."""
    http10 = asked.minor == 0
    *interim, final = got
    assert len(meant) > len(interim)
    for one, other in zip(interim, meant, strict=False):
        assert_same_head(one, other, http10=False)
    theirs = meant[-1]
    assert_same_head(final, theirs, http10=http10)
    if theirs.state == "broken" and is_known(H11_REFUSES, data, theirs):
        return
    if final.state == "whole":
        assert interim == [] if http10 else len(interim) == len(meant) - 1
        assert theirs.state == "whole"
        assert theirs.content == final.content
        assert set(final.trailers) <= set(theirs.trailers)
        assert not final.trailers or asked.takes_trailers
    else:
        assert theirs.content.startswith(final.content)


def assert_same_head(got: Message, meant: Message, *, http10: bool) -> None:
    assert got.line == meant.line
    lines = [b"%b: %b" % one for one in meant.fields]
    expected = relayed(lines, int(meant.line[0]), announced=False, http10=http10)
    assert expected == [
        b"%b: %b" % one
        for one in got.fields
        if one[0] not in {b"connection", b"trailer"}
    ]


# -- Another protocol ----------------------------------------------------------------


@examples(25)
@given(up=st.binary(max_size=60), down=st.binary(max_size=60), at=cuts, at_answer=cuts)
def test_a_tunnel_carries_anything(
    runner: Runner, up: bytes, down: bytes, at: list[int], at_answer: list[int]
) -> None:
    runner.run(tunnel(up, down, at, at_answer))


async def tunnel(up: bytes, down: bytes, at: list[int], at_answer: list[int]) -> None:
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + upgrade + up
    switched = b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade
    came: list[bytes] = []

    async def origin(peer: Peer) -> None:
        await peer.read_head()
        await send(peer, split(switched + down, at_answer))
        peer.writer.write_eof()
        came.append((await read_to_end(peer))[0])

    async with asyncio.timeout(TIME), rig(origin) as it, it.client() as client:
        await send(client, split(asked, at))
        client.writer.write_eof()
        received, in_order = await read_to_end(client)
    assert (received, in_order) == (switched + down, True)
    assert came == [up]
