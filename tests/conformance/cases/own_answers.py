"""Answers of our own: their shape, and what they mean for the connection."""

import re

from tests.conformance.case import (
    ANY,
    CLOSED,
    GET,
    OK,
    OPEN,
    POST,
    After,
    Bytes,
    Case,
    Expect,
    Request,
    Response,
    request,
    response,
)
from tests.conformance.steps import (
    AT_HEAD,
    CLOSE,
    RESET,
    Script,
    client_responses,
)

SECTION = "the contract, what a calling program sees"
JSON = b"Content-Type: application/json; charset=utf-8"
BIG = b"x" * 300_000


def _shape(type: bytes, value: bytes) -> re.Pattern[bytes]:
    """Match the upstream's own error shape, whatever the order of its members."""
    members = (
        (b"type", re.escape(type)),
        (b"value", value),
        (b"description", rb"[^\"]+"),
    )
    ahead = (
        rb'(?=.*"%b":\s*"%b")' % (re.escape(name), pattern) for name, pattern in members
    )
    return re.compile(rb"(?s)" + b"".join(ahead) + rb"\{.*\}\s*")


def _status(error: bytes) -> re.Pattern[bytes]:
    """Match a Proxy-Status of RFC 9209 that tells `error`."""
    return re.compile(
        rb'(?i:proxy-status): telemed-proxy; error=%b; details="[ -~]+"' % error
    )


def _own(
    id: str,
    rule: str,
    send: Script,
    *,
    status: int,
    type: bytes,
    value: bytes,
    error: bytes,
    answers: tuple[Script, ...] = (),
    reached: tuple[Request, ...] | None = (),
    after: After = ANY,
    profile: str = "default",
    fields: tuple[Bytes, ...] = (),
) -> Case:
    return Case(
        id,
        rule,
        SECTION,
        send,
        tuple(
            Expect(
                got=(
                    Response(
                        status,
                        fields=order,
                        content=_shape(type, value),
                        framing="length",
                    ),
                ),
                reached=reached,
                after=after,
            )
            # Fields of an answer have no order among them.
            for order in (
                (JSON, _status(error), *fields),
                (_status(error), JSON, *fields),
            )
        ),
        answers=answers,
        profile=profile,
    )


UNSENT = (Request(complete=None),)

CASES: list[Case] = [
    _own(
        "own-refused",
        "An upstream that refuses connections is told as such.",
        GET,
        status=502,
        type=b"upstream",
        value=b"refused",
        error=b"connection_refused",
        profile="unreachable",
    ),
    _own(
        "own-refused-post",
        "An upstream that refuses connections is told as such.",
        POST,
        status=502,
        type=b"upstream",
        value=b"refused",
        error=b"connection_refused",
        profile="unreachable",
    ),
    _own(
        "own-silent",
        "An upstream that does not answer is told as such.",
        GET,
        status=504,
        type=b"upstream",
        value=b"timeout",
        error=b"http_response_timeout",
        answers=((), OK),
        reached=UNSENT,
        after=OPEN,
        profile="short",
    ),
    _own(
        "own-silent-post",
        "An upstream that does not answer is told as such, and is asked once.",
        POST,
        status=504,
        type=b"upstream",
        value=b"timeout",
        error=b"http_response_timeout",
        answers=((), OK),
        reached=(Request(content=b"once"),),
        after=OPEN,
        profile="short",
    ),
    _own(
        "own-silent-in-the-head",
        "A head that does not end in time is as none.",
        GET,
        status=504,
        type=b"upstream",
        value=b"timeout",
        error=b"http_response_timeout",
        answers=(b"HTTP/1.1 200 OK\r\nX", OK),
        reached=UNSENT,
        profile="short",
    ),
    *(
        _own(
            f"own-incomplete-{name}",
            "An upstream that cuts its answer before its head is told as such.",
            GET,
            status=502,
            type=b"upstream",
            value=b"incomplete",
            error=b"http_response_incomplete",
            answers=(answer, OK),
            reached=UNSENT,
            after=OPEN,
        )
        for name, answer in {
            "closed": (CLOSE,),
            "reset": (RESET,),
            "closed-at-the-head": (AT_HEAD, CLOSE),
            "part-of-a-line": (b"HTTP/1.1 2", CLOSE),
            "part-of-a-head": (b"HTTP/1.1 200 OK\r\nX: 1\r\n", CLOSE),
            "after-interim": (b"HTTP/1.1 102 Processing\r\n\r\n", CLOSE),
        }.items()
    ),
    *(
        _own(
            f"own-garbage-{name}",
            "An upstream whose answer is none is told as such.",
            GET,
            status=502,
            type=b"upstream",
            value=rb"\w+",
            error=rb"http_[a-z_]+",
            answers=(answer, OK),
            reached=UNSENT,
            after=OPEN,
        )
        for name, answer in {
            "text": b"hello there\r\n\r\n",
            "lengths": response(b"200 OK", b"Content-Length: 1", b"Content-Length: 2"),
            "nul": response(b"200 OK", b"X: \0"),
            "switch": response(b"101 Switching Protocols", b"Upgrade: x"),
            "too-large": b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % BIG,
        }.items()
    ),
    _own(
        "own-loop",
        "A request that has been here is not sent round once more.",
        request(b"GET", b"/a", b"Via: 1.1 telemed-proxy"),
        status=508,
        type=b"upstream",
        value=b"loop",
        error=b"proxy_loop_detected",
        after=OPEN,
    ),
    _own(
        "own-host",
        "A request under a name that is not ours is refused.",
        request(host=b"elsewhere.test"),
        status=403,
        type=b"forbidden",
        value=rb"\w+",
        error=b"http_request_denied",
    ),
    _own(
        "own-origin",
        "A request of a page that may not call is refused.",
        request(b"GET", b"/a", b"Origin: http://elsewhere.test"),
        status=403,
        type=b"forbidden",
        value=rb"\w+",
        error=b"http_request_denied",
    ),
    _own(
        "own-malformed",
        "A request that is none is told so.",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        status=400,
        type=b"bad_argument",
        value=rb"\w+",
        error=b"http_request_error",
        after=CLOSED,
    ),
    _own(
        "own-ambiguous",
        "A request that could be read in two ways is told so.",
        request(b"POST", b"/", b"Content-Length: 1", b"Content-Length: 2") + b"ab",
        status=400,
        type=b"bad_argument",
        value=rb"\w+",
        error=b"http_request_error",
        after=CLOSED,
    ),
    _own(
        "own-target-too-long",
        "A target that is too long is told so.",
        request(target=b"/" + b"a" * 200_000),
        status=414,
        type=b"bad_argument",
        value=rb"\w+",
        error=b"http_request_error",
        after=CLOSED,
    ),
    _own(
        "own-fields-too-large",
        "Fields that are too large are told so.",
        request(b"GET", b"/", b"X: " + BIG),
        status=431,
        type=b"bad_argument",
        value=rb"\w+",
        error=b"http_request_error",
        after=CLOSED,
    ),
    *(
        _own(
            f"own-{method.decode().lower()}",
            "A method that is not served is told so, with those that are.",
            request(method, target),
            status=405,
            type=b"bad_argument",
            value=rb"\w+",
            error=rb"[a-z_]+",
            fields=(re.compile(rb"Allow: [A-Z, ]*GET[A-Z, ]*"),),
        )
        for method, target in ((b"TRACE", b"/a"), (b"CONNECT", b"proxy.test:443"))
    ),
    *(
        Case(
            f"own-to-head-{name}",
            "An answer of ours to HEAD has no content, but says what it would be.",
            "RFC 9110, 9.3.2",
            request(b"HEAD", b"/a", *fields),
            tuple(
                Expect(
                    got=(
                        Response(
                            status,
                            fields=(JSON, re.compile(rb"Content-Length: [1-9]\d+")),
                            content=b"",
                        ),
                    ),
                    after=after,
                )
                for after in ((OPEN,) if profile != "unreachable" else (ANY,))
            ),
            answers=answers,
            profile=profile,
        )
        for name, fields, status, answers, profile in (
            ("refused", (), 502, (), "unreachable"),
            ("silent", (), 504, ((), OK), "short"),
            ("incomplete", (), 502, ((CLOSE,), OK), "default"),
            ("loop", (b"Via: 1.1 telemed-proxy",), 508, (), "default"),
        )
    ),
    Case(
        "own-to-1.0",
        "An answer of ours ends a connection of HTTP/1.0.",
        "RFC 9112, 9.3",
        request(version=b"HTTP/1.0"),
        (Expect(got=(Response(502, fields=(JSON,), framing="length"),), after=CLOSED),),
        answers=((CLOSE,),),
    ),
    Case(
        "own-to-close",
        "An answer of ours ends a connection that was to be ended.",
        "RFC 9112, 9.6",
        request(b"GET", b"/a", b"Connection: close"),
        (
            Expect(
                got=(Response(502, fields=(re.compile(rb"(?i)connection:\s*close"),)),),
                after=CLOSED,
            ),
        ),
        answers=((CLOSE,),),
    ),
    Case(
        "own-before-content",
        "An answer of ours that did not wait for the content ends the connection.",
        "RFC 9112, 9.6",
        (
            request(b"POST", b"/a", b"Via: 1.1 telemed-proxy", b"Content-Length: 9")
            + b"one",
            client_responses(1),
        ),
        (
            Expect(
                got=(Response(508, fields=(re.compile(rb"(?i)connection:\s*close"),)),),
                reached=(),
                after=CLOSED,
            ),
        ),
    ),
    Case(
        "own-before-large-content",
        "An answer of ours is not lost to a client that goes on sending.",
        "RFC 9112, 9.6",
        request(b"POST", b"/a", b"Via: 1.1 telemed-proxy", content=BIG * 10),
        (
            Expect(got=(Response(508),), reached=(), after=CLOSED),
            Expect(got=(Response(508),), reached=(), after=OPEN),
        ),
    ),
    Case(
        "own-then-relayed",
        "After an answer of ours the upstream's come as before.",
        SECTION,
        (GET, client_responses(1), request(target=b"/2")),
        (
            Expect(
                got=(
                    Response(502, fields=(JSON,)),
                    Response(200, absent=(b"Proxy-Status",), content=b"fine"),
                ),
                after=OPEN,
            ),
        ),
        answers=((CLOSE,), OK),
    ),
    Case(
        "own-not-for-others",
        "An error of the upstream's own has no mark of ours.",
        SECTION,
        GET,
        (
            Expect(
                got=(
                    Response(
                        line=b"HTTP/1.1 504 Gateway Timeout",
                        only=(JSON, b"Content-Length: 2"),
                        absent=(b"Proxy-Status",),
                        content=b"{}",
                    ),
                ),
                reached=(Request(),),
                after=OPEN,
            ),
        ),
        answers=(response(b"504 Gateway Timeout", JSON, content=b"{}"),),
    ),
]
