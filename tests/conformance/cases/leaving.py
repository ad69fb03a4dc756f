"""Clients that leave: what they asked for is not gone on with."""

from collections.abc import Iterator
from dataclasses import replace

from tests.conformance.case import (
    GET,
    OK,
    POST,
    Case,
    Expect,
    Request,
    Response,
    request,
)
from tests.conformance.steps import (
    CLIENT_LEFT,
    CLOSE,
    RESET,
    UPSTREAM_GOT_CONTENT,
    UPSTREAM_GOT_HEAD,
    UPSTREAM_GOT_REQUEST,
    Script,
    Step,
    client_got,
)

SECTION = "RFC 9112, 9.6"
RULE = "A client that leaves ends the request to the upstream."

BEGUN = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
    "until-close": b"HTTP/1.1 200 OK\r\n\r\nfirst",
    "events": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst",
}
WAITING = {
    "get": GET,
    "head": request(b"HEAD"),
    "post": POST,
    "delete": request(b"DELETE"),
    "1.0": request(version=b"HTTP/1.0"),
}
UPLOADS = {
    "length": request(b"POST", b"/a", b"Content-Length: 9") + b"one",
    "chunks": request(b"POST", b"/a", b"Transfer-Encoding: chunked") + b"3\r\none\r\n",
    "bit-of-a-chunk": request(b"PUT", b"/a", b"Transfer-Encoding: chunked")
    + b"9\r\none",
    "last-chunk-without-end": request(b"PUT", b"/a", b"Transfer-Encoding: chunked")
    + b"3\r\none\r\n0\r\n",
}


def _leaves(id: str, send: tuple[Step, ...], answer: Script, wanted: Request) -> Case:
    expect = Expect(reached=(wanted,), upstream_left=True)
    return Case(id, RULE, SECTION, send, (expect,), (answer,))


def _all() -> Iterator[Case]:
    for end in (CLOSE, RESET):
        how = end.name.lower()
        for name, begun in BEGUN.items():
            yield _leaves(
                f"client-leaves-answer-{name}-{how}",
                (GET, client_got(b"first"), end),
                begun,
                Request(),
            )
        for name, asked in WAITING.items():
            yield _leaves(
                f"client-leaves-waiting-{name}-{how}",
                (asked, UPSTREAM_GOT_REQUEST, end),
                (),
                Request(),
            )
        for name, upload in UPLOADS.items():
            yield replace(
                _leaves(
                    f"client-leaves-upload-{name}-{how}",
                    (upload, UPSTREAM_GOT_CONTENT, end),
                    (),
                    Request(content=b"one", complete=False),
                ),
                rule="An upload that breaks off does not arrive as a whole one.",
            )


CASES: list[Case] = [
    Case(
        "client-leaves",
        RULE,
        SECTION,
        (GET, UPSTREAM_GOT_HEAD, CLOSE),
        (Expect(reached=(Request(),), upstream_left=True),),
        answers=((),),
    ),
    *_all(),
    Case(
        "client-leaves-large-answer",
        RULE,
        SECTION,
        (GET, client_got(b"first"), CLOSE),
        (Expect(reached=(Request(),), upstream_left=True),),
        answers=(
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\nfirst",
                CLIENT_LEFT,
                b"x" * 30_000_000,
            ),
        ),
    ),
    Case(
        "client-leaves-pipelined",
        "What a client that left had asked for beyond is not asked for any more.",
        SECTION,
        (request(target=b"/1") + request(b"POST", b"/2"), UPSTREAM_GOT_REQUEST, CLOSE),
        (Expect(reached=(Request(line=b"GET /1 HTTP/1.1"),), upstream_left=True),),
        answers=((),),
    ),
    Case(
        "client-leaves-others-stay",
        "A client that leaves ends nobody else's request.",
        SECTION,
        (
            UPSTREAM_GOT_REQUEST,
            request(target=b"/2"),
        ),
        (Expect(got=(Response(200, content=b"fine"),), upstream_left=True),),
        answers=((), OK),
        others=((request(target=b"/1"), UPSTREAM_GOT_REQUEST, CLOSE),),
    ),
]
