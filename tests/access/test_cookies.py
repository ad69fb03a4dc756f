"""The admin page's cookie is nobody else's business."""

import pytest

from proxy.access.cookies import cookie_name, without_ours


@pytest.mark.parametrize("port", [8081, None])
def test_our_own_cookie_is_taken_out(port: int | None) -> None:
    ours = f"{cookie_name(port)}=token".encode()

    assert without_ours(ours) == b""
    assert without_ours(b"a=1; " + ours + b"; b=2") == b"a=1; b=2"
    assert without_ours(ours + b"; b=2") == b"b=2"
    assert without_ours(b"a=1;" + ours.upper() + b" ;b=2") == b"a=1;b=2"
    assert without_ours(ours + b"; " + ours) == b""


@pytest.mark.parametrize(
    "cookie",
    [b"", b"a=1;  b=2 ;", b"x-telemed=1", b"a=telemed-proxy", b"; ;", b"\xff=\x80; b"],
)
def test_others_are_left_as_they_are(cookie: bytes) -> None:
    assert without_ours(cookie) == cookie


def test_a_value_that_holds_the_name_is_another_cookie() -> None:
    assert without_ours(b"a=telemed-proxy-admin-8081=x") == (
        b"a=telemed-proxy-admin-8081=x"
    )


def test_the_name_holds_the_port() -> None:
    assert cookie_name(8081) != cookie_name(8082)
    assert cookie_name(8081).endswith("-8081")
