"""Hosts and origins have one spelling each."""

import pytest

from proxy.authority import canonical_host, parse_web_origin, split_authority


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.example:80", ("a.example", 80)),
        ("a.example", ("a.example", None)),
        ("[2001:DB8::1]:443", ("2001:db8::1", 443)),
        ("a b", None),
        ("[::1", None),
        ("[zz]", None),
        ("[:::1]", (":::1", None)),
    ],
)
def test_an_authority_splits_into_host_and_port(
    text: str, expected: tuple[str, int | None] | None
) -> None:
    assert split_authority(text) == expected


def test_a_name_that_idna_cannot_hold_stays_as_it_is() -> None:
    name = "ю" * 70
    assert canonical_host(name) == name


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("HTTP://LocalHost.:80", "http://localhost"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("x://h:7", "x://h:7"),
    ],
)
def test_an_origin_is_spelled_as_browsers_do(text: str, spelled: str) -> None:
    assert str(parse_web_origin(text)) == spelled


@pytest.mark.parametrize(
    "text",
    ["null", "*", "", "a.example", "http://", "http://a/", "http://u@a", "http://*.a"]
    + ["http://a b", "http://a\r\nb", "http://a:b", "http://:80", "//a", "1://a"],
)
def test_what_is_no_origin_is_none(text: str) -> None:
    assert parse_web_origin(text) is None


def test_what_is_longer_than_any_name_is_none() -> None:
    assert split_authority("a." * 128) is not None
    assert split_authority("é." * 20_000) is None
