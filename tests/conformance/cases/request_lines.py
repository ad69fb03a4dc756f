"""The request line: method, version, and what stands around and between them."""

import re

from tests.conformance.case import (
    ANY,
    CLIENT_ERROR,
    CLOSED,
    FRAMING_ERROR,
    OPEN,
    VERSION_ERROR,
    Case,
    Expect,
    Request,
    Response,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT, or_refused
from tests.conformance.steps import SHUT_WR, Script, Slowly

HEAD = b"\r\nHost: proxy.test\r\n\r\n"
REFUSED = frozenset({400, 501})
ALLOW = re.compile(rb"Allow: [A-Z, ]+")

METHODS = (
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"PROPFIND",
    b"REPORT",
    b"MKCOL",
    b"PURGE",
    b"QUERY",
    b"M-SEARCH",
    b"VERSION-CONTROL",
    b"FROBNICATE",
    b"X",
)

OTHER_METHODS = {
    "lower-case": b"get",
    "mixed-case": b"Get",
    "post-in-lower-case": b"post",
    "every-sign": b"!#$%&'*+-.^_`|~09AZaz",
}

TUNNELS = {
    "connect": b"CONNECT proxy.test:443",
    "connect-elsewhere": b"CONNECT elsewhere.test:443",
    "connect-path": b"CONNECT /a",
    "connect-lower-case": b"connect proxy.test:443",
}

# A TRACE would come back with the token in it; TRACK is what IIS calls it.
ECHOES = {
    "trace": b"TRACE /a",
    "trace-lower-case": b"trace /a",
    "trace-absolute": b"TRACE http://proxy.test/a",
    "track": b"TRACK /a",
}

BAD_METHODS = {
    "empty": b"",
    "quoted": b'"GET"',
    "comma": b"GET,",
    "colon": b"GET:",
    "slash": b"GET/1",
    "parenthesis": b"G(T",
    "bracket": b"G[T",
    "brace": b"G{T",
    "equals": b"G=T",
    "at": b"G@T",
    "backslash": b"G\\T",
    "latin-1": b"G\xcbT",
    "utf-8": "GÉT".encode(),
    "byte-order-mark": b"\xef\xbb\xbfGET",
    "nul": b"GET\0",
    "nul-before": b"\0GET",
    "backspace": b"GE\x08T",
    "vertical-tab": b"GET\x0b",
    "form-feed": b"\x0cGET",
    "delete": b"GET\x7f",
}

SERVED_VERSIONS = (b"1.2", b"1.9")

BAD_VERSIONS = {
    "0.9": b"HTTP/0.9",
    "2.0": b"HTTP/2.0",
    "2": b"HTTP/2",
    "3.0": b"HTTP/3.0",
    "9.9": b"HTTP/9.9",
    "10.1": b"HTTP/10.1",
    "1.10": b"HTTP/1.10",
    "1.01": b"HTTP/1.01",
    "01.1": b"HTTP/01.1",
    "1.1.1": b"HTTP/1.1.1",
    "without-minor": b"HTTP/1",
    "without-minor-digit": b"HTTP/1.",
    "without-major-digit": b"HTTP/.1",
    "without-number": b"HTTP/",
    "without-slash": b"HTTP1.1",
    "comma": b"HTTP/1,1",
    "signed": b"HTTP/+1.1",
    "negative": b"HTTP/-1.1",
    "letter": b"HTTP/1.x",
    "suffix": b"HTTP/1.1x",
    "prefix": b"xHTTP/1.1",
    "fullwidth-digit": "HTTP/1.１".encode(),
    "superscript": b"HTTP/1.\xb9",
    "lower-case": b"http/1.1",
    "mixed-case": b"Http/1.1",
    "another-name": b"HTTPS/1.1",
    "icy": b"ICY/1.1",
    "rtsp": b"RTSP/1.0",
    "backslash": b"HTTP\\1.1",
    "space-before-slash": b"HTTP /1.1",
    "space-after-slash": b"HTTP/ 1.1",
    "space-inside": b"HTTP/1. 1",
    "nul": b"HTTP/1.1\0",
    "vertical-tab": b"HTTP/1.1\x0b",
    "delete": b"HTTP/1.1\x7f",
}

BAD_SPACES = {
    "two-after-method": b"GET  /a HTTP/1.1",
    "two-before-version": b"GET /a  HTTP/1.1",
    "before-method": b" GET /a HTTP/1.1",
    "after-version": b"GET /a HTTP/1.1 ",
    "tab-after-version": b"GET /a HTTP/1.1\t",
    "tab-before-method": b"\tGET /a HTTP/1.1",
    "tab-after-method": b"GET\t/a HTTP/1.1",
    "tab-before-version": b"GET /a\tHTTP/1.1",
    "vertical-tab-after-method": b"GET\x0b/a HTTP/1.1",
    "form-feed-before-version": b"GET /a\x0cHTTP/1.1",
    "cr-after-method": b"GET\r/a HTTP/1.1",
    "cr-before-version": b"GET /a\rHTTP/1.1",
    "cr-at-end": b"GET /a HTTP/1.1\r",
    "lf-inside": b"GET /a\n HTTP/1.1",
    "crlf-inside": b"GET /a\r\n HTTP/1.1",
    "no-break-space-before-version": b"GET /a\xa0HTTP/1.1",
    "in-target": b"GET /a b HTTP/1.1",
    "before-second-version": b"GET /a HTTP/1.1 HTTP/1.1",
    "no-target": b"GET HTTP/1.1",
    "empty-target": b"GET  HTTP/1.1",
    "no-method": b"/a HTTP/1.1",
    "method-only": b"GET",
    "version-only": b"HTTP/1.1",
}

BAD_ENDS = {
    "lf": b"GET /a HTTP/1.1\nHost: proxy.test\r\n\r\n",
    "cr": b"GET /a HTTP/1.1\rHost: proxy.test\r\n\r\n",
    "lf-cr": b"GET /a HTTP/1.1\n\rHost: proxy.test\r\n\r\n",
    "lf-everywhere": b"GET /a HTTP/1.1\nHost: proxy.test\n\n",
    "cr-everywhere": b"GET /a HTTP/1.1\rHost: proxy.test\r\r",
    "field-lf": b"GET /a HTTP/1.1\r\nHost: proxy.test\n\r\n",
    "field-cr-cr-lf": b"GET /a HTTP/1.1\r\nHost: proxy.test\r\r\n\r\n",
    "empty-line-lf": b"GET /a HTTP/1.1\r\nHost: proxy.test\r\n\n",
    "empty-line-cr": b"GET /a HTTP/1.1\r\nHost: proxy.test\r\n\r\r\n",
}

BEFORE = {"one": b"\r\n", "three": b"\r\n\r\n\r\n"}

BAD_BEFORE = {
    "lf": b"\n",
    "cr": b"\r",
    "cr-cr-lf": b"\r\r\n",
    "lf-after-crlf": b"\r\n\n",
    "space": b" \r\n",
    "nul": b"\0",
    "vertical-tab": b"\x0b",
    "byte-order-mark": b"\xef\xbb\xbf",
    "field": b"X: 1\r\n",
}

# RFC 8446, 5.1: the first bytes of a ClientHello.
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))


def not_allowed(id: str, rule: str, section: str, line: bytes) -> Case:
    send = line + b" HTTP/1.1\r\nHost: proxy.test\r\n\r\n"
    expect = Expect(got=(Response(405, fields=(ALLOW,)),), reached=())
    return Case(id, rule, section, send, (expect,))


def no_request(id: str, rule: str, send: Script) -> Case:
    """Return a case of what is no HTTP/1.x, which may also be left without answer."""
    expect = (
        Expect(got=(Response(VERSION_ERROR),), reached=(), after=CLOSED),
        Expect(got=(), reached=(), after=CLOSED),
    )
    return Case(id, rule, "RFC 9112, 2.3", send, expect)


METHOD_CASES = [
    *(
        forwarded(
            f"method-{method.decode().lower()}",
            "Any method is forwarded.",
            "RFC 9110, 9.1",
            request(method),
            line=method + b" /a HTTP/1.1",
            only=(),
        )
        for method in METHODS
    ),
    *(
        forwarded(
            f"method-in-{name}",
            "A method is any token, in the case in which it came.",
            "RFC 9110, 9.1",
            request(method),
            line=method + b" /a HTTP/1.1",
            only=(),
        )
        for name, method in OTHER_METHODS.items()
    ),
    *(
        or_refused(
            not_allowed(
                f"method-{name}", "There are no tunnels here.", "RFC 9110, 9.3.6", line
            ),
            REFUSED,
            after=ANY,
        )
        for name, line in TUNNELS.items()
    ),
    *(
        not_allowed(
            f"method-{name}",
            "Nothing is answered with what the proxy sends, and so with its token.",
            "RFC 9110, 9.3.8",
            line,
        )
        for name, line in ECHOES.items()
    ),
    Case(
        "trace-shows-nothing",
        "A TRACE is not answered with what the proxy would have sent.",
        "RFC 9110, 9.3.8",
        request(b"TRACE", b"/a", b"X: shown", b"Max-Forwards: 0"),
        (
            Expect(
                got=(Response(405, content=re.compile(rb"((?!shown).)*", re.DOTALL)),),
                reached=(),
            ),
        ),
    ),
    Case(
        "connect-then-request",
        "After a refused CONNECT there is no tunnel.",
        "RFC 9110, 9.3.6",
        request(b"CONNECT", b"elsewhere.test:443") + NEXT,
        (
            Expect(
                got=(Response(405), Response(200)),
                reached=(Request(line=b"GET /next HTTP/1.1"),),
                after=OPEN,
            ),
            Expect(got=(Response(REFUSED | {405}),), reached=(), after=CLOSED),
        ),
    ),
    *(
        refused(
            f"method-with-{name}",
            "A method is a token.",
            "RFC 9112, 3.1",
            method + b" /a HTTP/1.1" + HEAD + NEXT,
            status=FRAMING_ERROR,
        )
        for name, method in BAD_METHODS.items()
    ),
]

VERSION_CASES = [
    forwarded(
        "version-1.0",
        "A request of HTTP/1.0 is forwarded as HTTP/1.1, and its connection ends.",
        "RFC 9110, 2.5",
        request(version=b"HTTP/1.0"),
        line=b"GET /a HTTP/1.1",
        only=(),
        after=CLOSED,
    ),
    forwarded(
        "version-1.0-keep-alive",
        "A client of HTTP/1.0 may ask for its connection to stay.",
        "RFC 9112, 9.3",
        request(b"GET", b"/a", b"Connection: keep-alive", version=b"HTTP/1.0"),
        line=b"GET /a HTTP/1.1",
        only=(),
    ),
    *(
        forwarded(
            f"version-{version.decode()}",
            "A higher minor version is served as the highest that is known.",
            "RFC 9110, 2.5",
            request(version=b"HTTP/" + version),
            line=b"GET /a HTTP/1.1",
        )
        for version in SERVED_VERSIONS
    ),
    *(
        refused(
            f"version-{name}",
            "The version is HTTP/1, a dot, and one digit.",
            "RFC 9112, 2.3",
            b"GET /a " + version + HEAD + NEXT,
            status=VERSION_ERROR,
        )
        for name, version in BAD_VERSIONS.items()
    ),
    refused(
        "http-2-preface",
        "The preface of HTTP/2 is no request.",
        "RFC 9113, 3.4",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        status=VERSION_ERROR,
    ),
    refused(
        "http-2-preface-and-settings",
        "The preface of HTTP/2 is no request.",
        "RFC 9113, 3.4",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        status=VERSION_ERROR,
    ),
    no_request("http-0.9", "A request of HTTP/0.9 is refused at once.", b"GET /a\r\n"),
    no_request(
        "http-0.9-and-empty-line",
        "A request of HTTP/0.9 is refused.",
        b"GET /a\r\n\r\n" + NEXT,
    ),
    no_request(
        "http-0.9-and-fields",
        "A request of HTTP/0.9 has no fields.",
        b"GET /a" + HEAD + NEXT,
    ),
    no_request(
        "http-0.9-half-closed",
        "A request of HTTP/0.9 is refused.",
        (b"GET /a\r\n", SHUT_WR),
    ),
    no_request("tls", "A TLS handshake is no request.", TLS),
]

LINE_CASES = [
    *(
        refused(
            f"request-line-space-{name}",
            "One space stands between method, target and version, and no other.",
            "RFC 9112, 3",
            line + HEAD + NEXT,
            status=VERSION_ERROR,
        )
        for name, line in BAD_SPACES.items()
    ),
    *(
        refused(
            f"line-end-{name}",
            "Lines end with CRLF, and CR and LF stand nowhere else.",
            "RFC 9112, 2.2",
            send + NEXT,
        )
        for name, send in BAD_ENDS.items()
    ),
    *(
        refused(
            f"line-end-{name}-byte-by-byte",
            "However a request is cut into segments, it is the same request.",
            "RFC 9112, 2.2",
            (Slowly(send + NEXT),),
        )
        for name, send in BAD_ENDS.items()
    ),
    *(
        forwarded(
            f"before-request-{name}",
            "Empty lines before a request line are ignored.",
            "RFC 9112, 2.2",
            lines + request(),
            line=b"GET /a HTTP/1.1",
        )
        for name, lines in BEFORE.items()
    ),
    forwarded(
        "before-request-in-pieces",
        "Empty lines before a request line are ignored.",
        "RFC 9112, 2.2",
        (Slowly(b"\r\n\r\n", seconds=0.01), request()),
        line=b"GET /a HTTP/1.1",
    ),
    *(
        refused(
            f"before-request-{name}",
            "Nothing but empty lines may stand before a request line.",
            "RFC 9112, 2.2",
            data + request() + NEXT,
        )
        for name, data in BAD_BEFORE.items()
    ),
    Case(
        "garbage-after-request",
        "What is no request ends the connection, after what came before it.",
        "RFC 9112, 2.2",
        request() + b"\x00\x01\x02\r\n\r\n" + NEXT,
        (
            Expect(
                got=(Response(200), Response(CLIENT_ERROR)),
                reached=(Request(line=b"GET /a HTTP/1.1"),),
                after=CLOSED,
            ),
        ),
    ),
]

CASES: list[Case] = [*METHOD_CASES, *VERSION_CASES, *LINE_CASES]
