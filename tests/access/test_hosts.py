"""Which names a listener answers to."""

import pytest

from proxy.access.hosts import OwnNames
from proxy.errors import AccessDeniedError

NAMES = OwnNames(
    ["127.0.0.1", "0.0.0.0", "::", "Proxy.Example", ""],
    ["telemed.internal", "[fd00::7]", "пример.рф"],
)

ACCEPTED = {
    "localhost": "localhost",
    "localhost with our port": "localhost:8080",
    "any port, as containers map them": "localhost:18080",
    "a colon without a port": "localhost:",
    "a trailing dot": "localhost.:8080",
    "capitals": "LocalHost:8080",
    "loopback IPv4": "127.0.0.1:8080",
    "loopback IPv6": "[::1]:8080",
    "loopback IPv6 written in full": "[0:0:0:0:0:0:0:1]",
    "IPv4 mapped into IPv6": "[::ffff:127.0.0.1]:8080",
    "the configured host": "proxy.example:8080",
    "an allowed host": "telemed.internal",
    "an allowed IPv6 host": "[fd00::7]:1",
    "an allowed international name": "xn--e1afmkfd.xn--p1ai",
    "the address the client connected to": "192.0.2.7:8080",
    "white space around": " localhost ",
}

REFUSED = {
    "DNS rebinding": "evil.example:8080",
    "rebinding with our port": "rebind.evil.example:8080",
    "0.0.0.0-day": "0.0.0.0:8080",
    "the IPv6 unspecified address": "[::]:8080",
    "a subdomain of localhost": "evil.localhost",
    "localhost as a subdomain": "localhost.evil.example",
    "localhost as user information": "localhost@evil.example",
    "localhost as a password": "a:localhost@evil.example",
    "a path": "evil.example/localhost",
    "a backslash": "evil.example\\localhost",
    "two ports": "localhost:80:80",
    "a port in letters": "localhost:http",
    "a port of six digits": "localhost:808080",
    "two dots at the end": "localhost..",
    "a percent sign": "localhost%00.evil.example",
    "a null byte": "localhost\0",
    "two hosts in one": "localhost, localhost",
    "two hosts with a space": "localhost evil.example",
    "empty": "",
    "only a port": ":8080",
    "only a dot": ".",
    "an address in one number": "2130706433",
    "an address in hex": "0x7f000001",
    "an address that is cut short": "127.1",
    "another address of this machine": "192.0.2.8",
    "an IPv6 address without brackets": "::1",
    "letters that look like ours": "lоcalhost",
    "digits from elsewhere": "१२७.०.०.१",
    "a name from the configured suffix": "evil.proxy.example",
}


@pytest.mark.parametrize("host", ACCEPTED.values(), ids=ACCEPTED)
def test_our_own_names_pass_in_any_spelling(host: str) -> None:
    NAMES.check(host.encode(), "192.0.2.7")


@pytest.mark.parametrize("host", REFUSED.values(), ids=REFUSED)
def test_every_other_name_is_refused(host: str) -> None:
    for _ in range(2):  # the second time, the verdict is remembered
        with pytest.raises(AccessDeniedError) as caught:
            NAMES.check(host.encode(), "192.0.2.7")
        assert (caught.value.status, caught.value.value) == (403, "host")


def test_a_request_without_a_host_is_refused() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        NAMES.check(None, "127.0.0.1")
    assert caught.value.value == "host"


def test_the_refusal_names_the_value_and_the_key_to_change() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        NAMES.check(b"evil.example:8080", None)
    assert '"evil.example:8080"' in caught.value.description
    assert "access.allowed_hosts" in caught.value.description


def test_the_refusal_shows_no_control_characters_and_not_everything() -> None:
    with pytest.raises(AccessDeniedError) as caught:
        NAMES.check(b"evil\r\n\x1b[31m\xff" + b"x" * 5000, None)
    assert caught.value.description.isprintable()
    assert len(caught.value.description) < 300


def test_a_verdict_holds_for_one_local_address_only() -> None:
    NAMES.check(b"192.0.2.7", "192.0.2.7")
    with pytest.raises(AccessDeniedError):
        NAMES.check(b"192.0.2.7", "127.0.0.1")


@pytest.mark.parametrize(
    "local", ["::ffff:192.0.2.7", "192.0.2.7"], ids=["dual stack", "IPv4"]
)
def test_the_local_address_may_come_from_a_dual_stack_socket(local: str) -> None:
    NAMES.check(b"192.0.2.7:8080", local)


def test_the_zone_of_a_link_local_address_does_not_matter() -> None:
    NAMES.check(b"[fe80::1%25eth0]:8080", "fe80::1%eth0")
    NAMES.check(b"[fe80::1]:8080", "fe80::1%eth0")


def test_a_wildcard_listener_does_not_make_the_wildcard_a_name() -> None:
    for host in (b"0.0.0.0", b"[::]"):
        with pytest.raises(AccessDeniedError):
            NAMES.check(host, "0.0.0.0")


def test_ten_thousand_names_take_no_memory() -> None:
    names = OwnNames([])
    for number in range(10_000):
        with pytest.raises(AccessDeniedError):
            names.check(f"host-{number}.example".encode(), None)
    assert len(names._verdicts) <= 256
