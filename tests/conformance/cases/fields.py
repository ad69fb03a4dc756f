"""Fields of requests: which are valid, and that they are forwarded as they came."""

import gzip
import re

from tests.conformance.case import (
    Case,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT

BAD_NAME_SIGNS = {
    "space": b" ",
    "tab": b"\t",
    "quote": b'"',
    "parenthesis-open": b"(",
    "parenthesis-close": b")",
    "comma": b",",
    "slash": b"/",
    "semicolon": b";",
    "less": b"<",
    "equals": b"=",
    "greater": b">",
    "question-mark": b"?",
    "at": b"@",
    "bracket-open": b"[",
    "backslash": b"\\",
    "bracket-close": b"]",
    "brace-open": b"{",
    "brace-close": b"}",
    "nul": b"\0",
    "soh": b"\x01",
    "vertical-tab": b"\x0b",
    "form-feed": b"\x0c",
    "cr": b"\r",
    "lf": b"\n",
    "delete": b"\x7f",
    "obs-text": b"\x80",
    "no-break-space": b"\xa0",
    "latin-1": b"\xe9",
    "utf-8": "ж".encode(),
}

BAD_LINES = {
    "tab-before-colon": b"X-One\t: 1",
    "space-before-name": b" X-One: 1",
    "empty-name": b": 1",
    "colon-only": b":",
    "colons-only": b"::",
    "without-colon": b"X-One",
    "without-colon-but-value": b"X-One 1",
    "space-only": b" ",
    "folded": b"X-One: 1\r\n 2",
    "folded-with-tab": b"X-One: 1\r\n\t2",
    "folded-at-once": b"X-One:\r\n 1",
    "folded-twice": b"X-One: 1\r\n 2\r\n 3",
    "folded-to-nothing": b"X-One: 1\r\n \r\nX-Two: 2",
    "folded-field": b"X-One: 1\r\n Authorization: Bearer own",
    "request-line": b"GET /next HTTP/1.1",
}

BAD_VALUE_BYTES = {
    "nul": b"\0",
    "soh": b"\x01",
    "bell": b"\x07",
    "backspace": b"\x08",
    "lf": b"\n",
    "vertical-tab": b"\x0b",
    "form-feed": b"\x0c",
    "cr": b"\r",
    "lf-cr": b"\n\r",
    "cr-cr-lf": b"\r\r\n",
    "shift-out": b"\x0e",
    "escape": b"\x1b",
    "unit-separator": b"\x1f",
    "delete": b"\x7f",
}

VALUES = {
    "every-printable": bytes(range(0x21, 0x7F)),
    "obs-text": bytes(range(0x80, 0x100)),
    "utf-8": "врач 😀".encode(),
    "cp1251": "врач".encode("cp1251"),
    "next-line": b"a\x85b",
    "no-break-space-at-ends": b"\xa0a\xa0",
    "tab-inside": b"a\tb",
    "spaces-inside": b"a  b   c",
    "colons": b"a:b: c",
    "colon-first": b": 1",
    "commas": b"a,b,,c, ,",
    "quotes": b'"a\\"b", "c',
    "percent-encoded": b"%0d%0aX-Two:%202",
    "escapes": b"\\r\\nX-Two: 2",
    "markup": b"<a b='c'>{{d}}${e}%{f}",
    "one-kb": b"x" * 1_024,
}

ORDINARY = {
    "range": (b"Range: bytes=0-99, 200-", b'If-Range: "a"'),
    "conditions": (
        b'If-Match: "a", W/"b"',
        b"If-None-Match: *",
        b"If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT",
        b"If-Unmodified-Since: then",
    ),
    "preferences": (
        b"Accept: application/json;q=0.9, */*;q=0.1",
        b"Accept-Charset: utf-8",
        b"Accept-Encoding: gzip;q=1.0, br, *;q=0",
        b"Accept-Language: ru, en;q=0.5",
    ),
    "identity-only": (b"Accept-Encoding: identity",),
    "cookies": (b"Cookie: a=b; c=d; a=e", b'cookie: f="g h"; i', b"Cookie: j=;k=l"),
    "caching": (b"Cache-Control: no-cache, max-age=0", b"Pragma: no-cache"),
    "forwarded": (
        b"Forwarded: for=192.0.2.1;proto=https",
        b"X-Forwarded-For: 192.0.2.1, 192.0.2.2",
        b"X-Forwarded-Proto: https",
        b"X-Real-IP: 192.0.2.1",
    ),
    "client": (
        b"User-Agent: curl/8.5 (a; b)",
        b"Referer: http://elsewhere.test/#a",
        b"From: a@b.test",
        b"DNT: 1",
    ),
    "tracing": (b"traceparent: 00-0af7-b7ad-01", b"X-Request-ID: 1", b"baggage: a=b"),
    "hop-alike": (
        b"Connections: close",
        b"X-Connection: close",
        b"Trailers: a",
        b"Upgrades: b",
        b"TEE: trailers",
        b"Transfer-Encodings: chunked",
        b"X-Transfer-Encoding: chunked",
        b"X-Content-Length: 9",
        b"Proxy: http://elsewhere.test",
    ),
    "content-fields-without-content": (
        b"Content-Type: text/plain",
        b"Content-Encoding: gzip",
        b"Content-MD5: a",
    ),
    "response-fields": (b"Server: a", b"Set-Cookie: b", b"Location: /c", b"Age: 1"),
    "date": (b"Date: Sat, 29 Oct 1994 19:43:31 GMT",),
    "underscored": (
        b"Content_Length: 9",
        b"Transfer_Encoding: chunked",
        b"HOST_: elsewhere.test",
        b"X_Proxy_Key: own",
    ),
    "pseudo-alike": (b"method: POST", b"path: /b", b"scheme: https", b"status: 500"),
}

REPEATS = (
    b"X-One: 1",
    b"Accept: text/html",
    b"x-one: 2",
    b"X-Two: a",
    b"accept: text/plain",
    b"X-ONE: 1",
)

FORM = b"a=1&b=%D0%B0+c"
GZIP = gzip.compress(FORM, mtime=0)


def around(line: bytes, value: bytes) -> re.Pattern[bytes]:
    """Return a pattern of `line`'s name and a `value` in any white space."""
    name = re.escape(line.partition(b":")[0])
    return re.compile(name + rb":[ \t]*" + re.escape(value) + rb"[ \t]*")


SYNTAX = [
    refused(
        "field-space-before-colon",
        "Space before the colon is refused.",
        "RFC 9112, 5.1",
        request(b"GET", b"/a", b"X-One : 1"),
        status=400,
    ),
    *(
        refused(
            f"field-name-with-{name}",
            "A field's name is a token.",
            "RFC 9110, 5.1",
            request(b"GET", b"/a", b"X-%bOne: 1" % sign) + NEXT,
        )
        for name, sign in BAD_NAME_SIGNS.items()
    ),
    *(
        refused(
            f"field-name-ends-with-{name}",
            "A field's name is a token.",
            "RFC 9110, 5.1",
            request(b"GET", b"/a", b"X-One%b: 1" % sign) + NEXT,
        )
        for name, sign in BAD_NAME_SIGNS.items()
    ),
    *(
        refused(
            f"field-line-{name}",
            "A field is a name, a colon and a value, on one line.",
            "RFC 9112, 5",
            request(b"GET", b"/a", b"X: 1", line, b"Y: 2") + NEXT,
        )
        for name, line in BAD_LINES.items()
    ),
    *(
        refused(
            f"first-field-line-{name}",
            "A field is a name, a colon and a value, on one line.",
            "RFC 9112, 2.2",
            b"GET /a HTTP/1.1\r\n" + line + b"\r\nHost: proxy.test\r\n\r\n" + NEXT,
        )
        for name, line in {
            "space-before-name": b" X-One: 1",
            "tab-before-name": b"\tX-One: 1",
            "space-only": b" ",
            "without-colon": b"X-One",
            "space-and-host": b" Host: elsewhere.test",
        }.items()
    ),
    *(
        refused(
            f"field-value-with-{name}",
            "A value has no control characters but the tab.",
            "RFC 9110, 5.5",
            request(b"GET", b"/a", b"X-One: a" + data + b"X-Two: b") + NEXT,
        )
        for name, data in BAD_VALUE_BYTES.items()
    ),
    *(
        refused(
            f"field-value-ends-with-{name}",
            "A value has no control characters but the tab.",
            "RFC 9110, 5.5",
            request(b"GET", b"/a", b"X-One: a" + data) + NEXT,
        )
        for name, data in BAD_VALUE_BYTES.items()
    ),
    forwarded(
        "field-name-of-every-sign",
        "A field's name is any token.",
        "RFC 9110, 5.1",
        request(b"GET", b"/a", b"!#$%&'*+-.^_`|~09AZaz: 1", b"1: 2", b"_: 3"),
        only=(b"!#$%&'*+-.^_`|~09AZaz: 1", b"1: 2", b"_: 3"),
    ),
    forwarded(
        "field-name-of-one-kb",
        "A field's name may be long.",
        "RFC 9110, 5.4",
        request(b"GET", b"/a", b"X" * 1_024 + b": 1"),
        only=(b"X" * 1_024 + b": 1",),
    ),
]

FORWARDED = [
    *(
        forwarded(
            f"value-{name}",
            "A value is forwarded byte for byte.",
            "RFC 9110, 5.5",
            request(b"GET", b"/a", b"X-One: " + value),
            only=(b"X-One: " + value,),
        )
        for name, value in VALUES.items()
    ),
    *(
        forwarded(
            f"value-{name}",
            "White space around a value is not part of it.",
            "RFC 9112, 5",
            request(b"GET", b"/a", line, b"X-Two: 2"),
            only=(around(line, value), b"X-Two: 2"),
        )
        for name, line, value in (
            ("after-no-space", b"X-One:1", b"1"),
            ("after-tab", b"X-One:\t1", b"1"),
            ("in-white-space", b"X-One:  \t 1 2 \t  ", b"1 2"),
            ("empty", b"X-One:", b""),
            ("empty-after-space", b"X-One: ", b""),
            ("empty-after-spaces", b"X-One: \t ", b""),
            ("empty-accept-encoding", b"Accept-Encoding:", b""),
            ("empty-user-agent", b"User-Agent:", b""),
        )
    ),
    *(
        forwarded(
            f"fields-{name}",
            "End-to-end fields are forwarded as they came.",
            "RFC 9110, 7.6.1",
            request(b"GET", b"/a", *lines),
            only=lines,
        )
        for name, lines in ORDINARY.items()
    ),
    forwarded(
        "fields-none",
        "Nothing is added that the client left out, such as User-Agent.",
        "RFC 9110, 7.6",
        request(),
        line=b"GET /a HTTP/1.1",
        only=(),
        content=b"",
        framing="none",
    ),
    forwarded(
        "fields-repeated",
        "Fields are forwarded in their order, with their case and repeats.",
        "RFC 9110, 5.3",
        request(b"GET", b"/a", *REPEATS),
        only=REPEATS,
    ),
    forwarded(
        "fields-same-line-twice",
        "Fields are forwarded in their order, with their case and repeats.",
        "RFC 9110, 5.3",
        request(b"GET", b"/a", b"X: 1", b"X: 1"),
        only=(b"X: 1", b"X: 1"),
    ),
    forwarded(
        "fields-200",
        "Fields may be many.",
        "RFC 9110, 5.4",
        request(b"GET", b"/a", *(b"X-%d: %d" % (n, n) for n in range(200))),
        only=tuple(b"X-%d: %d" % (n, n) for n in range(200)),
    ),
    forwarded(
        "fields-before-host",
        "Host need not be the first field.",
        "RFC 9110, 7.2",
        request(b"GET", b"/a", b"X: 1", b"Host: proxy.test", b"Y: 2", host=None),
        only=(b"X: 1", b"Y: 2"),
    ),
    forwarded(
        "content-type-left-out",
        "Content without a type is forwarded without one.",
        "RFC 9110, 8.3",
        request(b"POST", b"/a", content=b"four"),
        only=(b"Content-Length: 4",),
        content=b"four",
    ),
    forwarded(
        "content-of-form",
        "Content is forwarded byte for byte, its fields as they came.",
        "RFC 9110, 7.7",
        request(
            b"POST",
            b"/a",
            b"Content-Type: application/x-www-form-urlencoded",
            content=FORM,
        ),
        fields=(b"Content-Type: application/x-www-form-urlencoded",),
        content=FORM,
    ),
    forwarded(
        "content-in-gzip",
        "Content is forwarded in the coding in which it came.",
        "RFC 9110, 7.7",
        request(b"PUT", b"/a", b"Content-Encoding: gzip", content=GZIP),
        fields=(b"Content-Encoding: gzip",),
        absent=(b"Content-Type",),
        content=GZIP,
    ),
    forwarded(
        "content-of-multipart",
        "Content is forwarded byte for byte, its fields as they came.",
        "RFC 9110, 7.7",
        request(
            b"POST",
            b"/a",
            b'Content-Type: multipart/form-data; boundary="a b"',
            content=b"--a b\r\n\r\n\r\n--a b--\r\n",
        ),
        fields=(b'Content-Type: multipart/form-data; boundary="a b"',),
        content=b"--a b\r\n\r\n\r\n--a b--\r\n",
    ),
]

CASES: list[Case] = [*SYNTAX, *FORWARDED]
