"""The multipart parser: any split gives the same parts."""

import pytest

from proxy.sandbox.multipart import (
    PART_LIMIT,
    TOTAL_LIMIT,
    MultipartError,
    MultipartParser,
    Part,
)

TYPE = "multipart/form-data; boundary=b0"
CONTENT = (
    b"preamble\r\n--b0\r\n"
    b'Content-Disposition: form-data; name="requestId"\r\n\r\n'
    b"7\r\n--b0\r\n"
    b'content-disposition: form-data; name=file; filename="a \\"b\\".bin"\r\n'
    b"Content-Type: image/png\r\n\r\n"
    b"\r\n--b\r\n--bO\x00\r\n\r\n\r\n--b0\r\n"
    b'Content-Disposition: form-data; name="empty"; '
    b"filename*=UTF-8''%D0%B0.txt\r\n\r\n"
    b"\r\n--b0--\r\nepilogue"
)


def parse(content: bytes, *, step: int, content_type: str = TYPE) -> list[Part]:
    parser = MultipartParser(content_type)
    for start in range(0, len(content), step):
        parser.feed(content[start : start + step])
    return parser.close()


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 64, 10_000])
def test_parts_are_the_same_however_they_come(step: int) -> None:
    number, file, empty = parse(CONTENT, step=step)

    assert (number.name, bytes(number.content)) == ("requestId", b"7")
    assert number.file_name is None
    assert (file.file_name, file.content_type) == ('a "b".bin', "image/png")
    assert bytes(file.content) == b"\r\n--b\r\n--bO\x00\r\n\r\n"
    assert (empty.file_name, bytes(empty.content)) == ("а.txt", b"")


def test_a_quoted_boundary_is_a_boundary() -> None:
    kind = 'Multipart/Form-Data; charset=utf-8; boundary="b0"'

    assert len(parse(CONTENT, step=10_000, content_type=kind)) == 3


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", ""],
)
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(MultipartError):
        MultipartParser(content_type)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no delimiter",
        b"--b0\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b0--",
        b"--b0\r\n\r\n\r\nx\r\n--b0--",
        b'--b0\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b0',
        b"--b0\r\nX: " + b"x" * 20_000,
    ],
)
def test_what_is_broken_is_refused(content: bytes) -> None:
    with pytest.raises(MultipartError):
        parse(content, step=1000)


def test_a_large_part_is_dropped_not_held() -> None:
    head = b'--b0\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    parser = MultipartParser(TYPE)
    parser.feed(head)
    for _ in range(PART_LIMIT // 65536 + 1):
        parser.feed(bytes(65536))
    parser.feed(b"\r\n--b0--")

    [part] = parser.close()
    assert part.too_large
    assert part.content == b""


def test_many_parts_together_can_be_too_large() -> None:
    head = b'--b0\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    parser = MultipartParser(TYPE)
    count = TOTAL_LIMIT // PART_LIMIT + 1
    for _ in range(count):
        parser.feed(head)
        parser.feed(bytes(PART_LIMIT))
        parser.feed(b"\r\n")
    parser.feed(b"--b0--")

    parts = parser.close()
    assert [part.too_large for part in parts] == [False] * (count - 1) + [True]
