"""The target is sent on byte for byte; origins in responses become ours."""

import pytest

from proxy.errors import RequestError
from proxy.forward.fields import RESPONSE_NOTED, relayed_lines
from proxy.forward.target import (
    Rewrite,
    named_host,
    outbound_target,
    own_cookie,
    own_location,
)
from proxy.http1.head import parse_response

HOST = b"127.0.0.1:8080"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a%2Fb%2fc",
        "/%41%7E~",
        "/a/../b/./c//d",
        "/x?",
        "/x?&&a=1&a=2&=",
        "/x?from=2026-01-01T00:00:00+0300",
        "/x?a=b;c|d",
        "/x?" + "y" * 8000,
        "//evil.example/x",
        "/http://other/",
    ],
    ids=lambda target: target[:20],
)
def test_origin_form_is_sent_byte_for_byte(target: str) -> None:
    assert outbound_target("GET", target.encode(), HOST) == target.encode()


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("http://127.0.0.1:8080/a?b", b"/a?b"),
        ("HTTP://127.0.0.1:8080", b"/"),
        ("http://127.0.0.1:8080?b", b"/?b"),
    ],
)
def test_absolute_form_with_our_authority_is_served(target: str, sent: bytes) -> None:
    assert outbound_target("GET", target.encode(), HOST) == sent


@pytest.mark.parametrize(
    "target",
    [
        "http://other/",
        "http://127.0.0.1:8080@other/",
        "http://127.0.0.1:8080.other/",
        "http://127.0.0.1:80/",
    ],
)
def test_another_authority_is_refused(target: str) -> None:
    with pytest.raises(RequestError):
        outbound_target("GET", target.encode(), HOST)


@pytest.mark.parametrize(
    ("target", "host", "expected"),
    [
        (b"/a", b"x", b"x"),
        (b"/a", None, None),
        (b"*", b"x", b"x"),
        (b"http://a:8080/", b"elsewhere", b"a:8080"),
        (b"http://a:8080/", None, b"a:8080"),
        (b"http://a/", None, b"a"),
        (b"http://a:18080/", b"elsewhere", b"elsewhere"),
        (b"http://a/", b"elsewhere", b"elsewhere"),
    ],
)
def test_a_target_that_names_our_port_says_the_host(
    target: bytes, host: bytes | None, expected: bytes | None
) -> None:
    assert named_host(target, host, 8080) == expected


def test_asterisk_form_is_for_options() -> None:
    assert outbound_target("OPTIONS", b"*", HOST) == b"*"
    assert outbound_target("OPTIONS", b"http://127.0.0.1:8080", HOST) == b"*"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "trace", "TRACK"])
def test_methods_that_would_show_the_token_or_tunnel_are_refused(method: str) -> None:
    with pytest.raises(RequestError) as caught:
        outbound_target(method, b"/", HOST)
    assert caught.value.status == 405


UPSTREAM = b"https://api.test"
OWN = b"http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (b"https://api.test/a%2Fb?c#d", OWN + b"/a%2Fb?c#d"),
        (b"https://api.test", OWN),
        (b"HTTPS://API.test/A", OWN + b"/A"),
        (b"https://api.test:443/a", OWN + b"/a"),
        (b"https://api.test?x", OWN + b"?x"),
        (b"https://api.test.evil/a", None),
        (b"https://api.test:8443/a", None),
        (b"https://api.test@evil/", None),
        (b"//API.test/a", OWN + b"/a"),
        (b"//api.test:443", OWN),
        (b"//api.test.evil/", None),
        (b"///api.test/", None),
        (b"http://api.test/a", None),
        (b"https://other/a", None),
        (b"/relative", None),
        (b"", None),
    ],
)
def test_only_the_upstreams_own_origin_becomes_ours(
    location: bytes, expected: bytes | None
) -> None:
    wanted = location if expected is None else expected
    assert own_location(location, UPSTREAM, OWN) == wanted


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        (b"a=1; Domain=api.test; Path=/", b"a=1; Path=/"),
        (b"a=1;domain=.test;Secure", b"a=1;Secure"),
        (b"a=1; Domain=other; Path=/", b"a=1; Domain=other; Path=/"),
        (b"domain=api.test; Path=/", b"domain=api.test; Path=/"),
        (b"a=1 ;  HttpOnly", b"a=1 ;  HttpOnly"),
    ],
)
def test_a_cookie_for_the_upstream_becomes_ours(cookie: bytes, expected: bytes) -> None:
    assert own_cookie(cookie, b"api.test") == expected


def test_the_end_of_an_address_is_no_domain() -> None:
    assert own_cookie(b"a=1; Domain=0.0.1", b"127.0.0.1") == b"a=1; Domain=0.0.1"
    assert own_cookie(b"a=1; Domain=127.0.0.1", b"127.0.0.1") == b"a=1"


def test_fields_that_name_no_origin_stay() -> None:
    lines = [b"Link: <https://api.test/a>", b"location:  https://api.test/a "]
    head = parse_response(
        b"\r\n".join((b"HTTP/1.1 201 Created", *lines)), RESPONSE_NOTED
    )
    assert relayed_lines(head, Rewrite(UPSTREAM, b"api.test"), OWN) == [
        lines[0],
        b"location: %b/a" % OWN,
    ]
