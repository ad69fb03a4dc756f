"""Both legs read the same from a connection, in whatever pieces it comes.

Real sockets join pieces, so here a transport hands each one over as it was cut.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, strategies as st

from proxy.errors import ProxyError, RequestError
from proxy.forward.connection import MAX_HEAD as MAX_ANSWER_HEAD, UpstreamConnection
from proxy.forward.content import InboundContent
from proxy.forward.exchange import Exchange
from proxy.forward.handler import NOTED
from proxy.forward.inbound import InboundConnection
from proxy.forward.inbound_server import InboundServer
from proxy.forward.limits import Budget, InboundLimits
from proxy.http1.chunked import Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.head import (
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEAD,
    MAX_METHOD,
    MAX_TARGET,
    Field,
    RequestHead,
    ResponseHead,
)
from tests.fuzz.readings import Message, our_request, pairs, read_all
from tests.fuzz.strategies import (
    answered,
    cuts,
    nearly_requests,
    nearly_responses,
    pipeline_wires,
    split,
)
from tests.fuzz.trying import examples

TIME = 10.0
"""Seconds after which an exchange that has not ended hangs."""


class Line(asyncio.Transport):
    """A transport without a socket: what is written to it goes nowhere."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.closed = False
        protocol.connection_made(self)

    async def carry(self, pieces: list[bytes], *, patient: bool) -> None:
        """Hand the `pieces` over, with or without time after each."""
        for piece in pieces:
            if not self.closed:
                self.protocol.data_received(piece)
            if patient:
                await turns(4)

    def end(self) -> None:
        if not self.closed and not self.protocol.eof_received():
            self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass

    def get_extra_info(self, name: str, default: object = None) -> object:
        # Somewhere else, where nobody can find out whether the peer has left.
        return ("192.0.2.1", 1) if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: object) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def trickle(data: bytes) -> list[bytes]:
    """Return the beginning of `data` byte by byte, and the rest if it is long."""
    return split(data, range(500))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


# -- The inbound leg -----------------------------------------------------------------


@dataclass
class Listener:
    """Takes requests, and notes those that came whole."""

    heard: list[Message] = field(default_factory=list)
    refused: bool = False
    keeps: bool = True
    ended: bool = False

    def answer(
        self,
        head: RequestHead,
        content: InboundContent | None,
        client: InboundConnection,
    ) -> "Reading":
        self.keeps = client.downlink.keep_alive
        return Reading(self._read(head, content, client), client)

    async def _read(
        self,
        head: RequestHead,
        content: InboundContent | None,
        client: InboundConnection,
    ) -> None:
        framed = b""
        try:
            if content is not None:
                framed = content.take_arrived()
            if content is not None and not content.sent:
                async for piece in content.pieces():
                    framed += piece
        except RequestError as error:
            self.refused = "malformed" in str(error)
            client.downlink.keep_alive = False
            return
        if content is not None and content.chunked:
            reader = Chunked()
            framed, rest = reader.feed(framed)
            assert (reader.done, rest) == (True, b"")
        line = head.method.encode(), head.target
        self.heard.append(Message(line, pairs(head.fields), framed))

    def refuse(self, _: MalformedError, connection: InboundConnection) -> None:
        self.refused = True


class Reading:
    """Reads the content of one request, in a task."""

    def __init__(
        self, steps: Coroutine[None, None, None], client: InboundConnection
    ) -> None:
        self._task = asyncio.get_running_loop().create_task(steps)
        self._task.add_done_callback(
            lambda task: None if task.cancelled() else client.answered()
        )

    def client_left(self) -> None:
        self._task.cancel()

    def look(self) -> Exchange:
        raise NotImplementedError  # nobody looks here


async def listen(
    pieces: list[bytes], *, patient: bool = True, rest: int = 30
) -> Listener:
    """Let the inbound leg take `pieces`, and after some `rest` the end."""
    listener = Listener()
    server = InboundServer(
        listener.answer,
        listener.refuse,
        noted=NOTED,
        replay_limit=100,
        limits=InboundLimits(),
        budget=Budget(2**20),
    )
    async with asyncio.timeout(TIME):
        line = Line(server())
        await line.carry(pieces, patient=patient)
        await turns(rest)
        line.end()
        await turns(40)
        listener.ended = line.closed
        await server.shutdown(0)
    return listener


@examples(150)
@given(
    data=st.one_of(nearly_requests, nearly_requests, pipeline_wires),
    at=cuts,
    patient=st.booleans(),
)
def test_requests_are_the_same_in_any_pieces(
    runner: asyncio.Runner, data: bytes, at: list[int], patient: bool
) -> None:
    reading = read_all(our_request, data)
    for pieces in ([data], split(data, at), trickle(data)):
        listener = runner.run(listen(pieces, patient=patient))
        assert listener.heard == [
            replace(one, trailers=(), end=0)
            for one in reading.whole[: len(listener.heard)]
        ]
        assert len(listener.heard) == len(reading.whole) or not listener.keeps
        if reading.refused and listener.keeps:
            assert listener.refused


@examples(100)
@given(data=st.one_of(nearly_requests, pipeline_wires), rest=st.sampled_from([0, 30]))
def test_nobody_waits_for_a_client_that_has_ended(
    runner: asyncio.Runner, data: bytes, rest: int
) -> None:
    assert runner.run(listen([data], patient=False, rest=rest)).ended


def of_length(begin: bytes, end: bytes, length: int) -> bytes:
    """Return `begin`, as many letters as are wanted, and `end`."""
    return begin + b"a" * (length - len(begin) - len(end)) + end


def long_head(limit: str, length: int) -> bytes:
    """Return the head of a request that has as much as this of what is limited."""
    line, host = b"GET / HTTP/1.1\r\n", b"Host: localhost"
    match limit:
        case "method":
            return b"M" * length + b" / HTTP/1.1\r\n" + host
        case "target":
            return b"GET " + of_length(b"/", b"", length) + b" HTTP/1.1\r\n" + host
        case "field":
            return line + host + b"\r\n" + of_length(b"X: ", b"", length)
        case "fields":
            return line + host + b"\r\nX: y" * (length - 1)
        case _:
            fields = (b"\r\nX: " + b"y" * 50_000) * 5
            return of_length(line + host + fields + b"\r\nX: ", b"", length)


LIMITS = {
    "method": MAX_METHOD,
    "target": MAX_TARGET,
    "field": MAX_FIELD,
    "fields": MAX_FIELDS,
    "head": MAX_HEAD,
}


@pytest.mark.parametrize(
    "limit",
    [
        "method",
        "target",
        "field",
        "fields",
        "head",
    ],
)
@examples(30)
@given(over=st.integers(-2, 2), places=st.lists(st.integers(1, 16), max_size=3))
def test_a_head_as_long_as_allowed_is_taken_in_any_pieces(
    runner: asyncio.Runner, limit: str, over: int, places: list[int]
) -> None:
    data = long_head(limit, LIMITS[limit] + over) + b"\r\n\r\n"
    line = data.index(b"\r\n") + 2
    cut_at = [end - place for end in (line, len(data)) for place in places]
    listener = runner.run(listen(split(data, cut_at)))
    assert len(listener.heard) == (over <= 0)
    assert listener.refused == (over > 0)


# -- The upstream leg ----------------------------------------------------------------


@dataclass
class Answer:
    """What came of one exchange with the upstream."""

    interim: list[tuple[int, bytes, list[Field]]] = field(default_factory=list)
    final: Message | None = None
    reusable: bool = False


async def receive(
    method: bytes, pieces: list[bytes], *, patient: bool, upgrade: bytes = b""
) -> Answer:
    """Let the upstream leg take the `pieces` of an answer, and then the end."""
    answer = Answer()

    def interim(head: ResponseHead) -> None:
        answer.interim.append((head.status, head.reason, head.fields))

    connection = UpstreamConnection(asyncio.get_running_loop())
    line = Line(connection)
    connection.start(method.decode(), interim, upgrade=upgrade)
    async with asyncio.timeout(TIME):
        await line.carry(pieces, patient=patient)
        await turns(10)
        answer.reusable = connection.reusable
        line.end()
        await turns(10)
        with suppress(ProxyError):
            head = await connection.head()
            content: list[bytes] = [connection.take_buffered()]
            connection.relay_to(content.append)
            await connection.ended()
            answer.final = Message(
                (b"%d" % head.status, head.reason),
                pairs(head.fields),
                b"".join(content),
                pairs(connection.trailers),
            )
    line.close()
    await turns(2)
    return answer


@examples(150)
@given(
    made=st.one_of(
        st.tuples(st.just(b"GET"), nearly_responses(b"GET")),
        st.tuples(st.just(b"HEAD"), nearly_responses(b"HEAD")),
        answered.map(lambda made: (made[0], made[1].wire)),
    ),
    at=cuts,
    patient=st.booleans(),
    upgrade=st.sampled_from([b"", b"websocket"]),
)
def test_responses_are_the_same_in_any_pieces(
    runner: asyncio.Runner,
    made: tuple[bytes, bytes],
    at: list[int],
    patient: bool,
    upgrade: bytes,
) -> None:
    method, data = made
    whole, *others = (
        runner.run(receive(method, pieces, patient=patient, upgrade=upgrade))
        for pieces in ([data], split(data, at), trickle(data))
    )
    assert others == [whole, whole]


@examples(30)
@given(over=st.integers(-2, 2), places=st.lists(st.integers(1, 16), max_size=3))
def test_an_answer_as_long_as_allowed_is_taken_in_any_pieces(
    runner: asyncio.Runner, over: int, places: list[int]
) -> None:
    head = of_length(b"HTTP/1.1 204 No Content\r\nX: ", b"", MAX_ANSWER_HEAD + over)
    data = head + b"\r\n\r\n"
    pieces = split(data, [len(data) - place for place in places])
    answer = runner.run(receive(b"GET", pieces, patient=True))
    assert (answer.final is not None) == (over <= 0)
