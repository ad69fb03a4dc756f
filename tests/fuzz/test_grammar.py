"""The grammar by itself: what it takes, what it refuses, and in whatever pieces."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from hypothesis import example, given, strategies as st

from proxy.forward.handler import NOTED
from proxy.http1.chunked import MAX_SIZE_LINE, MAX_TRAILERS, Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.framing import Counted, Reader, content_length
from proxy.http1.head import (
    Field,
    is_hopeless,
    parse_request,
    parse_response,
    parse_trailers,
)
from tests.fuzz.readings import (
    Message,
    Pairs,
    RefusedError,
    encoded,
    our_request,
    our_response,
    read_all,
)
from tests.fuzz.strategies import (
    ODD_BYTES,
    USUAL_REQUESTS,
    USUAL_RESPONSES,
    Request,
    Response,
    answered,
    bytewise,
    chunks,
    cuts,
    every_nearly,
    made_of,
    nearly_chunks,
    nearly_requests,
    nearly_responses,
    pipelines,
    split,
)
from tests.fuzz.trying import examples

_PARSERS: dict[str, Callable[[bytes], object]] = {
    "request": lambda data: parse_request(data, NOTED),
    "response": lambda data: parse_response(data, NOTED),
    "trailers": parse_trailers,
    "chunks": lambda data: Chunked().feed(data),
    "length": content_length,
}

_anything = st.one_of(
    st.binary(),
    made_of(ODD_BYTES, most=60),
    nearly_requests,
    nearly_responses(b"GET"),
)


@pytest.mark.parametrize("parse", _PARSERS.values(), ids=_PARSERS)
@examples(60)
@given(data=_anything)
def test_bytes_are_taken_or_malformed(
    parse: Callable[[bytes], object], data: bytes
) -> None:
    for part in (data, data.partition(b"\r\n\r\n")[0], data.partition(b"\r\n")[2]):
        with suppress(MalformedError):
            parse(part)


@examples(150)
@given(data=_anything, at=cuts)
def test_what_begins_hopeless_is_no_head(data: bytes, at: list[int]) -> None:
    head = data.partition(b"\r\n\r\n")[0]
    if any(is_hopeless(head[:one]) for one in at):
        for parse in (parse_request, parse_response):
            with pytest.raises(MalformedError):
                parse(head, NOTED)


# -- Valid messages ------------------------------------------------------------------


@examples(150)
@given(made=pipelines)
def test_valid_requests_are_read_as_they_are_meant(made: list[Request]) -> None:
    reading = read_all(our_request, b"".join(one.wire for one in made))
    assert not reading.refused
    assert len(reading.whole) == len(made)
    for read, meant in zip(reading.messages, made, strict=True):
        assert read.line == (meant.method, encoded(meant.target))
        assert_as_meant(read, meant)


@examples(150)
@given(made=answered)
def test_valid_responses_are_read_as_they_are_meant(
    made: tuple[bytes, Response],
) -> None:
    method, response = made
    data = response.wire
    for meant in (*response.interim, response):
        read = our_response(method, data)
        assert read is not None
        assert read.line == (b"%d" % meant.status, meant.reason or b"")
        assert_as_meant(read, meant)
        data = data[read.end :]
    assert data == b""


def assert_as_meant(read: Message, meant: Request | Response) -> None:
    assert read.state == "whole"
    assert read.fields == pairs(meant.lines)
    assert read.content == meant.body.content
    assert read.trailers == pairs(meant.body.trailers)


def pairs(lines: Iterable[bytes]) -> tuple[tuple[bytes, ...], ...]:
    return tuple(
        (name.lower(), value.strip(b" \t"))
        for name, _, value in (line.partition(b":") for line in lines)
    )


# -- What is accepted ----------------------------------------------------------------

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELDS = rb"(?:\r\n" + _TOKEN.replace(b"%", b"%%") + rb"%b:[\t -~\x80-\xff]*)*"
_REQUEST = re.compile(_TOKEN + rb" [!-\"$-~\x80-\xff]+ HTTP/1\.[0-9]" + _FIELDS % b"")
_RESPONSE = re.compile(
    rb"HTTP/1\.[0-9] [1-9][0-9][0-9](?: [\t -~\x80-\xff]*)?"
    # RFC 9112, section 5.1: a proxy removes white space before the colon.
    + _FIELDS % rb"[ \t]*"
)


def assert_unambiguous(head: bytes, fields: Pairs, *, interim: bool = False) -> None:
    """Check the framing of a message whose head was accepted, by looking at its bytes.

    What RFC 9112, section 6.3, lets a recipient decide is not to be decided here.
    """
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    if not interim:
        assert len(lengths) + len(codings) <= 1
        assert all(re.fullmatch(rb"[0-9]+", length) for length in lengths)
        assert codings in ([], [b"chunked"])
        assert not codings or not is_http10(head)


def is_http10(head: bytes) -> bool:
    line = head.partition(b"\r\n")[0]
    version = line[:8] if line.startswith(b"HTTP/1.") else line[-8:]
    return version == b"HTTP/1.0"


def check_request(data: bytes) -> None:
    with suppress(RefusedError):
        if (read := our_request(data)) is not None:
            head = data.partition(b"\r\n\r\n")[0]
            assert _REQUEST.fullmatch(head)
            assert_unambiguous(head, read.fields)
            hosts = read.values(b"host")
            assert len(hosts) == 1 or (hosts == [] and is_http10(head))


def check_response(data: bytes) -> None:
    with suppress(RefusedError):
        if (read := our_response(b"GET", data)) is not None:
            head = data.partition(b"\r\n\r\n")[0]
            assert _RESPONSE.fullmatch(head)
            assert_unambiguous(head, read.fields, interim=read.line[0][:1] == b"1")


@pytest.mark.parametrize("number", range(len(USUAL_REQUESTS)))
def test_no_usual_request_is_accepted_that_is_ambiguous(number: int) -> None:
    for data in every_nearly(USUAL_REQUESTS[number]):
        check_request(data)


@pytest.mark.parametrize("number", range(len(USUAL_RESPONSES)))
def test_no_usual_response_is_accepted_that_is_ambiguous(number: int) -> None:
    for data in every_nearly(USUAL_RESPONSES[number]):
        check_response(data)


@examples(100)
@given(data=nearly_requests)
def test_no_request_is_accepted_that_is_ambiguous(data: bytes) -> None:
    check_request(data)


@examples(100)
@given(data=nearly_responses(b"GET"))
def test_no_response_is_accepted_that_is_ambiguous(data: bytes) -> None:
    check_response(data)


# -- In pieces -----------------------------------------------------------------------

Fed = tuple[bytes, bytes, list[Field], bool]
"""Content, what follows it, trailers, and whether the end was reached."""


def feed(reader: Reader, pieces: Iterable[bytes]) -> Fed:
    """Feed `reader`; once it is done, the pieces that are left follow its message."""
    content = rest = b""
    for piece in pieces:
        if reader.done:
            rest += piece
        else:
            more, rest = reader.feed(piece)
            content += more
    trailers = reader.trailers if isinstance(reader, Chunked) else []
    return content, rest, trailers, reader.done


def feed_chunks(pieces: Iterable[bytes]) -> Fed | None:
    """Feed a reader of chunks, and return None if it refuses what comes."""
    try:
        return feed(Chunked(), pieces)
    except MalformedError:
        return None


def every_split(data: bytes, at: list[int]) -> Iterable[list[bytes]]:
    """Yield `data` byte by byte, split at each place in turn, and as drawn."""
    yield split(data, at)
    if len(data) < 500:
        yield bytewise(data)
        for place in range(1, len(data)):
            yield [data[:place], data[place:]]


@examples(150)
@given(data=st.one_of(nearly_chunks, chunks.map(lambda body: body.wire)), at=cuts)
@example(data=b"2\r\n\r\n\r\n0\r\n5\r\r\n", at=[])
@example(data=b"1388\r\n" + bytes(5000) + b"\r\n0\r\n\r\nrest", at=[300, 302, 5005])
def test_chunks_are_the_same_in_any_pieces(data: bytes, at: list[int]) -> None:
    whole = feed_chunks([data])
    for pieces in every_split(data, at):
        fed = feed_chunks(pieces)
        if fed is None or whole is None:
            # What is no message may be noticed earlier or later, but never taken.
            assert not any(one and one[-1] for one in (fed, whole))
        else:
            assert fed == whole


@examples(60)
@given(content=st.binary(max_size=40), rest=st.binary(max_size=5), at=cuts)
def test_counted_content_is_the_same_in_any_pieces(
    content: bytes, rest: bytes, at: list[int]
) -> None:
    for pieces in every_split(content + rest, at):
        fed = feed(Counted(len(content)), pieces)
        assert fed == (content, rest, [], True)
    for short in range(len(content)):
        fed = feed(Counted(len(content)), bytewise(content[:short]))
        assert fed == (content[:short], b"", [], False)


@pytest.mark.parametrize(
    ("begin", "end", "limit"),
    [(b"0;", b"\r\n", MAX_SIZE_LINE), (b"X: ", b"\r\n\r\n", MAX_TRAILERS)],
    ids=["extensions", "trailers"],
)
@examples(30)
@given(over=st.integers(-2, 2), places=st.lists(st.integers(1, 8), max_size=3))
def test_chunks_are_limited_alike_in_any_pieces(
    begin: bytes, end: bytes, limit: int, over: int, places: list[int]
) -> None:
    data = begin + b"a" * (limit + over - len(begin) - len(end)) + end
    before, after = (b"0\r\n", b"") if end == b"\r\n\r\n" else (b"", b"\r\n")
    data = before + data
    fed = feed_chunks([*split(data, [len(data) - place for place in places]), after])
    assert (fed is not None) == (over <= 0)
    assert fed is None or fed[-1]
