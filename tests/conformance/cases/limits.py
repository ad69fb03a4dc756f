"""How much of a request there may be."""

from tests.conformance.case import (
    CLIENT_ERROR,
    CLOSED,
    FRAMING_ERROR,
    Case,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT, or_refused

KB = 1_024
BLOCK = b"0123456789abcdef" * 64

TOO_LONG = frozenset({414})
TOO_LARGE = frozenset({431})

LARGE_FIELDS = {
    "value": (b"X-Large: " + BLOCK * 60,),
    "value-with-spaces": (b"X-Large: " + b"a b, " * 12_000 + b"c",),
    "cookie": (b"Cookie: a=" + BLOCK * 32,),
    "values": tuple(b"X-Large-%d: " % n + BLOCK * 8 for n in range(8)),
    "name": (b"X" * (8 * KB) + b": 1",),
}

TOO_LARGE_FIELDS = {
    "value": (b"X-Large: " + BLOCK * 100,),
    "value-of-spaces": (b"X-Large: " + b" " * 100 * KB + b"1",),
    "value-of-a-megabyte": (b"X-Large: " + BLOCK * KB,),
    "authorization": (b"Authorization: Bearer " + BLOCK * 100,),
    "cookie": (b"Cookie: " + BLOCK * 100,),
    "name": (b"X" * 100 * KB + b": 1",),
    "last": (b"X: 1", b"Y: 2", b"Z: " + BLOCK * 100),
}

TOO_MANY_FIELDS = {
    "300": tuple(b"X-%d: 1" % n for n in range(300)),
    "1000": tuple(b"X-%d: 1" % n for n in range(1_000)),
    "10000": tuple(b"X: %d" % n for n in range(10_000)),
    "1000-alike": (b"X: 1",) * 1_000,
    "1000-empty": (b"X:",) * 1_000,
}

CASES: list[Case] = [
    *(
        forwarded(
            f"large-{name}",
            "A large field is forwarded as it came.",
            "RFC 9110, 5.4",
            request(b"GET", b"/a", *lines, b"Y: 2"),
            only=(*lines, b"Y: 2"),
        )
        for name, lines in LARGE_FIELDS.items()
    ),
    *(
        forwarded(
            f"long-{part}-of-{size}-kb",
            "A long target is forwarded as it came.",
            "RFC 9112, 3",
            request(target=before + BLOCK * size),
            line=b"GET " + before + BLOCK * size + b" HTTP/1.1",
        )
        for part, before in (("path", b"/"), ("query", b"/a?q="))
        for size in (8, 16, 32)
    ),
    forwarded(
        "long-method",
        "A method may be long.",
        "RFC 9112, 3",
        request(b"FROBNICATE-" * 9 + b"X"),
        line=b"FROBNICATE-" * 9 + b"X /a HTTP/1.1",
    ),
    *(
        refused(
            f"too-long-{part}",
            "A target that is too long is refused with 414.",
            "RFC 9110, 15.5.15",
            request(target=before + BLOCK * 100) + NEXT,
            status=TOO_LONG,
        )
        for part, before in (
            ("path", b"/"),
            ("query", b"/a?q="),
            ("absolute-form", b"http://proxy.test/"),
        )
    ),
    refused(
        "too-long-line-without-end",
        "A target that is too long is refused before its end.",
        "RFC 9110, 15.5.15",
        b"GET /" + BLOCK * 100,
        status=TOO_LONG,
    ),
    refused(
        "too-long-line-of-a-megabyte",
        "A target that is too long is refused before its end.",
        "RFC 9110, 15.5.15",
        request(target=b"/" + BLOCK * KB) + NEXT,
        status=TOO_LONG,
    ),
    refused(
        "too-long-method",
        "A method longer than any that is known is refused.",
        "RFC 9112, 3",
        request(b"X" * 100 * KB) + NEXT,
        status=FRAMING_ERROR,
    ),
    refused(
        "too-long-method-without-end",
        "A method longer than any that is known is refused before its end.",
        "RFC 9112, 3",
        b"X" * 100 * KB,
        status=FRAMING_ERROR,
    ),
    refused(
        "too-long-version",
        "A version is not long.",
        "RFC 9112, 2.3",
        request(version=b"HTTP/1." + b"1" * 100 * KB) + NEXT,
        status=CLIENT_ERROR | {505},
    ),
    *(
        refused(
            f"too-large-{name}",
            "A field that is too large is refused with 431.",
            "RFC 6585, 5",
            request(b"GET", b"/a", *lines) + NEXT,
            status=TOO_LARGE,
        )
        for name, lines in TOO_LARGE_FIELDS.items()
    ),
    refused(
        "too-large-value-without-end",
        "A field that is too large is refused before its end.",
        "RFC 6585, 5",
        b"GET /a HTTP/1.1\r\nHost: proxy.test\r\nX-Large: " + BLOCK * 100,
        status=TOO_LARGE,
    ),
    refused(
        "too-large-value-in-pieces",
        "A field that is too large is refused before its end.",
        "RFC 6585, 5",
        (
            b"GET /a HTTP/1.1\r\nHost: proxy.test\r\nX-Large: ",
            *(BLOCK * 10 for _ in range(10)),
        ),
        status=TOO_LARGE,
    ),
    *(
        refused(
            f"too-many-fields-{name}",
            "Too many fields are refused with 431.",
            "RFC 6585, 5",
            request(b"GET", b"/a", *lines) + NEXT,
            status=TOO_LARGE,
        )
        for name, lines in TOO_MANY_FIELDS.items()
    ),
    refused(
        "too-large-head",
        "Fields that are too large together are refused with 431.",
        "RFC 6585, 5",
        request(b"GET", b"/a", *(b"X-%d: " % n + BLOCK * 50 for n in range(6))) + NEXT,
        status=TOO_LARGE,
    ),
    refused(
        "too-large-head-of-many-fields",
        "Fields that are too large together are refused with 431.",
        "RFC 6585, 5",
        request(b"GET", b"/a", *(b"X-%d: " % n + BLOCK * 2 for n in range(200))) + NEXT,
        status=TOO_LARGE,
    ),
    refused(
        "too-large-head-of-post",
        "A head that is too large is refused whatever follows it.",
        "RFC 6585, 5",
        request(b"POST", b"/a", b"X: " + BLOCK * 100, content=NEXT) + NEXT,
        status=TOO_LARGE,
    ),
    or_refused(
        forwarded(
            "many-repeated-values",
            "A list of many lines is forwarded as it came, if at all.",
            "RFC 9110, 5.3",
            request(b"GET", b"/a", *(b"X: %d" % n for n in range(250))),
            only=tuple(b"X: %d" % n for n in range(250)),
        ),
        TOO_LARGE,
    ),
    forwarded(
        "large-content-behind-large-head",
        "A large head does not cut the content after it.",
        "RFC 9112, 6.3",
        request(b"POST", b"/a", b"X: " + BLOCK * 32, content=BLOCK * 256),
        content=BLOCK * 256,
    ),
    forwarded(
        "large-head-in-1.0",
        "A large field is forwarded as it came.",
        "RFC 9110, 5.4",
        request(b"GET", b"/a", b"X: " + BLOCK * 32, version=b"HTTP/1.0"),
        only=(b"X: " + BLOCK * 32,),
        after=CLOSED,
    ),
]
