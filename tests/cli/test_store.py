"""The commands about the place where the tokens are kept."""

import json
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from proxy.cli import exitcodes
from tests.cli.conftest import PHONE, Person, Upstream
from tests.running import Proxy


def log_in(person: Person, upstream: Upstream) -> str:
    person.run("login", PHONE, "--code", upstream.code())
    token = person.run("token").stdout
    assert token
    return token


def configure(person: Person, line: str) -> None:
    file = person.folder / "config.yaml"
    lines = file.read_text("utf-8").splitlines()
    lines[2] = f"store: {line}"
    file.write_text("\n".join(lines), "utf-8")


def keep_encrypted(person: Person, *keys: str) -> Path:
    file = person.folder / "keys"
    file.write_text("".join(f"{key}\n" for key in keys))
    file.chmod(0o600)
    url = f"file:{person.folder}/state/tokens.json"
    configure(person, f"{{url: '{url}', encryption_key_file: keys}}")
    return file


def tokens_file(person: Person) -> Path:
    return person.folder / "state" / "tokens.json"


# -- move ----------------------------------------------------------------------------


def test_a_moved_login_goes_on_with_the_lines_that_are_told(
    person: Person, upstream: Upstream
) -> None:
    token = log_in(person, upstream)
    (person.folder / "state" / "tokens.json.damaged-1").write_text("old")

    result = person.run("store", "move", "file:new/t.json")

    assert result.exit_code == exitcodes.DONE, result.output
    place = f"file:{person.folder}/new/t.json"
    assert f"Moved the login to {place}.\n" in result.stdout
    assert f"file:{tokens_file(person)} only says where it went.\n" in result.stdout
    assert f"Deleted {tokens_file(person)}.damaged-1.\n" in result.stdout
    lines = result.stdout.partition("start the proxy:\n\n")[2]
    assert lines == f'store:\n  url: "{place}"\n'
    # The old place says so, too.
    left = person.run("token")
    assert left.exit_code == exitcodes.LOGIN_REQUIRED
    assert f"was moved to {place}" in left.stderr

    configure(person, f'{{url: "{place}"}}')
    assert person.run("token").stdout == token
    assert person.run("refresh").exit_code == exitcodes.DONE


def test_the_old_place_says_where_the_login_is_and_not_to_log_in(
    person: Person, upstream: Upstream
) -> None:
    log_in(person, upstream)
    person.run("store", "move", "file:new/t.json")

    left = person.run("status")

    assert left.exit_code == exitcodes.LOGIN_REQUIRED
    state = left.stdout.splitlines()[0]
    place = f"file:{person.folder}/new/t.json"
    assert state.startswith(
        f"state:              logged out: the login was moved to {place}: set store.url"
    )
    assert "telemed-proxy login" not in left.stdout
    assert left.stdout.count("was moved to") == 1


def test_a_proxy_on_the_old_place_says_so_to_the_commands(
    person: Person, upstream: Upstream
) -> None:
    log_in(person, upstream)
    person.run("store", "move", "file:new/t.json")
    with Proxy("serve", folder=person.folder):
        left = person.run("token")

    assert left.exit_code == exitcodes.LOGIN_REQUIRED
    assert f"was moved to file:{person.folder}/new/t.json" in left.stderr
    assert "telemed-proxy login" not in left.stderr


def test_where_nobody_is_logged_in_there_is_nothing_to_move(person: Person) -> None:
    result = person.run("store", "move", "file:new.json")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "so there is none to move" in result.stderr


def test_a_login_at_the_new_place_is_replaced_only_with_force(
    person: Person, upstream: Upstream
) -> None:
    log_in(person, upstream)
    person.run("store", "move", "file:new.json")
    token = log_in(person, upstream)

    refused = person.run("store", "move", "file:new.json")
    assert refused.exit_code == exitcodes.FAILED
    assert "already holds a login; --force" in refused.stderr
    assert person.run("token").stdout == token

    done = person.run("store", "move", "file:new.json", "--force")
    assert done.exit_code == exitcodes.DONE, done.output
    configure(person, f"{{url: 'file:{person.folder}/new.json'}}")
    assert person.run("token").stdout == token


@pytest.mark.parametrize(
    "to",
    ["", "tokens.json", "https://x", "keyring:a b", "file://host/x", "redis:hunter2"],
)
def test_a_place_that_is_none_is_wrong_usage(person: Person, to: str) -> None:
    result = person.run("store", "move", to)

    assert result.exit_code == exitcodes.USAGE
    assert "must " in result.stderr
    assert "hunter2" not in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("proxy_is_on", ["source", "target"])
def test_under_a_running_proxy_nothing_is_moved(
    serving: Proxy, person: Person, upstream: Upstream, proxy_is_on: str
) -> None:
    log_in(person, upstream)
    place = serving.ask("GET", "/api/status")["store"]
    to = "file:new.json"
    if proxy_is_on == "source":
        configure(person, f"{{url: '{place}'}}")
    else:
        to = place

    result = person.run("store", "move", to)

    assert result.exit_code == exitcodes.FAILED
    assert f"runs on {place}; stop it" in result.stderr
    assert serving.ask("GET", "/api/status")["state"] == "active"


def test_a_proxy_on_another_store_is_no_hindrance(
    serving: Proxy, person: Person
) -> None:
    result = person.run("store", "move", "file:new.json")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED


# -- key, rekey ----------------------------------------------------------------------


def test_key_prints_a_new_key_each_time(person: Person) -> None:
    keys = [person.run("store", "key").stdout for _ in range(2)]

    for key in keys:
        assert re.fullmatch(r"[\w-]{43}=\n", key)
    assert keys[0] != keys[1]


def test_from_plain_to_a_key_to_another_key(person: Person, upstream: Upstream) -> None:
    token = log_in(person, upstream)
    first, second = (person.run("store", "key").stdout.strip() for _ in range(2))
    for keys, left in ([first], first), ([second, first], second):
        file = keep_encrypted(person, *keys)

        result = person.run("store", "rekey")

        assert result.exit_code == exitcodes.DONE, result.output
        assert f"is encrypted with the first key of {file}" in result.stdout
        text = json.loads(tokens_file(person).read_text())["encrypted"]
        assert token.strip().encode() in Fernet(left).decrypt(text)
        assert left not in result.output

    keep_encrypted(person, second)
    assert person.run("token").stdout == token
    assert "FAIL store" not in person.run("check").stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{url: ''}", "no key is configured"),
        ("{url: 'keyring:'}", "only a token file is encrypted with a key, not keyring"),
        ("{encryption_key_file: nowhere}", "nowhere cannot be read"),
    ],
)
def test_rekey_without_a_file_or_a_key_is_the_configs_fault(
    person: Person, line: str, told: str
) -> None:
    configure(person, line)

    result = person.run("store", "rekey")

    assert result.exit_code == exitcodes.CONFIG
    assert told in result.stderr


def test_rekey_before_the_first_login(person: Person) -> None:
    keep_encrypted(person, Fernet.generate_key().decode())

    assert "is not there yet" in person.run("store", "rekey").stdout


def test_with_the_wrong_key_every_command_says_so_and_the_file_stays(
    person: Person, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = (Fernet.generate_key().decode() for _ in range(2))
    keep_encrypted(person, right)
    token = log_in(person, upstream)
    before = tokens_file(person).read_bytes()
    monkeypatch.setenv("TELEMED_PROXY_STORE_KEY", wrong)

    for words in (
        ["status"], ["token"], ["refresh"], ["logout"], ["check"], ["store", "rekey"],
        ["store", "move", "file:new.json"], ["login", PHONE, "--code", "1234"],
    ):  # fmt: skip
        result = person.run(*words)

        assert result.exit_code != exitcodes.DONE, words
        assert "that is not in TELEMED_PROXY_STORE_KEY" in result.output, words
        assert right not in result.output
        assert wrong not in result.output
        assert tokens_file(person).read_bytes() == before, words

    assert [f.name for f in tokens_file(person).parent.glob("*damaged*")] == []
    monkeypatch.delenv("TELEMED_PROXY_STORE_KEY")
    assert person.run("token").stdout == token


def test_store_alone_shows_what_there_is(person: Person) -> None:
    result = person.run("store")

    assert result.exit_code == exitcodes.USAGE
    for word in ("move", "key", "rekey"):
        assert f"  {word} " in result.stderr
