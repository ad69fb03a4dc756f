"""The Host field of requests, and which names are answered to."""

from tests.conformance.case import (
    ANY,
    CLIENT_ERROR,
    CLOSED,
    Case,
    Expect,
    Request,
    Response,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT, or_refused

OURS = b"Host: proxy.test"

OUR_NAMES = {
    "lower-case-name": b"host: proxy.test",
    "upper-case-name": b"HOST: proxy.test",
    "upper-case": b"Host: PROXY.TEST",
    "no-space": b"Host:proxy.test",
    "spaces-around": b"Host: \t proxy.test \t ",
    "port": b"Host: proxy.test:80",
    "other-port": b"Host: proxy.test:8080",
}

PERHAPS_OURS = {
    "empty-port": b"Host: proxy.test:",
    "trailing-dot": b"Host: proxy.test.",
    "leading-zeros-in-port": b"Host: proxy.test:0080",
}

NO_HOSTS = {
    "path": b"proxy.test/a",
    "slash": b"proxy.test/",
    "query": b"proxy.test?a",
    "fragment": b"proxy.test#a",
    "userinfo": b"user@proxy.test",
    "userinfo-before-another": b"proxy.test@elsewhere.test",
    "userinfo-with-port": b"proxy.test:80@elsewhere.test",
    "scheme": b"http://proxy.test",
    "space": b"proxy.test elsewhere.test",
    "space-before-port": b"proxy.test :80",
    "tab": b"proxy.test\telsewhere.test",
    "comma": b"proxy.test, elsewhere.test",
    "comma-at-end": b"proxy.test,",
    "same-twice": b"proxy.test, proxy.test",
    "semicolon": b"proxy.test;a",
    "quoted": b'"proxy.test"',
    "backslash": b"proxy.test\\elsewhere.test",
    "port-of-letters": b"proxy.test:http",
    "port-signed": b"proxy.test:+80",
    "port-negative": b"proxy.test:-80",
    "port-in-hex": b"proxy.test:0x50",
    "port-and-name": b"proxy.test:80elsewhere.test",
    "two-ports": b"proxy.test:80:81",
    "two-ports-with-name": b"proxy.test:elsewhere.test:80",
    "fullwidth-port": "proxy.test:８０".encode(),
    "bracket-open": b"[::1",
    "bracket-close": b"::1]",
    "bracket-and-name": b"[::1]proxy.test",
    "without-brackets": b"::1",
    "non-ascii": "пример.test".encode(),
    "fullwidth-dot": "proxy．test".encode(),
    "ideographic-dot": "proxy。test".encode(),
    "soft-hyphen": b"pro\xadxy.test",
    "nul": b"proxy.test\0",
    "nul-inside": b"proxy.test\0.elsewhere.test",
    "vertical-tab": b"\x0bproxy.test",
    "form-feed": b"proxy.test\x0c",
    "delete": b"proxy.test\x7f",
    "bare-cr": b"proxy.test\r",
    "bare-lf": b"proxy.test\nX: 1",
    "angle-brackets": b"<proxy.test>",
    "braces": b"{proxy.test}",
    "pipe": b"proxy.test|elsewhere.test",
    "caret": b"proxy.test^",
}

BAD_LINES = {
    "twice": (OURS, OURS),
    "twice-in-another-case": (OURS, b"hOST: proxy.test"),
    "another-after": (OURS, b"Host: elsewhere.test"),
    "another-before": (b"Host: elsewhere.test", OURS),
    "empty-after": (OURS, b"Host:"),
    "empty-before": (b"Host:", OURS),
    "another-far-after": (OURS, b"X: 1", b"Y: 2", b"host: elsewhere.test"),
    "space-before-colon": (b"Host : proxy.test",),
    "space-before-colon-of-second": (OURS, b"Host : elsewhere.test"),
    "space-before-name": (b" Host: proxy.test",),
    "space-before-second": (OURS, b" Host: elsewhere.test"),
    "tab-before-second": (OURS, b"\tHost: elsewhere.test"),
    "folded": (b"Host:\r\n proxy.test",),
    "folded-another": (OURS, b" elsewhere.test"),
    "missing": (),
    "missing-but-forwarded": (b"X-Forwarded-Host: proxy.test",),
    "missing-but-alike": (b"Hosts: proxy.test",),
}

OTHER_NAMES = {
    "another": b"elsewhere.test",
    "another-with-our-port": b"elsewhere.test:8080",
    "longer": b"proxy.test.elsewhere.test",
    "ends-alike": b"evilproxy.test",
    "subdomain": b"a.proxy.test",
    "two-dots": b"proxy.test..",
    "address": b"10.0.0.1",
    "unspecified": b"0.0.0.0",
    "metadata": b"169.254.169.254",
    "address-in-ipv6": b"[::ffff:10.0.0.1]",
    "loopback-alike": b"127.0.0.1.elsewhere.test",
    "localhost-alike": b"localhost.elsewhere.test",
    "percent-encoded": b"%65lsewhere.test",
    "port-out-of-range": b"proxy.test:999999",
    "empty": b"",
    "port-only": b":80",
}

# To an upstream that believes them they are Host and target; to us they are fields.
ALIKE = (
    b"X-Forwarded-Host: elsewhere.test",
    b"X-Host: elsewhere.test",
    b"X-Original-Host: elsewhere.test",
    b'Forwarded: host="elsewhere.test"',
    b"X-Original-URL: /b",
    b"X-Rewrite-URL: /b",
    b"X-HTTP-Method-Override: PUT",
)

CASES: list[Case] = [
    *(
        forwarded(
            f"host-{name}",
            "The upstream gets its own name, whatever name of ours was used.",
            "RFC 9110, 7.2",
            request(b"GET", b"/a", b"X: 1", field, host=None),
            only=(b"X: 1",),
        )
        for name, field in OUR_NAMES.items()
    ),
    *(
        or_refused(
            forwarded(
                f"host-{name}",
                "An unusual spelling of our name is ours, or is refused.",
                "RFC 9110, 4.2.3",
                request(b"GET", b"/a", field, host=None),
                only=(),
            ),
            after=ANY,
        )
        for name, field in PERHAPS_OURS.items()
    ),
    *(
        refused(
            f"host-with-{name}",
            "Host is one host, and perhaps a port.",
            "RFC 9112, 3.2",
            request(host=host) + NEXT,
            status=400,
        )
        for name, host in NO_HOSTS.items()
    ),
    *(
        refused(
            f"host-line-{name}",
            "A request has one Host, where everyone sees it.",
            "RFC 9112, 3.2",
            request(b"GET", b"/a", *lines, host=None) + NEXT,
            status=400,
        )
        for name, lines in BAD_LINES.items()
    ),
    refused(
        "host-missing-in-1.2",
        "A request of HTTP/1.1 or later has Host.",
        "RFC 9112, 3.2",
        request(host=None, version=b"HTTP/1.2") + NEXT,
        status=400,
    ),
    refused(
        "host-twice-in-1.0",
        "A request has no two Hosts, in HTTP/1.0 neither.",
        "RFC 9112, 3.2",
        request(b"GET", b"/a", OURS, version=b"HTTP/1.0") + NEXT,
        status=400,
    ),
    forwarded(
        "host-missing-in-1.0",
        "A request of HTTP/1.0 may come without Host.",
        "RFC 9112, 3.2",
        request(host=None, version=b"HTTP/1.0"),
        line=b"GET /a HTTP/1.1",
        only=(),
        after=CLOSED,
    ),
    *(
        refused(
            f"host-is-{name}",
            "A request for a name that is not ours is refused.",
            "RFC 9110, 7.4",
            request(host=host),
            after=ANY,
        )
        for name, host in OTHER_NAMES.items()
    ),
    refused(
        "host-is-another-in-1.0",
        "A request for a name that is not ours is refused.",
        "RFC 9110, 7.4",
        request(host=b"elsewhere.test", version=b"HTTP/1.0"),
        after=ANY,
    ),
    Case(
        "host-is-another-in-second",
        "Each request on a connection is checked, not only the first.",
        "RFC 9110, 7.4",
        request() + request(target=b"/next", host=b"elsewhere.test"),
        (
            Expect(
                got=(Response(200), Response(CLIENT_ERROR)),
                reached=(Request(line=b"GET /a HTTP/1.1"),),
            ),
        ),
    ),
    forwarded(
        "host-alike",
        "Fields that only look like Host or the target are forwarded as they came.",
        "RFC 9110, 7.6",
        request(b"GET", b"/a", *ALIKE),
        line=b"GET /a HTTP/1.1",
        only=ALIKE,
    ),
]
