"""What a case is: data that says who sends what, and what is expected of the subject.

`refused`, `forwarded`, `relayed` and `broken` make the usual kinds in a few lines;
anything else is a `Case` of its own.
"""

import enum
import re
from dataclasses import dataclass
from typing import TypedDict, Unpack

from tests.conformance.steps import Script
from tests.conformance.wire import Framing

Bytes = bytes | re.Pattern[bytes]
"""What is to be there exactly, or is to match as a whole."""

HOST = b"proxy.test"
"""A name that every subject answers to."""

CLIENT_ERROR = frozenset(range(400, 500))
FRAMING_ERROR = CLIENT_ERROR | {501}
"""RFC 9112, 6.1: a transfer coding that is not understood is answered with 501."""
VERSION_ERROR = CLIENT_ERROR | {505}


class After(enum.Enum):
    """What is to become of the client's connection after the last response."""

    OPEN = "answers one more request"
    CLOSED = "closed by the subject"
    ANY = "no matter"

    def __repr__(self) -> str:
        return self.name


OPEN, CLOSED, ANY = After


@dataclass(frozen=True)
class Request:
    """A request that is to reach the upstream; None and empty: no matter.

    Whatever is said here, it carries the token and the upstream's name, each once.
    """

    line: Bytes | None = None
    fields: tuple[Bytes, ...] = ()
    """Field lines that are there, in this order, others perhaps between them."""
    only: tuple[Bytes, ...] | None = None
    """All end-to-end field lines in order, less Host, Authorization and Via."""
    absent: tuple[bytes, ...] = ()
    """Names of fields that are not there."""
    content: Bytes | None = None
    framing: Framing | None = None
    trailers: tuple[Bytes, ...] | None = None
    complete: bool | None = True


@dataclass(frozen=True)
class Response:
    """A response that the client is to get; None and empty: no matter."""

    status: frozenset[int] | int | None = None
    line: Bytes | None = None
    fields: tuple[Bytes, ...] = ()
    only: tuple[Bytes, ...] | None = None
    absent: tuple[bytes, ...] = ()
    content: Bytes | None = None
    framing: Framing | None = None
    trailers: tuple[Bytes, ...] | None = None
    complete: bool | None = True
    """False: it is cut, and can be seen to be."""
    interim: tuple["Response", ...] | None = None
    """The 1xx responses before it."""


@dataclass(frozen=True)
class Expect:
    """One way in which a case ends well."""

    got: tuple[Response, ...] | None = None
    """The final responses in order; (): not one byte."""
    reached: tuple[Request, ...] | None = None
    """The requests at the upstream in order; (): not one byte."""
    after: After = ANY
    deliveries: tuple[int, ...] | None = None
    """How many requests may have reached the upstream, where `reached` is None."""
    upstream_left: bool = False
    """The subject ends its connection to the upstream, without being told to."""


@dataclass(frozen=True)
class Case:
    """A rule, and an exchange that shows whether it is kept."""

    id: str
    rule: str
    section: str
    send: Script
    """What the client does."""
    expect: tuple[Expect, ...]
    """The ways to end well; the first one says how long to look."""
    answers: tuple[Script, ...] = ()
    """What the upstream does for each request in order of arrival; OK for the rest."""
    on_connect: tuple[Script, ...] = ()
    """What the upstream does with each new connection before any request."""
    others: tuple[Script, ...] = ()
    """What further clients do at the same time."""
    profile: str = "default"


def request(
    method: bytes = b"GET",
    target: bytes = b"/a",
    *fields: bytes,
    content: bytes = b"",
    version: bytes = b"HTTP/1.1",
    host: bytes | None = HOST,
) -> bytes:
    """Return a request with Host, and with Content-Length where there is content."""
    own = () if host is None else (b"Host: " + host,)
    line = b" ".join((method, target, version))
    return _message(line, *own, *fields, content=content)


def response(status: bytes = b"200 OK", *fields: bytes, content: bytes = b"") -> bytes:
    """Return a response, with Content-Length unless `fields` say how it is framed."""
    if not content and status[:3] not in (b"204", b"304") and status[:1] != b"1":
        framed = _framed(fields)
        fields = fields if framed else (*fields, b"Content-Length: 0")
    return _message(b"HTTP/1.1 " + status, *fields, content=content)


def chunked(*pieces: bytes, trailers: tuple[bytes, ...] = ()) -> bytes:
    """Return `pieces` as chunks, with the last chunk and `trailers`."""
    chunks = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"".join((*chunks, b"0\r\n", *(one + b"\r\n" for one in trailers), b"\r\n"))


def _message(line: bytes, *fields: bytes, content: bytes) -> bytes:
    if content and not _framed(fields):
        fields = (*fields, b"Content-Length: %d" % len(content))
    return b"\r\n".join((line, *fields, b"", content))


def _framed(fields: tuple[bytes, ...]) -> bool:
    names = (b"content-length", b"transfer-encoding")
    return any(line.lower().startswith(names) for line in fields)


GET = request()
POST = request(b"POST", content=b"once")
OK = response(content=b"fine")


class RequestParts(TypedDict, total=False):
    """What a case may say of the request that reaches the upstream: see `Request`."""

    line: Bytes
    fields: tuple[Bytes, ...]
    only: tuple[Bytes, ...]
    absent: tuple[bytes, ...]
    content: Bytes
    framing: Framing
    trailers: tuple[Bytes, ...]
    complete: bool | None


class ResponseParts(RequestParts, total=False):
    """What a case may say of the response that the client gets: see `Response`."""

    status: frozenset[int] | int
    interim: tuple[Response, ...]


def refused(
    id: str,
    rule: str,
    section: str,
    send: Script,
    *,
    status: frozenset[int] | int = CLIENT_ERROR,
    after: After = CLOSED,
    profile: str = "default",
) -> Case:
    """Return a case whose request is answered here, and reaches nobody."""
    expect = Expect(got=(Response(status),), reached=(), after=after)
    return Case(id, rule, section, send, (expect,), profile=profile)


def forwarded(
    id: str,
    rule: str,
    section: str,
    send: Script,
    *,
    answer: Script = OK,
    status: int = 200,
    after: After = OPEN,
    profile: str = "default",
    **parts: Unpack[RequestParts],
) -> Case:
    """Return a case whose one request reaches the upstream as `parts` say, once."""
    expect = Expect(got=(Response(status),), reached=(Request(**parts),), after=after)
    return Case(id, rule, section, send, (expect,), (answer,), profile=profile)


def relayed(
    id: str,
    rule: str,
    section: str,
    answer: Script,
    *,
    send: Script = GET,
    after: After = OPEN,
    profile: str = "default",
    **parts: Unpack[ResponseParts],
) -> Case:
    """Return a case whose answer reaches the client as `parts` say."""
    expect = Expect(
        got=(Response(**parts),), reached=(Request(complete=None),), after=after
    )
    return Case(id, rule, section, send, (expect,), (answer,), profile=profile)


def broken(
    id: str,
    rule: str,
    section: str,
    answer: Script,
    *,
    send: Script = GET,
    status: frozenset[int] | int = 502,
    profile: str = "default",
) -> Case:
    """Return a case whose answer becomes a 502, or is visibly cut.

    A request that may be sent again gets the same answer again.
    """
    expect = (
        Expect(got=(Response(status),)),
        Expect(got=(Response(complete=False),), after=CLOSED),
    )
    return Case(id, rule, section, send, expect, (answer,) * 3, profile=profile)
