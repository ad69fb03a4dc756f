"""Where an answer sends its client, and whose its cookies are: `rewrite_location`.

The upstream is an address here, and so is the domain of its cookies.
"""

from tests.conformance.case import (
    Case,
    Expect,
    Request,
    Response,
    relayed,
    request,
    response,
)
from tests.conformance.steps import UPSTREAM

CONFIG = "the contract, config"
OWN = b"http://proxy.test"
THEIRS = b"http://" + UPSTREAM
# First, where nginx puts it: the order of fields has cases of its own.
EMPTY = b"Content-Length: 0"

OF_THE_UPSTREAM = {
    "path": (THEIRS + b"/next", OWN + b"/next"),
    "root": (THEIRS + b"/", OWN + b"/"),
    "no-path": (THEIRS, OWN),
    "query": (THEIRS + b"?a=1&b=%2F", OWN + b"?a=1&b=%2F"),
    "fragment": (THEIRS + b"/a#b", OWN + b"/a#b"),
    "upper-case-scheme": (b"HTTP://" + UPSTREAM + b"/next", OWN + b"/next"),
    "odd-path": (THEIRS + b"//a/../%2e%2E;x|y", OWN + b"//a/../%2e%2E;x|y"),
    "inside-itself": (
        THEIRS + b"/to?url=" + THEIRS + b"/x",
        OWN + b"/to?url=" + THEIRS + b"/x",
    ),
    "obs-text": (THEIRS + "/врач".encode(), OWN + "/врач".encode()),
}

OF_OTHERS = {
    "relative": b"/next?a=http://x",
    "relative-to-the-path": b"../next",
    "query-only": b"?page=2",
    "fragment-only": b"#top",
    "empty": b"",
    "another-host": b"http://elsewhere.test/next",
    "another-scheme": b"https://" + UPSTREAM + b"/next",
    "another-port": b"http://127.0.0.1/next",
    "another-port-that-begins-alike": THEIRS + b"0/next",
    "longer-host": THEIRS + b".evil.test/next",
    "longer-host-with-dash": THEIRS + b"-evil.test/next",
    "user-that-looks-like-us": THEIRS + b"@evil.test/next",
    "user-and-password": b"http://127.0.0.1:" + b"pw@evil.test/next",
    "back-slash": THEIRS + b"\\@evil.test/next",
    "host-in-path": b"http://elsewhere.test/" + UPSTREAM,
    "host-in-query": b"http://elsewhere.test/?u=" + THEIRS + b"/",
    "another-kind": b"mailto:a@" + UPSTREAM,
    "network-path-of-another": b"//elsewhere.test/next",
    "with-our-name": b"http://proxy.test/next",
    "no-url": b"<not a url>",
}

ELSEWHERE = {
    "content-location": b"Content-Location: " + THEIRS + b"/a",
    "refresh": b"Refresh: 0; url=" + THEIRS + b"/a",
    "link": b"Link: <" + THEIRS + b"/a>; rel=next",
    "x-location": b"X-Location: " + THEIRS + b"/a",
    "alt-svc": b'Alt-Svc: h2="' + UPSTREAM + b'"',
    "access-control": b"Access-Control-Allow-Origin: " + THEIRS,
    "report": b"Content-Security-Policy: report-uri " + THEIRS + b"/a",
}

STATUSES = {
    201: b"201 Created",
    202: b"202 Accepted",
    300: b"300 Multiple Choices",
    301: b"301 Moved Permanently",
    302: b"302 Found",
    303: b"303 See Other",
    307: b"307 Temporary Redirect",
    308: b"308 Permanent Redirect",
    503: b"503 Service Unavailable",
}

HOST_ONLY = b"a=1; Path=/; HttpOnly"
COOKIES: dict[str, tuple[bytes, bytes]] = {
    "of-the-upstream": (
        b"a=1; Domain=127.0.0.1; Path=/; HttpOnly",
        HOST_ONLY,
    ),
    "with-a-dot": (b"a=1; Domain=.127.0.0.1; Path=/; HttpOnly", HOST_ONLY),
    "in-another-case": (b"a=1; dOMAIN=127.0.0.1; Path=/; HttpOnly", HOST_ONLY),
    "spaced": (b"a=1;  Domain = 127.0.0.1 ; Path=/; HttpOnly", HOST_ONLY),
    "at-the-end": (b"a=1; Path=/; HttpOnly; Domain=127.0.0.1", HOST_ONLY),
    "twice": (
        b"a=1; Domain=127.0.0.1; Path=/; HttpOnly; Domain=127.0.0.1",
        HOST_ONLY,
    ),
}

COOKIES_KEPT = {
    "of-another": b"a=1; Path=/; Domain=elsewhere.test; Secure",
    "of-a-longer-name": b"a=1; Domain=127.0.0.1.evil.test; Path=/",
    "of-a-name-that-ends-alike": b"a=1; Domain=evil127.0.0.1; Path=/",
    "of-none": b"a=1; Secure; Path=/a; SameSite=Lax; Max-Age=5",
    "with-domain-in-its-value": b"domain=127.0.0.1; Path=/",
    "with-domain-in-a-path": b"a=1; Path=/domain=127.0.0.1",
    "with-an-odd-order": b"a=1;HttpOnly;path=/;;  Secure;x=y",
    "with-a-comma": b"a=1, b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
    "with-obs-text": "a=да; Path=/".encode(),
    # RFC 6265, 5.1.3: an address has no parent.
    "of-part-of-an-address": b"a=1; Domain=0.0.1; Path=/",
}


def _location(
    id: str, rule: str, sent: bytes, wanted: bytes, status: bytes = b"302 Found"
) -> Case:
    return relayed(
        id,
        rule,
        CONFIG,
        response(status, EMPTY, b"X-A: 1", b"Location: " + sent, b"X-B: 2"),
        line=b"HTTP/1.1 " + status,
        only=(EMPTY, b"X-A: 1", b"Location: " + wanted, b"X-B: 2"),
    )


CASES: list[Case] = [
    *(
        _location(
            f"location-{name}",
            "The upstream's own origin in Location becomes ours; the rest stays.",
            sent,
            wanted,
        )
        for name, (sent, wanted) in OF_THE_UPSTREAM.items()
    ),
    *(
        _location(
            f"location-kept-{name}",
            "A Location that is not of the upstream's origin is kept.",
            value,
            value,
        )
        for name, value in OF_OTHERS.items()
    ),
    *(
        _location(
            f"location-of-{status}",
            "Location becomes ours in every answer that has one.",
            THEIRS + b"/next",
            OWN + b"/next",
            line,
        )
        for status, line in STATUSES.items()
    ),
    relayed(
        "location-in-another-case",
        "Location keeps the case of its name.",
        CONFIG,
        response(b"302 Found", EMPTY, b"lOCATION: " + THEIRS + b"/next"),
        only=(EMPTY, b"lOCATION: " + OWN + b"/next"),
    ),
    relayed(
        "location-to-head",
        "Location becomes ours in an answer to HEAD.",
        CONFIG,
        response(b"302 Found", EMPTY, b"Location: " + THEIRS + b"/next"),
        send=request(b"HEAD"),
        only=(EMPTY, b"Location: " + OWN + b"/next"),
    ),
    Case(
        "location-network-path-of-the-upstream",
        "A reference without scheme leads to the upstream's host as well.",
        "RFC 3986, 4.2",
        request(),
        tuple(
            Expect(
                got=(Response(302, only=(EMPTY, b"Location: " + one + b"/next")),),
                reached=(Request(),),
            )
            for one in (OWN, b"//proxy.test")
        ),
        answers=(response(b"302 Found", EMPTY, b"Location: //" + UPSTREAM + b"/next"),),
    ),
    relayed(
        "redirect-not-followed",
        "A redirect is the client's to follow.",
        "RFC 9110, 15.4",
        response(b"307 Temporary Redirect", b"Location: /b", content=b"go"),
        line=b"HTTP/1.1 307 Temporary Redirect",
        content=b"go",
    ),
    *(
        relayed(
            f"origin-kept-in-{name}",
            "Only Location and the domains of cookies are made ours.",
            CONFIG,
            response(b"200 OK", EMPTY, line),
            only=(EMPTY, line),
        )
        for name, line in ELSEWHERE.items()
    ),
    relayed(
        "origin-kept-in-content",
        "Content is not rewritten.",
        CONFIG,
        response(
            b"200 OK",
            b"Content-Type: text/html",
            content=b'<a href="http://127.0.0.1/">',
        ),
        content=b'<a href="http://127.0.0.1/">',
    ),
    *(
        relayed(
            f"cookie-{name}",
            "A cookie for the upstream's host loses the Domain that would deny ours.",
            CONFIG,
            response(b"200 OK", EMPTY, b"Set-Cookie: " + sent),
            only=(EMPTY, b"Set-Cookie: " + wanted),
        )
        for name, (sent, wanted) in COOKIES.items()
    ),
    *(
        relayed(
            f"cookie-kept-{name}",
            "A cookie that is not for the upstream's host is kept as it is.",
            CONFIG,
            response(b"200 OK", EMPTY, b"Set-Cookie: " + value),
            only=(EMPTY, b"Set-Cookie: " + value),
        )
        for name, value in COOKIES_KEPT.items()
    ),
    relayed(
        "cookies-each-by-itself",
        "One cookie that is made ours leaves its neighbours alone.",
        CONFIG,
        response(
            b"200 OK",
            EMPTY,
            b"Set-Cookie: a=1; Domain=elsewhere.test",
            b"Set-Cookie: b=2; Domain=127.0.0.1; Secure",
            b"set-cookie: c=3",
        ),
        only=(
            EMPTY,
            b"Set-Cookie: a=1; Domain=elsewhere.test",
            b"Set-Cookie: b=2; Secure",
            b"set-cookie: c=3",
        ),
    ),
]
