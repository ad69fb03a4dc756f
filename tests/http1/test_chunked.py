"""The chunked coding, in one piece and in every two."""

import pytest

from proxy.http1.chunked import MAX_SIZE_LINE, MAX_TRAILERS, Chunked
from proxy.http1.errors import MalformedError

WHOLE = (
    b'3\r\nabc\r\n00A;x;y=z;w="q\\"\r";v\r\n'.replace(b'\r";v', b'";v')
    + b"0123456789\r\n0\r\nX-Sum: 1\r\nX-b:\xd0\x98\r\n\r\n"
)
REST = b"GET /next"


def read(*pieces: bytes) -> tuple[bytes, bytes, Chunked]:
    reader, content, rest = Chunked(), b"", b""
    for number, piece in enumerate(pieces):
        found, rest = reader.feed(piece)
        content += found
        if reader.done:
            return content, rest + b"".join(pieces[number + 1 :]), reader
    return content, rest, reader


@pytest.mark.parametrize("cut", range(len(WHOLE + REST) + 1))
def test_content_rest_and_trailers_are_the_same_however_it_is_cut(cut: int) -> None:
    data = WHOLE + REST
    content, rest, reader = read(data[:cut], data[cut:])
    assert (content, rest) == (b"abc0123456789", REST)
    assert reader.trailers == [(b"x-sum", b"X-Sum: 1"), (b"x-b", b"X-b:\xd0\x98")]


def test_byte_by_byte_too() -> None:
    content, rest, reader = read(*(bytes([one]) for one in WHOLE + REST))
    assert (content, rest, reader.done) == (b"abc0123456789", REST, True)


def test_what_has_not_come_whole_is_not_done() -> None:
    for end in range(len(WHOLE)):
        assert not read(WHOLE[:end])[2].done


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1\n",
        b"1\r\r\n",
        b"1;\r\n",
        b"1;a=\r\n",
        b"1;a=b c\r\n",
        b'1;a="b\r\n',
        b"1;a\x00\r\n",
        b"1;a\nb\r\n",
        b"1000000000000000\r\n",
        b"x",
        b"\n",
        b"1" * 17,
        b"1;" + b"a" * MAX_SIZE_LINE,
        b"1\r\nab",
        b"1\r\na\n0\r\n\r\n",
        b"1\r\na\r0\r\n\r\n",
        b"1\r\na0\r\n\r\n",
        b"0\r\n\n",
        b"0\r\nX: a\n\r\n\r\n",
        b"0\r\nX a\r\n\r\n",
        b"0\r\n X: a\r\n\r\n",
        b"0\r\nX: \x00\r\n\r\n",
        b"0\r\nX: " + b"a" * MAX_TRAILERS,
    ],
    ids=lambda data: ascii(data[:24]),
)
def test_everything_else_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)
    with pytest.raises(MalformedError):
        read(*(bytes([one]) for one in data), b"\r\n")


@pytest.mark.parametrize("extension", [b";a", b" ; a", b';a="b;c\\""', b"\t;a\t=\tb;c"])
def test_extensions_mean_nothing(extension: bytes) -> None:
    content, _, reader = read(b"1%b\r\na\r\n0%b\r\n\r\n" % (extension, extension))
    assert (content, reader.done) == (b"a", True)
