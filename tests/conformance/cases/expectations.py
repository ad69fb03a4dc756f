"""Expect: content that the client sends only when it is asked to."""

from tests.conformance.case import (
    ANY,
    CLOSED,
    FRAMING_ERROR,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    chunked,
    forwarded,
    refused,
    request,
    response,
)
from tests.conformance.refusals import NEXT, or_refused
from tests.conformance.steps import (
    AT_HEAD,
    CLIENT_GOT_INTERIM,
    CLIENT_GOT_RESPONSE,
    CLOSE,
    UPSTREAM_GOT_HEAD,
    UPSTREAM_SAW_END,
    Script,
    Sleep,
    upstream_got,
)

CHUNKED = b"Transfer-Encoding: chunked"
EXPECT = b"Expect: 100-continue"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

FOUR = request(b"POST", b"/a", EXPECT, b"Content-Length: 4")
IN_CHUNKS = request(b"POST", b"/a", EXPECT, CHUNKED)
HELD = request(b"POST", b"/a", EXPECT, b"Content-Length: %d" % len(NEXT))

ASKED: Script = (AT_HEAD, CONTINUE, upstream_got(b"four"), response(content=b"fine"))

EXPECTATION_FAILED = frozenset({417})
UNKNOWN = {
    "unknown": b"Expect: fancy",
    "with-value": b'Expect: 200-ok="a"',
    "list": b"Expect: 100-continue, fancy",
    "twice-in-list": b"Expect: 100-continue, 100-continue",
    "empty": b"Expect:",
    "suffix": b"Expect: 100-continued",
    "prefix": b"Expect: y 100-continue",
}


def asked_first(id: str, head: bytes, content: bytes) -> Case:
    """Return a case whose client sends `content` once it is asked to."""
    return Case(
        id,
        "A client that waits to be asked for its content is asked.",
        "RFC 9110, 10.1.1",
        (head, CLIENT_GOT_INTERIM, content),
        (
            Expect(
                got=(Response(200, interim=(Response(100),)),),
                reached=(Request(content=b"four"),),
                after=OPEN,
            ),
        ),
        answers=(ASKED,),
    )


CASES: list[Case] = [
    asked_first("continue-length", FOUR, b"four"),
    asked_first("continue-chunked", IN_CHUNKS, chunked(b"fo", b"ur")),
    asked_first(
        "continue-in-other-case",
        request(b"POST", b"/a", b"expect: 100-Continue", b"Content-Length: 4"),
        b"four",
    ),
    asked_first(
        "continue-named-by-connection",
        request(b"POST", b"/a", EXPECT, b"Connection: Expect", b"Content-Length: 4"),
        b"four",
    ),
    asked_first(
        "continue-in-put",
        request(b"PUT", b"/a", b"Expect:100-continue", b"Content-Length: 4"),
        b"four",
    ),
    *(
        Case(
            f"continue-refused-{status}",
            "A final answer comes instead of being asked for content.",
            "RFC 9110, 10.1.1",
            (HELD, CLIENT_GOT_RESPONSE),
            (
                Expect(
                    got=(Response(status, interim=()),),
                    reached=(Request(complete=None, content=b""),),
                    after=CLOSED,
                ),
                Expect(
                    got=(Response(status, interim=()),),
                    reached=(Request(complete=None, content=b""),),
                    after=ANY,
                ),
            ),
            answers=((AT_HEAD, response(reason, content=b"no")),),
        )
        for status, reason in (
            (417, b"417 Expectation Failed"),
            (413, b"413 Content Too Large"),
            (403, b"403 Forbidden"),
            (200, b"200 OK"),
        )
    ),
    *(
        Case(
            f"continue-refused-{status}-then-content",
            "Content that comes after a final answer is not read as a request.",
            "RFC 9112, 11.2",
            (HELD, CLIENT_GOT_RESPONSE, NEXT),
            (
                Expect(
                    got=(Response(status),),
                    reached=(Request(complete=None),),
                    after=CLOSED,
                ),
                Expect(got=(Response(status),), reached=(Request(content=NEXT),)),
            ),
            answers=((AT_HEAD, response(reason, content=b"no")),),
        )
        for status, reason in ((417, b"417 Expectation Failed"), (200, b"200 OK"))
    ),
    Case(
        "continue-refused-then-chunks",
        "Content that comes after a final answer is not read as a request.",
        "RFC 9112, 11.2",
        (IN_CHUNKS, CLIENT_GOT_RESPONSE, chunked(NEXT) + NEXT),
        (
            Expect(
                got=(Response(417),), reached=(Request(complete=None),), after=CLOSED
            ),
            Expect(
                got=(Response(417), Response(200)),
                reached=(Request(content=NEXT), Request(line=b"GET /next HTTP/1.1")),
                after=OPEN,
            ),
        ),
        answers=((AT_HEAD, response(b"417 Expectation Failed")),),
    ),
    forwarded(
        "continue-not-awaited",
        "A client need not wait to be asked.",
        "RFC 9110, 10.1.1",
        FOUR + b"four",
        content=b"four",
    ),
    forwarded(
        "continue-not-awaited-in-chunks",
        "A client need not wait to be asked.",
        "RFC 9110, 10.1.1",
        IN_CHUNKS + chunked(b"fo", b"ur"),
        answer=ASKED,
        content=b"four",
    ),
    forwarded(
        "continue-never-said",
        "A client that is not asked sends its content after a while.",
        "RFC 9110, 10.1.1",
        (FOUR, UPSTREAM_GOT_HEAD, Sleep(0.2), b"four"),
        content=b"four",
    ),
    Case(
        "continue-then-next",
        "The next request begins right after content that was asked for.",
        "RFC 9112, 9.3.2",
        (FOUR, CLIENT_GOT_INTERIM, b"four" + NEXT),
        (
            Expect(
                got=(Response(200), Response(200)),
                reached=(Request(content=b"four"), Request(only=())),
                after=OPEN,
            ),
        ),
        answers=(ASKED,),
    ),
    Case(
        "continue-in-1.0",
        "HTTP/1.0 knows no expectation, and no interim response.",
        "RFC 9110, 10.1.1",
        request(b"POST", b"/a", EXPECT, version=b"HTTP/1.0", content=b"four"),
        (
            Expect(
                got=(Response(200, interim=()),),
                reached=(Request(content=b"four"),),
                after=CLOSED,
            ),
        ),
        answers=(ASKED,),
    ),
    forwarded(
        "continue-in-1.0-not-expected",
        "An expectation in HTTP/1.0 is ignored.",
        "RFC 9110, 10.1.1",
        request(b"POST", b"/a", EXPECT, version=b"HTTP/1.0", content=b"four"),
        absent=(b"Expect",),
        content=b"four",
        after=CLOSED,
    ),
    or_refused(
        forwarded(
            "continue-without-content",
            "A request without content need not be continued.",
            "RFC 9110, 10.1.1",
            request(b"GET", b"/a", EXPECT),
            line=b"GET /a HTTP/1.1",
            content=b"",
        ),
        after=ANY,
    ),
    *(
        or_refused(
            forwarded(
                f"expect-{name}",
                "An expectation that is not known is passed on, or refused with 417.",
                "RFC 9110, 10.1.1",
                request(b"POST", b"/a", line, content=b"four"),
                fields=(line,),
                content=b"four",
            ),
            EXPECTATION_FAILED,
            after=ANY,
        )
        for name, line in UNKNOWN.items()
    ),
    *(
        refused(
            f"continue-{name}",
            "An expectation does not make a bad framing good.",
            "RFC 9112, 6.3",
            request(b"POST", b"/a", EXPECT, *lines) + NEXT,
            status=FRAMING_ERROR,
        )
        for name, lines in {
            "with-both-framings": (b"Content-Length: 4", CHUNKED),
            "with-two-lengths": (b"Content-Length: 4", b"Content-Length: 0"),
            "with-bad-length": (b"Content-Length: +4",),
            "with-unknown-coding": (b"Transfer-Encoding: xchunked",),
            "with-folded-coding": (b"Transfer-Encoding:\r\n chunked",),
        }.items()
    ),
    Case(
        "continue-cut",
        "A client that leaves before it is asked has not sent a whole request.",
        "RFC 9112, 8",
        (FOUR, UPSTREAM_GOT_HEAD, CLOSE, UPSTREAM_SAW_END),
        (Expect(reached=(Request(complete=False),), upstream_left=True),),
        answers=((),),
    ),
]
