"""Interim responses, and the answers to Expect."""

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
    AT_HEAD,
    CLIENT_GOT_INTERIM,
    CLIENT_GOT_RESPONSE,
    CLOSE,
    UPSTREAM_GOT_HEAD,
    Script,
    Sleep,
    Slowly,
    client_got,
    client_responses,
    upstream_got,
)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
MORE_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.js>\r\nlink: </b.js>\r\n\r\n"
UNKNOWN = b"HTTP/1.1 199 Odd\r\nX: 1\r\n\r\n"

HINTS = Response(line=b"HTTP/1.1 103 Early Hints", only=(b"Link: </style.css>",))
MORE = Response(103, only=(b"Link: </a.js>", b"link: </b.js>"))

EXPECTS = request(b"POST", b"/a", b"Expect: 100-continue", b"Content-Length: 4")
EXPECTS_CHUNKS = request(
    b"POST", b"/a", b"Expect: 100-continue", b"Transfer-Encoding: chunked"
)

SEQUENCES: dict[str, tuple[bytes, tuple[Response, ...]]] = {
    "100": (CONTINUE, (Response(100),)),
    "102": (PROCESSING, (Response(102),)),
    "103": (EARLY_HINTS, (HINTS,)),
    "103-twice": (EARLY_HINTS + MORE_HINTS, (HINTS, MORE)),
    "100-then-103": (CONTINUE + EARLY_HINTS, (Response(100), HINTS)),
    "102-several": (PROCESSING * 5, (Response(102),) * 5),
    "all": (
        CONTINUE + PROCESSING + EARLY_HINTS + UNKNOWN,
        (Response(100), Response(102), HINTS, Response(199)),
    ),
    "unknown": (UNKNOWN, (Response(line=b"HTTP/1.1 199 Odd", only=(b"X: 1",)),)),
    "without-reason": (
        b"HTTP/1.1 103 \r\nLink: <a>\r\n\r\n",
        (Response(line=b"HTTP/1.1 103 ", only=(b"Link: <a>",)),),
    ),
    "with-framing": (
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nContent-Length: 5\r\n\r\n",
        (Response(103, only=(b"Link: <a>",)),),
    ),
    "with-chunks-announced": (
        b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
        (Response(103, absent=(b"Transfer-Encoding",)),),
    ),
    "with-connection": (
        b"HTTP/1.1 103 Early Hints\r\nConnection: X-Foo\r\nX-Foo: 1\r\nX: 1\r\n\r\n",
        (Response(103, only=(b"X: 1",)),),
    ),
    "with-close": (
        b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n",
        (Response(103),),
    ),
    "with-proxy-status": (
        b"HTTP/1.1 103 Early Hints\r\nProxy-Status: telemed-proxy\r\n\r\n",
        (Response(103, absent=(b"Proxy-Status",)),),
    ),
}

METHODS = (b"HEAD", b"POST", b"OPTIONS", b"DELETE")

ENDS: dict[str, tuple[bytes, Response]] = {
    "204": (response(b"204 No Content"), Response(204, content=b"")),
    "304": (response(b"304 Not Modified"), Response(304, content=b"")),
    "404": (response(b"404 Not Found", content=b"no"), Response(404, content=b"no")),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
        Response(200, content=b"fine"),
    ),
}

FINALS = {
    "200": b"200 OK",
    "303": b"303 See Other",
    "402": b"402 Payment Required",
    "413": b"413 Content Too Large",
    "417": b"417 Expectation Failed",
    "500": b"500 Internal Server Error",
}


def _expects(
    id: str,
    rule: str,
    send: Script,
    answer: Script,
    *ways: Expect,
    section: str = "RFC 9110, 10.1.1",
) -> Case:
    return Case(id, rule, section, send, ways, (answer,))


CASES: list[Case] = [
    relayed(
        "early-hints",
        "Interim responses are relayed when they come.",
        "RFC 9110, 15.2",
        (EARLY_HINTS, CLIENT_GOT_INTERIM, OK),
        interim=(HINTS,),
    ),
    relayed(
        "early-hints-to-1.0",
        "An HTTP/1.0 client gets no interim response.",
        "RFC 9110, 15.2",
        EARLY_HINTS + OK,
        send=request(version=b"HTTP/1.0"),
        interim=(),
        content=b"fine",
        after=CLOSED,
    ),
    *(
        relayed(
            f"interim-{name}",
            "Interim responses are relayed, each as it came and in order.",
            "RFC 9110, 15.2",
            before + OK,
            interim=interim,
            content=b"fine",
        )
        for name, (before, interim) in SEQUENCES.items()
    ),
    *(
        relayed(
            f"interim-{name}-to-1.0",
            "An HTTP/1.0 client gets no interim response.",
            "RFC 9110, 15.2",
            before + OK,
            send=request(b"GET", b"/a", b"Connection: keep-alive", version=b"HTTP/1.0"),
            interim=(),
            content=b"fine",
            after=ANY,
        )
        for name, (before, _) in SEQUENCES.items()
        if name in ("100", "102", "103-twice", "unknown")
    ),
    *(
        relayed(
            f"interim-to-{method.decode().lower()}",
            "Interim responses are relayed whatever the method is.",
            "RFC 9110, 15.2",
            EARLY_HINTS + OK[: -len(b"fine")] + b"fine" * (method != b"HEAD"),
            send=request(method, content=b"once" if method == b"POST" else b""),
            status=200,
            interim=(HINTS,),
        )
        for method in METHODS
    ),
    *(
        replace(
            relayed(
                f"interim-before-{name}",
                "Interim responses say nothing about the final one.",
                "RFC 9110, 15.2",
                EARLY_HINTS + final,
            ),
            expect=(Expect(got=(replace(wanted, interim=(HINTS,)),), after=OPEN),),
        )
        for name, (final, wanted) in ENDS.items()
    ),
    relayed(
        "interim-split-anywhere",
        "However interim responses are cut into segments, they are the same.",
        "RFC 9112, 2.2",
        (Slowly(CONTINUE + EARLY_HINTS + OK),),
        interim=(Response(100), HINTS),
        content=b"fine",
    ),
    relayed(
        "interim-each-when-it-comes",
        "An interim response is relayed before the next one comes.",
        "RFC 9110, 15.2",
        (
            EARLY_HINTS,
            client_got(b"/style.css"),
            MORE_HINTS,
            client_got(b"/b.js"),
            OK,
        ),
        interim=(HINTS, MORE),
        content=b"fine",
    ),
    Case(
        "interim-pipelined",
        "Interim responses belong to the next final one.",
        "RFC 9112, 9.3.2",
        request(target=b"/1") + request(target=b"/2") + request(target=b"/3"),
        (
            Expect(
                got=(
                    Response(200, content=b"1", interim=()),
                    Response(200, content=b"2", interim=(HINTS,)),
                    Response(200, content=b"3", interim=(Response(102),)),
                ),
                after=OPEN,
            ),
        ),
        answers=(
            response(content=b"1"),
            EARLY_HINTS + response(content=b"2"),
            PROCESSING + response(content=b"3"),
        ),
    ),
    Case(
        "interim-then-nothing",
        "An interim response is no answer.",
        "RFC 9110, 15.2",
        GET,
        (
            Expect(got=(Response(502, interim=(HINTS,)),)),
            Expect(got=(), after=CLOSED),
        ),
        answers=((EARLY_HINTS, CLOSE),) * 3,
    ),
    Case(
        "interim-endless",
        "Interim responses without end are ended.",
        "RFC 9110, 5.4",
        GET,
        (
            Expect(got=(Response(frozenset({502, 504})),)),
            Expect(got=(), after=CLOSED),
        ),
        answers=(b"HTTP/1.1 103 Early Hints\r\nX: %b\r\n\r\n" % (b"y" * 4000) * 300,),
        profile="short",
    ),
    Case(
        "interim-does-not-stop-the-clock",
        "The time for the head of the answer is for the final one.",
        "the contract, config",
        GET,
        (Expect(got=(Response(504),)),),
        answers=((Slowly(PROCESSING * 30, size=len(PROCESSING), seconds=0.1), OK),),
        profile="short",
    ),
    _expects(
        "expect-then-content",
        "Content that waits for 100 is sent on after it.",
        (EXPECTS, CLIENT_GOT_INTERIM, b"once"),
        (AT_HEAD, CONTINUE, upstream_got(b"once"), OK),
        Expect(
            got=(Response(200, content=b"fine", interim=(Response(100),)),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    _expects(
        "expect-then-chunks",
        "Content in chunks waits for 100 as well.",
        (EXPECTS_CHUNKS, CLIENT_GOT_INTERIM, b"4\r\nonce\r\n0\r\n\r\n"),
        (AT_HEAD, CONTINUE, upstream_got(b"once"), OK),
        Expect(
            got=(Response(200, content=b"fine", interim=(Response(100),)),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    _expects(
        "expect-in-another-case",
        "The expectation has no case.",
        (
            request(b"PUT", b"/a", b"expect: 100-Continue", b"Content-Length: 4"),
            CLIENT_GOT_INTERIM,
            b"once",
        ),
        (AT_HEAD, CONTINUE, upstream_got(b"once"), OK),
        Expect(
            got=(Response(200, content=b"fine", interim=(Response(100),)),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    _expects(
        "expect-with-hints",
        "Other interim responses may come before and after 100.",
        (EXPECTS, client_got(b"100 Continue"), b"once"),
        (AT_HEAD, EARLY_HINTS + CONTINUE, upstream_got(b"once"), PROCESSING + OK),
        Expect(
            got=(Response(200, interim=(HINTS, Response(100), Response(102))),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    _expects(
        "expect-not-waited-for",
        "A client need not wait for 100.",
        EXPECTS + b"once",
        OK,
        Expect(
            got=(Response(200, content=b"fine"),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    _expects(
        "expect-not-answered",
        "A client that is not told to go on may do so after a while.",
        (EXPECTS, UPSTREAM_GOT_HEAD, Sleep(0.1), b"once"),
        OK,
        Expect(
            got=(Response(200, content=b"fine"),),
            reached=(Request(content=b"once"),),
            after=OPEN,
        ),
    ),
    *(
        _expects(
            f"expect-decided-{name}",
            "A final status instead of 100 is relayed, and no content is asked for.",
            (EXPECTS, CLIENT_GOT_RESPONSE),
            (AT_HEAD, response(status, content=b"done")),
            Expect(
                got=(
                    Response(line=b"HTTP/1.1 " + status, content=b"done", interim=()),
                ),
                reached=(Request(content=b"", complete=False),),
            ),
        )
        for name, status in FINALS.items()
    ),
    _expects(
        "expect-decided-to-chunks",
        "A final status instead of 100 is relayed, and no content is asked for.",
        (EXPECTS_CHUNKS, CLIENT_GOT_RESPONSE),
        (AT_HEAD, response(b"413 Content Too Large", content=b"done")),
        Expect(
            got=(Response(413, content=b"done", interim=()),),
            reached=(Request(content=b"", complete=False),),
        ),
    ),
    _expects(
        "expect-decided-and-closed",
        "An upstream that decides may close at once.",
        (EXPECTS, CLIENT_GOT_RESPONSE),
        (
            AT_HEAD,
            response(b"413 Content Too Large", b"Connection: close", content=b"done"),
            CLOSE,
        ),
        Expect(
            got=(Response(413, content=b"done", interim=()),),
            reached=(Request(content=b"", complete=False),),
        ),
    ),
    _expects(
        "expect-decided-content-in-vain",
        "Content after a final status is no request.",
        (EXPECTS, CLIENT_GOT_RESPONSE, GET[:4]),
        (AT_HEAD, response(b"413 Content Too Large", content=b"done")),
        Expect(
            got=(Response(413, content=b"done"),),
            reached=(Request(complete=False),),
            after=CLOSED,
        ),
        Expect(
            got=(Response(413, content=b"done"),),
            reached=(Request(complete=True, content=GET[:4]),),
        ),
    ),
    _expects(
        "expect-of-1.0",
        "What HTTP/1.0 expects is ignored: it would not know the answer.",
        request(
            b"POST",
            b"/a",
            b"Expect: 100-continue",
            content=b"once",
            version=b"HTTP/1.0",
        ),
        OK,
        Expect(
            got=(Response(200, content=b"fine", interim=()),),
            reached=(Request(absent=(b"Expect",), content=b"once"),),
            after=CLOSED,
        ),
    ),
    _expects(
        "expect-without-content",
        "Nothing is waited for where there is no content.",
        request(b"GET", b"/a", b"Expect: 100-continue"),
        OK,
        Expect(got=(Response(200, content=b"fine"),), reached=(Request(),), after=OPEN),
    ),
    Case(
        "expect-to-head-then-get",
        "100 before the answer to HEAD does not take its place.",
        "RFC 9110, 15.2",
        (
            request(b"HEAD", b"/1", b"Expect: 100-continue"),
            client_responses(1),
            request(target=b"/2"),
        ),
        (
            Expect(
                got=(
                    Response(200, content=b"", fields=(b"Content-Length: 99",)),
                    Response(200, content=b"fine"),
                ),
                after=OPEN,
            ),
        ),
        answers=(CONTINUE + response(b"200 OK", b"Content-Length: 99"), OK),
    ),
    _expects(
        "expect-then-nothing",
        "An upstream that closes instead of saying 100 is a 502.",
        (EXPECTS, CLIENT_GOT_RESPONSE),
        (AT_HEAD, CLOSE),
        Expect(got=(Response(502, interim=()),), reached=(Request(complete=False),)),
        section="RFC 9110, 15.6.3",
    ),
]
