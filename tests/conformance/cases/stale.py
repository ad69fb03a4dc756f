"""Upstream connections that end: what is sent again, and what never is.

A request that may have been acted on is sent again only if that does no harm; a paid
call never is. A connection that ended while it was idle carries nothing at all.
"""

from collections.abc import Iterator

from tests.conformance.case import (
    ANY,
    GET,
    OK,
    OPEN,
    POST,
    Case,
    Expect,
    Request,
    Response,
    request,
    response,
)
from tests.conformance.steps import (
    AT_HEAD,
    CLIENT_GOT_RESPONSE,
    CLOSE,
    RESET,
    SHUT_WR,
    UPSTREAM_LEFT,
    Script,
    Sleep,
    client_responses,
    upstream_requests,
)

FIRST = request(target=b"/first")
AGAIN = response(content=b"again")
ANSWERED = (Response(200), Response(200, content=b"again"))
REPEATED = "RFC 9110, 9.2.2"
RETRIED = "RFC 9112, 9.3.1"

IDEMPOTENT = (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS")
OTHERS = (b"POST", b"PATCH", b"X-BOOK")
WITH_CONTENT = (b"PUT", b"POST", b"PATCH", b"X-BOOK")

STRAY = {
    "answer": response(content=b"evil"),
    "timeout": b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "part-of-an-answer": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX:",
    "garbage": b"\0\1\2",
    "blank-line": b"\r\n",
}


def _second(method: bytes) -> bytes:
    content = b"once" if method in WITH_CONTENT else b""
    return request(method, b"/second", content=content)


def _whole(method: bytes) -> Request:
    return Request(
        line=method + b" /second HTTP/1.1",
        content=b"once" if method in WITH_CONTENT else b"",
    )


def _again(method: bytes) -> tuple[Response, ...]:
    content = b"" if method == b"HEAD" else b"again"
    return (Response(200), Response(200, content=content))


def _answer(method: bytes) -> bytes:
    return AGAIN[: -len(b"again")] if method == b"HEAD" else AGAIN


def _ended_while_idle() -> Iterator[Case]:
    for method in (*IDEMPOTENT, *OTHERS):
        for end in (CLOSE, RESET):
            yield Case(
                f"idle-{end.name.lower()}-{method.decode().lower()}",
                "A connection that ended while it was idle costs no request anything.",
                RETRIED,
                (FIRST, client_responses(1), UPSTREAM_LEFT, _second(method)),
                (
                    Expect(
                        got=_again(method),
                        reached=(Request(), _whole(method)),
                        after=OPEN,
                    ),
                ),
                answers=((OK, CLIENT_GOT_RESPONSE, end), _answer(method)),
            )


def _ended_on_arrival() -> Iterator[Case]:
    for method in IDEMPOTENT:
        for end in (CLOSE, RESET):
            for name, ending in (("head", (AT_HEAD, end)), ("request", (end,))):
                yield Case(
                    f"reused-{end.name.lower()}-at-{name}-{method.decode().lower()}",
                    "An idempotent request that meets the end of a kept connection is "
                    "sent again, whole.",
                    REPEATED,
                    (FIRST, client_responses(1), _second(method)),
                    (
                        Expect(
                            got=_again(method),
                            reached=(
                                Request(),
                                Request(complete=None),
                                _whole(method),
                            ),
                            after=OPEN,
                        ),
                    ),
                    answers=(OK, ending, _answer(method)),
                )
    for method in OTHERS:
        for end in (CLOSE, RESET):
            for name, ending in (("head", (AT_HEAD, end)), ("request", (end,))):
                yield Case(
                    f"reused-{end.name.lower()}-at-{name}-{method.decode().lower()}",
                    "A request that may not be repeated is delivered once, come what "
                    "may.",
                    REPEATED,
                    (FIRST, client_responses(1), _second(method)),
                    (
                        Expect(
                            got=(Response(200), Response(502)),
                            deliveries=(2,),
                            after=ANY,
                        ),
                    ),
                    answers=(OK, ending, AGAIN),
                )


def _ended_on_new() -> Iterator[Case]:
    for method in (*IDEMPOTENT, *OTHERS):
        for end in (CLOSE, RESET):
            yield Case(
                f"new-{end.name.lower()}-{method.decode().lower()}",
                "A fault on a new connection is no race: it is a 502, once.",
                RETRIED,
                _second(method),
                (Expect(got=(Response(502),), reached=(_whole(method),), after=OPEN),),
                answers=((end,), OK),
            )


def _twice(end: Script, name: str) -> Case:
    return Case(
        f"reused-then-new-{name}",
        "A request is sent again once, not until somebody takes it.",
        REPEATED,
        (FIRST, client_responses(1), GET),
        (Expect(got=(Response(200), Response(502)), deliveries=(3,)),),
        answers=(OK, end, end, OK, OK),
    )


CASES: list[Case] = [
    *_ended_while_idle(),
    *_ended_on_arrival(),
    *_ended_on_new(),
    _twice((CLOSE,), "close"),
    _twice((RESET,), "reset"),
    Case(
        "stale-connection-get",
        "A GET that meets a connection just reset is sent again.",
        REPEATED,
        (FIRST, client_responses(1), GET),
        (Expect(got=ANSWERED, deliveries=(2, 3), after=OPEN),),
        answers=(OK, (AT_HEAD, RESET), AGAIN),
    ),
    Case(
        "stale-connection-post",
        "A POST that may have arrived is never sent again.",
        REPEATED,
        (FIRST, client_responses(1), POST),
        (Expect(got=(Response(200), Response(502)), reached=(Request(), Request())),),
        answers=(OK, (RESET,), AGAIN),
    ),
    Case(
        "stale-connection-of-many",
        "Connections that ended together cost no request anything.",
        RETRIED,
        (
            upstream_requests(3),
            FIRST,
            client_responses(1),
            UPSTREAM_LEFT,
            Sleep(0.1),
            request(b"POST", b"/second", content=b"once"),
        ),
        (
            Expect(
                got=(Response(200), Response(200, content=b"again")),
                deliveries=(5,),
                after=OPEN,
            ),
        ),
        answers=(*((upstream_requests(4), OK, Sleep(0.05), CLOSE),) * 4, AGAIN),
        others=(GET,) * 3,
    ),
    Case(
        "idle-half-closed",
        "An upstream that has ended its side will not answer any more.",
        RETRIED,
        (FIRST, client_responses(1), Sleep(0.05), _second(b"POST")),
        (
            Expect(
                got=_again(b"POST"), reached=(Request(), _whole(b"POST")), after=OPEN
            ),
        ),
        answers=((OK, SHUT_WR), AGAIN),
    ),
    *(
        Case(
            f"idle-stray-{name}-{method.decode().lower()}",
            "What comes on an idle connection is no answer to a later request.",
            "RFC 9112, 9.2",
            (FIRST, client_responses(1), Sleep(0.1), _second(method)),
            (
                Expect(
                    got=_again(method),
                    reached=(Request(), _whole(method)),
                    after=OPEN,
                ),
            ),
            answers=((OK, CLIENT_GOT_RESPONSE, stray), _answer(method)),
        )
        for name, stray in STRAY.items()
        for method in (b"GET", b"POST")
    ),
    Case(
        "idle-stray-and-closed",
        "What an upstream says before it closes is no answer to a later request.",
        "RFC 9112, 9.2",
        (FIRST, client_responses(1), UPSTREAM_LEFT, _second(b"POST")),
        (
            Expect(
                got=_again(b"POST"), reached=(Request(), _whole(b"POST")), after=OPEN
            ),
        ),
        answers=((OK, CLIENT_GOT_RESPONSE, STRAY["timeout"], CLOSE), AGAIN),
    ),
    *(
        Case(
            f"reused-answer-begun-{method.decode().lower()}",
            "An answer that has begun is not asked for again.",
            REPEATED,
            (FIRST, client_responses(1), _second(method)),
            (
                Expect(got=(Response(200), Response(502)), deliveries=(2,)),
                *(
                    (Expect(got=_again(method), deliveries=(3,)),)
                    if method in IDEMPOTENT
                    else ()
                ),
            ),
            answers=(OK, (b"HTTP/1.1 200 OK\r\nX", CLOSE), AGAIN),
        )
        for method in (b"GET", b"PUT", b"POST")
    ),
    *(
        Case(
            f"reused-content-begun-{method.decode().lower()}",
            "An answer that breaks off is cut, not begun anew.",
            "RFC 9112, 8",
            (FIRST, client_responses(1), _second(method)),
            (
                Expect(
                    got=(Response(200), Response(200, complete=False)),
                    deliveries=(2,),
                ),
                Expect(got=(Response(200), Response(502)), deliveries=(2,)),
            ),
            answers=(
                OK,
                (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfive.", CLOSE),
                AGAIN,
            ),
        )
        for method in (b"GET", b"PUT", b"POST")
    ),
    Case(
        "reused-upload-not-complete",
        "Content that cannot be had again is not sent again in part.",
        REPEATED,
        (
            FIRST,
            client_responses(1),
            request(b"PUT", b"/second", b"Content-Length: 9") + b"one",
            upstream_requests(1),
            client_responses(2),
        ),
        (Expect(got=(Response(200), Response(502)), deliveries=(2, 3), after=ANY),),
        answers=(OK, (AT_HEAD, CLOSE), (AT_HEAD, CLOSE)),
    ),
    *(
        Case(
            f"closed-on-connect-{end.name.lower()}",
            "An upstream that takes connections and drops them is a 502.",
            "RFC 9110, 15.6.3",
            asked,
            (Expect(got=(Response(502),), deliveries=(0, 1)),),
            on_connect=((end,),),
        )
        for end, asked in ((CLOSE, GET), (RESET, POST))
    ),
    *(
        Case(
            f"greets-on-connect-{name}",
            "What an upstream says before it was asked is no answer.",
            "RFC 9112, 9.2",
            GET,
            (Expect(got=(Response(502),)),),
            on_connect=((banner,),),
            answers=((CLOSE,),) * 3,
        )
        for name, banner in {
            "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
            "nul": b"\0\0\0\0",
            "smtp": b"220 mail.test ESMTP\r\n",
        }.items()
    ),
]
