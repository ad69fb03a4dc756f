"""The caller's own credentials, and the token."""

from tests.conformance.case import (
    ANY,
    CLOSED,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT

BASIC = b"Authorization: Basic b3duOm93bg=="
BEARER = b"Authorization: Bearer own"

OWN = {
    "basic": (BASIC,),
    "bearer": (BEARER,),
    "digest": (b'Authorization: Digest username="a", uri="/a", response="b"',),
    "unknown-scheme": (b"Authorization: Own a b c",),
    "lower-case": (b"authorization: Bearer own",),
    "upper-case": (b"AUTHORIZATION: BEARER own",),
    "mixed-case": (b"aUTHORIZATIOn: bEARER own",),
    "no-space": (b"Authorization:Bearer own",),
    "spaces-around": (b"Authorization: \t Bearer  own \t ",),
    "empty": (b"Authorization:",),
    "white-space": (b"Authorization: \t ",),
    "obs-text": (b"Authorization: Bearer \xff\xfe",),
    "twice": (BASIC, BEARER),
    "three-times": (BASIC, b"authorization: Bearer own", b"AUTHORIZATION: x"),
    "list": (b"Authorization: Basic b3duOm93bg==, Bearer own",),
    "8-kb": (b"Authorization: Bearer " + b"own" * 2_730,),
    "named-by-connection": (BEARER, b"Connection: Authorization"),
    "named-by-connection-before": (b"connection: x-one, AUTHORIZATION", BEARER),
    "named-twice": (b"Connection: authorization, authorization", BEARER, BASIC),
    "only-named": (b"Connection: Authorization",),
}

OTHERS = (
    b"X-Authorization: Bearer own",
    b"Authorization-2: Bearer own",
    b"Authorizations: Bearer own",
    b"X-Access-Token: own",
    b"X-Api-Key: own",
    b"Cookie: access_token=own",
)

LOCAL = {
    "key": (b"X-Proxy-Key: own",),
    "key-in-lower-case": (b"x-proxy-key: own",),
    "key-in-upper-case": (b"X-PROXY-KEY:own",),
    "key-empty": (b"X-Proxy-Key:",),
    "key-twice": (b"X-Proxy-Key: own", b"x-proxy-key: other"),
    "key-named-by-connection": (b"X-Proxy-Key: own", b"Connection: X-Proxy-Key"),
    "repeat": (b"X-Proxy-Allow-Repeat: 1",),
    "repeat-in-lower-case": (b"x-proxy-allow-repeat: 1",),
    "repeat-twice": (b"X-Proxy-Allow-Repeat: 1", b"X-PROXY-ALLOW-REPEAT: 0"),
    "both": (b"X-Proxy-Key: own", b"X-Proxy-Allow-Repeat: 1"),
    "proxy-authorization": (b"Proxy-Authorization: Bearer own",),
    "proxy-authorization-twice": (
        b"proxy-authorization: Basic b3duOm93bg==",
        b"PROXY-AUTHORIZATION:Bearer own",
    ),
}

CASES: list[Case] = [
    *(
        forwarded(
            f"own-authorization-{name}",
            "The caller's Authorization never arrives, and the token does, once.",
            "the contract, what a calling program sees",
            request(b"GET", b"/a", b"X: 1", *lines, b"Y: 2"),
            only=(b"X: 1", b"Y: 2"),
        )
        for name, lines in OWN.items()
    ),
    forwarded(
        "own-authorization-in-1.0",
        "The caller's Authorization never arrives, and the token does, once.",
        "the contract, what a calling program sees",
        request(b"GET", b"/a", BASIC, version=b"HTTP/1.0"),
        only=(),
        after=CLOSED,
    ),
    Case(
        "own-authorization-in-second",
        "The caller's Authorization never arrives, and the token does, once.",
        "the contract, what a calling program sees",
        request() + request(b"GET", b"/b", BEARER) + request(b"POST", b"/c", BASIC),
        (
            Expect(
                got=(Response(200),) * 3,
                reached=(Request(only=()), Request(only=()), Request(only=())),
                after=OPEN,
            ),
        ),
    ),
    *(
        refused(
            f"own-authorization-hidden-{name}",
            "The caller's Authorization cannot be hidden from this proxy.",
            "RFC 9112, 11.2",
            request(b"GET", b"/a", line) + NEXT,
        )
        for name, line in {
            "by-space-before-colon": b"Authorization : Bearer own",
            "by-tab-before-colon": b"Authorization\t: Bearer own",
            "by-space-before-name": b" Authorization: Bearer own",
            "by-fold": b"X: 1\r\n Authorization: Bearer own",
            "by-lf": b"X: 1\nAuthorization: Bearer own",
            "by-cr": b"X: 1\rAuthorization: Bearer own",
            "by-nul": b"Authorization\0: Bearer own",
            "by-folded-value": b"Authorization:\r\n Bearer own",
        }.items()
    ),
    forwarded(
        "own-credentials-elsewhere",
        "Other fields are not ours, whatever they hold.",
        "RFC 9110, 7.6",
        request(b"GET", b"/a", *OTHERS),
        only=OTHERS,
    ),
    forwarded(
        "own-token-in-query-and-form",
        "Targets and content are not ours, whatever they hold.",
        "RFC 6750, 2",
        request(
            b"POST",
            b"/a?access_token=own",
            b"Content-Type: application/x-www-form-urlencoded",
            content=b"access_token=own",
        ),
        line=b"POST /a?access_token=own HTTP/1.1",
        content=b"access_token=own",
    ),
    *(
        forwarded(
            f"local-{name}",
            "What is meant for this proxy is not forwarded.",
            "the contract, what a calling program sees",
            request(b"GET", b"/a", b"X: 1", *lines, b"Y: 2"),
            only=(b"X: 1", b"Y: 2"),
        )
        for name, lines in LOCAL.items()
    ),
    *(
        Case(
            f"token-not-in-answer-{name}",
            "An answer of the proxy's own never shows the token.",
            "the contract, what a calling program sees",
            send,
            (Expect(got=(Response(frozenset(range(200, 600))),), reached=()),),
        )
        for name, send in {
            "to-trace": request(b"TRACE", b"/a"),
            "to-connect": request(b"CONNECT", b"proxy.test:80"),
            "to-bad-host": request(host=b"elsewhere.test"),
            "to-bad-target": request(target=b"a"),
            "to-bad-field": request(b"GET", b"/a", b"X Y: 1"),
            "to-loop": request(b"GET", b"/a", b"Via: 1.1 telemed-proxy"),
            "to-long-field": request(b"GET", b"/a", b"X: " + b"x" * 102_400),
            "to-long-target": request(target=b"/" + b"x" * 102_400),
        }.items()
    ),
    Case(
        "token-not-after-long-field",
        "What follows a field that is too long is not answered with the token.",
        "RFC 6585, 5",
        request(b"GET", b"/a", b"X: " + b"x" * 102_400) + NEXT * 8,
        (Expect(got=(Response(431),), reached=(), after=CLOSED),),
    ),
    refused(
        "token-not-to-another-host",
        "The token goes to the upstream only, whatever a request names.",
        "RFC 6750, 5.3",
        request(target=b"http://elsewhere.test/a", host=b"elsewhere.test"),
        after=ANY,
    ),
]
