"""The reader that judges others: what it reads, and what it refuses."""

import pytest

from tests.conformance.wire import read_requests, read_responses

HEAD = b"POST /a HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.1\nHost: a\n\n",
        b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        b"GET  /a HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1\na\r\n0\r\n\r\n",
    ],
)
def test_what_is_malformed_or_ambiguous_is_a_fault(data: bytes) -> None:
    assert read_requests(data).fault


def test_requests_are_told_apart_with_their_content_and_trailers() -> None:
    first = CHUNKED + b"3;x=1\r\none\r\n3\r\ntwo\r\n0\r\nX: 1\r\n\r\n"

    reading = read_requests(first + HEAD + b"Content-Length: 4\r\n\r\nfo")

    assert [one.content for one in reading.messages] == [b"onetwo", b"fo"]
    assert [one.complete for one in reading.messages] == [True, False]
    assert reading.messages[0].trailers == (b"X: 1",)
    assert reading.messages[0].head == CHUNKED
    assert not reading.fault


@pytest.mark.parametrize(
    ("ended", "complete"), [("", False), ("reset", False), ("eof", True)]
)
def test_only_an_orderly_end_completes_content_without_length(
    ended: str, complete: bool
) -> None:
    reading = read_responses(b"HTTP/1.1 200 OK\r\n\r\nab", [b"GET"], ended=ended)

    assert [(one.content, one.complete) for one in reading.messages] == [
        (b"ab", complete)
    ]


def test_whether_a_response_has_content_depends_on_its_request() -> None:
    length = b"Content-Length: 2\r\n\r\n"
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + length

    reading = read_responses(data * 2 + b"ab", [b"HEAD", b"GET"])

    assert [one.content for one in reading.messages] == [b"", b"", b"", b"ab"]
    assert all(one.complete for one in reading.messages)
