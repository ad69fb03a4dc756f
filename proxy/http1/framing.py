"""Where a message's content ends (RFC 9112, section 6), and a reader for each way.

A reader is fed what comes and returns the content in it, and the bytes that follow the
message: those of the next one. `done` says that the end was reached.
"""

from typing import Final, Protocol

from proxy.http1.chunked import Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.head import RequestHead, ResponseHead

FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
"""The fields that decide, to be noted when a head is parsed."""

# What fits in 63 bits: more is an overflow for somebody.
_LONGEST_LENGTH = 18


class Reader(Protocol):
    """Finds the end of one message's content."""

    done: bool

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the content in `data`, and what follows the message's end.

        Raises MalformedError when the framing is broken.
        """
        ...


class Counted:
    """Content of `length` bytes."""

    __slots__ = ("done", "left")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = not length

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the content in `data`, and what follows it."""
        left = self.left - len(data)
        if left > 0:
            self.left = left
            return data, b""
        self.done = True
        end, self.left = self.left, 0
        return (data, b"") if not left else (data[:end], data[end:])


class UntilClose:
    """Content that ends with the connection."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return `data`: all of it is content."""
        return data, b""


def request_reader(head: RequestHead) -> Reader | None:
    """Return the reader of a request's content, or nothing where there is none.

    Stricter than section 6.3 allows: what could be read in two ways is refused, even
    where one of them is right. Raises MalformedError.
    """
    length = head.seen.get(b"content-length")
    coding = head.seen.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise MalformedError("both Content-Length and Transfer-Encoding")
        if head.http10:
            raise MalformedError("Transfer-Encoding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise MalformedError("only the transfer coding chunked is known here")
        return Chunked()
    if length is None:
        return None
    announced = content_length(length)
    return Counted(announced) if announced else None


def response_reader(method: str, head: ResponseHead) -> Reader | None:
    """Return the reader of the content of the answer to `method`, or nothing.

    Raises MalformedError.
    """
    length = head.seen.get(b"content-length")
    coding = head.seen.get(b"transfer-encoding")
    if coding is not None and (
        length is not None or head.http10 or coding.lower() != b"chunked"
    ):
        raise MalformedError("the framing is contradictory or unknown")
    announced = content_length(length) if length is not None else None
    if method == "HEAD" or head.status in {204, 304}:
        return None
    if coding is not None:
        return Chunked()
    return UntilClose() if announced is None else Counted(announced)


def content_length(value: bytes) -> int:
    """Return the number that a Content-Length gives. Raises MalformedError."""
    if not value.isdigit() or len(value) > _LONGEST_LENGTH:
        raise MalformedError("Content-Length is not one number")
    return int(value)
