"""Answers that break off in their content: never one that looks complete."""

from collections.abc import Iterator

from tests.conformance.case import (
    CLOSED,
    POST,
    Case,
    Expect,
    Request,
    Response,
    broken,
    relayed,
    request,
)
from tests.conformance.steps import (
    CLIENT_GOT_HEAD,
    CLIENT_GOT_RESPONSE,
    CLOSE,
    RESET,
    SHUT_WR,
    UPSTREAM_LEFT,
    End,
    Script,
    Slowly,
    When,
    client_got,
)

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\n"
FIRST = CHUNKED + b"5\r\nfive.\r\n"

RULE = "An answer that breaks off does not look complete."
SECTION = "RFC 9112, 8"

HTTP_10 = request(version=b"HTTP/1.0")
TE = request(b"GET", b"/a", b"TE: trailers", b"Connection: TE")

# What has come when the upstream ends, and what the client has of it by then.
PLACES: dict[str, tuple[bytes, When | None, bytes]] = {
    "length-at-the-start": (LENGTH, CLIENT_GOT_HEAD, b""),
    "length-in-the-middle": (LENGTH + b"five.", client_got(b"five."), b""),
    "length-one-byte-short": (LENGTH + b"nine byte", client_got(b"nine byte"), b""),
    "chunked-at-the-start": (CHUNKED, CLIENT_GOT_HEAD, b""),
    "chunked-in-the-first-size": (CHUNKED, CLIENT_GOT_HEAD, b"5"),
    "chunked-in-the-size": (FIRST, client_got(b"five."), b"a"),
    "chunked-after-the-size": (FIRST, client_got(b"five."), b"a\r\n"),
    "chunked-in-the-data": (FIRST, client_got(b"five."), b"a\r\n12345"),
    "chunked-after-the-data": (FIRST, client_got(b"five."), b"a\r\n1234567890"),
    "chunked-in-the-end-of-data": (FIRST, client_got(b"five."), b"a\r\n1234567890\r"),
    "chunked-before-the-last": (FIRST, client_got(b"five."), b""),
    "chunked-in-the-last": (FIRST, client_got(b"five."), b"0"),
    "chunked-after-the-last": (FIRST, client_got(b"five."), b"0\r\n"),
    "chunked-in-the-very-end": (FIRST, client_got(b"five."), b"0\r\n\r"),
    "chunked-in-a-trailer": (FIRST, client_got(b"five."), b"0\r\nX-Su"),
    "chunked-after-a-trailer": (FIRST, client_got(b"five."), b"0\r\nX-Sum: 1\r\n"),
}
AT_ONCE = ("length-in-the-middle", "chunked-before-the-last", "chunked-in-a-trailer")
OF_1_0 = ("length-in-the-middle", "chunked-in-the-data", "chunked-after-the-last")


def _cut(id: str, answer: Script, send: bytes = request()) -> Case:
    """Return a case whose head has gone out, so that only a cut is honest."""
    return Case(
        id,
        RULE,
        SECTION,
        send,
        (
            Expect(
                got=(Response(200, complete=False),),
                reached=(Request(complete=None),),
                after=CLOSED,
            ),
        ),
        answers=(answer,),
    )


def _at(name: str, end: End) -> tuple[bytes | When | End, ...]:
    begun, there, rest = PLACES[name]
    steps = (begun, there, rest, end)
    return tuple(step for step in steps if step)


def _cuts() -> Iterator[Case]:
    for name in PLACES:
        for end in (CLOSE, RESET):
            yield _cut(f"cut-{name}-{end.name.lower()}", _at(name, end))
    for name in AT_ONCE:
        begun, _, rest = PLACES[name]
        for end in (CLOSE, RESET):
            yield broken(
                f"cut-{name}-at-once-{end.name.lower()}",
                RULE,
                SECTION,
                (begun + rest, end),
            )
    for name in OF_1_0:
        for end in (CLOSE, RESET):
            id = f"cut-{name}-to-1.0-{end.name.lower()}"
            yield _cut(id, _at(name, end), HTTP_10)


CASES: list[Case] = [
    *_cuts(),
    _cut("cut-length-half-closed", (LENGTH, CLIENT_GOT_HEAD, b"five.", SHUT_WR)),
    _cut("cut-chunked-half-closed", (FIRST, client_got(b"five."), SHUT_WR)),
    _cut("cut-trailers-asked-for", _at("chunked-after-a-trailer", CLOSE), TE),
    _cut("cut-answer-to-post", _at("chunked-in-the-data", RESET), POST),
    _cut(
        "cut-close-delimited-reset",
        (UNTIL_CLOSE + b"five.", client_got(b"five."), RESET),
    ),
    _cut(
        "cut-close-delimited-reset-before-content",
        (UNTIL_CLOSE, CLIENT_GOT_HEAD, RESET),
    ),
    _cut(
        "cut-close-delimited-reset-to-1.0",
        (UNTIL_CLOSE + b"five.", client_got(b"five."), RESET),
        HTTP_10,
    ),
    _cut(
        "cut-close-delimited-of-1.0",
        (
            b"HTTP/1.0 200 OK\r\n\r\nfive.",
            client_got(b"five."),
            RESET,
        ),
    ),
    broken(
        "close-delimited-reset",
        "A reset is no end of content.",
        SECTION,
        (b"HTTP/1.1 200 OK\r\n\r\nfive.", RESET),
    ),
    _cut(
        "cut-large-length",
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_999_999,
            CLOSE,
        ),
    ),
    _cut(
        "cut-large-chunk",
        (CHUNKED + b"%x\r\n" % 2_000_000 + b"x" * 1_999_999, CLOSE),
    ),
    _cut(
        "cut-huge-length",
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nfive.",
            client_got(b"five."),
            CLOSE,
        ),
    ),
    _cut(
        "cut-trickle",
        (LENGTH, Slowly(b"123456789", seconds=0.005), CLOSE),
    ),
    Case(
        "cut-is-only-the-last",
        "What was answered before the cut stays answered.",
        SECTION,
        request(target=b"/1") + request(target=b"/2") + request(target=b"/3"),
        (
            Expect(
                got=(Response(200, content=b"0123456789"), Response(complete=False)),
                reached=(Request(), Request()),
                after=CLOSED,
            ),
        ),
        answers=(LENGTH + b"0123456789", (FIRST, client_got(b"five."), CLOSE)),
    ),
    Case(
        "cut-head-answer-needs-no-content",
        "An answer to HEAD cannot be cut in content it does not have.",
        "RFC 9112, 6.3",
        request(b"HEAD"),
        (Expect(got=(Response(200, content=b""),), reached=(Request(),)),),
        answers=((LENGTH, CLOSE),),
    ),
    *(
        Case(
            f"cut-by-silence-{name}",
            "Content that stops coming is cut when its time is over.",
            "the contract, config",
            request(),
            (
                Expect(
                    got=(Response(200, complete=False),),
                    reached=(Request(),),
                    after=CLOSED,
                ),
            ),
            answers=(begun,),
            profile="short",
        )
        for name, begun in {
            "length": LENGTH + b"five.",
            "chunked": FIRST,
            "until-close": UNTIL_CLOSE + b"five.",
        }.items()
    ),
    relayed(
        "slow-is-not-silent",
        "Content that comes slowly, but comes, is not cut.",
        "the contract, config",
        (LENGTH, Slowly(b"0123456789", seconds=0.12)),
        content=b"0123456789",
        profile="short",
    ),
    relayed(
        "reset-after-the-end",
        "What was complete stays complete, however the connection ends.",
        SECTION,
        (LENGTH + b"0123456789", client_got(b"0123456789"), RESET),
        send=(request(), UPSTREAM_LEFT),
        content=b"0123456789",
    ),
    relayed(
        "reset-after-the-last-chunk",
        "What was complete stays complete, however the connection ends.",
        SECTION,
        (FIRST + b"0\r\n\r\n", CLIENT_GOT_RESPONSE, RESET),
        send=(request(), UPSTREAM_LEFT),
        content=b"five.",
    ),
]
