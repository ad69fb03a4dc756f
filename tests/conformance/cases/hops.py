"""What a request says to this hop only, and what counts hops."""

import re

from tests.conformance.case import (
    ANY,
    CLIENT_ERROR,
    CLOSED,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    chunked,
    forwarded,
    request,
    response,
)
from tests.conformance.refusals import or_refused

CHUNKED = b"Transfer-Encoding: chunked"
VIA = b"Via: 1.1 before"

NAMED = {
    "once": (b"Connection: X-One",),
    "in-another-case": (b"connection: x-ONE",),
    "without-space": (b"Connection:X-One",),
    "in-list": (b"Connection: keep-alive, X-One",),
    "in-list-without-spaces": (b"Connection: keep-alive,X-One,X-Two",),
    "in-list-with-tabs": (b"Connection: \tkeep-alive\t,\tX-One\t",),
    "in-list-with-empty-elements": (b"Connection: ,, X-One ,,",),
    "in-second-line": (b"Connection: keep-alive", b"Connection: X-One"),
    "in-first-line": (b"Connection: X-One", b"Connection:"),
    "twice": (b"Connection: X-One, X-One",),
}

# What the message would mean something else without.
NEEDED = (
    b"Cache-Control: no-store",
    b"Content-Encoding: gzip",
    b"Content-Language: ru",
    b"Content-Type: text/plain",
    b"Cookie: a=b",
)

HOP_FIELDS = {
    "keep-alive": (b"Keep-Alive: timeout=5, max=100",),
    "keep-alive-named": (b"Connection: keep-alive", b"Keep-Alive: timeout=5"),
    "proxy-connection": (b"Proxy-Connection: keep-alive",),
    "proxy-connection-close": (b"proxy-connection: close",),
    "proxy-authorization": (b"Proxy-Authorization: Basic b3duOm93bg==",),
    "proxy-authenticate": (b"Proxy-Authenticate: Basic",),
    "te": (b"TE: gzip;q=0.5", b"Connection: TE"),
    "te-not-named": (b"TE: deflate",),
    "te-empty": (b"TE:", b"Connection: TE"),
    "trailer": (b"Trailer: X-Sum",),
    "upgrade-not-named": (b"Upgrade: websocket",),
    "upgrade-named-but-missing": (b"Connection: upgrade",),
    "http2-settings": (b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",),
}

TO_HTTP_2 = {
    "h2c": b"h2c",
    "h2c-in-upper-case": b"H2C",
    "h2": b"h2",
    "http-2.0": b"HTTP/2.0",
    "list-of-both": b"h2c, HTTP/2.0",
}

UPGRADES = {
    "websocket": (b"Upgrade: websocket", b"Connection: Upgrade"),
    "in-other-cases": (b"UPGRADE: websocket", b"CONNECTION: uPGRADE"),
    "among-options": (b"Upgrade: websocket", b"Connection: keep-alive, Upgrade"),
    "in-second-line": (
        b"Connection: keep-alive",
        b"Upgrade: websocket",
        b"Connection: upgrade",
    ),
    "without-http-2": (b"Connection: Upgrade", b"Upgrade: h2c, websocket"),
}

WEBSOCKET = (
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
)

LOOPS = {
    "alone": (b"Via: 1.1 telemed-proxy",),
    "of-1.0": (b"Via: 1.0 telemed-proxy",),
    "with-protocol": (b"Via: HTTP/1.1 telemed-proxy",),
    "lower-case-name": (b"via: 1.1 telemed-proxy",),
    "without-space": (b"Via:1.1 telemed-proxy",),
    "last-in-list": (b"Via: 1.0 before, 1.1 telemed-proxy",),
    "first-in-list": (b"Via: 1.1 telemed-proxy,1.1 after",),
    "with-comment": (b"Via: 1.1 telemed-proxy (1.2, a)",),
    "with-tab": (b"Via: 1.1\ttelemed-proxy",),
    "in-second-line": (b"Via: 1.0 before", b"Via: 1.1 telemed-proxy"),
    "twice": (b"Via: 1.1 telemed-proxy, 1.1 telemed-proxy",),
}

NO_LOOPS = {
    "longer": b"Via: 1.1 telemed-proxy-2",
    "ends-alike": b"Via: 1.1 my-telemed-proxy",
    "subdomain": b"Via: 1.1 telemed-proxy.test",
    "in-comment": b"Via: 1.1 before (telemed-proxy)",
    "in-list-in-comment": b"Via: 1.1 before (a, 1.1 telemed-proxy, b)",
    "as-protocol": b"Via: telemed-proxy/1.1 before",
}

FORWARDS_LEFT = {
    "one": (b"1", b"0"),
    "two-digits": (b"10", b"9"),
    "leading-zeros": (b"003", b"2"),
    "spaces-around": (b" \t3 \t", b"2"),
    "over-64-bits": (b"18446744073709551617", b"18446744073709551616"),
}

NO_FORWARDS_LEFT = {
    "zero": (b"Max-Forwards: 0",),
    "zeros": (b"Max-Forwards: 00",),
    "zero-in-spaces": (b"max-forwards: \t0 \t",),
    "zero-named-by-connection": (b"Max-Forwards: 0", b"Connection: max-forwards"),
}

ODD_MAX_FORWARDS = {
    "empty": (b"Max-Forwards:",),
    "negative": (b"Max-Forwards: -1",),
    "signed": (b"Max-Forwards: +1",),
    "letters": (b"Max-Forwards: many",),
    "fraction": (b"Max-Forwards: 1.5",),
    "superscript": (b"Max-Forwards: \xb2",),
    "fullwidth-digit": ("Max-Forwards: ５".encode(),),
    "5000-digits": (b"Max-Forwards: " + b"9" * 5_000,),
    "list": (b"Max-Forwards: 3, 5",),
    "repeated": (b"Max-Forwards: 3", b"Max-Forwards: 5"),
}


def upgrade(id: str, send: bytes, protocols: bytes, content: bytes = b"") -> Case:
    """Return a case of a request that offers to go over to `protocols`."""
    offer = (
        re.compile(rb"(?i:upgrade): " + re.escape(protocols)),
        re.compile(rb"(?i:connection: upgrade)"),
    )
    return Case(
        id,
        "An upgrade is offered to the upstream, which may decline.",
        "RFC 9110, 7.8",
        send,
        tuple(
            Expect(
                got=(Response(200),),
                reached=(Request(fields=fields, content=content),),
                after=OPEN,
            )
            for fields in (offer, offer[::-1])
        ),
    )


CONNECTION = [
    *(
        forwarded(
            f"connection-names-field-{name}",
            "What Connection names is for this connection only.",
            "RFC 9110, 7.6.1",
            request(b"GET", b"/a", b"X-One: 1", *lines, b"x-one: 2", b"X-Three: 3"),
            only=(b"X-Three: 3",),
        )
        for name, lines in NAMED.items()
    ),
    forwarded(
        "connection-names-go",
        "What Connection names is for this connection only.",
        "RFC 9110, 7.6.1",
        request(
            b"GET", b"/a", b"Connection: X-One", b"X-One: 1", b"x-TWO: 2", b"A_b: \xff"
        ),
        only=(b"x-TWO: 2", b"A_b: \xff"),
    ),
    forwarded(
        "connection-names-what-is-missing",
        "Connection may name what is not there, or no field.",
        "RFC 9110, 7.6.1",
        request(b"GET", b"/a", b"Connection: X-One, \xff, @, a b", b"X-Two: 2"),
        only=(b"X-Two: 2",),
    ),
    forwarded(
        "connection-names-part-of-a-name",
        "Connection names whole names.",
        "RFC 9110, 7.6.1",
        request(b"GET", b"/a", b"Connection: X-One", b"X-One-Two: 1", b"X-On: 2"),
        only=(b"X-One-Two: 1", b"X-On: 2"),
    ),
    forwarded(
        "connection-names-5000",
        "Connection may name much.",
        "RFC 9110, 17.5",
        request(
            b"GET",
            b"/a",
            b"Connection: " + b", ".join(b"X-%d" % n for n in range(5_000)),
            b"X-4999: 1",
            b"X-5000: 2",
        ),
        only=(b"X-5000: 2",),
    ),
    forwarded(
        "connection-empty",
        "Connection may be empty.",
        "RFC 9110, 7.6.1",
        request(b"GET", b"/a", b"Connection:", b"X-One: 1"),
        only=(b"X-One: 1",),
    ),
    forwarded(
        "connection-close-and-names",
        "What Connection names is for this connection only.",
        "RFC 9112, 9.6",
        request(b"GET", b"/a", b"Connection: X-One, Close", b"X-One: 1"),
        only=(),
        after=CLOSED,
    ),
    forwarded(
        "connection-names-go-in-1.0",
        "What Connection names is for this connection only.",
        "RFC 9110, 7.6.1",
        request(b"GET", b"/a", b"Connection: X-One", b"X-One: 1", version=b"HTTP/1.0"),
        only=(),
        after=CLOSED,
    ),
    forwarded(
        "connection-cannot-take-authorization",
        "Connection cannot take away what the message needs.",
        "RFC 9110, 7.6.1",
        request(
            b"POST",
            b"/a",
            b"Authorization: Basic b3duOm93bg==",
            b"Connection: authorization, host, content-length",
            content=b"four",
        ),
        content=b"four",
    ),
    forwarded(
        "connection-cannot-take-host",
        "Connection cannot take away what the message needs.",
        "RFC 9110, 7.6.1",
        request(b"GET", b"/a", b"Connection: Host", b"Connection: HOST, close, host"),
        only=(),
        after=CLOSED,
    ),
    forwarded(
        "connection-cannot-take-length",
        "Connection cannot take away what the message needs.",
        "RFC 9112, 11.2",
        request(
            b"POST", b"/a", b"Connection: Content-Length", content=request(target=b"/b")
        ),
        content=request(target=b"/b"),
        framing="length",
    ),
    forwarded(
        "connection-cannot-take-coding",
        "Connection cannot take away what the message needs.",
        "RFC 9112, 11.2",
        request(
            b"POST",
            b"/a",
            b"Connection: Transfer-Encoding",
            CHUNKED,
            content=chunked(request(target=b"/b")),
        ),
        content=request(target=b"/b"),
    ),
    forwarded(
        "connection-cannot-take-via",
        "Connection cannot take away what the message needs.",
        "RFC 9110, 7.6.3",
        request(b"GET", b"/a", b"Connection: Via", VIA),
        fields=(re.compile(rb"Via: 1\.1 before(, 1\.1 \S+)?"),),
    ),
    forwarded(
        "connection-cannot-take-itself",
        "Connection may name itself, and what is dropped anyway.",
        "RFC 9110, 7.6.1",
        request(
            b"GET",
            b"/a",
            b"Connection: Connection, Keep-Alive, Proxy-Authorization, TE, Trailer",
            b"X-One: 1",
        ),
        only=(b"X-One: 1",),
    ),
    *(
        forwarded(
            f"connection-cannot-take-{line.partition(b':')[0].decode().lower()}",
            "Connection cannot take away what the message needs.",
            "RFC 9110, 7.6.1",
            request(
                b"POST",
                b"/a",
                b"Connection: " + line.partition(b":")[0],
                line,
                content=b"four",
            ),
            fields=(line,),
            content=b"four",
        )
        for line in NEEDED
    ),
]

HOP_BY_HOP = [
    *(
        forwarded(
            f"hop-field-{name}",
            "Fields for one hop are not forwarded.",
            "RFC 9110, 7.6.1",
            request(b"GET", b"/a", *lines, b"X-One: 1"),
            only=(b"X-One: 1",),
            absent=(b"Keep-Alive", b"TE"),
        )
        for name, lines in HOP_FIELDS.items()
    ),
    forwarded(
        "hop-fields-all",
        "Fields for one hop are not forwarded.",
        "RFC 9110, 7.6.1",
        request(
            b"GET",
            b"/a",
            *(
                line
                for name, lines in HOP_FIELDS.items()
                if name != "upgrade-named-but-missing"
                for line in lines
            ),
            b"X-One: 1",
        ),
        only=(b"X-One: 1",),
        absent=(b"Keep-Alive", b"TE"),
    ),
    *(
        forwarded(
            f"te-trailers-{name}",
            "Of TE only trailers is passed on.",
            "RFC 9110, 10.1.4",
            request(b"GET", b"/a", *lines),
            fields=(b"TE: trailers", b"Connection: TE"),
        )
        for name, lines in {
            "alone": (b"TE: trailers", b"Connection: TE"),
            "in-list": (b"TE: gzip;q=0.5, trailers, deflate", b"Connection: TE"),
            "in-two-lines": (b"te: deflate", b"te:Trailers", b"Connection: x, te"),
        }.items()
    ),
    Case(
        "te-trailers-not-named",
        "TE goes out with a Connection that names it, or not at all.",
        "RFC 9110, 10.1.4",
        request(b"GET", b"/a", b"TE: trailers"),
        (
            Expect(
                got=(Response(200),),
                reached=(Request(fields=(b"TE: trailers", b"Connection: TE")),),
                after=OPEN,
            ),
            Expect(
                got=(Response(200),), reached=(Request(absent=(b"TE",)),), after=OPEN
            ),
        ),
    ),
    *(
        forwarded(
            f"offer-of-{name}",
            "HTTP/2 is not what a connection through here goes over to.",
            "RFC 9113, 3.1",
            request(
                b"GET",
                b"/a",
                b"Connection: Upgrade, HTTP2-Settings",
                b"Upgrade: " + protocol,
                b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
            ),
            only=(),
            absent=(b"Upgrade", b"Connection"),
        )
        for name, protocol in TO_HTTP_2.items()
    ),
    *(
        upgrade(
            f"offer-{name}",
            request(b"GET", b"/a", *lines, *WEBSOCKET),
            b"websocket",
        )
        for name, lines in UPGRADES.items()
    ),
    Case(
        "offer-then-next",
        "Where an upgrade was declined, what follows is a request like any other.",
        "RFC 9110, 7.8",
        request(b"GET", b"/a", *UPGRADES["websocket"], *WEBSOCKET)
        + request(b"GET", b"/b", b"Authorization: Bearer own", b"X: 1"),
        (
            Expect(
                got=(Response(426), Response(200)),
                reached=(Request(), Request(line=b"GET /b HTTP/1.1", only=(b"X: 1",))),
                after=OPEN,
            ),
        ),
        answers=(response(b"426 Upgrade Required", b"Sec-WebSocket-Version: 13"),),
    ),
    upgrade(
        "offer-of-any",
        request(b"GET", b"/a", b"Connection: Upgrade", b"Upgrade: a/1, b"),
        b"a/1, b",
    ),
    upgrade(
        "offer-in-post",
        request(b"POST", b"/a", *UPGRADES["websocket"], content=b"four"),
        b"websocket",
        content=b"four",
    ),
    forwarded(
        "offer-in-1.0",
        "An upgrade is ignored in HTTP/1.0.",
        "RFC 9110, 7.8",
        request(b"GET", b"/a", *UPGRADES["websocket"], version=b"HTTP/1.0"),
        only=(),
        absent=(b"Connection",),
        after=CLOSED,
    ),
]

VIA_CASES = [
    forwarded(
        "via-added",
        "A forwarded request has one more Via.",
        "RFC 9110, 7.6.3",
        request(b"GET", b"/a", b"Via: 1.0 before"),
        fields=(re.compile(rb"Via: (1\.0 before, )?1\.1 \S+"),),
    ),
    forwarded(
        "via-alone",
        "A forwarded request has a Via.",
        "RFC 9110, 7.6.3",
        request(),
        fields=(b"Via: 1.1 telemed-proxy",),
    ),
    forwarded(
        "via-of-1.0",
        "Via has the version in which the request came.",
        "RFC 9110, 7.6.3",
        request(version=b"HTTP/1.0"),
        fields=(b"Via: 1.0 telemed-proxy",),
        after=CLOSED,
    ),
    forwarded(
        "via-after-others",
        "Via is added after those that are there, which stay as they are.",
        "RFC 9110, 7.6.3",
        request(b"GET", b"/a", b"Via: 1.0 one, HTTP/1.1 two (a, b)", b"via:1.1 three"),
        fields=(
            b"Via: 1.0 one, HTTP/1.1 two (a, b)",
            re.compile(rb"(?i:via): ?1\.1 three(, 1\.1 telemed-proxy)?"),
        ),
    ),
    *(
        Case(
            f"via-loop-{name}",
            "A request that has been here before goes in circles.",
            "RFC 9110, 7.6.3",
            request(b"GET", b"/a", *lines),
            (Expect(got=(Response(508),), reached=()),),
        )
        for name, lines in LOOPS.items()
    ),
    Case(
        "via-loop-of-post",
        "A request that has been here before goes in circles.",
        "RFC 9110, 7.6.3",
        request(b"POST", b"/a", b"Via: 1.1 telemed-proxy", content=b"four"),
        (Expect(got=(Response(508),), reached=()),),
    ),
    Case(
        "via-loop-named-by-connection",
        "A loop cannot be hidden.",
        "RFC 9110, 7.6.3",
        request(b"GET", b"/a", b"Via: 1.1 telemed-proxy", b"Connection: Via"),
        (Expect(got=(Response(508),), reached=()),),
    ),
    *(
        forwarded(
            f"via-no-loop-{name}",
            "A Via that does not say that this proxy received it is no loop.",
            "RFC 9110, 7.6.3",
            request(b"GET", b"/a", line),
            fields=(re.compile(re.escape(line) + rb"(, 1\.1 telemed-proxy)?"),),
        )
        for name, line in NO_LOOPS.items()
    ),
    *(
        or_refused(
            forwarded(
                f"via-of-60-kb-{name}",
                "A long Via takes no longer to read than any other field.",
                "RFC 9110, 17.5",
                request(b"GET", b"/a", b"Via: 1.1 before" + value),
            ),
            after=ANY,
        )
        for name, value in {
            "of-nested-comments": b" " + b"(" * 30_000 + b")" * 30_000,
            "of-open-comments": b" " + b"(" * 60_000,
            "of-open-escapes": b" (" + b"\\(" * 30_000,
            "of-comments": b" ()" * 20_000,
            "of-commas": b"," * 60_000,
            "of-hops": b", 1.1 x" * 8_000,
        }.items()
    ),
]

MAX_FORWARDS = [
    *(
        Case(
            f"max-forwards-{name}",
            "A request with no forwards left is answered here.",
            "RFC 9110, 7.6.2",
            request(b"OPTIONS", b"/a", *lines),
            (Expect(got=(Response(status=200),), reached=(), after=OPEN),),
        )
        for name, lines in NO_FORWARDS_LEFT.items()
    ),
    Case(
        "max-forwards-zero-of-server",
        "A request with no forwards left is answered here.",
        "RFC 9110, 7.6.2",
        request(b"OPTIONS", b"*", b"Max-Forwards: 0"),
        (Expect(got=(Response(status=200),), reached=(), after=OPEN),),
    ),
    Case(
        "max-forwards-zero-in-trace",
        "A TRACE that ends here is not answered with its token either.",
        "RFC 9110, 7.6.2",
        request(b"TRACE", b"/a", b"Max-Forwards: 0"),
        (Expect(got=(Response(405),), reached=()),),
    ),
    Case(
        "max-forwards-zero-twice",
        "A request with no forwards left goes no further.",
        "RFC 9110, 7.6.2",
        request(b"OPTIONS", b"/a", b"Max-Forwards: 0", b"Max-Forwards: 0"),
        (Expect(got=(Response(CLIENT_ERROR | {200}),), reached=()),),
    ),
    forwarded(
        "max-forwards-counted",
        "A request that is forwarded has one forward less.",
        "RFC 9110, 7.6.2",
        request(b"OPTIONS", b"/a", b"Max-Forwards: 3"),
        fields=(b"Max-Forwards: 2",),
    ),
    *(
        forwarded(
            f"max-forwards-counted-{name}",
            "A request that is forwarded has one forward less.",
            "RFC 9110, 7.6.2",
            request(b"OPTIONS", b"/a", b"X: 1", b"Max-Forwards: " + before, b"Y: 2"),
            only=(b"X: 1", b"Max-Forwards: " + after, b"Y: 2"),
        )
        for name, (before, after) in FORWARDS_LEFT.items()
    ),
    *(
        forwarded(
            f"max-forwards-in-{method.decode().lower()}",
            "Max-Forwards means nothing to other methods.",
            "RFC 9110, 7.6.2",
            request(method, b"/a", b"Max-Forwards: %d" % count),
            only=(b"Max-Forwards: %d" % count,),
        )
        for method, count in ((b"GET", 0), (b"POST", 3), (b"PROPFIND", 0))
    ),
    *(
        Case(
            f"max-forwards-odd-{name}",
            "A Max-Forwards that is no number is passed on, or refused.",
            "RFC 9110, 7.6.2",
            request(b"OPTIONS", b"/a", *lines),
            (
                Expect(got=(Response(200),), reached=(Request(),), after=ANY),
                Expect(got=(Response(CLIENT_ERROR),), reached=(), after=ANY),
            ),
        )
        for name, lines in ODD_MAX_FORWARDS.items()
    ),
]

CASES: list[Case] = [*CONNECTION, *HOP_BY_HOP, *VIA_CASES, *MAX_FORWARDS]
