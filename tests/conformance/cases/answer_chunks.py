"""Chunked responses, and their trailers."""

import re
from dataclasses import dataclass, replace

from tests.conformance.case import (
    CLOSED,
    GET,
    OPEN,
    Case,
    Expect,
    Response,
    broken,
    chunked,
    relayed,
    request,
)
from tests.conformance.steps import CLOSE, RESET, Action, Slowly, client_got

CHUNKED = b"Transfer-Encoding: chunked"
HEAD = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n"
TE = request(b"GET", b"/a", b"TE: trailers", b"Connection: TE")
HTTP_10 = request(version=b"HTTP/1.0")

LAST = b"0\r\n\r\n"
SIXTEEN = b"0123456789abcdef"


@dataclass(frozen=True)
class Written:
    """Content, and a way to write it in chunks."""

    rule: str
    data: bytes
    content: bytes
    section: str = "RFC 9112, 7.1"


WRITTEN = {
    "one": Written("One chunk is content.", chunked(b"one"), b"one"),
    "none": Written("The last chunk alone is no content.", LAST, b""),
    "many": Written(
        "Content may come in many chunks.",
        chunked(*(b"<%d>" % number for number in range(500))),
        b"".join(b"<%d>" % number for number in range(500)),
    ),
    "of-one-byte": Written(
        "A chunk may be one byte.", chunked(*[b"x"] * 300), b"x" * 300
    ),
    "large": Written(
        "A chunk may be large.", chunked(SIXTEEN * 16_384), SIXTEEN * 16_384
    ),
    "lower-hex": Written(
        "Sizes are hexadecimal.", b"1a\r\n%b\r\n" % (b"x" * 26) + LAST, b"x" * 26
    ),
    "upper-hex": Written(
        "Sizes are hexadecimal in any case.",
        b"1A\r\n%b\r\n" % (b"x" * 26) + LAST,
        b"x" * 26,
    ),
    "leading-zeros": Written(
        "A size may begin with zeros.", b"0003\r\none\r\n00000\r\n\r\n", b"one"
    ),
    "extension": Written(
        "Extensions that nobody knows are ignored.",
        b"3;ext\r\none\r\n0;end\r\n\r\n",
        b"one",
        "RFC 9112, 7.1.1",
    ),
    "extension-value": Written(
        "An extension may have a value.",
        b"3;name=value;other=1\r\none\r\n" + LAST,
        b"one",
        "RFC 9112, 7.1.1",
    ),
    "extension-quoted": Written(
        "A quoted extension may hold what ends others.",
        b'3;name="a;b=\\" 0"\r\none\r\n' + LAST,
        b"one",
        "RFC 9112, 7.1.1",
    ),
    "extension-spaced": Written(
        "There may be white space before an extension.",
        b"3 ; name = value\r\none\r\n" + LAST,
        b"one",
        "RFC 9112, 7.1.1",
    ),
    "like-chunks": Written(
        "Content may look like chunks.",
        chunked(LAST, b"3\r\none\r\n"),
        LAST + b"3\r\none\r\n",
    ),
    "line-ends": Written(
        "Content may begin and end with line ends.",
        chunked(b"\r\n", b"\n\r\n", b"\r"),
        b"\r\n\n\r\n\r",
    ),
}

EITHER = {
    "space-after-size": (b"3 \r\none\r\n0\r\n\r\n", "RFC 9112, 7.1"),
    "tab-after-size": (b"3\t\r\none\r\n0\r\n\r\n", "RFC 9112, 7.1"),
    "bare-lf-after-size": (b"3\none\r\n0\r\n\r\n", "RFC 9112, 2.2"),
    "bare-lf-after-data": (b"3\r\none\n0\r\n\r\n", "RFC 9112, 2.2"),
    "bare-lf-at-the-end": (b"3\r\none\r\n0\r\n\n", "RFC 9112, 2.2"),
    "long-extension": (
        b"3;x=" + b"y" * 20_000 + b"\r\none\r\n0\r\n\r\n",
        "RFC 9112, 7.1.1",
    ),
    "size-of-sixteen-digits": (
        b"0000000000000003\r\none\r\n0\r\n\r\n",
        "RFC 9112, 7.1",
    ),
    "empty-element-of-codings": (b"3\r\none\r\n0\r\n\r\n", "RFC 9110, 5.6.1"),
}

BAD_SIZES = {
    "missing": b"",
    "no-hex": b"g",
    "word": b"three",
    "prefixed": b"0x3",
    "signed": b"+3",
    "negative": b"-3",
    "underscored": b"0_3",
    "spaced-before": b" 3",
    "two-numbers": b"3 3",
    "comma": b"3,3",
    "decimal-point": b"3.0",
    "fullwidth": "３".encode(),
    "overflow-64": b"10000000000000003",
    "overflow-32-kept": b"FFFFFFFFFFFFFFFFF",
    "nul": b"3\0",
    "nul-in-extension": b"3;a\0",
    "bare-cr": b"3\rx",
    "bare-cr-in-extension": b"3;a\rb",
    "lf-in-extension": b"3;a\nb",
}

FORBIDDEN_TRAILERS = {
    "content-length": b"Content-Length: 3",
    "transfer-encoding": b"Transfer-Encoding: chunked",
    "host": b"Host: elsewhere.test",
    "authorization": b"Authorization: Bearer other",
    "set-cookie": b"Set-Cookie: a=1",
    "content-type": b"Content-Type: text/html",
    "content-encoding": b"Content-Encoding: gzip",
    "content-range": b"Content-Range: bytes 0-1/9",
    "connection": b"Connection: close",
    "keep-alive": b"Keep-Alive: timeout=1",
    "te": b"TE: trailers",
    "trailer": b"Trailer: X-Sum",
    "upgrade": b"Upgrade: h2c",
    "location": b"Location: /b",
    "cache-control": b"Cache-Control: no-store",
    "www-authenticate": b"WWW-Authenticate: Basic",
    "proxy-authenticate": b"Proxy-Authenticate: Basic",
    "proxy-status": b"Proxy-Status: telemed-proxy; error=dns_error",
}


NOT_TRAILERS = {
    "no-colon": b"X-Sum",
    "space-before-colon": b"X-Sum : 1",
    "no-name": b": 1",
    "nul": b"X-Sum: \0",
    "bare-cr": b"X-Sum: a\rb",
    "bare-lf": b"X-Sum: a\nX: b",
    "folded": b"X-Sum: 1\r\n 2",
}

ENDS_OF_PART: dict[str, Action] = {
    "cut": CLOSE,
    "reset": RESET,
    "malformed": b"no size\r\n",
    "bad-trailers": b"0\r\nno colon\r\n\r\n",
}

TRAILER = b"X-Sum: 1"
SECTION_TRAILERS = "RFC 9110, 6.5.1"


def _with_trailers(*lines: bytes, head: bytes = HEAD) -> bytes:
    return head + chunked(b"one", b"two", trailers=lines)


def _either(name: str, data: bytes, section: str) -> Case:
    """Return a case whose answer may be refused, or read as it was meant."""
    coding = b", chunked" if name == "empty-element-of-codings" else b"chunked"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + b"\r\n\r\n"
    strict = broken(
        f"answer-chunk-{name}",
        "What others may write is read as it was meant, or refused.",
        section,
        (head + data, CLOSE),
    )
    meant = Expect(got=(Response(200, content=b"one"),))
    return replace(strict, expect=(*strict.expect, meant))


def _trailer_case(
    name: str,
    rule: str,
    *lines: bytes,
    trailers: tuple[bytes, ...],
    send: bytes = TE,
    section: str = SECTION_TRAILERS,
    head: bytes = HEAD,
) -> Case:
    return relayed(
        f"trailers-{name}",
        rule,
        section,
        _with_trailers(*lines, head=head),
        send=send,
        status=200,
        content=b"onetwo",
        trailers=trailers,
    )


CASES: list[Case] = [
    *(
        relayed(
            f"answer-chunks-{name}",
            written.rule,
            written.section,
            HEAD + written.data,
            status=200,
            content=written.content,
        )
        for name, written in WRITTEN.items()
    ),
    *(
        relayed(
            f"answer-chunks-split-{size}",
            "Chunks may be cut into segments anywhere.",
            "RFC 9112, 7.1",
            (
                Slowly(
                    HEAD + b"003;a=b\r\none\r\nA\r\n0123456789\r\n0\r\nX: 1\r\n\r\n",
                    size=size,
                ),
            ),
            content=b"one0123456789",
        )
        for size in (1, 2, 3, 5, 7)
    ),
    *(
        relayed(
            f"answer-chunked-spelled-{name}",
            "Transfer codings have no case, and white space around is none of theirs.",
            "RFC 9112, 7",
            b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n" + chunked(b"one"),
            content=b"one",
        )
        for name, line in {
            "title": b"Transfer-Encoding: Chunked",
            "upper": b"TRANSFER-ENCODING: CHUNKED",
            "lower": b"transfer-encoding: chunked",
            "unspaced": b"Transfer-Encoding:chunked",
            "spaced": b"Transfer-Encoding:\t chunked \t",
        }.items()
    ),
    *(_either(name, data, section) for name, (data, section) in EITHER.items()),
    *(
        broken(
            f"answer-chunk-size-{name}",
            "What is no chunk size ends the answer visibly.",
            "RFC 9112, 7.1",
            (HEAD + size + b"\r\none\r\n0\r\n\r\n", CLOSE),
        )
        for name, size in BAD_SIZES.items()
    ),
    *(
        broken(
            f"answer-chunk-size-later-{name}",
            "Content that went out already is cut where it stops being content.",
            "RFC 9112, 7.1",
            (
                HEAD + b"5\r\nfirst\r\n",
                client_got(b"first"),
                size + b"\r\none\r\n0\r\n\r\n",
            ),
            status=frozenset(),
        )
        for name, size in BAD_SIZES.items()
        if name in ("no-hex", "negative", "overflow-64", "nul")
    ),
    *(
        broken(
            f"answer-chunk-{name}",
            "A chunk is as long as its size says.",
            "RFC 9112, 7.1",
            (HEAD + data, CLOSE),
        )
        for name, data in {
            "longer": b"3\r\nfour\r\n0\r\n\r\n",
            "shorter": b"3\r\non\r\n0\r\n\r\n",
            "without-end": b"3\r\none0\r\n\r\n",
            "with-cr-only": b"3\r\none\r0\r\n\r\n",
            "blank-line-between": b"3\r\none\r\n\r\n0\r\n\r\n",
        }.items()
    ),
    relayed(
        "answer-chunked-to-1.0",
        "An HTTP/1.0 client gets no chunks, but content until the close.",
        "RFC 9112, 6.1",
        HEAD + chunked(b"one", b"two"),
        send=HTTP_10,
        absent=(b"Transfer-Encoding", b"Content-Length", b"Trailer"),
        content=b"onetwo",
        framing="close",
        after=CLOSED,
    ),
    relayed(
        "answer-chunked-to-1.0-keep-alive",
        "What ends with the close cannot keep a connection.",
        "RFC 9112, 9.3",
        HEAD + chunked(b"one", b"two"),
        send=request(b"GET", b"/a", b"Connection: keep-alive", version=b"HTTP/1.0"),
        absent=(b"Transfer-Encoding",),
        content=b"onetwo",
        framing="close",
        after=CLOSED,
    ),
    *(
        broken(
            f"answer-chunked-to-1.0-{name}",
            "Content until the close that is cut ends in a reset.",
            "RFC 9112, 8",
            (HEAD + b"5\r\nfirst\r\n", client_got(b"first"), end),
            send=HTTP_10,
            status=frozenset(),
        )
        for name, end in ENDS_OF_PART.items()
    ),
    _trailer_case(
        "asked-for",
        "Trailers are relayed to a client that takes them, in order and case.",
        b"X-Sum: 1",
        b"x-sum: 2",
        b"Server-Timing: db;dur=1",
        trailers=(b"X-Sum: 1", b"x-sum: 2", b"Server-Timing: db;dur=1"),
    ),
    relayed(
        "trailers-split-anywhere",
        "Trailers may be cut into segments anywhere.",
        SECTION_TRAILERS,
        (Slowly(_with_trailers(TRAILER, b"x-two:  2")),),
        send=TE,
        content=b"onetwo",
        trailers=(TRAILER, re.compile(rb"x-two: *2")),
    ),
    _trailer_case(
        "announced",
        "Trailers that were announced are relayed.",
        TRAILER,
        trailers=(TRAILER,),
        head=b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n" + CHUNKED + b"\r\n\r\n",
    ),
    _trailer_case(
        "asked-for-among-others",
        "TE may name other codings, with weights.",
        TRAILER,
        trailers=(TRAILER,),
        send=request(
            b"GET", b"/a", b"TE: gzip;q=0.5, Trailers", b"Connection: keep-alive, TE"
        ),
        section="RFC 9110, 10.1.4",
    ),
    _trailer_case(
        "not-asked-for",
        "Trailers are dropped for a client that did not say it takes them.",
        TRAILER,
        trailers=(),
        send=GET,
    ),
    _trailer_case(
        "only-other-codings",
        "TE without the word trailers asks for none.",
        TRAILER,
        trailers=(),
        send=request(b"GET", b"/a", b"TE: gzip", b"Connection: TE"),
        section="RFC 9110, 10.1.4",
    ),
    relayed(
        "trailers-not-announced-in-vain",
        "Trailers that are dropped are not announced.",
        "the contract, what a calling program sees",
        _with_trailers(
            TRAILER,
            head=b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n" + CHUNKED + b"\r\n\r\n",
        ),
        absent=(b"Trailer",),
        content=b"onetwo",
        trailers=(),
    ),
    relayed(
        "trailers-to-1.0",
        "An HTTP/1.0 client gets no trailers, whatever it says.",
        SECTION_TRAILERS,
        _with_trailers(TRAILER),
        send=request(
            b"GET", b"/a", b"TE: trailers", b"Connection: TE", version=b"HTTP/1.0"
        ),
        content=b"onetwo",
        framing="close",
        after=CLOSED,
    ),
    *(
        Case(
            f"trailers-without-{name}",
            "What decides about a message, or about a connection, is no trailer.",
            SECTION_TRAILERS,
            TE,
            # All trailers may be discarded on the way; that ours are not is above.
            tuple(
                Expect(
                    got=(Response(200, content=b"onetwo", trailers=trailers),),
                    after=OPEN,
                )
                for trailers in ((TRAILER,), ())
            ),
            answers=(_with_trailers(line, TRAILER),),
        )
        for name, line in FORBIDDEN_TRAILERS.items()
    ),
    *(
        broken(
            f"trailers-malformed-{name}",
            "Trailers that are no fields end the answer visibly.",
            "RFC 9112, 7.1.2",
            (_with_trailers(line), CLOSE),
            send=TE,
        )
        for name, line in NOT_TRAILERS.items()
        if name not in ("folded", "space-before-colon", "bare-lf")
    ),
    *(
        replace(
            case,
            expect=(*case.expect, Expect(got=(Response(200, content=b"onetwo"),))),
        )
        for case in (
            broken(
                f"trailers-odd-{name}",
                "Trailers that can be mended are relayed right, dropped, or refused.",
                section,
                (_with_trailers(NOT_TRAILERS[name]), CLOSE),
                send=TE,
            )
            for name, section in (
                ("folded", "RFC 9112, 5.2"),
                ("space-before-colon", "RFC 9112, 5.1"),
                ("bare-lf", "RFC 9112, 2.2"),
            )
        )
    ),
    broken(
        "trailers-endless",
        "Trailers without end are not waited for.",
        "RFC 9110, 5.4",
        HEAD + b"3\r\none\r\n0\r\n" + b"X: %b\r\n" % (b"y" * 1000) * 1000,
        send=TE,
    ),
]
