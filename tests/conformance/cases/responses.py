"""Responses as they came: versions, fields, content and its codings."""

import gzip
import re
from dataclasses import dataclass

from tests.conformance.case import (
    ANY,
    CLOSED,
    GET,
    OK,
    OPEN,
    Bytes,
    Case,
    Expect,
    Request,
    Response,
    relayed,
    request,
    response,
)
from tests.conformance.steps import (
    CLOSE,
    SHUT_WR,
    Script,
    Slowly,
    When,
    client_responses,
)

HEAD = request(b"HEAD")
ONE, TWO = request(target=b"/1"), request(target=b"/2")
CHUNKED = b"Transfer-Encoding: chunked"
HTTP_10 = request(version=b"HTTP/1.0")

SECOND_CONNECTION = When("SECOND_CONNECTION", lambda ledger: len(ledger.upstream) > 1)
"""The subject has opened another connection to the upstream."""

GZIP = gzip.compress(b"content " * 500, mtime=0)
# No module of the standard library makes it; nobody on the way may read it either.
BROTLI = b"\x0b\x02\x80hello\x03"


@dataclass(frozen=True)
class Lines:
    """Field lines of a response, and what is to become of them."""

    rule: str
    section: str
    sent: tuple[bytes, ...]
    relayed: tuple[Bytes, ...] = ()
    """The same as `sent`, where nothing is said."""


FOUR = b"Content-Length: 4"
EARLY = (b"Content-Type:", b"Date:", b"Server:")


def _spaced(name: bytes, value: bytes) -> Bytes:
    """Match a field whatever white space there is around its value."""
    return re.compile(re.escape(name) + rb":[ \t]*" + re.escape(value) + rb"[ \t]*")


AS_SENT = "the contract, what a calling program sees"

FIELDS = {
    "case": Lines(
        "The case of field names is kept.",
        AS_SENT,
        (b"ETag: 1", b"x-request-ID: 2", b"WWW-authenticate: Negotiate", b"DNT: 1"),
    ),
    "order": Lines(
        "The order of fields is kept.",
        "RFC 9110, 5.3",
        (b"Z: 1", b"A: 2", b"M: 3", b"A: 4", b"Z: 5"),
    ),
    "repeats": Lines(
        "Repeated fields are kept apart, and empty ones among them.",
        "RFC 9110, 5.3",
        (b"Link: <a>", b"Link: <b>, <c>", b"Link:", b"link: <d>"),
        (b"Link: <a>", b"Link: <b>, <c>", _spaced(b"Link", b""), b"link: <d>"),
    ),
    "equal": Lines(
        "Equal fields are not made one.",
        "RFC 9110, 5.3",
        (b"X-Many: 1", b"X-Many: 1", b"X-Many: 1"),
    ),
    "cookies": Lines(
        "Each Set-Cookie keeps its line, whatever it holds.",
        "RFC 6265, 3",
        (
            b"Set-Cookie: a=1; Path=/; HttpOnly",
            b"Set-Cookie: b=2, 3; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
            b'set-cookie: c="quoted; text"; Secure; SameSite=None; Partitioned',
            b"Set-Cookie: a=1; Path=/x",
            b"Set-Cookie: =",
        ),
    ),
    "obs-text": Lines(
        "Bytes beyond ASCII in values are opaque.",
        "RFC 9110, 5.5",
        ("X-Name: Врач".encode(), b"X-Latin: \xe9\xff\x80", b"X-Mixed: a\xa0b"),
    ),
    "empty": Lines(
        "A field may be empty.",
        "RFC 9110, 5.5",
        (b"X-Empty: ", b"X-Bare:", b"X-End: 1"),
        (_spaced(b"X-Empty", b""), _spaced(b"X-Bare", b""), b"X-End: 1"),
    ),
    "spacing": Lines(
        "White space around a value is no part of it, and none is lost inside.",
        "RFC 9110, 5.5",
        (b"X-A:1", b"X-B:    2", b"X-C:\t3\t", b"X-D: 4   ", b"X-E: a  b\tc"),
        (
            _spaced(b"X-A", b"1"),
            _spaced(b"X-B", b"2"),
            _spaced(b"X-C", b"3"),
            _spaced(b"X-D", b"4"),
            b"X-E: a  b\tc",
        ),
    ),
    "odd-names": Lines(
        "A name may hold every character of a token.",
        "RFC 9110, 5.1",
        (b"X_Under: 1", b"1: 2", b"!#$%&'*+-.^_`|~: 3", b"X.Dot: 4"),
    ),
    "odd-values": Lines(
        "A value is not looked into.",
        "RFC 9110, 5.5",
        (b'X-Quote: "open', b"X-Colon: a:b: c", b"X-Marks: %0d%0a, ;=,", b"X-Bs: \\"),
    ),
    "date-and-server": Lines(
        "Date and Server are the upstream's.",
        "RFC 9110, 10.2.4",
        (b"Server: Kestrel/9 (x)", b"Date: Tue, 15 Nov 1994 08:12:31 GMT"),
    ),
    "odd-date": Lines(
        "A Date that nobody can read is none of our business.",
        AS_SENT,
        (b"Date: yesterday", b"Server: "),
        (b"Date: yesterday", _spaced(b"Server", b"")),
    ),
    "none": Lines(
        "No field is added: no Date, no Server, no Content-Type.",
        AS_SENT,
        (),
    ),
    "validators": Lines(
        "Validators are kept byte for byte.",
        "RFC 9110, 8.8",
        (b"Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT", b'ETag: W/"a,b"'),
    ),
    "caching": Lines(
        "What is for caches is kept, and nothing is added to it.",
        "RFC 9110, 7.6",
        (
            *(b"Age: 7", b"Cache-Control: no-store, private", b"Vary: *"),
            *(b"Expires: 0", b"Pragma: no-cache", b'Warning: 199 - "odd"'),
        ),
    ),
    "security": Lines(
        "What is for browsers is kept.",
        AS_SENT,
        (
            b"Strict-Transport-Security: max-age=1",
            b"Content-Security-Policy: default-src 'none'",
            b"Access-Control-Allow-Origin: *",
            b"X-Frame-Options: DENY",
        ),
    ),
    "media-type": Lines(
        "Content-Type is not completed or mended.",
        "RFC 9110, 8.3",
        (b'Content-Type: text/html;charset="Windows-1251"; x',),
    ),
    "disposition": Lines(
        "A file name is kept in every spelling.",
        "RFC 6266, 4",
        (
            'Content-Disposition: attachment; filename="справка.pdf"; '
            "filename*=UTF-8''%D1%81.pdf".encode(),
        ),
    ),
    "ranges": Lines(
        "Accept-Ranges and Content-Range are kept.",
        "RFC 9110, 14",
        (b"Accept-Ranges: bytes", b"Content-Range: bytes 0-3/10"),
    ),
    "challenges": Lines(
        "Several challenges stay as they are.",
        "RFC 9110, 11.6.1",
        (
            b'WWW-Authenticate: Basic realm="a", Digest realm="b"',
            b"WWW-Authenticate: Negotiate",
            b'Authentication-Info: nextnonce="1"',
        ),
    ),
    "long": Lines(
        "A long field is relayed.",
        "RFC 9110, 5.4",
        (b"X-Long: " + b"v" * 7000,),
    ),
    "many": Lines(
        "Many fields are relayed.",
        "RFC 9110, 5.4",
        tuple(b"X-%d: %d" % (number, number) for number in range(90)),
    ),
    "via": Lines(
        "Via of those before us is kept, and a field that is like it.",
        "RFC 9110, 7.6.3",
        (b"X-Via: 1.1 other", b"Forwarded: for=x", b"X-Forwarded-For: 1"),
    ),
    "server-timing": Lines(
        "What measures is kept, and nothing added to it.",
        AS_SENT,
        (b"Server-Timing: db;dur=53", b"Timing-Allow-Origin: *"),
    ),
    "status-of-a-gateway": Lines(
        "Proxy-Status of others is kept.",
        "RFC 9209, 2",
        (b"Proxy-Status: cdn.example; error=dns_timeout, other; received-status=200",),
    ),
    "old-kinds": Lines(
        "Fields that are no more in use are fields.",
        "RFC 9110, 5.1",
        (b"Content-MD5: Q2hlY2s=", b'P3P: CP="x"', b"Status: 200 OK", b"Refresh: 5"),
    ),
}

CODED = {
    "gzip": (b"gzip", GZIP),
    "br": (b"br", BROTLI),
    "deflate": (b"deflate", b"x\x9cK\x04\x00\x00b\x00b"),
    "several": (b"gzip, br", GZIP),
    "unknown": (b"x-odd", b"\x00\x01"),
    "not-what-it-says": (b"gzip", b"plain"),
    "identity": (b"identity", b"plain"),
}

NULLS = bytes(range(256)) * 4


def _fields(name: str, lines: Lines) -> Case:
    # Where nginx puts it: the place of Content-Length has a case of its own.
    early = any(line.startswith(EARLY) for line in lines.sent)
    before, after = ((), (FOUR,)) if early else ((FOUR,), ())
    return relayed(
        f"response-fields-{name}",
        lines.rule,
        lines.section,
        response(b"200 OK", *before, *lines.sent, *after, content=b"fine"),
        only=(*before, *(lines.relayed or lines.sent), *after),
        content=b"fine",
    )


def _then(
    id: str,
    rule: str,
    section: str,
    first: Script,
    *,
    method: bytes = b"GET",
    answer: Response,
    second: Script = (SECOND_CONNECTION, OK),
) -> Case:
    """Return a case of two requests in turn; the upstream's connection is not reused.

    Where it would be, the second answer would not come.
    """
    return Case(
        id,
        rule,
        section,
        (request(method, b"/1"), client_responses(1), TWO),
        (
            Expect(
                got=(answer, Response(200, content=b"fine")),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=OPEN,
            ),
        ),
        answers=(first, second),
    )


CASES: list[Case] = [
    relayed(
        "response-as-it-came",
        "The status line and the fields are relayed as they came.",
        "RFC 9110, 7.6",
        response(b"299 Odd \xe9", b"sErVer: x", b"X: 1", b"x: 2", content=b"\x00\xff"),
        line=b"HTTP/1.1 299 Odd \xe9",
        only=(b"sErVer: x", b"X: 1", b"x: 2", b"Content-Length: 2"),
        content=b"\x00\xff",
    ),
    *(_fields(name, lines) for name, lines in FIELDS.items()),
    relayed(
        "response-fields-split-anywhere",
        "However a response is cut into segments, it is the same response.",
        "RFC 9112, 2.2",
        (Slowly(response(b"200 OK", FOUR, b"X-One: 1", b"x-two: 2", content=b"four")),),
        only=(FOUR, b"X-One: 1", b"x-two: 2"),
        content=b"four",
    ),
    relayed(
        "response-length-in-its-place",
        "Content-Length keeps its place and its case.",
        AS_SENT,
        b"HTTP/1.1 200 OK\r\nA: 1\r\ncontent-LENGTH: 4\r\nB: 2\r\n\r\nfine",
        only=(b"A: 1", b"content-LENGTH: 4", b"B: 2"),
        content=b"fine",
    ),
    relayed(
        "response-length-with-zeros",
        "Content-Length may begin with zeros.",
        "RFC 9110, 8.6",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0004\r\n\r\nfine",
        content=b"fine",
    ),
    relayed(
        "response-length-spaced",
        "White space around Content-Length is no part of it.",
        "RFC 9110, 5.5",
        b"HTTP/1.1 200 OK\r\nContent-Length:\t 4 \t\r\n\r\nfine",
        content=b"fine",
    ),
    relayed(
        "response-empty",
        "A response may have no content.",
        "RFC 9112, 6.3",
        response(b"200 OK", b"Content-Type: text/plain"),
        only=(b"Content-Type: text/plain", b"Content-Length: 0"),
        content=b"",
    ),
    relayed(
        "response-bytes",
        "Content is bytes, whatever they are.",
        "RFC 9110, 6.4",
        response(content=NULLS),
        content=NULLS,
    ),
    relayed(
        "response-like-a-response",
        "Content that looks like a message is content.",
        "RFC 9112, 6.3",
        response(content=OK + b"0\r\n\r\n" + OK),
        content=OK + b"0\r\n\r\n" + OK,
    ),
    *(
        relayed(
            f"coding-{name}",
            "Content is relayed in the coding that it came in, with its length.",
            "RFC 9110, 8.4",
            response(
                b"200 OK",
                b"Content-Length: %d" % len(content),
                b"Content-Encoding: " + coding,
                content=content,
            ),
            only=(
                b"Content-Length: %d" % len(content),
                b"Content-Encoding: " + coding,
            ),
            content=content,
        )
        for name, (coding, content) in CODED.items()
    ),
    relayed(
        "coding-gzip-chunked",
        "Content is not decoded to be sent in chunks.",
        "RFC 9110, 8.4",
        response(
            b"200 OK",
            b"Content-Encoding: gzip",
            CHUNKED,
            content=b"%x\r\n%s\r\n0\r\n\r\n" % (len(GZIP), GZIP),
        ),
        only=(b"Content-Encoding: gzip",),
        content=GZIP,
    ),
    relayed(
        "coding-gzip-head",
        "HEAD tells of the coding and the length in it.",
        "RFC 9110, 9.3.2",
        response(b"200 OK", b"Content-Length: 77", b"Content-Encoding: gzip"),
        send=HEAD,
        only=(b"Content-Length: 77", b"Content-Encoding: gzip"),
    ),
    relayed(
        "coding-not-made",
        "Content is not compressed on the way.",
        "RFC 9110, 7.7",
        response(b"200 OK", b"Content-Type: text/plain", content=b"a" * 50_000),
        send=request(b"GET", b"/a", b"Accept-Encoding: gzip, br"),
        only=(b"Content-Type: text/plain", b"Content-Length: 50000"),
        content=b"a" * 50_000,
    ),
    relayed(
        "partial-content",
        "206 is relayed with its range.",
        "RFC 9110, 15.3.7",
        response(
            b"206 Partial Content",
            FOUR,
            b"Content-Range: bytes 2-5/10",
            content=b"2345",
        ),
        send=request(b"GET", b"/a", b"Range: bytes=2-5"),
        line=b"HTTP/1.1 206 Partial Content",
        only=(FOUR, b"Content-Range: bytes 2-5/10"),
        content=b"2345",
    ),
    relayed(
        "partial-content-several",
        "Several ranges are content of the type multipart.",
        "RFC 9110, 14.6",
        response(
            b"206 Partial Content",
            b"Content-Type: multipart/byteranges; boundary=b",
            content=b"--b\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--b--\r\n",
        ),
        send=request(b"GET", b"/a", b"Range: bytes=0-0,5-5"),
        content=b"--b\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--b--\r\n",
    ),
    relayed(
        "range-not-satisfiable",
        "416 says what there is.",
        "RFC 9110, 15.5.17",
        response(
            b"416 Range Not Satisfiable",
            b"Content-Length: 0",
            b"Content-Range: bytes */10",
        ),
        only=(b"Content-Length: 0", b"Content-Range: bytes */10"),
    ),
    relayed(
        "range-not-cut",
        "A range that the upstream ignored is not cut out here.",
        "RFC 9110, 14.2",
        response(content=b"0123456789"),
        send=request(b"GET", b"/a", b"Range: bytes=2-5"),
        status=200,
        content=b"0123456789",
    ),
    relayed(
        "retry-after",
        "What a status needs comes along with it.",
        "RFC 9110, 10.2.3",
        response(b"503 Service Unavailable", b"Content-Length: 0", b"Retry-After: 120"),
        only=(b"Content-Length: 0", b"Retry-After: 120"),
        absent=(b"Proxy-Status",),
    ),
    relayed(
        "head-keeps-length",
        "A response to HEAD has the length of what GET would get, and no content.",
        "RFC 9110, 9.3.2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
        send=HEAD,
        fields=(b"Content-Length: 1234",),
    ),
    relayed(
        "head-chunked",
        "A response to HEAD that announces chunks has none.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n",
        send=HEAD,
        only=(b"X: 1",),
        content=b"",
    ),
    relayed(
        "head-without-framing",
        "A response to HEAD may say nothing of a length, and is given none.",
        "RFC 9110, 8.6",
        b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n",
        send=HEAD,
        only=(b"X: 1",),
        content=b"",
    ),
    relayed(
        "head-large-length",
        "A length to HEAD is only told.",
        "RFC 9110, 9.3.2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        send=HEAD,
        only=(b"Content-Length: 99999999999",),
    ),
    relayed(
        "head-1.0",
        "HEAD in HTTP/1.0 ends with its head.",
        "RFC 9112, 6.3",
        response(b"200 OK", b"Content-Length: 1234"),
        send=request(b"HEAD", version=b"HTTP/1.0"),
        fields=(b"Content-Length: 1234",),
        content=b"",
        after=CLOSED,
    ),
    *(
        Case(
            f"head-then-get-{name}",
            "A response to HEAD ends with its head, and GET comes after it.",
            "RFC 9112, 6.3",
            (request(b"HEAD", b"/1"), client_responses(1), TWO),
            (Expect(got=(Response(200), Response(200, content=b"fine")), after=OPEN),),
            answers=(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n", OK),
        )
        for name, framing in {
            "length": b"Content-Length: 4\r\n",
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "without-framing": b"",
        }.items()
    ),
    _then(
        "head-with-content",
        "Content after a response to HEAD is not relayed, nor taken for an answer.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        method=b"HEAD",
        answer=Response(200, content=b""),
    ),
    relayed(
        "no-content",
        "204 has no content and no framing.",
        "RFC 9112, 6.3",
        response(b"204 No Content", b"X: 1"),
        line=b"HTTP/1.1 204 No Content",
        only=(b"X: 1",),
        absent=(b"Transfer-Encoding",),
    ),
    relayed(
        "no-content-with-length",
        "204 that announces a length ends with its head all the same.",
        "RFC 9110, 8.6",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX: 1\r\n\r\n",
        only=(b"X: 1",),
        content=b"",
    ),
    relayed(
        "no-content-chunked",
        "204 that announces chunks is relayed without.",
        "RFC 9112, 6.1",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n",
        only=(b"X: 1",),
        absent=(b"Transfer-Encoding",),
        content=b"",
    ),
    _then(
        "no-content-with-content",
        "Content after a 204 is not relayed, nor taken for an answer.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
        answer=Response(204, content=b""),
    ),
    relayed(
        "not-modified-keeps-length",
        "304 may announce a length, and has no content.",
        "RFC 9110, 15.4.5",
        response(b"304 Not Modified", b"Content-Length: 99", b'ETag: "a"'),
        only=(b"Content-Length: 99", b'ETag: "a"'),
    ),
    relayed(
        "not-modified-without-length",
        "304 without a length is given none.",
        "RFC 9110, 15.4.5",
        response(b"304 Not Modified", b'ETag: W/"a"', b"Vary: Accept"),
        send=request(b"GET", b"/a", b'If-None-Match: W/"a"'),
        only=(b'ETag: W/"a"', b"Vary: Accept"),
        content=b"",
    ),
    relayed(
        "not-modified-chunked",
        "304 that announces chunks has none.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n",
        only=(b"X: 1",),
        content=b"",
    ),
    _then(
        "not-modified-with-content",
        "Content after a 304 is not relayed, nor taken for an answer.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
        answer=Response(304, content=b""),
    ),
    relayed(
        "close-delimited",
        "Content that ends with the connection is relayed whole.",
        "RFC 9112, 6.3",
        (b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nuntil the end", CLOSE),
        content=b"until the end",
        after=ANY,
    ),
    *(
        relayed(
            f"close-delimited-{name}",
            "Content that ends with the connection is relayed whole.",
            "RFC 9112, 6.3",
            (b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + content, end),
            status=200,
            content=content,
            after=ANY,
        )
        for name, fields, content, end in (
            ("half-closed", b"X: 1\r\n", b"until the end", SHUT_WR),
            ("empty", b"X: 1\r\n", b"", CLOSE),
            ("said-so", b"Connection: close\r\n", b"until the end", CLOSE),
            ("large", b"X: 1\r\n", b"0123456789abcdef" * 20_000, CLOSE),
            ("like-chunks", b"X: 1\r\n", b"4\r\nfour\r\n0\r\n\r\n", CLOSE),
            ("blank-lines", b"X: 1\r\n", b"\r\n\r\n", CLOSE),
        )
    ),
    relayed(
        "close-delimited-to-1.0",
        "HTTP/1.0 knows no other end than the close.",
        "RFC 9112, 6.3",
        (b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nuntil the end", CLOSE),
        send=HTTP_10,
        content=b"until the end",
        framing="close",
        after=CLOSED,
    ),
    Case(
        "http-1.2-upstream",
        "A higher minor version is read as the highest known.",
        "RFC 9110, 2.5",
        GET,
        (
            Expect(
                got=(Response(line=b"HTTP/1.1 200 OK", content=b"fine"),), after=OPEN
            ),
            Expect(got=(Response(502),)),
        ),
        answers=(b"HTTP/1.2 200 OK\r\nContent-Length: 4\r\n\r\nfine",),
    ),
    relayed(
        "http-1.0-upstream",
        "Our version is ours, not the upstream's.",
        "RFC 9110, 6.2",
        (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\nX: 1\r\n\r\nfine", CLOSE),
        line=b"HTTP/1.1 200 OK",
        only=(FOUR, b"X: 1"),
        content=b"fine",
    ),
    relayed(
        "http-1.0-upstream-until-close",
        "Content of HTTP/1.0 ends with the connection.",
        "RFC 9112, 6.3",
        (b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\nuntil the end", CLOSE),
        line=b"HTTP/1.1 200 OK",
        only=(b"X: 1",),
        content=b"until the end",
        after=ANY,
    ),
    relayed(
        "http-1.0-upstream-keep-alive",
        "An upstream of HTTP/1.0 may keep its connection.",
        "RFC 9112, 9.3",
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n"
        b"Content-Length: 4\r\n\r\nfine",
        line=b"HTTP/1.1 200 OK",
        only=(b"Content-Length: 4",),
        absent=(b"Keep-Alive",),
        content=b"fine",
    ),
    _then(
        "http-1.0-upstream-not-reused",
        "A connection of HTTP/1.0 carries one exchange, unless it says otherwise.",
        "RFC 9112, 9.3",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine",
        answer=Response(200, content=b"fine"),
    ),
    relayed(
        "http-1.0-upstream-head",
        "HEAD of HTTP/1.0 has no content.",
        "RFC 9110, 9.3.2",
        (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n", CLOSE),
        send=HEAD,
        fields=(b"Content-Length: 4",),
        content=b"",
    ),
    _then(
        "second-answer-unasked",
        "An answer to nothing is nobody's.",
        "RFC 9112, 6.3",
        response(content=b"first") + response(content=b"evil"),
        answer=Response(200, content=b"first"),
    ),
    _then(
        "content-too-long",
        "What follows the end of a response is not relayed.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst and more",
        answer=Response(200, content=b"first"),
    ),
    _then(
        "content-after-last-chunk",
        "What follows the last chunk is not relayed.",
        "RFC 9112, 7.1",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nfirst\r\n0\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
        answer=Response(200, content=b"first"),
    ),
    _then(
        "content-of-nothing",
        "A length of nothing is followed by nothing.",
        "RFC 9112, 6.3",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nevil",
        answer=Response(200, content=b""),
    ),
]
