"""Addresses, URLs, hosts and origins: what they may be, and how they are spelled."""

from typing import Any

import pytest
from yarl import URL

from proxy.config.network import (
    Address,
    is_loopback,
    parse_egress_proxy,
    parse_host_name,
    parse_origin,
    parse_origin_url,
)


@pytest.mark.parametrize(
    ("text", "spelled", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080", True),
        ("127.8.8.8:0", "127.8.8.8:0", True),
        ("[::1]:8080", "[::1]:8080", True),
        ("[0:0:0:0:0:0:0:1]:8080", "[::1]:8080", True),
        ("localhost:65535", "localhost:65535", True),
        ("LocalHost:1", "localhost:1", True),
        ("unix:/run/x.sock", "unix:/run/x.sock", True),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443", True),
        ("HTTPS://[::1]:0", "https://[::1]:0", True),
        ("https://192.168.1.5:80", "https://192.168.1.5:80", False),
        ("0.0.0.0:80", "0.0.0.0:80", False),
        ("[::]:80", "[::]:80", False),
        ("192.168.1.5:80", "192.168.1.5:80", False),
        ("proxy.example:80", "proxy.example:80", False),
        ("localhost.evil.example:80", "localhost.evil.example:80", False),
        ("127.0.0.1.evil.example:80", "127.0.0.1.evil.example:80", False),
        ("127.1:80", "127.1:80", False),
        ("прокси.рф:80", "прокси.рф:80", False),
    ],
)
def test_an_address_is_host_and_port_or_a_socket(
    text: str, spelled: str, loopback: bool
) -> None:
    address = Address.parse(text)

    assert (str(address), address.is_loopback) == (spelled, loopback)
    assert Address.parse(spelled) == address


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("0.0.0.0:80", "127.0.0.1:80"),
        ("[::]:80", "[::1]:80"),
        ("[0::0]:80", "[::1]:80"),
        ("127.0.0.2:80", "127.0.0.2:80"),
        ("proxy.example:80", "proxy.example:80"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("https://0.0.0.0:80", "https://127.0.0.1:80"),
    ],
)
def test_what_means_all_addresses_is_reached_on_loopback(text: str, near: str) -> None:
    assert Address.parse(text).reachable == Address.parse(near)


@pytest.mark.parametrize(
    "text",
    [
        *["", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536"],
        *["127.0.0.1:-1", "127.0.0.1:٣", "127.0.0.1:80 ", " 127.0.0.1:80", "*:80"],
        *["::1:8080", "[::1]", "[]:80", "[127.0.0.1]:80", "[localhost]:80", "a b:80"],
        *["http://localhost:80", "user@localhost:80", "unix:", "unix:a\nb", "-:1"],
    ],
)
def test_anything_else_is_not_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="^must "):
        Address.parse(text)


@pytest.mark.parametrize(
    "host", ["::ffff:8.8.8.8", "0", "0x7f000001", "2130706433", ""]
)
def test_odd_spellings_do_not_count_as_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://api.example", "https://api.example"),
        ("https://api.example/", "https://api.example"),
        ("HTTPS://API.example:8443", "https://api.example:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_upstream_is_an_origin(text: str, origin: str) -> None:
    assert parse_origin_url(text) == URL(origin)
    assert parse_origin_url(URL(text)) == URL(origin)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "an origin"),
        ("api.example", "an origin"),
        ("https://", "an origin"),
        ("https:///x", "an origin"),
        ("ftp://api.example", "an origin"),
        ("file:///etc/passwd", "an origin"),
        ("https://a b", "an origin"),
        ("https://a\nb", "an origin"),
        ("https:\\\\api.example", "an origin"),
        ("https://api.example:0", "an origin"),
        ("https://api.example:99999", "an origin"),
        ("https://[::1", "an origin"),
        (None, "an origin"),
        (["https://a"], "an origin"),
        ("https://u@api.example", "user name or password"),
        ("https://u:p@api.example", "user name or password"),
        ("https://api.example/api", "nothing after the host"),
        ("https://api.example?", "nothing after the host"),
        ("https://api.example/?a=b", "nothing after the host"),
        ("https://api.example/#a", "nothing after the host"),
        ("http://api.example", "plain http:// is for loopback"),
        ("http://localhost.evil.example", "plain http:// is for loopback"),
        ("http://127.0.0.1.evil.example", "plain http:// is for loopback"),
        ("http://0.0.0.0", "plain http:// is for loopback"),
    ],
)
def test_anything_but_an_origin_is_refused(text: Any, says: str) -> None:
    with pytest.raises(ValueError, match=f"^must .*{says}"):
        parse_origin_url(text)


def test_an_egress_proxy_is_a_host_and_port() -> None:
    assert parse_egress_proxy("http://10.0.0.1:3128") == URL("http://10.0.0.1:3128")


@pytest.mark.parametrize(
    "text",
    [
        "http://proxy.example",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
    ]
    + [
        "proxy.example:3128",
        "http://u:p@proxy.example:3128",
        "http://p.example:1/x",
        7,
    ],
)
def test_other_egress_proxies_are_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="^must "):
        parse_egress_proxy(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Proxy.Example", "proxy.example"),
        ("proxy.example.", "proxy.example"),
        ("10.0.0.1", "10.0.0.1"),
        ("[fd00::1]", "[fd00::1]"),
        ("прокси.рф", "прокси.рф"),
    ],
)
def test_an_allowed_host_is_a_name(text: str, host: str) -> None:
    assert parse_host_name(text) == host


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.example", "http://a", "a:80", "a/b", "a b", "fd00::1", "[]", None],
)
def test_patterns_and_urls_are_no_host_names(text: Any) -> None:
    with pytest.raises(ValueError, match="^must be"):
        parse_host_name(text)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("HTTPS://App.Example/", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("http://app.example:443", "http://app.example:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_an_allowed_origin_is_spelled_as_browsers_do(text: str, origin: str) -> None:
    assert str(parse_origin(text)) == origin
    assert parse_origin(parse_origin(text)) == parse_origin(origin)


@pytest.mark.parametrize(
    "text",
    ["*", "null", "", "localhost:3000", "http://", "https://*.example", "https://a/b"]
    + ["https://u@a", "https://a b", "https://a?b", "https://a..рф", None],
)
def test_wildcards_and_pages_are_no_origins(text: Any) -> None:
    with pytest.raises(ValueError, match="^must be"):
        parse_origin(text)
