"""Where content ends: one reading, or none."""

import pytest

from proxy.http1.chunked import Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.framing import (
    FRAMING,
    Counted,
    UntilClose,
    request_reader,
    response_reader,
)
from proxy.http1.head import parse_request, parse_response

LENGTH = b"Content-Length: "
CODING = b"Transfer-Encoding: "


def of_request(*fields: bytes, version: bytes = b"1.1") -> object:
    head = b"\r\n".join((b"POST / HTTP/" + version, *fields))
    return request_reader(parse_request(head, FRAMING))


def of_response(
    *fields: bytes, method: str = "GET", status: bytes = b"HTTP/1.1 200 OK"
) -> object:
    return response_reader(
        method, parse_response(b"\r\n".join((status, *fields)), FRAMING)
    )


def test_a_request_without_framing_has_no_content() -> None:
    assert of_request() is None
    assert of_request(LENGTH + b"0") is None


def test_a_request_may_be_counted_or_chunked() -> None:
    counted = of_request(LENGTH + b"007")
    assert isinstance(counted, Counted)
    assert counted.left == 7
    assert isinstance(of_request(CODING + b"Chunked"), Chunked)


BAD_LENGTHS = [
    b"",
    b"+5",
    b"-5",
    b"0x5",
    b"5 5",
    b"5,5",
    b"5, 5",
    b"5.0",
    b"1_0",
    b"5;",
    b"five",
    b"\xd9\xa5",
    b"9" * 19,
]
BAD_CODINGS = [
    b"",
    b"gzip",
    b"gzip, chunked",
    b"chunked, gzip",
    b"chunked, chunked",
    b", chunked",
    b"identity",
    b"xchunked",
    b"chunked;q=1",
    b'"chunked"',
]


@pytest.mark.parametrize("value", BAD_LENGTHS)
def test_what_is_no_length_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedError):
        of_request(LENGTH + value)
    with pytest.raises(MalformedError):
        of_response(LENGTH + value)


@pytest.mark.parametrize("value", BAD_CODINGS)
def test_what_is_not_just_chunked_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedError):
        of_request(CODING + value)
    with pytest.raises(MalformedError):
        of_response(CODING + value)


@pytest.mark.parametrize(
    "fields",
    [
        [LENGTH + b"5", CODING + b"chunked"],
        [LENGTH + b"5", LENGTH + b"5"],
        [LENGTH + b"5", b"content-length: 6"],
        [CODING + b"chunked", CODING + b"chunked"],
        [CODING + b"chunked", CODING + b"identity"],
    ],
)
def test_two_framings_are_none(fields: list[bytes]) -> None:
    with pytest.raises(MalformedError):
        of_request(*fields)
    with pytest.raises(MalformedError):
        of_response(*fields)


def test_http_1_0_knows_no_chunks() -> None:
    with pytest.raises(MalformedError):
        of_request(CODING + b"chunked", version=b"1.0")
    with pytest.raises(MalformedError):
        of_response(CODING + b"chunked", status=b"HTTP/1.0 200 OK")


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", b"200 OK"), ("GET", b"204 No Content"), ("GET", b"304 Not Modified")],
)
def test_some_answers_have_no_content(method: str, status: bytes) -> None:
    for fields in ([], [LENGTH + b"5"], [CODING + b"chunked"]):
        line = b"HTTP/1.1 " + status
        assert of_response(*fields, method=method, status=line) is None


def test_an_answer_may_be_counted_chunked_or_end_with_its_connection() -> None:
    assert isinstance(of_response(LENGTH + b"5"), Counted)
    assert isinstance(of_response(CODING + b"chunked"), Chunked)
    assert isinstance(of_response(), UntilClose)
    nothing = of_response(LENGTH + b"0")
    assert isinstance(nothing, Counted)
    assert nothing.done


def test_counted_content_ends_where_it_was_said_to() -> None:
    def fed(reader: Counted, data: bytes) -> tuple[bytes, bytes, bool]:
        return (*reader.feed(data), reader.done)

    reader = Counted(5)
    assert fed(reader, b"abc") == (b"abc", b"", False)
    assert fed(reader, b"defgh") == (b"de", b"fgh", True)
    assert fed(Counted(2), b"ab") == (b"ab", b"", True)


def test_content_until_the_close_has_no_other_end() -> None:
    reader = UntilClose()
    assert reader.feed(b"0\r\n\r\n") == (b"0\r\n\r\n", b"")
    assert not reader.done
