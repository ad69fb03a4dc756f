"""What of a response is for one connection only, and what is in our name."""

import re

from tests.conformance.case import (
    Bytes,
    Case,
    Expect,
    Request,
    Response,
    relayed,
    request,
    response,
)

HOP = "RFC 9110, 7.6.1"
OURS = "the contract, what a calling program sees"
# First, where nginx puts it: the order of fields has cases of its own.
FOUR = b"Content-Length: 4"

NAMED: dict[str, tuple[bytes, ...]] = {
    "one": (b"Connection: X-Foo", b"X-Foo: 1"),
    "named-after": (b"X-Foo: 1", b"Connection: X-Foo"),
    "other-case": (b"connection: x-FOO", b"X-Foo: 1"),
    "with-close": (b"Connection: close, X-Foo", b"X-Foo: 1"),
    "with-keep-alive": (b"Connection: keep-alive,X-Foo", b"X-Foo: 1"),
    "in-a-second-line": (b"Connection: keep-alive", b"Connection: X-Foo", b"X-Foo: 1"),
    "among-empty-ones": (b"Connection: ,, \t,X-Foo ,", b"X-Foo: 1"),
    "repeated": (b"Connection: X-Foo", b"X-Foo: 1", b"x-foo: 2"),
    "not-there": (b"Connection: X-Foo, X-Bar",),
}

HOPS = {
    "keep-alive": b"Keep-Alive: timeout=5, max=100",
    "proxy-authenticate": b'Proxy-Authenticate: Basic realm="a"',
    "proxy-authentication-info": b'Proxy-Authentication-Info: nextnonce="1"',
    "proxy-connection": b"Proxy-Connection: keep-alive",
    "te": b"TE: trailers",
    "upgrade": b"Upgrade: h2,h2c",
    "trailer": b"Trailer: X-Sum",
}
SECTIONS = {
    "proxy-authenticate": "RFC 9110, 11.7.1",
    "proxy-authentication-info": "RFC 9110, 11.7.3",
    "upgrade": "RFC 9110, 7.8",
    "trailer": OURS,
}

NEEDED = (
    *(b"Content-Type: text/plain", b"Content-Encoding: gzip", b"Location: /b"),
    *(b"Set-Cookie: a=1", b"Cache-Control: no-store", b"WWW-Authenticate: Basic"),
    *(b"Content-Range: bytes 0-3/9", b"Date: Tue, 15 Nov 1994 08:12:31 GMT"),
)

LIKE_OURS = b"Proxy-Status: telemed-proxy; error=connection_refused"

STATUS: dict[str, tuple[bytes, tuple[tuple[Bytes, ...], ...]]] = {
    "ours": (LIKE_OURS, ((),)),
    "ours-in-other-case": (b"proxy-status: Telemed-Proxy; error=dns_error", ((),)),
    "ours-quoted": (b'Proxy-Status: "telemed-proxy"; error=dns_error', ((),)),
    "ours-alone": (b"Proxy-Status: telemed-proxy", ((),)),
    "ours-second": (
        b"Proxy-Status: cdn.example, telemed-proxy; error=dns_error",
        ((), (re.compile(rb"Proxy-Status: cdn\.example"),)),
    ),
    "of-another": (
        b"Proxy-Status: cdn.example; error=dns_error",
        ((b"Proxy-Status: cdn.example; error=dns_error",),),
    ),
    "of-one-like-ours": (
        b"Proxy-Status: not-telemed-proxy; error=dns_error",
        ((b"Proxy-Status: not-telemed-proxy; error=dns_error",),),
    ),
    "that-tells-of-us": (
        b'Proxy-Status: cdn.example; details="asked telemed-proxy"',
        ((b'Proxy-Status: cdn.example; details="asked telemed-proxy"',),),
    ),
}


def _status(name: str, line: bytes, ways: tuple[tuple[Bytes, ...], ...]) -> Case:
    """Return a case whose answer keeps one of `ways` of its Proxy-Status."""
    return Case(
        f"answer-proxy-status-{name}",
        "Callers tell our answers by Proxy-Status: no relayed one names us.",
        OURS,
        request(),
        tuple(
            Expect(
                got=(
                    Response(
                        status=502,
                        only=(FOUR, b"X-A: 1", *kept, b"X-B: 2"),
                        content=b"fine",
                    ),
                ),
                reached=(Request(),),
            )
            for kept in ways
        ),
        answers=(
            response(
                b"502 Bad Gateway", FOUR, b"X-A: 1", line, b"X-B: 2", content=b"fine"
            ),
        ),
    )


CASES: list[Case] = [
    *(
        relayed(
            f"answer-connection-names-{name}",
            "What Connection names is for one connection only.",
            HOP,
            response(b"200 OK", FOUR, b"X-A: 1", *lines, b"X-B: 2", content=b"fine"),
            only=(FOUR, b"X-A: 1", b"X-B: 2"),
            absent=(b"X-Foo",),
            content=b"fine",
        )
        for name, lines in NAMED.items()
    ),
    *(
        relayed(
            f"answer-without-{name}",
            "Fields for one connection only are not relayed, even unnamed.",
            SECTIONS.get(name, HOP),
            response(b"200 OK", FOUR, b"X-A: 1", line, b"X-B: 2", content=b"fine"),
            only=(FOUR, b"X-A: 1", b"X-B: 2"),
            absent=(line.partition(b":")[0],),
            content=b"fine",
        )
        for name, line in HOPS.items()
    ),
    relayed(
        "answer-without-any-of-them",
        "Fields for one connection only are not relayed, however many.",
        HOP,
        response(
            b"200 OK",
            FOUR,
            b"X-A: 1",
            b"Connection: Keep-Alive, Upgrade",
            *HOPS.values(),
            content=b"fine",
        ),
        only=(FOUR, b"X-A: 1"),
        content=b"fine",
    ),
    *(
        relayed(
            f"answer-connection-cannot-take-{line.partition(b':')[0].decode().lower()}",
            "Connection cannot take away what the message needs.",
            HOP,
            response(
                b"200 OK",
                FOUR,
                b"Connection: " + line.partition(b":")[0].lower(),
                line,
                content=b"fine",
            ),
            fields=(line,),
            content=b"fine",
        )
        for line in NEEDED
    ),
    relayed(
        "answer-connection-cannot-take-content-length",
        "Connection cannot take away the end of the content.",
        HOP,
        response(b"200 OK", b"Connection: Content-Length", content=b"fine"),
        only=(b"Content-Length: 4",),
        content=b"fine",
        framing="length",
    ),
    relayed(
        "answer-connection-cannot-take-transfer-encoding",
        "Connection cannot take away the end of the content.",
        HOP,
        b"HTTP/1.1 200 OK\r\nConnection: Transfer-Encoding\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
        content=b"fine",
    ),
    relayed(
        "answer-of-407",
        "A challenge for a proxy is for us, who have no answer to it.",
        "RFC 9110, 11.7.1",
        response(
            b"407 Proxy Authentication Required",
            b"Proxy-Authenticate: Basic",
            content=b"who",
        ),
        status=407,
        only=(b"Content-Length: 3",),
        content=b"who",
    ),
    relayed(
        "answer-with-upgrade-offered",
        "An offer to upgrade is for one connection only.",
        "RFC 9110, 7.8",
        response(
            b"200 OK", b"Connection: Upgrade", b"Upgrade: h2c, foo/1", content=b"fine"
        ),
        only=(b"Content-Length: 4",),
        absent=(b"Upgrade",),
        content=b"fine",
    ),
    *(_status(name, line, ways) for name, (line, ways) in STATUS.items()),
]
