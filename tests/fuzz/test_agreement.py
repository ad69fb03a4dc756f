"""What this grammar accepts, two parsers that others keep read as it does.

They may accept more. Where they accept less, or read the same bytes another way, the
reason stands in `tests.fuzz.rules` or here in `for_aiohttp`.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from proxy.errors import RequestError
from proxy.forward.fields import keeps_alive
from proxy.forward.target import outbound_target
from tests.fuzz.readings import (
    AiohttpReading,
    Message,
    RefusedError,
    aiohttp_requests,
    aiohttp_responses,
    encoded,
    h11_request,
    h11_responses,
    our_request,
    our_response,
    read_all,
)
from tests.fuzz.rules import (
    AIOHTTP_METHODS,
    AIOHTTP_REFUSES,
    H11_REFUSES,
    has_framed_interim,
    has_spaced_names,
    is_known,
)
from tests.fuzz.strategies import (
    SMUGGLED,
    USUAL_REQUESTS,
    USUAL_RESPONSES,
    every_nearly,
    nearly_requests,
    nearly_responses,
    pipeline_wires,
    responses,
)
from tests.fuzz.trying import examples

NEXT = SMUGGLED, Message((b"GET", b"/smuggled"), ((b"host", b"localhost"),))
NEXT_ANSWER = (
    b"HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n",
    Message((b"299", b"Next"), ((b"content-length", b"0"),)),
)
"""What follows each message, to see where it ends, and what is to be read of it."""


def accepted(data: bytes) -> Iterator[tuple[bytes, Message]]:
    """Yield the bytes of each message that is accepted here, and what it is read as.

    Those of one that is not whole are all that follows.
    """
    for message in read_all(our_request, data).messages:
        while data.startswith(b"\r\n"):
            data = data[2:]
        end = message.end if message.state == "whole" else len(data)
        yield data[:end], message
        data = data[end:]


def comparable(message: Message) -> tuple[object, ...]:
    """Return line and fields, with no difference in the case of a transfer coding."""
    return message.line, [
        (name, value.lower() if name == b"transfer-encoding" else value)
        for name, value in message.fields
    ]


def assert_alike(theirs: Message, ours: Message) -> None:
    """Compare two readings; of a broken message they may have taken more."""
    assert comparable(theirs) == comparable(ours)
    if ours.state == "broken":
        assert theirs.content.startswith(ours.content)
    else:
        assert theirs.content == ours.content
        assert (theirs.state == "whole") == (ours.state == "whole")


@examples(200)
@given(data=st.one_of(nearly_requests, nearly_requests, pipeline_wires))
def test_h11_reads_an_accepted_request_alike(data: bytes) -> None:
    compare_with_h11(data)


def compare_with_h11(data: bytes) -> None:
    for wire, ours in accepted(data):
        whole = ours.state == "whole"
        try:
            theirs = h11_request(wire + SMUGGLED if whole else wire)
        except RefusedError:
            assert is_known(H11_REFUSES, wire, ours)
            continue
        assert theirs is not None
        if theirs.state == "broken" and is_known(H11_REFUSES, wire, ours):
            continue
        assert_alike(theirs, ours)
        if whole:
            assert theirs.end == ours.end
        if whole and not is_known(H11_REFUSES, wire, ours):
            assert theirs.trailers == ours.trailers


# -- aiohttp -------------------------------------------------------------------------


def for_aiohttp(wire: bytes, ours: Message) -> tuple[bytes, Message]:
    """Return a request and its reading with what aiohttp cannot know put differently.

    Methods: only those of a list. Targets: plain ASCII, and of a form that is served
    here, too. Versions: 1.0 and 1.1.
    """
    line, end, rest = encoded(wire).partition(b"\r\n")
    method, target, version = line.split(b" ")
    try:
        host = (*ours.values(b"host"), b"127.0.0.1")[0]
        outbound_target(method.decode(), target, host)
    except RequestError:
        target = b"/"
    if method not in AIOHTTP_METHODS:
        method = b"PUT"
    if version != b"HTTP/1.0":
        version = b"HTTP/1.1"
    line = b" ".join((method, target, version))
    return line + end + rest, replace(ours, line=(method, target))


@examples(200)
@given(data=st.one_of(nearly_requests, nearly_requests, pipeline_wires))
def test_aiohttp_reads_an_accepted_request_alike(data: bytes) -> None:
    compare_with_aiohttp(data)


def compare_with_aiohttp(data: bytes) -> None:
    for one in accepted(data):
        wire, ours = for_aiohttp(*one)
        reading = aiohttp_requests(as_pieces(wire, ours, NEXT[0]))
        assert_aiohttp_alike(reading, wire, ours, NEXT[1])
        if reading.messages and (kept := keeps(wire, ours)) is not None:
            assert reading.keeps == kept


def keeps(wire: bytes, ours: Message) -> bool | None:
    """Say whether the connection is kept open after a request, if aiohttp can know."""
    http10 = wire.partition(b"\r\n")[0].endswith(b"0")
    options = b", ".join(ours.values(b"connection"))
    kept = keeps_alive({b"connection": options} if options else {}, http10=http10)
    # In HTTP/1.0 it looks for keep-alive only: section 9.3 looks for close first.
    return None if http10 and not kept and b"keep-alive" in options.lower() else kept


def as_pieces(wire: bytes, message: Message, following: bytes) -> list[bytes]:
    """Return head and content, as they would be lost with a fault in the same piece."""
    head, end, rest = wire.partition(b"\r\n\r\n")
    following = following if message.state == "whole" else b""
    return [piece for piece in (head + end, rest, following) if piece]


def assert_aiohttp_alike(
    reading: AiohttpReading, wire: bytes, ours: Message, following: Message
) -> None:
    closed = "Data after `Connection: close`" in reading.fault and not reading.keeps
    if reading.fault and not closed and is_known(AIOHTTP_REFUSES, wire, ours):
        return
    assert reading.messages, reading.fault
    theirs, *others = reading.messages
    assert_alike(theirs, ours)
    if ours.state == "broken":
        return
    if ours.state == "part":
        assert others == []
    elif not closed and (others or not reading.upgrades):
        assert reading.fault == ""
        [other] = others
        assert other.line == following.line
        # It tells the last trailer with the fields of the next message.
        assert other.fields in (
            following.fields,
            (*ours.trailers[-1:], *following.fields),
        )


# -- Responses -----------------------------------------------------------------------

_answers = st.sampled_from([b"GET", b"HEAD"]).flatmap(
    lambda method: st.tuples(
        st.just(method),
        st.one_of(
            nearly_responses(method),
            nearly_responses(method),
            responses(method).map(lambda made: made.wire),
        ),
    )
)


def accepted_answers(method: bytes, data: bytes) -> Iterator[tuple[bytes, Message]]:
    """Yield the bytes and the reading of each response, up to the final one."""
    status = b"1"
    while status[:1] == b"1":
        try:
            message = our_response(method, data)
        except RefusedError:
            return
        # A 101 is no matter of grammar: whoever asked for it has to judge it.
        if message is None or message.line[0] == b"101":
            return
        status = message.line[0]
        if has_spaced_names(data):
            return
        end = message.end if message.state == "whole" else len(data)
        yield data[:end], message
        data = data[end:]


@examples(200)
@given(answer=_answers)
def test_h11_reads_an_accepted_response_alike(answer: tuple[bytes, bytes]) -> None:
    compare_answer_with_h11(*answer)


def compare_answer_with_h11(method: bytes, data: bytes) -> None:
    ours = list(accepted_answers(method, data))
    if has_framed_interim(data) or any(is_known(H11_REFUSES, *one) for one in ours):
        return
    theirs = h11_responses(method, data, ended=True).messages
    assert len(theirs) >= len(ours)
    end = 0
    for message, (wire, read) in zip(theirs, ours, strict=False):
        assert_alike(message, read)
        end += len(wire)
        if read.state == "whole":
            assert message.end == end
            assert message.trailers == read.trailers


@examples(200)
@given(answer=_answers)
def test_aiohttp_reads_an_accepted_response_alike(answer: tuple[bytes, bytes]) -> None:
    compare_answer_with_aiohttp(*answer)


def compare_answer_with_aiohttp(method: bytes, data: bytes) -> None:
    if has_framed_interim(data):
        return
    for wire, ours in accepted_answers(method, data):
        # Of a response it does not even say that it cannot read the coding.
        if is_known(AIOHTTP_REFUSES[:2], wire, ours):
            continue
        wire = re.sub(rb"\AHTTP/1\.[2-9]", b"HTTP/1.1", wire)
        announced = ours.values(b"content-length") + ours.values(b"transfer-encoding")
        if announced or ours.line[0] in {b"204", b"304"} or ours.line[0][:1] == b"1":
            pieces = as_pieces(wire, ours, NEXT_ANSWER[0])
            reading = aiohttp_responses(method, pieces)
            assert_aiohttp_alike(reading, wire, ours, NEXT_ANSWER[1])
        else:
            reading = aiohttp_responses(method, [wire])
            [theirs] = reading.messages
            assert comparable(theirs) == comparable(ours)
            assert theirs.content == ours.content


# -- One entry of the tables at a time -----------------------------------------------


@pytest.mark.parametrize("number", range(len(USUAL_REQUESTS)))
def test_every_usual_request_nearly_valid_is_read_alike(number: int) -> None:
    for data in every_nearly(USUAL_REQUESTS[number]):
        compare_with_h11(data)
        compare_with_aiohttp(data)


@pytest.mark.parametrize("number", range(len(USUAL_RESPONSES)))
def test_every_usual_response_nearly_valid_is_read_alike(number: int) -> None:
    for data in every_nearly(USUAL_RESPONSES[number]):
        compare_answer_with_h11(b"GET", data)
        compare_answer_with_aiohttp(b"GET", data)
