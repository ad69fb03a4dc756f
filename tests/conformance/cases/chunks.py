"""Chunked content of requests: sizes, extensions, line ends, trailers."""

from tests.conformance.case import (
    CLIENT_ERROR,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    chunked,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT, cut_off, or_refused
from tests.conformance.steps import (
    RESET,
    SHUT_WR,
    UPSTREAM_GOT_CONTENT,
    UPSTREAM_SAW_END,
    Slowly,
)

CHUNKED = b"Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"
REST = b"\r\nfive.\r\n" + LAST


def post(content: bytes, *fields: bytes) -> bytes:
    return request(b"POST", b"/a", CHUNKED, *fields, content=content)


BAD_SIZES = {
    "empty": b"",
    "signed": b"+5",
    "negative": b"-5",
    "hex-prefix": b"0x5",
    "hex-suffix": b"5h",
    "no-digit": b"g",
    "digit-then-none": b"5g",
    "underscore": b"0_5",
    "fraction": b"5.0",
    "comma": b"5,5",
    "quoted": b'"5"',
    "space-before": b" 5",
    "tab-before": b"\t5",
    "space-inside": b"0 5",
    "space-after": b"5 ",
    "tab-after": b"5\t",
    "nul-before": b"\x005",
    "nul-after": b"5\0",
    "vertical-tab-before": b"\x0b5",
    "vertical-tab-after": b"5\x0b",
    "form-feed-after": b"5\x0c",
    "delete-after": b"5\x7f",
    "no-break-space": b"\xa05",
    "superscript": b"5\xb2",
    "fullwidth-digit": "５".encode(),
    "crlf-before": b"\r\n5",
    "over-63-bits": b"8000000000000005",
    "over-64-bits": b"10000000000000005",
    "over-128-bits": b"1" + b"0" * 31 + b"5",
    "over-64-bits-all-f": b"fffffffffffffffffffff5",
    "5000-digits": b"f" * 5_000,
}

GOOD_SIZES = {
    "lower-case": (b"a", b"0123456789"),
    "upper-case": (b"A", b"0123456789"),
    "two-digits": (b"1a", b"x" * 26),
    "leading-zeros": (b"0005", b"five."),
}

LAST_CHUNKS = {"zeros": b"000", "zero-with-extension": b"0;a=b"}

# Signs and prefixes on a zero may end the content for one reader only.
BAD_LAST_CHUNKS = {
    "signed": b"+0",
    "negative": b"-0",
    "hex-prefix": b"0x0",
    "empty": b"",
    "space-before": b" 0",
    "letter": b"o",
}

BAD_LINE_ENDS = {
    "size-lf": b"5\nfive.\r\n" + LAST,
    "size-cr": b"5\rfive.\r\n" + LAST,
    "size-cr-cr-lf": b"5\r\r\nfive.\r\n" + LAST,
    "size-lf-cr": b"5\n\rfive.\r\n" + LAST,
    "data-lf": b"5\r\nfive.\n" + LAST,
    "data-cr": b"5\r\nfive.\r" + LAST,
    "data-lf-cr": b"5\r\nfive.\n\r" + LAST,
    "data-without-end": b"5\r\nfive." + LAST,
    "data-other-end": b"5\r\nfive.XX" + LAST,
    "data-too-long": b"5\r\nfive.!\r\n" + LAST,
    "data-too-short": b"6\r\nfive.\r\n" + LAST,
    "data-too-short-by-crlf": b"7\r\nfive.\r\n" + LAST,
    "data-two-ends": b"5\r\nfive.\r\n\r\n" + LAST,
    "last-size-lf": b"5\r\nfive.\r\n0\n\r\n",
    "last-line-lf": b"5\r\nfive.\r\n0\r\n\n",
    "last-both-lf": b"5\r\nfive.\r\n0\n\n",
    "last-line-cr": b"5\r\nfive.\r\n0\r\n\rX",
    "last-with-data": b"5\r\nfive.\r\n0\r\nX\r\n\r\n",
    "all-lf": b"5\nfive.\n0\n\n",
}

# Jeppe Bonde Weikop, "Funky chunks" (2025): two readers that end a line of a chunk, or
# its data, differently disagree about where the next request begins.
DESYNC = {
    "term.ext": b"2;\nxx\r\n%x\r\n0\r\n\r\n" % len(NEXT),
    "ext.term": b"2;\nxx\r\n0\r\n\r\n",
    "term.ext-with-cr": b"2;\rxx\r\n%x\r\n0\r\n\r\n" % len(NEXT),
    "term.spill": b"5\r\nAAAAAXX%x\r\n0\r\n\r\n" % len(NEXT),
    "spill.term": b"5\r\nAAAAAXX\r\n0\r\n\r\n",
    "one.two": b"5\r\nAAAAA\n2\r\n0\r\n0\r\n\r\n",
    "two.one": b"5\r\nAAAAA\rX2\r\n0\r\n0\r\n\r\n",
    "zero.two": b"5\r\nAAAAA2\r\n0\r\n0\r\n\r\n",
}

BAD_EXTENSIONS = {
    "empty": b"5;",
    "empty-first": b"5;;a",
    "empty-name": b"5;=b",
    "empty-value": b"5;a=",
    "without-semicolon": b"5 a=b",
    "comma": b"5,a=b",
    "space-in-name": b"5;a b",
    "space-in-value": b"5;a=b c",
    "name-not-token": b"5;a(=b",
    "value-not-token": b"5;a=(b)",
    "quote-unclosed": b'5;a="b',
    "quote-closed-early": b'5;a="b"c',
    "quote-ends-with-escape": b'5;a="b\\"',
    "crlf-in-quotes": b'5;a="\r\n"',
    "bare-cr": b"5;a\rb",
    "bare-lf": b"5;a\nb",
    "bare-lf-at-end": b"5;a\n",
    "bare-cr-in-quotes": b'5;a="\r"',
    "bare-lf-in-quotes": b'5;a="\n"',
    "nul": b"5;a\0",
    "nul-in-quotes": b'5;a="\0"',
    "vertical-tab": b"5;\x0ba",
    "form-feed": b"5;a\x0c",
    "delete": b"5;a=\x7f",
    "obs-text-outside-quotes": b"5;a=\xe9",
    "10-kb": b"5;a=" + b"b" * 10_240,
    "10-kb-of-spaces": b"5" + b" " * 10_240 + b";a",
    "10-kb-of-semicolons": b"5" + b";a" * 5_120,
}

GOOD_EXTENSIONS = {
    "name": b"5;a",
    "token": b"5;a=b",
    "several": b"5;a;b=c;d",
    "repeated": b"5;a=b;a=b",
    "token-of-signs": b"5;!#$%&'*+-.^_`|~=1",
    "quoted": b'5;a="b c"',
    "quoted-empty": b'5;a=""',
    "quoted-semicolon": b'5;a=";"',
    "quoted-escape": b'5;a="\\"\\\\"',
    "quoted-obs-text": b'5;a="\xe9\xff"',
    "space-around": b"5 ;\ta = b ; c",
    "3-kb": b"5;a=" + b"b" * 3_072,
}

BAD_TRAILERS = {
    "without-colon": b"X-Sum",
    "empty-name": b": 1",
    "space-before-colon": b"X-Sum : 1",
    "space-before-name": b" X-Sum: 1",
    "space-in-name": b"X Sum: 1",
    "name-not-token": b"X(Sum): 1",
    "non-ascii-name": b"X-S\xfcm: 1",
    "folded": b"X-Sum: 1\r\n 2",
    "bare-lf": b"X-Sum: 1\nX: 2",
    "bare-lf-at-end": b"X-Sum: 1\n",
    "bare-cr": b"X-Sum: 1\rX: 2",
    "nul": b"X-Sum: \0",
    "vertical-tab": b"X-Sum: \x0b1",
    "request-line": b"GET /next HTTP/1.1",
}

# RFC 9110, 6.5.1: merged into the head, any of these would change the message.
FORBIDDEN_TRAILERS = (
    b"Authorization: Bearer own",
    b"Connection: close",
    b"Content-Length: 99",
    b"Content-Type: text/html",
    b"Cookie: a=b",
    b"Expect: 100-continue",
    b"Host: elsewhere.test",
    b"Max-Forwards: 0",
    b"TE: trailers",
    b"Transfer-Encoding: gzip",
    b"Upgrade: websocket",
    b"Via: 1.1 telemed-proxy",
    b"X-Proxy-Allow-Repeat: 1",
    b"X-Proxy-Key: own",
)

LATE_FAULTS = {
    "size": b"5g\r\nfive.\r\n",
    "size-lf": b"5\nfive.\r\n",
    "size-over-64-bits": b"10000000000000005\r\nfive.\r\n",
    "size-of-10-kb": b"0" * 10_240,
    "extension": b"5;\rfive.\r\n",
    "data-end": b"5\r\nfive.!!",
    "nul": b"\0",
    "last-line-lf": b"0\r\n\n",
    "trailer": b"0\r\nX-Sum\r\n\r\n",
    "trailer-of-100-kb": b"0\r\nX-Sum: " + b"1" * 102_400 + b"\r\n\r\n",
    "trailers-of-200-kb": b"0\r\n" + b"X: 1\r\n" * 34_134 + b"\r\n",
}

# All that is malformed, as the content of a request.
MALFORMED = {
    **{f"chunk-size-{name}": size + REST for name, size in BAD_SIZES.items()},
    **{
        f"last-chunk-size-{name}": b"5\r\nfive.\r\n" + size + b"\r\n\r\n"
        for name, size in BAD_LAST_CHUNKS.items()
    },
    **{f"chunk-{name}": content for name, content in BAD_LINE_ENDS.items()},
    **DESYNC,
    **{f"chunk-extension-{name}": line + REST for name, line in BAD_EXTENSIONS.items()},
    **{
        f"trailer-{name}": b"5\r\nfive.\r\n0\r\n" + line + b"\r\n\r\n"
        for name, line in BAD_TRAILERS.items()
    },
}


# Fields that a forwarded request may have of its own.
OWN = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "host",
        "transfer-encoding",
        "via",
    }
)


def name_of(line: bytes) -> str:
    return line.partition(b":")[0].decode().lower()


SIZES = [
    *(
        refused(
            f"chunk-size-{name}",
            "A chunk's size is hexadecimal digits, in a number that fits.",
            "RFC 9112, 7.1",
            post(size + REST) + NEXT,
        )
        for name, size in BAD_SIZES.items()
    ),
    *(
        refused(
            f"last-chunk-size-{name}",
            "The last chunk's size is zeros only.",
            "RFC 9112, 7.1",
            post(b"5\r\nfive.\r\n" + size + b"\r\n\r\n") + NEXT,
        )
        for name, size in BAD_LAST_CHUNKS.items()
    ),
    *(
        forwarded(
            f"chunk-size-{name}",
            "A chunk's size is hexadecimal, in either case, with any zeros before.",
            "RFC 9112, 7.1",
            post(size + b"\r\n" + content + b"\r\n" + LAST),
            content=content,
        )
        for name, (size, content) in GOOD_SIZES.items()
    ),
    *(
        forwarded(
            f"last-chunk-{name}",
            "The last chunk is any that has a size of zero.",
            "RFC 9112, 7.1",
            post(b"5\r\nfive.\r\n" + size + b"\r\n\r\n"),
            content=b"five.",
            trailers=(),
        )
        for name, size in LAST_CHUNKS.items()
    ),
    *(
        or_refused(
            forwarded(
                f"chunk-size-of-{count}-zeros",
                "Zeros before a size change nothing, if so many are taken at all.",
                "RFC 9112, 7.1",
                post(b"0" * count + b"5" + REST),
                content=b"five.",
            )
        )
        for count in (15, 16, 4_000)
    ),
    cut_off(
        "chunk-size-over-32-bits",
        "A size that does not fit in 32 bits is not cut to them.",
        "RFC 9112, 7.1",
        (post(b"100000005" + REST), NEXT, SHUT_WR),
    ),
]

LINE_ENDS = [
    refused(
        "chunk-size-after-bare-lf",
        "A line of a chunk ends with CRLF.",
        "RFC 9112, 7.1",
        post(b"1\na\r\n0\r\n\r\n"),
    ),
    *(
        refused(
            f"chunk-{name}",
            "The lines and the data of a chunk end with CRLF, where they should.",
            "RFC 9112, 7.1",
            post(content) + NEXT,
        )
        for name, content in BAD_LINE_ENDS.items()
    ),
    *(
        refused(
            name,
            "Nobody can read the end of a chunk in two ways.",
            "RFC 9112, 11.2",
            post(content) + NEXT,
        )
        for name, content in DESYNC.items()
    ),
]

EXTENSIONS = [
    *(
        refused(
            f"chunk-extension-{name}",
            "A chunk extension that is not valid, or too long, is refused.",
            "RFC 9112, 7.1.1",
            post(line + REST) + NEXT,
        )
        for name, line in BAD_EXTENSIONS.items()
    ),
    *(
        forwarded(
            f"chunk-extension-{name}",
            "Chunk extensions that are not known are ignored.",
            "RFC 9112, 7.1.1",
            post(line + REST),
            content=b"five.",
            trailers=(),
        )
        for name, line in GOOD_EXTENSIONS.items()
    ),
]

TRAILERS = [
    forwarded(
        "trailers-dropped",
        "Trailers of a request are discarded, and so not announced.",
        "RFC 9112, 7.1.2",
        post(chunked(b"one", trailers=(b"X-Sum: 1", b"X-sum:2")), b"Trailer: X-Sum"),
        absent=(b"Trailer", b"X-Sum"),
        content=b"one",
        trailers=(),
    ),
    *(
        refused(
            f"trailer-{name}",
            "Trailers are fields, and are refused where they are not valid.",
            "RFC 9112, 7.1.2",
            post(b"5\r\nfive.\r\n0\r\n" + line + b"\r\n\r\n") + NEXT,
        )
        for name, line in BAD_TRAILERS.items()
    ),
    *(
        or_refused(
            forwarded(
                f"trailer-is-no-{name_of(line)}",
                "A trailer does not become a field of the head.",
                "RFC 9110, 6.5.1",
                post(chunked(b"one", trailers=(line,))),
                absent=() if name_of(line) in OWN else (line.partition(b":")[0],),
                content=b"one",
                trailers=(),
            )
        )
        for line in FORBIDDEN_TRAILERS
    ),
    Case(
        "trailers-then-request",
        "Trailers do not get into the next request.",
        "RFC 9110, 6.5.1",
        post(chunked(b"one", trailers=(b"X-Sum: 1", b"Host: elsewhere.test"))) + NEXT,
        (
            Expect(
                got=(Response(200), Response(200)),
                reached=(
                    Request(content=b"one", trailers=()),
                    Request(line=b"GET /next HTTP/1.1", only=()),
                ),
                after=OPEN,
            ),
            Expect(got=(Response(CLIENT_ERROR),), reached=()),
        ),
    ),
]

CONTENT = [
    forwarded(
        "chunked-empty",
        "Chunked content may be empty.",
        "RFC 9112, 7.1",
        post(LAST),
        content=b"",
    ),
    forwarded(
        "chunked-bytes",
        "Content may come in chunks of one byte each.",
        "RFC 9112, 7.1",
        post(chunked(*(bytes([code]) for code in range(256)))),
        content=bytes(range(256)),
    ),
    forwarded(
        "chunked-half-a-megabyte",
        "Content may come in chunks of any size.",
        "RFC 9112, 7.1",
        post(chunked(b"0123456789abcdef" * 32_768)),
        content=b"0123456789abcdef" * 32_768,
    ),
    forwarded(
        "chunks-in-chunks",
        "What looks like a last chunk is content where a size was given.",
        "RFC 9112, 7.1",
        post(chunked(LAST, NEXT, LAST)),
        content=LAST + NEXT + LAST,
    ),
    forwarded(
        "chunks-byte-by-byte",
        "However content is cut into segments, it is the same content.",
        "RFC 9112, 7.1",
        (
            post(b""),
            Slowly(b'5;a="b"\r\nfive.\r\n00A ; c\r\n0123456789\r\n0\r\nX: 1\r\n\r\n'),
        ),
        content=b"five.0123456789",
        trailers=(),
    ),
]

PIECES = [
    cut_off(
        f"{name}-byte-by-byte",
        "However content is cut into segments, it is the same content.",
        "RFC 9112, 7.1",
        (post(b""), Slowly(content + NEXT)),
    )
    for name, content in MALFORMED.items()
    if len(content) < 1_000
]

LATE = [
    *(
        cut_off(
            f"chunked-late-{name}",
            "A fault that comes after part of the content ends the request.",
            "RFC 9112, 8",
            (post(b"4\r\nfour\r\n"), UPSTREAM_GOT_CONTENT, data + NEXT),
        )
        for name, data in LATE_FAULTS.items()
    ),
    cut_off(
        "chunked-late-end",
        "Content that ends before its last chunk does not look complete.",
        "RFC 9112, 8",
        (post(b"4\r\nfour\r\n"), UPSTREAM_GOT_CONTENT, b"5\r\nfi", SHUT_WR),
    ),
    Case(
        "chunked-late-reset",
        "Content that breaks off does not look complete.",
        "RFC 9112, 8",
        (
            post(b"4\r\nfour\r\n"),
            UPSTREAM_GOT_CONTENT,
            b"5\r\nfi",
            RESET,
            UPSTREAM_SAW_END,
        ),
        (Expect(reached=(Request(complete=False),), upstream_left=True),),
    ),
]

CASES: list[Case] = [
    *SIZES,
    *LINE_ENDS,
    *EXTENSIONS,
    *TRAILERS,
    *CONTENT,
    *PIECES,
    *LATE,
]
