"""Pipelined requests: one answer for each, in order, and no further than the end."""

from tests.conformance.case import (
    ANY,
    CLOSED,
    OK,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    chunked,
    request,
    response,
)
from tests.conformance.steps import (
    CLOSE,
    Script,
    Sleep,
    Slowly,
    client_got,
    client_responses,
    upstream_requests,
)

SECTION = "RFC 9112, 9.3.2"
IN_ORDER = "Pipelined requests are answered in order."
NO_FURTHER = "What comes after the last request of a connection is ignored."

ONE, TWO, THREE = (request(target=b"/" + name) for name in (b"1", b"2", b"3"))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

MALFORMED = {
    "line": b"GET\r\n\r\n",
    "version": b"GET / HTTP/9\r\nHost: proxy.test\r\n\r\n",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "space-before-colon": request(b"GET", b"/", b"X : 1"),
    "both-framings": request(
        b"POST",
        b"/",
        b"Content-Length: 4",
        b"Transfer-Encoding: chunked",
        content=chunked(b"evil"),
    ),
    "bad-length": request(b"POST", b"/", b"Content-Length: x", content=b"evil"),
    "binary": b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    "bare-lf": b"GET / HTTP/1.1\nHost: proxy.test\n\n",
}


def _numbered(count: int, answer: bytes = b"<%d>") -> Case:
    return Case(
        f"pipelined-{count}",
        IN_ORDER,
        SECTION,
        b"".join(request(target=b"/%d" % number) for number in range(count)),
        (
            Expect(
                got=tuple(
                    Response(200, content=answer % number) for number in range(count)
                ),
                reached=tuple(
                    Request(line=b"GET /%d HTTP/1.1" % number)
                    for number in range(count)
                ),
                after=OPEN,
            ),
        ),
        answers=tuple(response(content=answer % number) for number in range(count)),
    )


def _three(
    id: str,
    answers: tuple[Script, ...],
    *,
    rule: str = IN_ORDER,
    send: Script = ONE + TWO + THREE,
) -> Case:
    """Return a case of three requests, answered with 1, 2 and 3."""
    names = (b"1", b"2", b"3")
    return Case(
        id,
        rule,
        SECTION,
        send,
        (
            Expect(
                got=tuple(Response(200, content=name) for name in names),
                after=OPEN,
            ),
        ),
        answers=answers,
    )


def _ends(id: str, first: bytes, rest: bytes = TWO) -> Case:
    """Return a case whose first request is the last one."""
    return Case(
        id,
        NO_FURTHER,
        "RFC 9112, 9.6",
        first + rest,
        (
            Expect(
                got=(Response(200, content=b"fine"),),
                reached=(Request(),),
                after=CLOSED,
            ),
        ),
    )


A1, A2, A3 = (response(content=name) for name in (b"1", b"2", b"3"))

CASES: list[Case] = [
    *(_numbered(count) for count in (2, 3, 10, 50)),
    _three("pipelined", (A1, A2, A3)),
    _three("pipelined-slow-first", ((Sleep(0.2), A1), A2, A3)),
    _three("pipelined-slow-second", (A1, (Sleep(0.2), A2), A3)),
    _three("pipelined-trickling-first", ((Slowly(A1, seconds=0.002),), A2, A3)),
    _three(
        "pipelined-chunks",
        tuple(CHUNKED + chunked(name) for name in (b"1", b"2", b"3")),
    ),
    _three(
        "pipelined-upstream-closes-each",
        tuple(
            (response(b"200 OK", b"Connection: close", content=name), CLOSE)
            for name in (b"1", b"2", b"3")
        ),
    ),
    _three(
        "pipelined-byte-by-byte",
        (A1, A2, A3),
        send=(Slowly(ONE + TWO + THREE),),
    ),
    _three(
        "pipelined-cut-in-a-head",
        (A1, A2, A3),
        send=(ONE + TWO[:9], client_responses(1), TWO[9:] + THREE[:2], THREE[2:]),
    ),
    _three(
        "pipelined-blank-lines-between",
        (A1, A2, A3),
        send=ONE + b"\r\n" + TWO + b"\r\n\r\n" + THREE,
    ),
    Case(
        "pipelined-with-content",
        "The content of each request is its own.",
        SECTION,
        request(b"POST", b"/1", content=b"first")
        + request(
            b"PUT",
            b"/2",
            b"Transfer-Encoding: chunked",
            content=chunked(b"sec", b"ond"),
        )
        + THREE
        + request(b"POST", b"/4", content=THREE),
        (
            Expect(
                got=(Response(200),) * 4,
                reached=(
                    Request(line=b"POST /1 HTTP/1.1", content=b"first"),
                    Request(line=b"PUT /2 HTTP/1.1", content=b"second"),
                    Request(line=b"GET /3 HTTP/1.1", content=b""),
                    Request(line=b"POST /4 HTTP/1.1", content=THREE),
                ),
                after=OPEN,
            ),
        ),
    ),
    Case(
        "pipelined-of-all-kinds",
        "Each answer ends where it does by its request and status.",
        "RFC 9112, 6.3",
        request(b"HEAD", b"/1")
        + TWO
        + THREE
        + request(b"HEAD", b"/4")
        + request(target=b"/5")
        + request(target=b"/6"),
        (
            Expect(
                got=(
                    Response(200, content=b"", fields=(b"Content-Length: 99",)),
                    Response(204, content=b""),
                    Response(200, content=b"three"),
                    Response(200, content=b""),
                    Response(304, content=b""),
                    Response(200, content=b"fine"),
                ),
                after=OPEN,
            ),
        ),
        answers=(
            response(b"200 OK", b"Content-Length: 99"),
            response(b"204 No Content"),
            CHUNKED + chunked(b"three"),
            CHUNKED,
            response(b"304 Not Modified", b"Content-Length: 99"),
            OK,
        ),
    ),
    Case(
        "pipelined-first-streams",
        "The answer before streams while others wait.",
        SECTION,
        (ONE + TWO, client_got(b"first"), client_responses(2)),
        (
            Expect(
                got=(Response(200, content=b"first last"), Response(200)),
                after=OPEN,
            ),
        ),
        answers=(
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst",
                client_got(b"first"),
                b" last",
            ),
            OK,
        ),
    ),
    Case(
        "pipelined-while-answering",
        "A request may come while the one before is answered.",
        SECTION,
        (ONE, client_got(b"first"), TWO, client_responses(2)),
        (
            Expect(
                got=(Response(200, content=b"first last"), Response(200)),
                after=OPEN,
            ),
        ),
        answers=(
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst",
                client_got(b"first"),
                Sleep(0.05),
                b" last",
            ),
            OK,
        ),
    ),
    Case(
        "pipelined-post-after-get",
        "What is not idempotent waits until what was before it is answered.",
        SECTION,
        ONE + request(b"POST", b"/2", content=b"once"),
        (
            Expect(
                got=(Response(200, content=b"1"), Response(200, content=b"2")),
                reached=(Request(), Request(line=b"POST /2 HTTP/1.1", content=b"once")),
                after=OPEN,
            ),
        ),
        answers=((Sleep(0.1), A1), A2),
    ),
    Case(
        "pipelined-large",
        "More than fits in any buffer is answered in order.",
        SECTION,
        b"".join(
            request(b"POST", b"/%d" % number, content=b"%d" % number * 60_000)
            for number in range(8)
        ),
        (
            Expect(
                got=tuple(Response(200) for _ in range(8)),
                reached=tuple(
                    Request(
                        line=b"POST /%d HTTP/1.1" % number,
                        content=b"%d" % number * 60_000,
                    )
                    for number in range(8)
                ),
                after=OPEN,
            ),
        ),
    ),
    _ends("pipelined-after-close", request(b"GET", b"/1", b"Connection: close")),
    _ends(
        "pipelined-after-close-with-content",
        request(b"POST", b"/1", b"Connection: close", content=b"once"),
    ),
    _ends("pipelined-after-1.0", request(version=b"HTTP/1.0")),
    _ends(
        "pipelined-garbage-after-close",
        request(b"GET", b"/1", b"Connection: close"),
        b"\0garbage\r\n\r\n",
    ),
    Case(
        "pipelined-to-the-close",
        "Those before the last request of a connection are answered.",
        "RFC 9112, 9.6",
        ONE + request(b"GET", b"/2", b"Connection: close") + THREE,
        (
            Expect(
                got=(Response(200, content=b"1"), Response(200, content=b"2")),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=CLOSED,
            ),
        ),
        answers=(A1, A2),
    ),
    Case(
        "pipelined-1.0-keep-alive",
        "A client of HTTP/1.0 that keeps its connection may ask once more.",
        "RFC 9112, 9.3",
        request(b"GET", b"/1", b"Connection: keep-alive", version=b"HTTP/1.0") + TWO,
        (
            Expect(
                got=(Response(200, content=b"1"), Response(200, content=b"2")),
                after=OPEN,
            ),
        ),
        answers=(A1, A2),
    ),
    Case(
        "pipelined-after-until-close",
        "An answer that ends with the connection is the last one.",
        "RFC 9112, 9.6",
        ONE + TWO,
        (
            Expect(
                got=(Response(200, content=b"end"),), reached=(Request(),), after=CLOSED
            ),
            # Or it was put in chunks, which end without a close.
            Expect(got=(Response(200, content=b"end"), Response(200)), after=ANY),
        ),
        answers=((b"HTTP/1.1 200 OK\r\n\r\nend", CLOSE), OK),
    ),
    *(
        Case(
            f"pipelined-malformed-{name}",
            "What is before a malformed request is answered, and nothing after it.",
            "RFC 9112, 9.6",
            ONE + data + THREE,
            (
                Expect(
                    got=(
                        Response(200, content=b"1"),
                        Response(frozenset({400, 501, 505})),
                    ),
                    reached=(Request(),),
                    after=CLOSED,
                ),
            ),
            answers=((Sleep(0.05), A1), OK),
        )
        for name, data in MALFORMED.items()
    ),
    Case(
        "pipelined-after-a-fault-of-the-upstream",
        "A request that was not answered does not keep the next one from it.",
        "RFC 9112, 9.3.2",
        request(b"POST", b"/1", content=b"once") + TWO,
        (
            Expect(
                got=(Response(502), Response(200, content=b"fine")),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=OPEN,
            ),
            Expect(got=(Response(502),), reached=(Request(),), after=CLOSED),
        ),
        answers=((CLOSE,), OK),
    ),
    Case(
        "pipelined-clients-do-not-mix",
        "Each client has the answers to its own requests.",
        SECTION,
        (upstream_requests(1), TWO + THREE),
        (
            Expect(
                got=(Response(200, content=b"2"), Response(200, content=b"3")),
                after=OPEN,
            ),
        ),
        answers=((Sleep(0.5), A1), A2, A3),
        others=(ONE,),
    ),
]
