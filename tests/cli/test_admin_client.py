"""The commands' view of a running proxy, met through real sockets."""

import base64
import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from proxy.cli.admin_client import AdminClient, NoProxyError
from proxy.cli.http_call import to_listener
from proxy.config import Address
from proxy.errors import (
    AccessDeniedError,
    ConfigError,
    CooldownError,
    LoginError,
    LoginRequiredError,
    ProxyError,
    TokenRefusedError,
    UpstreamError,
)
from tests.certificates import made
from tests.cli.doors import (
    Door,
    closed_address,
    open_door,
    open_raw_door,
    open_unix_door,
)
from tests.cli.tls_door import open_tls_door

STATUS = {"state": "active", "version": "0.1.0"}


def shaped(kind: str, value: str | None, description: str) -> bytes:
    shape = {"type": kind, "value": value, "description": description}
    return json.dumps(shape).encode()


def test_the_status_object_comes_back_as_it_is() -> None:
    door = Door(content=json.dumps(STATUS).encode())
    with open_door(door) as address:
        assert AdminClient(address).status() == STATUS

    method, target, fields, _ = door.requests[0]
    assert (method, target) == ("GET", "/api/status")
    assert fields["Host"] == str(address)
    assert "Authorization" not in fields


def test_a_unix_socket_is_an_address_like_others(tmp_path: Path) -> None:
    door = Door(content=json.dumps(STATUS).encode())
    with open_unix_door(door, tmp_path / "admin.sock") as address:
        assert AdminClient(address).status() == STATUS


def test_an_address_that_means_all_of_them_is_called_on_loopback() -> None:
    """Not every system connects to 0.0.0.0."""
    assert to_listener(Address("0.0.0.0", 80)).host == "127.0.0.1"
    assert to_listener(Address("::", 80)).host == "::1"


def test_a_call_is_json_and_shows_the_password(tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    password_file.write_text("pa:ss wörd\n", "utf-8")
    door = Door(content=b"{}")
    with open_door(door) as address:
        AdminClient(address, password_file).submit_code("7654", "+79161234567")

    method, target, fields, content = door.requests[0]
    assert (method, target) == ("POST", "/api/login/token")
    assert fields["Content-Type"] == "application/json"
    assert json.loads(content) == {"validation_code": "7654", "phone": "+79161234567"}
    scheme, _, pair = fields["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(pair).decode().partition(":")[2] == "pa:ss wörd"


def test_a_password_file_that_cannot_be_read_is_the_configs_fault(
    tmp_path: Path,
) -> None:
    client = AdminClient(closed_address(), tmp_path / "missing")

    with pytest.raises(ConfigError, match="admin.password_file .*missing cannot be"):
        client.status()


# -- Who is there? -------------------------------------------------------------------


def test_nothing_listens_there() -> None:
    address = closed_address()

    with pytest.raises(NoProxyError, match=f"no proxy answers at {address}: "):
        AdminClient(address).status()


def test_no_socket_there(tmp_path: Path) -> None:
    with open_unix_door(Door(), tmp_path / "gone.sock") as address:
        pass

    with pytest.raises(NoProxyError, match="connection refused"):
        AdminClient(address).status()


@pytest.mark.parametrize(
    "door",
    [
        Door(200, b"<html>hello</html>"),
        Door(200, b'{"state": "running"}'),
        Door(200, b"[1, 2]"),
        Door(404, b'{"type": "not_found", "description": "no such call"}'),
        Door(401, b"who are you?"),
        Door(302, fields={"Location": "/login"}),
    ],
    ids=["html", "other object", "list", "404 in our shape", "401", "redirect"],
)
def test_some_other_web_server_listens_there(door: Door) -> None:
    with (
        open_door(door) as address,
        pytest.raises(ConfigError, match=f"something else listens at {address}"),
    ):
        AdminClient(address).status()


@pytest.mark.parametrize(
    "says", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02"], ids=["ssh", "tls"]
)
def test_something_that_speaks_no_http_listens_there(says: bytes) -> None:
    with (
        open_raw_door(says) as address,
        pytest.raises(ConfigError, match="something else listens"),
    ):
        AdminClient(address).status()


def test_the_forwarding_listener_is_told_from_the_admin_listener() -> None:
    door = Door(
        503,
        shaped("oauth", "login_required", "log in"),
        {"Proxy-Status": 'telemed-proxy; error=destination_unavailable; details="x"'},
    )
    with (
        open_door(door) as address,
        pytest.raises(ConfigError, match="is where the proxy takes requests"),
    ):
        AdminClient(address).status()


def test_a_listener_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("127.0.0.1", silent.getsockname()[1])
        client = AdminClient(address, patience=0.05)
        began = time.monotonic()

        with pytest.raises(ProxyError, match="did not answer in time"):
            client.status()

    assert time.monotonic() - began < 3


# -- What it answers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "value", "error"),
    [
        (400, "bad_argument", "wrong_code", LoginError),
        (429, "limit_exceeded", None, CooldownError),
        (503, "oauth", "login_required", LoginRequiredError),
        (502, "upstream", "unreachable", UpstreamError),
        (504, "upstream", "timeout", UpstreamError),
        (403, "forbidden", "host", AccessDeniedError),
        (500, "internal_server_error", "store", ProxyError),
    ],
)
def test_an_error_comes_back_as_the_class_that_was_raised_there(
    status: int, kind: str, value: str | None, error: type[ProxyError]
) -> None:
    door = Door(status, shaped(kind, value, "what to do"), {"Retry-After": "43"})
    with open_door(door) as address, pytest.raises(ProxyError) as raised:
        AdminClient(address).refresh()

    assert type(raised.value) is error
    assert raised.value.description == "what to do"
    assert raised.value.value == (value or error.value)
    assert raised.value.retry_after == 43


@pytest.mark.parametrize("value", ["token_refused", "client_refused"])
def test_a_refusal_stays_one_of_the_login_or_of_the_client(value: str) -> None:
    door = Door(502, shaped("upstream", value, "refused: invalid_client"))
    with open_door(door) as address, pytest.raises(TokenRefusedError) as raised:
        AdminClient(address).refresh()

    assert raised.value.value == value


def test_a_refused_password_names_the_setting() -> None:
    door = Door(401, shaped("forbidden", "password", "the password is missing"))
    with (
        open_door(door) as address,
        pytest.raises(AccessDeniedError, match="set admin.password_file"),
    ):
        AdminClient(address).status()


@pytest.mark.parametrize("call", ["status", "refresh"])
def test_where_passwords_are_not_looked_at_for_a_while_that_is_told(call: str) -> None:
    shape = shaped("limit_exceeded", "password", "Too many wrong passwords.")
    door = Door(429, shape, {"Retry-After": "43"})
    with open_door(door) as address, pytest.raises(AccessDeniedError) as raised:
        getattr(AdminClient(address), call)()

    assert f"the proxy at {address} looks at no password for another 43 s" in str(
        raised.value
    )
    assert "check admin.password_file" in raised.value.description
    assert raised.value.retry_after == 43


def test_another_429_is_no_answer_of_the_status() -> None:
    door = Door(429, shaped("limit_exceeded", None, "too many"))
    with (
        open_door(door) as address,
        pytest.raises(ConfigError, match="something else listens"),
    ):
        AdminClient(address).status()


# -- TLS where there is none, and the other way round --------------------------------


def test_a_listener_that_speaks_tls_is_told_from_a_stranger() -> None:
    with (
        open_tls_door(trustme.CA(), "localhost") as address,
        pytest.raises(ConfigError) as raised,
    ):
        AdminClient(address).status()

    assert raised.value.description == (
        f"what listens at {address} speaks TLS; set admin.listen to https://{address} "
        "and tls.certificate_file to what it shows, or pass --admin "
        f"https://{address}"
    )


def test_a_listener_that_speaks_no_tls_is_told(tmp_path: Path) -> None:
    files = made(tmp_path)
    with open_door(Door()) as plain:
        client = AdminClient(
            replace(plain, tls=True), certificate_file=files.certificate
        )
        with pytest.raises(ConfigError) as raised:
            client.status()

    assert raised.value.description == (
        f"what listens at https://{plain} does not speak TLS; set admin.listen to "
        f"{plain}, or pass --admin {plain}"
    )
