"""Where a request's content ends: Content-Length and Transfer-Encoding."""

from tests.conformance.case import (
    CLIENT_ERROR,
    CLOSED,
    FRAMING_ERROR,
    HOST,
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
    CLOSE,
    RESET,
    SHUT_WR,
    UPSTREAM_GOT_CONTENT,
    UPSTREAM_SAW_END,
    Slowly,
)

CHUNKED = b"Transfer-Encoding: chunked"
FOUR = b"Content-Length: 4"
EVERY_BYTE = bytes(range(256))

# What Python's int(), C's strtol() and Java's parseLong() make numbers of differs.
BAD_LENGTHS = {
    "empty": b"",
    "signed": b"+4",
    "negative": b"-4",
    "negative-zero": b"-0",
    "hex": b"0x4",
    "letters": b"four",
    "underscore": b"0_4",
    "fraction": b"4.0",
    "exponent": b"4e0",
    "quoted": b'"4"',
    "parameter": b"4;q=1",
    "space-inside": b"0 4",
    "tab-inside": b"0\t4",
    "comma-after": b"4,",
    "comma-before": b",4",
    "list": b"4, 4",
    "list-that-differs": b"4, 8",
    "fullwidth-digit": "４".encode(),
    "arabic-digit": "٤".encode(),
    "superscript": b"4\xb2",
    "no-break-space": b"\xa04",
    "next-line": b"4\x85",
    "byte-order-mark": b"\xef\xbb\xbf4",
    "nul": b"4\0",
    "vertical-tab": b"\x0b4",
    "form-feed": b"4\x0c",
    "delete": b"4\x7f",
    "bare-cr": b"4\r",
    "bare-cr-inside": b"4\r8",
    "bare-lf": b"4\n8",
    "over-63-bits": b"9223372036854775812",
    "over-64-bits": b"18446744073709551620",
    "400-digits": b"9" * 400,
}

BAD_LENGTH_LINES = {
    "repeated": FOUR + b"\r\n" + FOUR,
    "repeated-in-another-case": FOUR + b"\r\ncontent-length: 4",
    "that-differ": FOUR + b"\r\nContent-Length: 8",
    "zero-then-four": b"Content-Length: 0\r\n" + FOUR,
    "then-invalid": FOUR + b"\r\nContent-Length: x",
    "then-empty": FOUR + b"\r\nContent-Length:",
    "space-before-colon": b"Content-Length : 4",
    "tab-before-colon": b"Content-Length\t: 4",
    "nul-before-colon": b"Content-Length\0: 4",
    "folded": b"Content-Length:\r\n 4",
    "folded-after": FOUR + b"\r\n 8",
    "without-colon": b"Content-Length 4",
    "hidden-by-lf": b"X: 1\n" + FOUR,
    "hidden-by-cr": b"X: 1\r" + FOUR,
    "hidden-by-fold": b"X: 1\r\n " + FOUR,
}

UNKNOWN_CODINGS = {
    "unknown": b"xchunked",
    "suffix": b"chunkedx",
    "gzip": b"gzip",
    "identity": b"identity",
    "gzip-then-chunked": b"gzip, chunked",
    "identity-then-chunked": b"identity, chunked",
    "chunked-then-identity": b"chunked, identity",
    "chunked-then-gzip": b"chunked, gzip",
    "chunked-twice": b"chunked, chunked",
    "empty": b"",
    "comma": b",",
    "parameter": b"chunked;a=b",
    "semicolon": b"chunked;",
    "double-quoted": b'"chunked"',
    "single-quoted": b"'chunked'",
    "percent-encoded": b"%63hunked",
    "space-inside": b"chu nked",
    "two-words": b"x chunked",
    "second-colon": b": chunked",
    "vertical-tab-before": b"\x0bchunked",
    "vertical-tab-after": b"chunked\x0b",
    "form-feed-before": b"\x0cchunked",
    "nul-before": b"\0chunked",
    "nul-after": b"chunked\0",
    "delete-after": b"chunked\x7f",
    "bare-cr-before": b"\rchunked",
    "bare-cr-after": b"chunked\r",
    "bare-lf-before": b"\nchunked",
    "no-break-space": b"\xa0chunked",
    "next-line": b"chunked\x85",
    "soft-hyphen": b"chu\xadnked",
    # Its lower case is an ASCII k.
    "kelvin-sign": "chun\u212aed".encode(),
    "fullwidth": "ｃhunked".encode(),
}

HIDDEN_CODINGS = {
    "space-before-colon": b"Transfer-Encoding : chunked",
    "tab-before-colon": b"Transfer-Encoding\t: chunked",
    "vertical-tab-before-colon": b"Transfer-Encoding\x0b: chunked",
    "nul-before-colon": b"Transfer-Encoding\0: chunked",
    "cr-before-colon": b"Transfer-Encoding\r: chunked",
    "lf-before-colon": b"Transfer-Encoding\n: chunked",
    "no-break-space-before-colon": b"Transfer-Encoding\xa0: chunked",
    "space-before-name": b" Transfer-Encoding: chunked",
    "tab-before-name": b"\tTransfer-Encoding: chunked",
    "without-colon": b"Transfer-Encoding chunked",
    "quoted-name": b'"Transfer-Encoding": chunked',
    "non-ascii-name": b"Transf\xe9r-Encoding: chunked",
    "after-lf": b"X: 1\n" + CHUNKED,
    "after-cr": b"X: 1\r" + CHUNKED,
    "after-cr-cr-lf": b"X: 1\r\r\n" + CHUNKED,
    "after-lf-cr": b"X: 1\n\r" + CHUNKED,
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded-with-tab": b"Transfer-Encoding:\r\n\tchunked",
    "folded-after-another": b"Transfer-Encoding: x\r\n chunked",
    "folded-into-another": b"X: 1\r\n " + CHUNKED,
    "folded-identity": CHUNKED + b"\r\n , identity",
    "value-unknown": b"Transfer-Encoding: xchunked",
    "value-identity": b"Transfer-Encoding: identity",
    "value-empty": b"Transfer-Encoding:",
    "value-after-vertical-tab": b"Transfer-Encoding: \x0bchunked",
    "value-quoted": b'Transfer-Encoding: "chunked"',
    "value-in-another-case": b"Transfer-Encoding: cHuNkEd",
    "value-after-tab": b"Transfer-Encoding:\tchunked",
    "value-after-no-space": b"Transfer-Encoding:chunked",
}

REPEATED_CODINGS = {
    "chunked-twice": (CHUNKED, CHUNKED),
    "chunked-then-unknown": (CHUNKED, b"Transfer-Encoding: cow"),
    "unknown-then-chunked": (b"Transfer-Encoding: cow", CHUNKED),
    "chunked-then-identity": (CHUNKED, b"Transfer-Encoding: identity"),
    "identity-then-chunked": (b"transfer-encoding: identity", CHUNKED),
    "chunked-then-empty": (CHUNKED, b"Transfer-Encoding:"),
    "empty-then-chunked": (b"Transfer-Encoding:", CHUNKED),
}

GOOD_CODINGS = {
    "other-case": b"Transfer-Encoding: Chunked",
    "upper-case": b"TRANSFER-ENCODING: CHUNKED",
    "lower-case-name": b"transfer-encoding: chunked",
    "no-space": b"Transfer-Encoding:chunked",
    "spaces-around": b"Transfer-Encoding: \t chunked \t ",
}

EMPTY_ELEMENTS = {
    "before": b"Transfer-Encoding: , chunked",
    "after": b"Transfer-Encoding: chunked,",
}

GOOD_LENGTHS = {
    "lower-case-name": b"content-length: 4",
    "no-space": b"Content-Length:4",
    "spaces-around": b"Content-Length: \t 4 \t ",
}

METHODS_WITH_CONTENT = (
    b"GET",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"PROPFIND",
    b"PUT",
    b"QUERY",
)

ANSWER_TO_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

LENGTHS = [
    *(
        refused(
            f"length-{name}",
            "Content-Length is one number, in ASCII digits that fit.",
            "RFC 9110, 8.6",
            request(b"POST", b"/a", b"Content-Length: " + value, content=b"four")
            + NEXT,
        )
        for name, value in BAD_LENGTHS.items()
    ),
    *(
        refused(
            f"length-{name}",
            "Content-Length is there once, and where everyone sees it.",
            "RFC 9112, 6.3",
            request(b"POST", b"/a", line, host=HOST, content=b"") + b"four" + NEXT,
        )
        for name, line in BAD_LENGTH_LINES.items()
    ),
    *(
        forwarded(
            f"length-{name}",
            "The case of a name and the space around a value do not matter.",
            "RFC 9112, 5",
            request(b"POST", b"/a", line, content=b"four"),
            content=b"four",
            framing="length",
        )
        for name, line in GOOD_LENGTHS.items()
    ),
    or_refused(
        forwarded(
            "length-leading-zeros",
            "Zeros before a number change nothing.",
            "RFC 9110, 8.6",
            request(b"POST", b"/a", b"Content-Length: 0004", content=b"four"),
            content=b"four",
        )
    ),
    or_refused(
        forwarded(
            "length-not-octal",
            "Content-Length is decimal, whatever it begins with.",
            "RFC 9110, 8.6",
            request(b"POST", b"/a", b"Content-Length: 010", content=b"0123456789"),
            content=b"0123456789",
        )
    ),
    cut_off(
        "length-over-32-bits",
        "A length that does not fit in 32 bits is not cut to them.",
        "RFC 9112, 6.3",
        (
            request(b"POST", b"/a", b"Content-Length: 4294967300", content=b"four"),
            NEXT,
            SHUT_WR,
        ),
    ),
    forwarded(
        "length-zero",
        "A length of zero is no content.",
        "RFC 9110, 8.6",
        request(b"POST", b"/a", b"Content-Length: 0"),
        only=(b"Content-Length: 0",),
        content=b"",
    ),
    forwarded(
        "length-zero-in-get",
        "A length of zero is no content.",
        "RFC 9110, 8.6",
        request(b"GET", b"/a", b"Content-Length: 0"),
        only=(b"Content-Length: 0",),
        content=b"",
    ),
    forwarded(
        "length-of-every-byte",
        "Content is forwarded byte for byte.",
        "RFC 9110, 7.7",
        request(b"POST", b"/a", content=EVERY_BYTE),
        content=EVERY_BYTE,
    ),
    forwarded(
        "length-of-a-megabyte",
        "Content is forwarded whole, however long it is.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a", content=EVERY_BYTE * 4096),
        content=EVERY_BYTE * 4096,
        framing="length",
    ),
    forwarded(
        "length-of-chunks",
        "What looks like chunks is only content where a length was given.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a", content=chunked(b"one")),
        content=chunked(b"one"),
    ),
    or_refused(
        forwarded(
            "length-and-underscored-coding",
            "A name with an underscore is another name.",
            "RFC 9112, 11.2",
            request(
                b"POST", b"/a", FOUR, b"Transfer_Encoding: chunked", content=b"four"
            ),
            content=b"four",
            framing="length",
        )
    ),
]

CODINGS = [
    *(
        refused(
            f"transfer-coding-{name}",
            "A transfer coding that is not understood is refused.",
            "RFC 9112, 6.1",
            request(
                b"POST",
                b"/a",
                b"Transfer-Encoding: " + value,
                content=chunked(b"smuggled"),
            )
            + NEXT,
            status=FRAMING_ERROR,
        )
        for name, value in UNKNOWN_CODINGS.items()
    ),
    *(
        refused(
            f"transfer-codings-{name}",
            "Transfer codings in several fields are refused.",
            "RFC 9112, 6.1",
            request(b"POST", b"/a", *lines, content=chunked(b"smuggled")) + NEXT,
            status=FRAMING_ERROR,
        )
        for name, lines in REPEATED_CODINGS.items()
    ),
    *(
        forwarded(
            f"transfer-coding-{name}",
            "The case of a coding and the space around it do not matter.",
            "RFC 9112, 7",
            request(b"POST", b"/a", line, content=chunked(b"one")),
            content=b"one",
        )
        for name, line in GOOD_CODINGS.items()
    ),
    *(
        or_refused(
            forwarded(
                f"transfer-coding-empty-element-{name}",
                "Empty elements of a list mean nothing.",
                "RFC 9110, 5.6.1.2",
                request(b"POST", b"/a", line, content=chunked(b"one")),
                content=b"one",
            ),
            FRAMING_ERROR,
        )
        for name, line in EMPTY_ELEMENTS.items()
    ),
    refused(
        "transfer-coding-in-1.0",
        "HTTP/1.0 has no transfer codings.",
        "RFC 9112, 6.1",
        request(
            b"POST", b"/a", CHUNKED, version=b"HTTP/1.0", content=chunked(b"smuggled")
        ),
        status=FRAMING_ERROR,
    ),
    refused(
        "transfer-coding-and-length-in-1.0",
        "HTTP/1.0 has no transfer codings.",
        "RFC 9112, 6.1",
        request(
            b"POST",
            b"/a",
            b"Connection: keep-alive",
            b"Content-Length: 3",
            CHUNKED,
            version=b"HTTP/1.0",
            content=chunked(b"smuggled"),
        ),
        status=FRAMING_ERROR,
    ),
]

BOTH = [
    refused(
        "length-and-chunked",
        "A request with both framings is refused.",
        "RFC 9112, 6.1",
        request(
            b"POST", b"/a", b"Content-Length: 4", CHUNKED, content=chunked(b"smuggled")
        ),
    ),
    refused(
        "chunked-and-length",
        "A request with both framings is refused.",
        "RFC 9112, 6.1",
        request(b"POST", b"/a", CHUNKED, FOUR, content=chunked(b"smuggled") + NEXT),
    ),
    refused(
        "chunked-and-length-that-agree",
        "A request with both framings is refused, even where both are right.",
        "RFC 9112, 6.1",
        request(b"POST", b"/a", CHUNKED, b"Content-Length: 5", content=b"0\r\n\r\n"),
    ),
    refused(
        "chunked-and-length-in-get",
        "A request with both framings is refused.",
        "RFC 9112, 6.1",
        request(b"GET", b"/a", CHUNKED, b"Content-Length: 0", content=b"0\r\n\r\n"),
    ),
    refused(
        "cl.te",
        "What follows the last chunk within the length is not a request.",
        "RFC 9112, 11.2",
        request(
            b"POST",
            b"/a",
            b"Content-Length: %d" % (5 + len(NEXT)),
            CHUNKED,
            content=b"0\r\n\r\n" + NEXT,
        ),
    ),
    refused(
        "te.cl",
        "What follows the length within the first chunk is not a request.",
        "RFC 9112, 11.2",
        request(b"POST", b"/a", FOUR, CHUNKED, content=chunked(NEXT)),
    ),
    *(
        refused(
            f"length-and-coding-{name}",
            "Transfer-Encoding cannot be hidden from one of two readers.",
            "RFC 9112, 11.2",
            request(b"POST", b"/a", FOUR, line, content=chunked(NEXT)),
            status=FRAMING_ERROR,
        )
        for name, line in HIDDEN_CODINGS.items()
    ),
]

CONTENT = [
    *(
        forwarded(
            f"content-in-{method.decode().lower()}",
            "A request of any method may have content.",
            "RFC 9110, 6.4",
            request(method, b"/a", content=b"four"),
            line=method + b" /a HTTP/1.1",
            content=b"four",
            framing="length",
        )
        for method in METHODS_WITH_CONTENT
    ),
    *(
        forwarded(
            f"chunked-{method.decode().lower()}",
            "A chunked request is forwarded with the content that it has.",
            "RFC 9112, 7.1",
            request(method, b"/a", CHUNKED, content=chunked(b"one", b"two;", b"three")),
            line=method + b" /a HTTP/1.1",
            content=b"onetwo;three",
        )
        for method in METHODS_WITH_CONTENT
    ),
    *(
        forwarded(
            f"content-is-a-request-in-{method.decode().lower()}",
            "Content is never read as the next request, whatever the method.",
            "RFC 9112, 11.2",
            request(method, b"/a", content=NEXT),
            content=NEXT,
        )
        for method in (b"GET", b"DELETE", b"OPTIONS", b"POST")
    ),
    forwarded(
        "content-in-head",
        "A request of any method may have content.",
        "RFC 9110, 9.3.2",
        request(b"HEAD", b"/a", content=NEXT),
        answer=ANSWER_TO_HEAD,
        content=NEXT,
    ),
    forwarded(
        "chunked-head",
        "A chunked request is forwarded with the content that it has.",
        "RFC 9110, 9.3.2",
        request(b"HEAD", b"/a", CHUNKED, content=chunked(NEXT)),
        answer=ANSWER_TO_HEAD,
        content=NEXT,
    ),
    forwarded(
        "no-framing-no-content",
        "A request without framing fields has no content.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a"),
        content=b"",
        absent=(b"Transfer-Encoding",),
    ),
    Case(
        "no-framing-then-garbage",
        "What follows a request without framing fields is not its content.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a") + b"four\r\n\r\n",
        (
            Expect(
                got=(Response(200), Response(CLIENT_ERROR)),
                reached=(Request(content=b""),),
                after=CLOSED,
            ),
        ),
    ),
    Case(
        "garbage-after-length",
        "What follows the length is not content, and no request either.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a", FOUR, content=b"four!\r\n\r\n"),
        (
            Expect(
                got=(Response(200), Response(CLIENT_ERROR)),
                reached=(Request(content=b"four"),),
                after=CLOSED,
            ),
        ),
    ),
    *(
        Case(
            f"next-after-{name}",
            "The next request begins right after the content.",
            "RFC 9112, 9.3.2",
            first + NEXT,
            (
                Expect(
                    got=(Response(200), Response(200)),
                    reached=(
                        Request(content=b"four"),
                        Request(line=b"GET /next HTTP/1.1", only=(), content=b""),
                    ),
                    after=OPEN,
                ),
            ),
        )
        for name, first in {
            "length": request(b"POST", b"/a", content=b"four"),
            "chunked": request(b"POST", b"/a", CHUNKED, content=chunked(b"four")),
            "trailers": request(
                b"POST", b"/a", CHUNKED, content=chunked(b"four", trailers=(b"X: 1",))
            ),
            # RFC 9112, 2.2: as old clients send it after a form.
            "extra-crlf": request(b"POST", b"/a", content=b"four") + b"\r\n",
        }.items()
    ),
    forwarded(
        "request-byte-by-byte",
        "However a request is cut into segments, it is the same request.",
        "RFC 9112, 2.2",
        (Slowly(request(b"POST", b"/a", CHUNKED, content=chunked(b"one", b"two"))),),
        content=b"onetwo",
    ),
    forwarded(
        "length-byte-by-byte",
        "However a request is cut into segments, it is the same request.",
        "RFC 9112, 2.2",
        (Slowly(b"\r\n" + request(b"POST", b"/a", b"X: 1", content=b"four")),),
        fields=(b"X: 1",),
        content=b"four",
    ),
]

PIECES = [
    refused(
        f"length-and-coding-{name}-byte-by-byte",
        "However a request is cut into segments, it is the same request.",
        "RFC 9112, 11.2",
        (Slowly(request(b"POST", b"/a", FOUR, line, content=chunked(NEXT))),),
        status=FRAMING_ERROR,
    )
    for name, line in HIDDEN_CODINGS.items()
]

CUT = [
    cut_off(
        "length-cut",
        "Content that ends before its length does not look complete.",
        "RFC 9112, 8",
        (request(b"POST", b"/a", b"Content-Length: 10", content=b"four"), SHUT_WR),
    ),
    cut_off(
        "chunked-cut",
        "Content that ends before its last chunk does not look complete.",
        "RFC 9112, 8",
        (request(b"POST", b"/a", CHUNKED, content=b"4\r\nfour\r\n"), SHUT_WR),
    ),
    cut_off(
        "chunked-cut-before-trailers",
        "Content that ends before its trailer section does not look complete.",
        "RFC 9112, 8",
        (request(b"POST", b"/a", CHUNKED, content=b"4\r\nfour\r\n0\r\n"), SHUT_WR),
    ),
    *(
        Case(
            f"{name}-by-{how}",
            "Content that breaks off does not look complete.",
            "RFC 9112, 8",
            (
                request(b"POST", b"/a", line, content=content),
                UPSTREAM_GOT_CONTENT,
                end,
                UPSTREAM_SAW_END,
            ),
            (Expect(reached=(Request(complete=False),), upstream_left=True),),
        )
        for name, line, content in (
            ("length-cut", b"Content-Length: 10", b"four"),
            ("chunked-cut", CHUNKED, b"4\r\nfour\r\n"),
        )
        for how, end in (("reset", RESET), ("close", CLOSE))
    ),
]

CASES: list[Case] = [*LENGTHS, *CODINGS, *BOTH, *CONTENT, *PIECES, *CUT]
