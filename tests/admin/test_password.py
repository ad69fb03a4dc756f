"""The password file, and how much guessing costs."""

import base64
from pathlib import Path

import pytest

from proxy.admin.password import Password
from proxy.errors import ConfigError, CooldownError, LocalKeyError


def basic(password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"x:{password}".encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("пароль 1:2\n", "utf-8")
    return path


def test_the_password_may_have_spaces_colons_and_cyrillic(path: Path) -> None:
    Password(path, lambda: 0.0).check(basic("пароль 1:2"), "192.0.2.1")


def test_one_address_does_not_lock_out_another(path: Path) -> None:
    password = Password(path, lambda: 0.0)
    for _ in range(5):
        with pytest.raises(LocalKeyError):
            password.check(basic("guess"), "192.0.2.1")

    with pytest.raises(CooldownError):
        password.check(basic("пароль 1:2"), "192.0.2.1")
    password.check(basic("пароль 1:2"), "192.0.2.2")


def test_whoever_has_an_ipv6_network_is_one(path: Path) -> None:
    password = Password(path, lambda: 0.0)
    for number in range(5):
        with pytest.raises(LocalKeyError):
            password.check(basic("guess"), f"2001:db8::{number:x}")

    with pytest.raises(CooldownError):
        password.check(basic("пароль 1:2"), "2001:db8:0:0:ffff::1%eth0")
    password.check(basic("пароль 1:2"), "2001:db8:0:1::1")
    with pytest.raises(LocalKeyError):
        password.check(basic("guess"), "::ffff:192.0.2.1")
    password.check(basic("пароль 1:2"), "::ffff:192.0.2.2")


def test_the_password_can_be_typed_as_well(path: Path) -> None:
    password = Password(path, lambda: 0.0)
    password.check_typed(" пароль 1:2\n", "")
    for _ in range(5):
        with pytest.raises(LocalKeyError):
            password.check_typed("guess", "")
    with pytest.raises(CooldownError):
        password.check(basic("пароль 1:2"), "")


def test_a_success_forgets_the_failures(path: Path) -> None:
    password = Password(path, lambda: 0.0)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(LocalKeyError):
                password.check(basic("guess"), "192.0.2.1")
        password.check(basic("пароль 1:2"), "192.0.2.1")


def test_many_addresses_take_no_memory(path: Path) -> None:
    password = Password(path, lambda: 0.0)
    for number in range(3000):
        with pytest.raises(LocalKeyError):
            password.check(basic("guess"), str(number))
    assert len(password._failures) <= 1024


def test_the_password_is_not_in_the_object(path: Path) -> None:
    assert "пароль" not in repr(vars(Password(path, lambda: 0.0)))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff", "UTF-8"), (None, "No such")],
)
def test_a_bad_file_is_one_sentence(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"admin.password_file.*{says}"):
        Password(path, lambda: 0.0)
