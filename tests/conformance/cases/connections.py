"""Connections: which are kept, which end, and what half an end means."""

import re
from dataclasses import replace

from tests.conformance.case import (
    ANY,
    CLOSED,
    GET,
    OK,
    OPEN,
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
    UPSTREAM_GOT_CONTENT,
    UPSTREAM_GOT_REQUEST,
    UPSTREAM_LEFT,
    Script,
    Sleep,
    Slowly,
    Step,
    client_got,
    client_responses,
    upstream_requests,
)

ONE, TWO, THREE = (request(target=b"/" + name) for name in (b"1", b"2", b"3"))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"

SAYS_CLOSE = re.compile(rb"(?i)connection:\s*close")
SAYS_KEEP = re.compile(rb"(?i)connection:\s*keep-alive")

# What a client says of its connection, and whether that ends with the answer.
KEPT: dict[str, tuple[bytes, ...]] = {
    "unsaid": (),
    "keep-alive": (b"Connection: keep-alive",),
    "keep-alive-in-other-case": (b"CONNECTION: Keep-Alive",),
    "another-option": (b"Connection: X-Foo", b"X-Foo: 1"),
    "an-option-like-close": (b"Connection: x-close, closed",),
    "nothing": (b"Connection: ",),
    "proxy-connection": (b"Proxy-Connection: close",),
    "keep-alive-field": (b"Keep-Alive: timeout=1, max=1",),
}
ENDED: dict[str, tuple[bytes, ...]] = {
    "close": (b"Connection: close",),
    "close-in-other-case": (b"connection: CLOSE",),
    "close-among-others": (b"Connection: X-Foo, close",),
    "close-first": (b"Connection: close, X-Foo",),
    "close-and-keep-alive": (b"Connection: keep-alive, close",),
    "close-in-a-second-line": (b"Connection: keep-alive", b"Connection: close"),
    "close-spaced": (b"Connection:\t close \t",),
    "close-among-empty-ones": (b"Connection: ,,close,",),
}
ENDED_1_0: dict[str, tuple[bytes, ...]] = {
    "unsaid": (),
    "close": (b"Connection: close",),
    "another-option": (b"Connection: X-Foo",),
    "keep-alive-and-close": (b"Connection: keep-alive, close",),
    "proxy-connection": (b"Proxy-Connection: keep-alive",),
    "keep-alive-field": (b"Keep-Alive: timeout=9",),
}
KEPT_1_0: dict[str, tuple[bytes, ...]] = {
    "keep-alive": (b"Connection: keep-alive",),
    "keep-alive-in-other-case": (b"connection: Keep-Alive",),
    "keep-alive-among-others": (b"Connection: X-Foo, keep-alive",),
}

METHODS = (b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS")

# What the upstream says of its own connection is nothing to the client.
UPSTREAM_SAYS = {
    "close": b"Connection: close",
    "close-in-other-case": b"connection: Close",
    "close-among-others": b"Connection: X-Foo, close",
    "keep-alive": b"Connection: keep-alive",
    "proxy-connection": b"Proxy-Connection: close",
}

NO_REQUESTS: dict[str, bytes] = {
    "nothing": b"",
    "blank-line": b"\r\n",
    "part-of-a-line": b"GET / HT",
    "a-line": b"GET / HTTP/1.1\r\n",
    "all-but-one-byte": GET[:-1],
}

HALF_UPLOADS = {
    "length": request(b"POST", b"/a", b"Content-Length: 9") + b"one",
    "chunks": request(b"POST", b"/a", b"Transfer-Encoding: chunked") + b"3\r\none\r\n",
    "bit-of-a-chunk": request(b"POST", b"/a", b"Transfer-Encoding: chunked")
    + b"9\r\none",
}


def _kept(
    id: str, fields: tuple[bytes, ...], kept: bool, version: bytes = b"HTTP/1.1"
) -> Case:
    says: re.Pattern[bytes] | None = None
    if not kept and version == b"HTTP/1.1":
        says = SAYS_CLOSE
    elif kept and version == b"HTTP/1.0":
        says = SAYS_KEEP
    return relayed(
        id,
        "A connection is kept or ended as the client says, and it is told which."
        if says
        else "A connection is kept or ended as the client says.",
        "RFC 9112, 9.3" if kept else "RFC 9112, 9.6",
        OK,
        send=request(b"GET", b"/a", *fields, version=version),
        fields=(says,) if says else (),
        content=b"fine",
        after=OPEN if kept else CLOSED,
    )


def _half_closed(
    id: str, send: tuple[Step, ...], answer: Script, content: bytes
) -> Case:
    return relayed(
        id,
        "A client that has only stopped sending gets its answer.",
        "RFC 9112, 9.6",
        answer,
        send=(*send, SHUT_WR),
        status=200,
        content=content,
        after=CLOSED,
    )


CASES: list[Case] = [
    *(_kept(f"client-says-{name}", fields, True) for name, fields in KEPT.items()),
    *(_kept(f"client-says-{name}", fields, False) for name, fields in ENDED.items()),
    *(
        _kept(f"client-of-1.0-says-{name}", fields, False, b"HTTP/1.0")
        for name, fields in ENDED_1_0.items()
    ),
    *(
        _kept(f"client-of-1.0-says-{name}", fields, True, b"HTTP/1.0")
        for name, fields in KEPT_1_0.items()
    ),
    *(
        relayed(
            f"kept-after-{method.decode().lower()}",
            "A connection is kept whatever the method is.",
            "RFC 9112, 9.3",
            response(b"200 OK", b"Content-Length: 0"),
            send=request(
                method, content=b"once" if method in (b"POST", b"PUT") else b""
            ),
            status=200,
            after=OPEN,
        )
        for method in METHODS
    ),
    *(
        relayed(
            f"kept-after-status-{status[:3].decode()}",
            "A connection is kept whatever the status is.",
            "RFC 9112, 9.3",
            response(status),
            status=int(status[:3]),
            after=OPEN,
        )
        for status in (
            *(b"204 No Content", b"304 Not Modified", b"400 Bad Request"),
            *(b"408 Request Timeout", b"413 Content Too Large", b"500 Oh No"),
        )
    ),
    *(
        relayed(
            f"upstream-says-{name}",
            "What the upstream says of its connection does not end the client's.",
            "RFC 9110, 7.6.1",
            response(b"200 OK", line, content=b"fine"),
            only=(b"Content-Length: 4",),
            content=b"fine",
            after=OPEN,
        )
        for name, line in UPSTREAM_SAYS.items()
    ),
    relayed(
        "upstream-closes-after-answer",
        "An upstream that closes after its answer ends no client's connection.",
        "RFC 9112, 9.6",
        (response(b"200 OK", b"Connection: close", content=b"fine"), CLOSE),
        send=(GET, UPSTREAM_LEFT),
        content=b"fine",
        after=OPEN,
    ),
    relayed(
        "upstream-closes-unsaid",
        "An upstream that closes after its answer ends no client's connection.",
        "RFC 9112, 9.5",
        (CHUNKED, CLOSE),
        send=(GET, UPSTREAM_LEFT),
        content=b"fine",
        after=OPEN,
    ),
    Case(
        "upstream-says-close-and-is-left",
        "After an answer that says close, the connection is closed by us as well.",
        "RFC 9112, 9.6",
        GET,
        (Expect(got=(Response(200, content=b"fine"),), upstream_left=True),),
        answers=(response(b"200 OK", b"Connection: close", content=b"fine"),),
    ),
    Case(
        "kept-for-many",
        "A connection carries many requests, one after the other.",
        "RFC 9112, 9.3",
        tuple(
            step
            for number in range(20)
            for step in (request(target=b"/%d" % number), client_responses(number + 1))
        ),
        (
            Expect(
                got=tuple(Response(200, content=b"<%d>" % one) for one in range(20)),
                reached=tuple(
                    Request(line=b"GET /%d HTTP/1.1" % one) for one in range(20)
                ),
                after=OPEN,
            ),
        ),
        answers=tuple(response(content=b"<%d>" % one) for one in range(20)),
    ),
    Case(
        "kept-across-framings",
        "What ends one answer does not touch the next one.",
        "RFC 9112, 6.3",
        tuple(
            step
            for number, asked in enumerate((ONE, request(b"HEAD"), TWO, GET, THREE))
            for step in (asked, client_responses(number + 1))
        ),
        (
            Expect(
                got=(
                    Response(200, content=b"fine"),
                    Response(200, content=b""),
                    Response(204, content=b""),
                    Response(200, content=b""),
                    Response(200, content=b"fine"),
                ),
                after=OPEN,
            ),
        ),
        answers=(
            CHUNKED,
            response(b"200 OK", b"Content-Length: 99"),
            response(b"204 No Content"),
            response(b"200 OK"),
            OK,
        ),
    ),
    Case(
        "kept-after-a-refusal-of-ours",
        "A request that is refused for what it asks does not end the connection.",
        "RFC 9112, 9.3",
        request(b"TRACE"),
        (
            Expect(got=(Response(405),), reached=(), after=OPEN),
            Expect(got=(Response(405),), reached=(), after=CLOSED),
        ),
    ),
    Case(
        "one-upstream-connection-for-two-clients",
        "Clients do not get into each other's answers on one upstream connection.",
        "RFC 9112, 9.3",
        (
            upstream_requests(1),
            TWO,
            client_responses(1),
            THREE,
        ),
        (
            Expect(
                got=(Response(200, content=b"two"), Response(200, content=b"three")),
                after=OPEN,
            ),
        ),
        answers=(
            response(content=b"one"),
            response(content=b"two"),
            response(content=b"three"),
        ),
        others=(ONE,),
    ),
    _half_closed("client-half-closed", (GET,), OK, b"fine"),
    _half_closed("client-half-closed-chunks", (GET,), CHUNKED, b"fine"),
    _half_closed("client-half-closed-slow-answer", (GET,), (Sleep(0.3), OK), b"fine"),
    _half_closed("client-half-closed-slower-answer", (GET,), (Sleep(1.6), OK), b"fine"),
    _half_closed(
        "client-half-closed-slow-content",
        (GET,),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            Slowly(b"0123456789", seconds=0.05),
        ),
        b"0123456789",
    ),
    _half_closed(
        "client-half-closed-until-close",
        (GET,),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", CLOSE),
        b"until the end",
    ),
    _half_closed(
        "client-half-closed-after-content",
        (request(b"POST", content=b"once"),),
        OK,
        b"fine",
    ),
    _half_closed(
        "client-half-closed-in-time", (GET, UPSTREAM_GOT_REQUEST), OK, b"fine"
    ),
    _half_closed(
        "client-half-closed-large",
        (GET,),
        response(content=b"0123456789abcdef" * 60_000),
        b"0123456789abcdef" * 60_000,
    ),
    _half_closed(
        "client-half-closed-of-1.0", (request(version=b"HTTP/1.0"),), OK, b"fine"
    ),
    replace(
        _half_closed("client-half-closed-in-the-answer", (GET,), OK, b"fine"),
        send=(GET, client_got(b"first"), SHUT_WR),
        expect=(
            Expect(
                got=(Response(200, content=b"first last"),),
                reached=(Request(),),
                after=CLOSED,
            ),
        ),
        answers=(
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst",
                client_got(b"first"),
                Sleep(0.1),
                b" last",
            ),
        ),
    ),
    Case(
        "client-half-closed-pipelined",
        "All that was asked before half an end is answered.",
        "RFC 9112, 9.6",
        (ONE + TWO + THREE, SHUT_WR),
        (
            Expect(
                got=tuple(Response(200, content=name) for name in (b"1", b"2", b"3")),
                after=CLOSED,
            ),
        ),
        answers=tuple(
            (Sleep(0.05), response(content=name)) for name in (b"1", b"2", b"3")
        ),
    ),
    *(
        Case(
            f"client-ends-before-a-request-{name}",
            "What ends before it is a request reaches nobody.",
            "RFC 9112, 8",
            (data, SHUT_WR),
            (
                Expect(got=(), reached=(), after=CLOSED),
                Expect(got=(Response(400),), reached=(), after=CLOSED),
            ),
        )
        for name, data in NO_REQUESTS.items()
    ),
    *(
        Case(
            f"client-ends-between-requests-{name}",
            "What ends before it is a request reaches nobody.",
            "RFC 9112, 8",
            (ONE, client_responses(1), data, SHUT_WR),
            (
                Expect(got=(Response(200),), reached=(Request(),), after=CLOSED),
                Expect(
                    got=(Response(200), Response(400)),
                    reached=(Request(),),
                    after=CLOSED,
                ),
            ),
        )
        for name, data in NO_REQUESTS.items()
        if name in ("nothing", "a-line")
    ),
    *(
        Case(
            f"client-ends-in-the-content-{name}",
            "Content that breaks off does not arrive as a whole one, and is told so.",
            "RFC 9112, 8",
            (upload, UPSTREAM_GOT_CONTENT, SHUT_WR),
            (
                Expect(
                    got=(Response(400),),
                    reached=(Request(content=b"one", complete=False),),
                    after=CLOSED,
                    upstream_left=True,
                ),
            ),
        )
        for name, upload in HALF_UPLOADS.items()
    ),
    *(
        Case(
            f"client-ends-in-the-content-at-once-{name}",
            "Content that breaks off does not arrive as a whole one, and is told so.",
            "RFC 9112, 8",
            (upload, SHUT_WR),
            (
                Expect(got=(Response(400),), reached=(), after=CLOSED),
                Expect(
                    got=(Response(400),),
                    reached=(Request(complete=False),),
                    after=CLOSED,
                ),
            ),
        )
        for name, upload in HALF_UPLOADS.items()
    ),
    Case(
        "slow-client-harms-nobody",
        "A client that sends its head slowly does not hold up another.",
        "RFC 9112, 9.8",
        (Slowly(GET, size=8, seconds=0.002), upstream_requests(1)),
        (Expect(got=(Response(200),), after=OPEN),),
        others=((GET[:-2],),),
    ),
    Case(
        "many-slow-clients-harm-nobody",
        "Clients that trickle their heads do not hold up another.",
        "RFC 9112, 9.8",
        (Sleep(0.05), GET, client_responses(1)),
        (Expect(got=(Response(200, content=b"fine"),), after=OPEN),),
        others=((Slowly(GET[:-1], seconds=0.05),),) * 30,
    ),
    Case(
        "many-idle-clients-harm-nobody",
        "Clients that send nothing do not hold up another.",
        "RFC 9112, 9.8",
        (Sleep(0.05), GET, client_responses(1)),
        (Expect(got=(Response(200, content=b"fine"),), after=OPEN),),
        others=((Sleep(5.0),),) * 30,
    ),
    Case(
        "many-clients-at-once",
        "Clients are served at the same time.",
        "RFC 9112, 9.4",
        (request(target=b"/last"), client_responses(1)),
        (Expect(got=(Response(200, content=b"fine"),), deliveries=(25,), after=ANY),),
        answers=((upstream_requests(25), OK),) * 25,
        others=(GET,) * 24,
    ),
    Case(
        "request-in-two-pieces-after-another",
        "The rest of a segment is the beginning of the next request.",
        "RFC 9112, 2.2",
        (ONE + TWO[:7], client_responses(1), TWO[7:]),
        (
            Expect(
                got=(Response(200), Response(200)),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=OPEN,
            ),
        ),
    ),
    Case(
        "blank-lines-between-requests",
        "Blank lines before a request are left out.",
        "RFC 9112, 2.2",
        (ONE, client_responses(1), b"\r\n\r\n" + TWO),
        (
            Expect(
                got=(Response(200), Response(200)),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=OPEN,
            ),
        ),
    ),
]
