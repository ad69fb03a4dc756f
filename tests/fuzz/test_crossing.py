"""What is written to the other leg is one message, and only what is meant is in it.

It is read again by h11, which shares no code with what wrote it.
"""

import pytest
from hypothesis import given, strategies as st

from proxy.errors import RequestError
from proxy.forward.fields import (
    NEEDED,
    RESPONSE_NOTED,
    outbound_head,
    outbound_lines,
    relayed_lines,
    relayed_trailers,
)
from proxy.forward.handler import NOTED
from proxy.forward.relay import status_line
from proxy.forward.target import outbound_target
from proxy.http1.errors import MalformedError
from proxy.http1.framing import request_reader, response_reader
from proxy.http1.head import (
    RequestHead,
    check_host,
    check_target,
    elements,
    parse_request,
    parse_response,
    parse_trailers,
)
from tests.fuzz.readings import (
    Message,
    aiohttp_requests,
    aiohttp_responses,
    h11_request,
    h11_responses,
)
from tests.fuzz.rules import (
    AIOHTTP_METHODS,
    AIOHTTP_REFUSES,
    FOR_US,
    FRAMING,
    HOP_BY_HOP,
    is_known,
    names,
    outbound_form,
    relayed,
    sent_on,
)
from tests.fuzz.strategies import (
    SMUGGLED,
    USUAL_REQUESTS,
    every_nearly,
    nearly,
    nearly_requests,
    nearly_responses,
    requests,
    responses,
    trailers,
)
from tests.fuzz.trying import examples

CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
AUTHORITY = b"api.test"
TOKEN = b"the-token"


def test_no_connection_field_takes_the_framing_or_the_credential() -> None:
    assert {b"authorization", b"host", *FRAMING} <= NEEDED


# -- Requests ------------------------------------------------------------------------


@examples(250)
@given(data=st.one_of(nearly_requests, requests().map(lambda made: made.wire)))
def test_what_is_sent_on_is_one_request_with_one_credential(data: bytes) -> None:
    check_sent_on(data)


@pytest.mark.parametrize("number", range(len(USUAL_REQUESTS)))
def test_every_usual_request_nearly_valid_is_sent_on_as_one(number: int) -> None:
    for data in every_nearly(USUAL_REQUESTS[number]):
        check_sent_on(data)


def check_sent_on(data: bytes) -> None:
    try:
        head = parse_request(data.partition(b"\r\n\r\n")[0], NOTED)
        check_host(head)
        check_target(head)
        request_reader(head)
        host = head.seen.get(b"host", b"localhost")
        target = outbound_target(head.method, head.target, host)
    except (MalformedError, RequestError):
        return
    sent = outbound_head(
        head.method, target, AUTHORITY, outbound_lines(head), TOKEN.decode()
    )
    read = h11_request(sent)
    assert read is not None
    assert read.end == len(sent)
    method = head.method.encode()
    assert read.line == (method, outbound_form(method, head.target))
    assert read.values(b"authorization") == [b"Bearer " + TOKEN]
    assert read.values(b"host") == [AUTHORITY]
    assert sent.count(TOKEN) == 1
    framing = [name for name, _ in read.fields if name in FRAMING]
    assert len(framing) <= 1
    assert framing == [name for name, _ in head.fields if name in FRAMING]
    assert_lines_cross(head, sent)
    assert_aiohttp_finds_the_end(sent, read)


def assert_aiohttp_finds_the_end(sent: bytes, read: Message) -> None:
    """Check that a parser of another make knows what is content and what follows it."""
    if read.line[0] not in AIOHTTP_METHODS or is_known(AIOHTTP_REFUSES, sent, read):
        return
    length = int((*read.values(b"content-length"), b"0")[0])
    if read.values(b"transfer-encoding"):
        pieces = [sent, CHUNKS]
    else:
        pieces = [sent, bytes(min(length, 1000))]
    if length > 1000:
        [one] = aiohttp_requests(pieces).messages
        assert one.state == "part"
        return
    reading = aiohttp_requests([*(piece for piece in pieces if piece), SMUGGLED])
    assert [one.line for one in reading.messages] == [read.line, (b"GET", b"/smuggled")]


def assert_lines_cross(head: RequestHead, sent: bytes) -> None:
    """Check that what is end-to-end crosses as it came, and nothing else does."""
    end_to_end = sent_on((line for _, line in head.fields), http10=head.http10)
    first, *lines, last = sent.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    crossed, added = lines[: len(end_to_end)], lines[len(end_to_end) :]
    if head.method == "OPTIONS":
        counted = [
            at for at, name in enumerate(names(crossed)) if name == b"max-forwards"
        ]
        for at in counted:
            crossed[at] = end_to_end[at]
    assert first == b"Host: " + AUTHORITY
    assert crossed == end_to_end
    assert_added(head, added)
    assert last == b"Authorization: Bearer " + TOKEN


def assert_added(head: RequestHead, lines: list[bytes]) -> None:
    """Check the lines that this hop adds, but for Host and the credential."""
    assert lines.pop() == b"Via: 1.%d telemed-proxy" % (not head.http10)
    if b"transfer-encoding" in head.seen:
        assert lines.pop(0) == b"Transfer-Encoding: chunked"
    if not lines:
        return
    named = elements(head.seen.get(b"connection", b""))
    asked, connection = lines
    if connection == b"Connection: TE":
        assert asked == b"TE: trailers"
        assert b"trailers" in elements(head.seen[b"te"])
    else:
        assert connection == b"Connection: Upgrade"
        assert b"upgrade" in named
        protocols = elements(asked.removeprefix(b"Upgrade: "))
        assert set(protocols) <= set(elements(head.seen[b"upgrade"]))
        assert not {b"h2c", b"h2"} & set(protocols)
    assert not head.http10


# -- Responses -----------------------------------------------------------------------


@examples(250)
@given(
    data=st.one_of(nearly_responses(b"GET"), responses(b"GET").map(lambda r: r.wire)),
    announced=st.booleans(),
)
def test_what_is_relayed_is_one_head(data: bytes, announced: bool) -> None:
    try:
        head = parse_response(data.partition(b"\r\n\r\n")[0], RESPONSE_NOTED)
        response_reader("GET", head)
    except MalformedError:
        return
    if head.status == 101:
        return
    lines = relayed_lines(head, announced=announced)
    sent = b"\r\n".join((status_line(head), *lines, b"", b""))
    [read] = h11_responses(b"GET", sent, ended=False).messages
    assert read.line == (b"%d" % head.status, head.reason)
    assert read.end == len(sent)
    came = [line for _, line in head.fields]
    expected = relayed(came, head.status, announced=announced, http10=False)
    # The coding may be written anew.
    assert names(lines) == names(expected)
    assert [line for line in lines if not is_coding(line)] == [
        line for line in expected if not is_coding(line)
    ]
    if read.values(b"transfer-encoding") and head.status not in {204, 304}:
        [theirs] = aiohttp_responses(b"GET", [sent, CHUNKS]).messages
        assert (theirs.content, theirs.state) == (b"hello", "whole")


def is_coding(line: bytes) -> bool:
    return names([line]) == [b"transfer-encoding"]


@examples(60)
@given(section=nearly(trailers.map(b"\r\n".join)))
def test_no_trailer_that_decides_is_relayed(section: bytes) -> None:
    try:
        came = parse_trailers(section)
    except MalformedError:
        return
    lines = relayed_trailers(came)
    assert set(lines) <= {line for _, line in came}
    assert not (HOP_BY_HOP | FOR_US | FRAMING | NEEDED) & set(names(lines))
