"""What `status --verify` makes of each answer."""

import json
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from proxy.cli.verify import verify_directly, verify_through
from proxy.config import Config
from proxy.errors import ConfigError
from tests.cli.doors import Door, closed_address, open_door

DONE, LOGIN, UPSTREAM = (
    exitcodes.DONE,
    exitcodes.LOGIN_REQUIRED,
    exitcodes.UPSTREAM_UNREACHABLE,
)


def shape(kind: str) -> bytes:
    return json.dumps({"type": kind, "description": "what to do"}).encode()


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (200, b'{"item": {}}', DONE),
        (401, b'{"message": "Authorization has been denied for this request."}', LOGIN),
        (403, shape("oauth"), LOGIN),
        (403, shape("forbidden"), exitcodes.FAILED),
        (404, b"<html>", exitcodes.FAILED),
        (500, b"<html>", UPSTREAM),
        (503, b"", UPSTREAM),
    ],
    ids=["accepted", "401", "403 oauth", "403 forbidden", "404", "500", "503"],
)
def test_the_upstreams_answer_is_judged_alike_on_both_ways(
    status: int, content: bytes, code: int
) -> None:
    door = Door(status, content)
    with open_door(door) as address:
        url = f"http://{address}"
        config = Config.parse({"upstream": {"api_url": url}})
        verdicts = [
            verify_directly(config, "tok"),
            verify_through(config, str(address)),
        ]

    assert {verdict.exit_code for verdict in verdicts} == {code}
    assert {verdict.status for verdict in verdicts} == {status}
    direct, through = door.requests
    assert direct[:2] == through[:2] == ("GET", "/api/v1/profile/get")
    assert direct[2]["Authorization"] == "Bearer tok"
    assert "Authorization" not in through[2]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (503, "oauth", LOGIN),
        (502, "upstream", UPSTREAM),
        (504, "upstream", UPSTREAM),
        (401, "forbidden", exitcodes.CONFIG),
        (500, "internal_server_error", exitcodes.FAILED),
    ],
)
def test_the_proxys_own_answer_tells_its_sentence(
    status: int, kind: str, code: int
) -> None:
    fields = {"Proxy-Status": "telemed-proxy; error=x"}
    with open_door(Door(status, shape(kind), fields)) as address:
        verdict = verify_through(Config(), f"http://{address}")

    assert verdict.exit_code == code
    assert verdict.sentence == "what to do"


def test_nobody_there_is_told() -> None:
    address = closed_address()
    config = Config.parse({"upstream": {"api_url": f"http://{address}"}})

    assert verify_directly(config, "tok").exit_code == UPSTREAM
    assert "connection refused" in verify_directly(config, "tok").sentence
    assert verify_through(config, str(address)).exit_code == exitcodes.FAILED


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("s3cret\n", "s3cret"),
        ("app s3cret\nother key2\n", "s3cret"),
        ("# keys\n\n app s3cret\n", "s3cret"),
        ("app ключ\n", "ключ"),
    ],
)
def test_the_first_local_key_is_shown(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text, "utf-8")
    config = Config.parse({"access": {"local_key_file": file}})
    door = Door()
    with open_door(door) as address:
        verify_through(config, str(address))

    shown = door.requests[0][2]["X-Proxy-Key"]
    # Both sides of this library take UTF-8 for Latin-1.
    assert shown.encode("latin-1").decode() == key


def test_a_local_key_file_that_cannot_be_read_is_the_configs_fault(
    tmp_path: Path,
) -> None:
    config = Config.parse({"access": {"local_key_file": tmp_path / "no"}})

    with pytest.raises(ConfigError, match="local_key_file: cannot read"):
        verify_through(config, "127.0.0.1:1")
