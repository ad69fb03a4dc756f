"""Commands where the tokens are in a Redis whose password must not be shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from tests.cli.conftest import PHONE, Person, Upstream
from tests.redis_server import RedisServer
from tests.running import Proxy, call

PASSWORD = "redis-secret"


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, "--requirepass", PASSWORD) as server:
        yield server


@pytest.fixture
def on_redis(person: Person, redis: RedisServer) -> Person:
    """Somebody whose config names the Redis, and for whom no proxy runs."""
    place = f"redis://:{PASSWORD}@127.0.0.1:{redis.port}"
    _edit(person.folder, 2, f"store: {{url: '{place}'}}")
    return person


@pytest.fixture
def serving(on_redis: Person) -> Iterator[Proxy]:
    folder = on_redis.folder
    _edit(folder, 1, "admin: {listen: '127.0.0.1:0'}")
    with Proxy("serve", folder=folder) as proxy:
        _edit(folder, 1, f"admin: {{listen: '{proxy.admin.removeprefix('http://')}'}}")
        yield proxy


def _edit(folder: Path, number: int, line: str) -> None:
    file = folder / "config.yaml"
    lines = file.read_text("utf-8").splitlines()
    lines[number] = line
    file.write_text("\n".join(lines), "utf-8")


def log_in(person: Person, upstream: Upstream) -> None:
    result = person.run("login", PHONE, "--code", upstream.code())
    assert result.exit_code == exitcodes.DONE, result.output


def test_the_token_of_a_running_proxy_is_read_with_the_password_of_the_config(
    on_redis: Person, serving: Proxy, redis: RedisServer, upstream: Upstream
) -> None:
    log_in(on_redis, upstream)

    status = on_redis.run("status")
    token = on_redis.run("token")

    assert f"tokens kept in:     redis://***@127.0.0.1:{redis.port}/0" in status.stdout
    assert token.exit_code == exitcodes.DONE, token.output
    assert len(token.stdout.strip()) > 10
    assert call("GET", f"{serving.url}/api/v1/profile/get").status_code == 200
    shown = status.output + token.output + "\n".join(serving.lines)
    shown += call("GET", f"{serving.admin}/").text
    assert PASSWORD not in shown


def test_a_config_without_that_password_is_told_what_to_do(
    on_redis: Person, serving: Proxy, upstream: Upstream
) -> None:
    log_in(on_redis, upstream)
    _edit(on_redis.folder, 2, "store: {url: ''}")

    result = on_redis.run("token")

    assert result.exit_code == exitcodes.CONFIG
    assert "is not known here; run this with the config of the proxy" in result.output


def test_machines_share_a_login_made_on_one_of_them(
    on_redis: Person, serving: Proxy, upstream: Upstream
) -> None:
    log_in(on_redis, upstream)
    (on_redis.folder / "second").mkdir()
    text = (on_redis.folder / "config.yaml").read_text("utf-8")
    (on_redis.folder / "second" / "config.yaml").write_text(text, "utf-8")
    _edit(on_redis.folder / "second", 1, "admin: {listen: '127.0.0.1:0'}")

    with Proxy("serve", folder=on_redis.folder / "second") as second:
        answer = call("GET", f"{second.url}/api/v1/profile/get")

    assert answer.status_code == 200


def test_on_the_store_all_goes_without_a_proxy(
    on_redis: Person, upstream: Upstream
) -> None:
    log_in(on_redis, upstream)

    assert on_redis.run("token").exit_code == exitcodes.DONE
    assert on_redis.run("refresh").exit_code == exitcodes.DONE
    assert on_redis.run("logout").exit_code == exitcodes.DONE
    assert on_redis.run("status").exit_code == exitcodes.LOGIN_REQUIRED


def test_check_asks_redis(on_redis: Person, redis: RedisServer) -> None:
    assert f"ok   store: redis://***@127.0.0.1:{redis.port}/0\n" in (
        on_redis.run("check").output
    )

    redis.kill()

    result = on_redis.run("check")
    assert "FAIL store: the token store redis://***@127.0.0.1" in result.output
    assert " (Connection refused) → see that Redis runs there" in result.output
    assert PASSWORD not in result.output


def test_a_redis_that_is_away_is_one_sentence(
    on_redis: Person, redis: RedisServer
) -> None:
    redis.kill()

    result = on_redis.run("status")

    assert result.exit_code == exitcodes.FAILED
    assert "cannot be reached (Connection refused); see that Redis" in result.output
    assert PASSWORD not in result.output


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_encrypted_login_that_becomes_plain_is_told(
    person: Person, redis: RedisServer, upstream: Upstream, encrypted: bool
) -> None:
    keys = person.folder / "keys"
    keys.write_text(person.run("store", "key").stdout)
    keys.chmod(0o600)
    more = ", encryption_key_file: keys" if encrypted else ""
    url = f"file:{person.folder}/state/tokens.json"
    _edit(person.folder, 2, f"store: {{url: '{url}'{more}}}")
    log_in(person, upstream)

    place = f"redis://:{PASSWORD}@127.0.0.1:{redis.port}"
    result = person.run("store", "move", place)

    assert result.exit_code == exitcodes.DONE, result.output
    told = f"It is not encrypted in redis://***@127.0.0.1:{redis.port}/0: {keys} is for"
    assert (told in result.stdout) == encrypted
    assert PASSWORD not in result.output
