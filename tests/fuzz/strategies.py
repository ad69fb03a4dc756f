"""Messages to try the grammar with: valid ones, nearly valid ones, and cuts of both.

A valid message knows what it means, so that a test need not read it to judge who does.
A nearly valid one is just bytes: a valid one that one of `MUTATIONS`, or a few, went
over. Most of them are what published request smuggling attacks consist of.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Framing = Literal["none", "length", "chunked", "close"]

HOSTS = (b"localhost", b"127.0.0.1", b"LocalHost:8080", b"[::1]:80")
"""Names under which the listener of the rig may be called."""

_TOKEN = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
)
_VISIBLE = bytes(range(0x21, 0x7F))
_TEXT = b'a,; \t"\\=:' + _VISIBLE + bytes(range(0x80, 0x100))
_TARGET = b"/?&=%.;" + _VISIBLE.replace(b"#", b"") + bytes(range(0x80, 0x100))

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Body:
    """Content, and the bytes that it crosses the wire as.

    `line` announces its framing; `trailers` are lines, too.
    """

    framing: Framing = "none"
    content: bytes = b""
    line: bytes = b""
    wire: bytes = b""
    trailers: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Request:
    """A valid request; `lines` are those of all its fields."""

    method: bytes
    target: bytes
    minor: int
    lines: tuple[bytes, ...]
    body: Body

    @property
    def head(self) -> bytes:
        """Return the head, less its empty line."""
        start = b"%b %b HTTP/1.%d" % (self.method, self.target, self.minor)
        return b"\r\n".join((start, *self.lines))

    @property
    def wire(self) -> bytes:
        return self.head + b"\r\n\r\n" + self.body.wire


@dataclass(frozen=True)
class Response:
    """A valid response to a request; `interim` are the heads of those before it."""

    status: int
    reason: bytes | None
    minor: int
    lines: tuple[bytes, ...]
    body: Body
    interim: tuple["Response", ...] = ()

    @property
    def head(self) -> bytes:
        """Return the head, less its empty line."""
        start = b"HTTP/1.%d %d" % (self.minor, self.status)
        if self.reason is not None:
            start += b" " + self.reason
        return b"\r\n".join((start, *self.lines))

    @property
    def wire(self) -> bytes:
        before = b"".join(one.wire for one in self.interim)
        return before + self.head + b"\r\n\r\n" + self.body.wire


# -- Cuts ----------------------------------------------------------------------------


def split(data: bytes, at: Sequence[int]) -> list[bytes]:
    """Return `data` in the pieces between the positions `at`, none of them empty."""
    edges = sorted({0, len(data), *(one for one in at if one < len(data))})
    return [data[one:other] for one, other in pairwise(edges)]


def bytewise(data: bytes) -> list[bytes]:
    """Return each byte of `data` as a piece of its own."""
    return split(data, range(len(data)))


cuts = st.lists(st.integers(1, 400), max_size=5)
"""Positions to split at; those beyond the end are no matter."""

# -- Parts ---------------------------------------------------------------------------


def made_of(alphabet: bytes, least: int = 0, most: int = 12) -> SearchStrategy[bytes]:
    """Return byte strings of the bytes in `alphabet`."""
    table = bytes(alphabet[byte % len(alphabet)] for byte in range(256))
    return st.binary(min_size=least, max_size=most).map(
        lambda drawn: drawn.translate(table)
    )


def one_in(number: int) -> SearchStrategy[bool]:
    """Return True once in so many times; it shrinks to False."""
    return st.sampled_from([False] * (number - 1) + [True])


def written(*forms: bytes) -> Callable[[object], SearchStrategy[bytes]]:
    """Return what makes, of a value, strategies for it in one of the `forms`."""
    form = st.sampled_from(forms)
    return lambda value: form.map(lambda one: one % value)


tokens = made_of(_TOKEN, 1)
values = made_of(_TEXT)

methods = st.one_of(
    st.sampled_from(
        [b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH"]
        + [b"PROPFIND", b"PURGE", b"get", b"G"]
    ),
    tokens.filter(lambda name: name.upper() not in {b"CONNECT", b"TRACE", b"TRACK"}),
)

_paths = st.one_of(
    st.sampled_from(
        [b"/", b"//", b"/a%2Fb/%2f/%41/%7E", b"/a/../b/./c", b"/?", b"/a?&&x=1&x=1&+;|"]
        + [b"/\xd0\x98?q=\xc8\xff", b"/http://other/", b"/*", b'/"<>\\^`{}', b"/%00%zz"]
    ),
    made_of(_TARGET).map(b"/".__add__),
)
_absolute = st.tuples(
    st.sampled_from([b"http://%b%b", b"HTTPS://%b%b"]),
    st.one_of(st.sampled_from([b"", b"?q"]), _paths),
)


def _targets(host: bytes) -> SearchStrategy[bytes]:
    """Return request targets that are served under the name `host`."""
    absolute = _absolute.map(lambda made: made[0] % (host.upper(), made[1]))
    return st.one_of(_paths, _paths, absolute)


# Names with a meaning are left to the strategies that know it.
_MEANINGFUL = frozenset(
    {
        *(b"connection", b"content-length", b"expect", b"host", b"max-forwards"),
        *(b"origin", b"sec-fetch-site", b"te", b"transfer-encoding", b"upgrade"),
        *(b"via", b"proxy-status"),
    }
)
_odd_names = tokens.filter(lambda name: name.lower() not in _MEANINGFUL)
_request_names = st.one_of(
    st.sampled_from(
        [b"X-A", b"x-a", b"Accept", b"Cookie", b"Content-Type", b"CONTENT-ENCODING"]
        + [b"X-Hop", b"Authorization", b"authorization", b"X-Proxy-Key", b"Keep-Alive"]
        + [b"Proxy-Connection", b"Proxy-Authorization", b"Trailer", b"HTTP2-Settings"]
        + [b"Content_Length", b"X-Proxy-Allow-Repeat", b"Forwarded", b"If-Match"]
    ),
    _odd_names,
)
_response_names = st.one_of(
    st.sampled_from(
        [b"X-A", b"x-a", b"Server", b"Date", b"Set-Cookie", b"Content-Type", b"ETag"]
        + [b"X-Hop", b"Content-Encoding", b"Location", b"Vary", b"Via", b"Keep-Alive"]
        + [b"Proxy-Authenticate", b"WWW-Authenticate", b"Trailer", b"Upgrade"]
        + [b"Proxy-Connection", b"Authorization", b"Cache-Control"]
    ),
    _odd_names,
)
_trailer_names = st.sampled_from(
    [b"X-T", b"x-t", b"Digest", b"X-Hop", b"Content-Length", b"Authorization", b"Host"]
)

_line_forms = st.sampled_from([b"%b: %b", b"%b:%b", b"%b:\t%b ", b"%b:  %b\t "])


def _lines(names: SearchStrategy[bytes], most: int = 4) -> SearchStrategy[list[bytes]]:
    """Return field lines without a meaning for the message, some of them repeated."""
    one = st.tuples(_line_forms, names, values).map(lambda made: made[0] % made[1:])
    return st.one_of(
        st.lists(one, max_size=most),
        st.lists(one, min_size=1, max_size=2).map(lambda made: [*made, made[0]]),
    )


_request_lines = _lines(_request_names)
_response_lines = _lines(_response_names)
trailers: SearchStrategy[list[bytes]] = st.one_of(
    st.just([]), st.just([]), _lines(_trailer_names, 2)
)

_connection_lines = st.lists(
    st.sampled_from(
        [b"X-Hop", b"keep-alive", b"Keep-Alive", b"", b"x-a", b"Authorization"]
        + [b"Host", b"Content-Length", b"Transfer-Encoding", b"close", b"Cookie"]
    ),
    min_size=1,
    max_size=3,
).map(lambda options: [b"Connection: " + b" , ".join(options)])

_meaningful = st.one_of(
    st.sampled_from(
        [
            [],
            [b"Expect: 100-continue"],
            [b"Upgrade: websocket", b"Connection: Upgrade"],
            [b"TE: trailers", b"connection: te"],
            [b"TE: gzip;q=0.5, Trailers"],
            [b"TE: deflate", b"Connection: TE"],
            [b"Via: 1.1 other, 1.0 another (telemed)"],
            [b"Connection: close"],
            [b"Connection: keep-alive"],
        ]
    ),
    _connection_lines,
)
"""Fields that change how a request is handled."""

_host_line = written(b"Host: %b", b"host:%b ", b"HOST:\t%b", b"Host:%b")
_length_line = written(
    b"Content-Length: %d", b"content-length:%d", b"Content-Length:\t0%d "
)
_coding_lines = st.sampled_from(
    [b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked "]
    + [b"TRANSFER-ENCODING:\tCHUNKED"]
)

# -- Content -------------------------------------------------------------------------

_large = st.sampled_from([b"0123456789abcdef" * 5000, b"\r\n" * 70_000])
_contents = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"", SMUGGLED, b"0\r\n\r\n", b"\r\n", b"5\r\nhello\r\n0\r\n\r\n"]),
    one_in(8).flatmap(lambda large: _large if large else st.just(b"small")),
)

_size_forms = (
    *(b"%x", b"%X", b"0%x", b"00%X", b"%x;a", b"%x;a=b;c=d", b'%x;a="b c"', b'%x;a=""'),
    *(b"%x ; a", b"%x\t;a = b", b'%x;a="\\"\xff;=,\t"', b"%x;!#$&'*+-.^_`|~=1"),
)
_size = written(*_size_forms, *[b"%x"] * len(_size_forms))


@st.composite
def _chunks(draw: DrawFn) -> Body:
    content = draw(_contents)
    wire = b""
    for piece in split(content, draw(cuts) if len(content) < 1000 else [9, 30_000]):
        wire += draw(_size(len(piece))) + b"\r\n" + piece + b"\r\n"
    ended = draw(trailers)
    wire += b"\r\n".join((draw(_size(0)), *ended, b"", b""))
    return Body("chunked", content, draw(_coding_lines), wire, tuple(ended))


@st.composite
def _counted(draw: DrawFn) -> Body:
    content = draw(_contents)
    return Body("length", content, draw(_length_line(len(content))), content)


chunks = _chunks()
_bodies = st.one_of(st.just(Body()), _counted(), chunks)
_bodies_of_http10 = st.one_of(st.just(Body()), _counted())

# -- Valid messages ------------------------------------------------------------------


@st.composite
def requests(draw: DrawFn) -> Request:
    """Return requests that are to be forwarded."""
    minor = draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2, 9]))
    method = draw(methods)
    host = draw(st.sampled_from(HOSTS))
    made = [*draw(_meaningful), *draw(_request_lines)]
    if minor == 0 and draw(st.booleans()):
        target = draw(_paths)
    else:
        target = draw(_targets(host))
        made.insert(draw(st.integers(0, len(made))), draw(_host_line(host)))
    if method == b"OPTIONS":
        target = draw(st.sampled_from([target, b"*"]))
    body = draw(_bodies if minor else _bodies_of_http10)
    if body.line:
        made.insert(draw(st.integers(0, len(made))), body.line)
    return Request(method, target, minor, tuple(made), body)


@st.composite
def responses(draw: DrawFn, method: bytes) -> Response:
    """Return valid responses to a request of `method`."""
    status = draw(_statuses)
    minor = draw(st.sampled_from([1, 1, 1, 1, 1, 1, 0]))
    made = [*draw(_response_connections), *draw(_response_lines)]
    if method == b"HEAD" or status in {204, 304}:
        body = draw(_no_bodies if minor else _no_bodies_of_http10)
    else:
        body = draw(_response_bodies if minor else _response_bodies_of_http10)
    if body.line:
        made.insert(draw(st.integers(0, len(made))), body.line)
    interim = draw(_interim) if draw(one_in(4)) else []
    return Response(status, draw(_reasons), minor, tuple(made), body, tuple(interim))


_reasons = st.one_of(
    st.sampled_from([b"OK", b"", None]), made_of(b" \t" + _VISIBLE + b"\x80\xd0\xff")
)
_statuses = st.sampled_from(
    [200, 200, 201, 204, 206, 299, 304, 401, 403, 418, 503, 999]
)
_response_connections = st.one_of(
    st.sampled_from([[], [], [b"Connection: close"], [b"connection: keep-alive"]]),
    _connection_lines,
)
_interim = st.lists(
    st.builds(
        Response,
        st.sampled_from([100, 102, 103, 199]),
        _reasons,
        st.just(1),
        _lines(_response_names, 2).map(tuple),
        st.just(Body()),
    ),
    min_size=1,
    max_size=2,
)

_until_close = _contents.map(lambda content: Body("close", content, b"", content))
_response_bodies_of_http10 = st.one_of(_counted(), _until_close)
_response_bodies = st.one_of(_counted(), _until_close, chunks)
_no_bodies_of_http10 = st.one_of(
    st.just(Body()),
    _length_line(1234).map(lambda line: Body(line=line)),
)
_no_bodies = st.one_of(
    _no_bodies_of_http10, _coding_lines.map(lambda line: Body(line=line))
)
answered = st.sampled_from([b"GET", b"HEAD"]).flatmap(
    lambda method: st.tuples(st.just(method), responses(method))
)
"""A method, and a valid response to a request of it."""

# -- Nearly valid messages -----------------------------------------------------------

ODD_BYTES = b'\0\t\n\v\f\r !"#%(),/:;<=>?@[\\]_{}\x7f\x80\x85\xa0\xff+-0159aAfFxX'

TELLING_BYTES = b'\0\t\n\v\r :;,="0\x85\xff'
"""Those of them that are tried everywhere."""

LINE_ENDS = (
    *(b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\n\n", b"\r\n\r\n", b" \r\n", b"\r\n "),
    *(
        b"\r\n\t",
        b"\0\r\n",
        b"\r\n\0",
        b"\v\r\n",
        b"\x85",
        b"",
        b" ",
        b"\r\n\r",
        b"\r \n",
    ),
)

LENGTHS = (
    *(b"5", b"0", b"00", b"+5", b"-5", b"-0", b"0x5", b"5, 5", b"5, 6", b"5,", b",5"),
    *(
        b"5 5",
        b"5;",
        b"5.0",
        b"5e0",
        b"5_0",
        b"",
        b" ",
        b'"5"',
        b"5\v",
        b"\x0c5",
        b"5\0",
    ),
    *(b"18446744073709551621", b"9223372036854775808", b"999999999999999999"),
    *(b"\xb2", b"\xd9\xa5", b"5\t", b"chunked", b"1" * 30),
)

CODINGS = (
    *(b"chunked", b"Chunked", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip"),
    *(b"identity", b"identity, chunked", b"chunked, identity", b"xchunked", b"chunke"),
    *(
        b"chunked;q=1",
        b"chunked;",
        b'"chunked"',
        b"'chunked'",
        b"chunked,",
        b",chunked",
    ),
    *(
        b"\vchunked",
        b"chunked\0",
        b"\0chunked",
        b"chun\tked",
        b"chun ked",
        b"",
        b"gzip",
    ),
    *(
        b"\tchunked",
        b"chunked\x85",
        b"\xa0chunked",
        b"chunKed",
        b"ch\xc3\xbcnked",
        b"x",
    ),
)

CHUNK_SIZES = (
    *(
        b"0",
        b"5",
        b"00000005",
        b"0x5",
        b"0X5",
        b"+5",
        b"-5",
        b"-1",
        b" 5",
        b"5 ",
        b"\t5",
    ),
    *(
        b"5;",
        b"5;a",
        b"5;a=",
        b'5;a="',
        b'5;a="b',
        b"5 ;a=b",
        b"5; a = b",
        b"5,",
        b"5.",
        b"5_0",
    ),
    *(b"5;a\n", b"5\n", b"5\r", b"5;a\r", b"5\0", b"g", b"", b"5h", b"\xb5", b"f" * 16),
    *(
        b"ffffffffffffffff",
        b"10000000000000000",
        b"100000005",
        b"0" * 20 + b"5",
        b"5\v",
    ),
    *(
        b"0;a=b",
        b"0 ",
        b"0\r\nX: y",
        b"5;\xff",
        b'5;a="\n"',
        b"5;a=b c",
        b"5;;",
        b"5 5",
    ),
)

EXTRA_LINES = (
    *(b"Content-Length: " + length for length in LENGTHS),
    *(b"Transfer-Encoding: " + coding for coding in CODINGS),
    *(b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked", b"\tX: y"),
    *(b"Transfer-Encoding:chunked", b"Transfer-Encoding:\r\n chunked", b"X: y\r\n z"),
    *(b"Transfer-Encoding\t: chunked", b"Transfer-Encoding\0: chunked", b"X:\r\n"),
    *(b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked"),
    *(
        b"Transfer\r-Encoding: chunked",
        b"Transfer_Encoding: chunked",
        b"Content_Length: 5",
    ),
    *(
        b"Content-Length : 5",
        b"Content-Length\0: 5",
        b"Content-Length\r\n : 5",
        b"\0: x",
    ),
    *(
        b"Content-Length:5\r\nContent-Length: 6",
        b"X: y\nContent-Length: 5",
        b"X\xff: y",
    ),
    *(b"Content-Encoding: chunked", b"\xefTransfer-Encoding: chunked", b"X: \x7f"),
    *(b"Host: localhost", b"Host: other", b"Host:", b"host : localhost", b"Host: a, b"),
    *(b"Host: localhost@other", b"Host: localhost/x", b"Host: [::1", b"Host: a b"),
    *(b"Connection: close", b"Connection: content-length, transfer-encoding, host"),
    *(b"Connection: authorization", b"Connection: keep-alive\0", b"Keep-Alive: 5"),
    *(b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMA"),
    *(
        b"Expect: 100-continue",
        b"Expect: x",
        b"TE: chunked",
        b"Trailer: Content-Length",
    ),
    *(b"Authorization: Bearer mine", b"authorization : Bearer mine", b"Via: 9 x"),
    *(
        b"NoColon",
        b": nameless",
        b"",
        b" ",
        b"X Y: z",
        b"X(: y",
        b"X: y\0",
        b"X: y\v",
        b"X;y",
    ),
    *(b"GET /smuggled HTTP/1.1", b"HTTP/1.1 200 OK", b"X: \x80\xff", b"X:" + b" " * 50),
)

REQUEST_LINES = (
    *(
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.0",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.10",
        b"GET /",
    ),
    *(
        b"GET / http/1.1",
        b"GET / HTTP/1.1 ",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/1.1\t",
        b"",
    ),
    *(b" GET / HTTP/1.1", b"GET\t/ HTTP/1.1", b"GET / x HTTP/1.1", b"GET HTTP/1.1"),
    *(b"GET / HTTP/01.1", b"GET / HTTP/1,1", b"GET / HTTP /1.1", b"GET / XHTTP/1.1"),
    *(b"GET /#x HTTP/1.1", b"GET x HTTP/1.1", b"GET * HTTP/1.1", b"OPTIONS * HTTP/1.1"),
    *(b"OPTIONS http://localhost HTTP/1.1", b"OPTIONS http://localhost?q HTTP/1.1"),
    *(b"CONNECT localhost:80 HTTP/1.1", b"CONNECT / HTTP/1.1", b"TRACE / HTTP/1.1"),
    *(
        b"GET http://other/ HTTP/1.1",
        b"GET http://localhost/ HTTP/1.1",
        b"G(T / HTTP/1.1",
    ),
    *(
        b"GET http://localhost@other/ HTTP/1.1",
        b"GET http:/// HTTP/1.1",
        b"\r\nGET / HTTP/1.1",
    ),
    *(
        b"PRI * HTTP/2.0",
        b"HEAD / HTTP/1.1",
        b"POST / HTTP/1.1",
        b"GET //x:y/ HTTP/1.1",
    ),
    *(
        b"G\xc3\x89T / HTTP/1.1",
        b"PUT / HTTP/1.9",
        b"GET / HTTP/1.1\r\nX: y",
        b"QUERY /?q HTTP/1.1",
    ),
)
STATUS_LINES = (
    *(
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 204 No",
        b"HTTP/1.1 304 N",
    ),
    *(
        b"HTTP/1.1 101 Switching",
        b"HTTP/1.1 200",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 20 OK",
    ),
    *(
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/2 200 OK",
        b"HTTP/1.0 200 OK",
        b"",
    ),
    *(
        b"HTTP/1.1 200\tOK",
        b"HTTP/1.1 +20 OK",
        b"ICY 200 OK",
        b"HTTP/1.1\t200 OK",
        b"200",
    ),
    *(b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 199 x", b"HTTP/1.1 205 R"),
    *(b"HTTP/1.1 401 U", b"HTTP/1.1 403 F", b"HTTP/1.1 599 \xff\t", b"HTTP/1.9 200 OK"),
    *(
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK ",
        b"\r\nHTTP/1.1 200 OK",
    ),
)

_CHUNKS = b"5\r\nhello\r\n1b;x=y\r\nGET /smuggled HTTP/1.1\r\nX: \r\n0\r\n\r\n"
_LATER = b"DELETE /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok"

USUAL_REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /a?b HTTP/1.0\r\nConnection: keep-alive\r\nX: y\r\n\r\n" + _LATER,
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello" + _LATER,
    b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    + (_CHUNKS + _LATER),
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: localhost\r\n\r\n"
    b"3\r\nabc\r\n0\r\nX-T: u\r\n\r\n" + _LATER,
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 43\r\nExpect: 100-continue"
    b"\r\n\r\n" + SMUGGLED,
    b"GET http://localhost/x HTTP/1.1\r\nHost: localhost\r\nConnection: X, close\r\n"
    b"X: y\r\n\r\n",
    b"GET /\xd0\x98 HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n" + SMUGGLED,
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 3\r\n\r\n" + _LATER,
    b"HEAD / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\n\r\n" + _LATER,
)
USUAL_RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + _CHUNKS,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
    b"3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the close",
    b"HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\n" + _CHUNKS,
    b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"\r\nwhatever",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: z\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
)

Mutation = Callable[[DrawFn, bytes], bytes]


def _position(draw: DrawFn, wire: bytes) -> int:
    """Return a position, more often one where something begins or ends."""
    wire = wire[:2000]
    begin = draw(st.sampled_from([0, wire.find(b"\r\n\r\n") + 1]))
    marks = [at for at in range(begin, len(wire)) if wire[at] in b"\r\n :;"]
    if draw(st.booleans()) and marks:
        return draw(st.sampled_from(marks)) + draw(st.integers(0, 1))
    return draw(st.integers(begin, max(begin, len(wire) - 1)))


def _insert_a_byte(draw: DrawFn, wire: bytes) -> bytes:
    at = _position(draw, wire)
    return wire[:at] + bytes([draw(st.sampled_from(ODD_BYTES))]) + wire[at:]


def _replace_a_byte(draw: DrawFn, wire: bytes) -> bytes:
    at = _position(draw, wire)
    return wire[:at] + bytes([draw(st.sampled_from(ODD_BYTES))]) + wire[at + 1 :]


def _delete_bytes(draw: DrawFn, wire: bytes) -> bytes:
    at = _position(draw, wire)
    return wire[:at] + wire[at + draw(st.integers(1, 4)) :]


def _cut_short(draw: DrawFn, wire: bytes) -> bytes:
    return wire[: _position(draw, wire)]


def _put_a_request_in(draw: DrawFn, wire: bytes) -> bytes:
    at = _position(draw, wire)
    return wire[:at] + SMUGGLED + wire[at:]


def _change_a_line_end(draw: DrawFn, wire: bytes) -> bytes:
    found = wire.split(b"\r\n")
    at = draw(st.integers(0, max(0, len(found) - 2)))
    before, after = b"\r\n".join(found[: at + 1]), b"\r\n".join(found[at + 1 :])
    return before + draw(st.sampled_from(LINE_ENDS)) + after


def _change_all_line_ends(draw: DrawFn, wire: bytes) -> bytes:
    head, empty, rest = wire.partition(b"\r\n\r\n")
    end = draw(st.sampled_from(LINE_ENDS))
    return (head + empty).replace(b"\r\n", end) + rest


def _shuffle_lines(draw: DrawFn, wire: bytes) -> bytes:
    """Repeat, drop or move a line of the head or of the content."""
    found = wire.split(b"\r\n")
    at = draw(st.integers(0, len(found) - 1))
    line = found[at] if draw(st.booleans()) else found.pop(at)
    if draw(st.booleans()):
        found.insert(draw(st.integers(0, len(found))), line)
    return b"\r\n".join(found)


def _space_a_name(draw: DrawFn, wire: bytes) -> bytes:
    found = wire.split(b"\r\n")
    at = draw(st.integers(0, len(found) - 1))
    space = draw(st.sampled_from([b" ", b"\t", b"\0", b"\v", b"\xa0"]))
    if draw(st.booleans()):
        found[at] = space + found[at]
    else:
        found[at] = found[at].replace(b":", space + b":", 1)
    return b"\r\n".join(found)


def _add_a_line(draw: DrawFn, wire: bytes) -> bytes:
    found = wire.split(b"\r\n")
    at = draw(st.integers(1, max(1, len(found) - 1)))
    found.insert(at, draw(st.sampled_from(EXTRA_LINES)))
    return b"\r\n".join(found)


def _change_the_start(draw: DrawFn, wire: bytes) -> bytes:
    starts = STATUS_LINES if wire.startswith(b"HTTP/") else REQUEST_LINES
    return draw(st.sampled_from(starts)) + b"\r\n" + wire.partition(b"\r\n")[2]


def _change_the_version(draw: DrawFn, wire: bytes) -> bytes:
    other = st.sampled_from(
        [b"1.0", b"1.2", b"2.0", b"0.9", b"1.", b".1", b"1.1.1", b"1.1\0"]
    )
    return wire.replace(b"/1.1", b"/" + draw(other), 1)


_FRAMING_VALUES = {b"content-length": LENGTHS, b"transfer-encoding": CODINGS}


def _change_the_framing(draw: DrawFn, wire: bytes) -> bytes:
    """Give a framing field that is there another value."""
    found = wire.split(b"\r\n")
    for at, line in enumerate(found):
        name = line.partition(b":")[0]
        if name.lower() in _FRAMING_VALUES:
            values = _FRAMING_VALUES[name.lower()]
            found[at] = name + b": " + draw(st.sampled_from(values))
    return b"\r\n".join(found)


def _change_a_chunk_size(draw: DrawFn, wire: bytes) -> bytes:
    head, empty, rest = wire.partition(b"\r\n\r\n")
    found = rest.split(b"\r\n")
    found[draw(st.integers(0, len(found) - 1))] = draw(st.sampled_from(CHUNK_SIZES))
    return head + empty + b"\r\n".join(found)


MUTATIONS: tuple[Mutation, ...] = (
    _insert_a_byte,
    _replace_a_byte,
    _delete_bytes,
    _cut_short,
    _put_a_request_in,
    _change_a_line_end,
    _change_all_line_ends,
    _space_a_name,
    _change_the_start,
    _change_the_version,
    # These more often leave something that somebody may accept.
    *[_shuffle_lines, _add_a_line, _change_the_framing, _change_a_chunk_size] * 2,
)


def every_nearly(wire: bytes) -> Iterator[bytes]:
    """Yield `wire` with one change: each entry of each table, at each of its places."""
    head, _, content = wire.partition(b"\r\n\r\n")
    start, *fields = head.split(b"\r\n")
    starts = STATUS_LINES if wire.startswith(b"HTTP/") else REQUEST_LINES
    for other in starts:
        yield b"\r\n".join((other, *fields, b"", content))
    for line in EXTRA_LINES:
        yield b"\r\n".join((start, line, *fields, b"", content))
        yield b"\r\n".join((start, *fields, line, b"", content))
        yield b"\r\n".join((start, *fields, b"", line, content))
    pieces = content.split(b"\r\n")
    for at, size in product(range(len(pieces)), CHUNK_SIZES):
        yield b"\r\n".join((head, b"", *pieces[:at], size, *pieces[at + 1 :]))
    yield from _every_framing(wire)
    yield from _every_byte(wire)


def _every_framing(wire: bytes) -> Iterator[bytes]:
    every = wire.split(b"\r\n")
    for at, line in enumerate(every):
        name = line.partition(b":")[0]
        for value in _FRAMING_VALUES.get(name.lower(), ()):
            changed = name + b": " + value
            yield b"\r\n".join((*every[:at], changed, *every[at + 1 :]))


def _every_byte(wire: bytes) -> Iterator[bytes]:
    every = wire.split(b"\r\n")
    for at, end in product(range(1, len(every)), LINE_ENDS):
        yield b"\r\n".join(every[:at]) + end + b"\r\n".join(every[at:])
    for at in range(len(wire)):
        yield wire[:at] + wire[at + 1 :]
        for byte in TELLING_BYTES:
            yield b"%b%c%b" % (wire[:at], byte, wire[at:])


@st.composite
def nearly(draw: DrawFn, wires: SearchStrategy[bytes]) -> bytes:
    """Return valid messages that something was done to, most of the time one thing."""
    wire = draw(wires)
    for _ in range(max(1, draw(st.integers(-2, 3)))):
        wire = draw(st.sampled_from(MUTATIONS))(draw, wire)
    return wire


pipelines = st.lists(requests(), min_size=1, max_size=3)
pipeline_wires = pipelines.map(lambda made: b"".join(one.wire for one in made))
nearly_requests = nearly(
    st.one_of(*[st.sampled_from(USUAL_REQUESTS)] * 3, pipeline_wires)
)


def nearly_responses(method: bytes) -> SearchStrategy[bytes]:
    """Return what is nearly a valid response to `method`."""
    usual = st.sampled_from(USUAL_RESPONSES)
    drawn = responses(method).map(lambda made: made.wire)
    return nearly(st.one_of(usual, usual, drawn))


nearly_chunks = nearly(
    st.one_of(st.just(_CHUNKS), chunks.map(lambda body: body.wire)).map(
        lambda wire: b"HEAD\r\n\r\n" + wire
    )
).map(lambda wire: wire.partition(b"\r\n\r\n")[2])
"""Nearly valid chunks, without a head."""
