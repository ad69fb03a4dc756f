"""status, token, refresh and logout: the same through the proxy and on the store."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from proxy.cli import exitcodes
from proxy.cli.lifetime import for_people
from tests.cli.conftest import MASKED, PHONE, Person, Upstream
from tests.cli.doors import Door, closed_address, open_door
from tests.running import Proxy, call


@pytest.fixture
def logged_in(either: Person, upstream: Upstream) -> Person:
    """Somebody who has logged in for a minute."""
    upstream.switch(lifetime=60.0)
    result = either.run("login", PHONE, "--code", upstream.code())
    assert result.exit_code == exitcodes.DONE, result.output
    return either


def status_of(person: Person) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(person.run("status", "--json").stdout)
    return status


def age(person: Person, seconds: float) -> None:
    """Let the stored pair be older, for commands on the store."""
    store = person.folder / "state" / "tokens.json"
    document = json.loads(store.read_text("utf-8"))
    pair = document["accounts"]["default"]["tokens"]
    pair["issued_at"] -= seconds
    pair["expires_at"] -= seconds
    store.write_text(json.dumps(document), "utf-8")


def accepted(upstream: Upstream, token: str) -> bool:
    url = f"{upstream.sandbox.api_url}/api/v1/profile/get"
    answer = call("GET", url, headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


# -- status --------------------------------------------------------------------------


def test_logged_out_is_exit_code_4(either: Person) -> None:
    result = either.run("status")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "state:              logged out; run: telemed-proxy login\n" in result.stdout
    assert "tokens kept in:     file:/" in result.stdout


def test_logged_in_is_exit_code_0(logged_in: Person) -> None:
    result = logged_in.run("status")

    assert result.exit_code == exitcodes.DONE
    for line in (
        "state:              logged in",
        f"phone:              {MASKED}",
        "access token until: 2",
        "next refresh due:   2",
    ):
        assert f"\n{line}" in f"\n{result.stdout}"


def test_the_json_is_the_status_object_of_the_admin_listener(logged_in: Person) -> None:
    status = status_of(logged_in)

    assert list(status) == [
        "state",
        "phone",
        "code_sent",
        "retry_after",
        "expires_at",
        "expires_in",
        "refresh_due_at",
        "login_needed_by",
        "last_refresh",
        "last_error",
        "store",
        "listen",
        "upstream",
        "version",
        "clock_skew",
    ]
    assert status["state"] == "active"
    assert status["phone"] == MASKED
    assert 50 <= status["expires_in"] <= 60


def test_the_next_refresh_is_the_same_each_time_one_asks(logged_in: Person) -> None:
    told = {status_of(logged_in)["refresh_due_at"] for _ in range(6)}

    assert len(told) == 1


def test_without_a_proxy_it_is_what_the_config_says(
    person: Person, upstream: Upstream
) -> None:
    upstream.switch(lifetime=10_000.0)
    person.run("login", PHONE, "--code", upstream.code())
    status = status_of(person)

    due, end = (
        datetime.fromisoformat(status[name])
        for name in ("refresh_due_at", "expires_at")
    )
    assert abs((end - due).total_seconds() - 5000) <= 1


def test_verify_tells_that_the_upstream_accepts_the_token(logged_in: Person) -> None:
    result = logged_in.run("status", "--verify")

    assert result.exit_code == exitcodes.DONE, result.output
    assert "verified:           the upstream accepts the token" in result.stdout


def test_verify_is_in_the_json_too(logged_in: Person) -> None:
    result = logged_in.run("status", "--verify", "--json")

    assert json.loads(result.stdout)["verify"] == {
        "ok": True,
        "status": 200,
        "description": "the upstream accepts the token",
    }


def test_verify_tells_an_upstream_that_is_down(
    logged_in: Person, upstream: Upstream
) -> None:
    upstream.switch(api_fault="maintenance")

    result = logged_in.run("status", "--verify")

    assert result.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert "answered 503" in result.stdout


def test_an_ended_token_that_cannot_be_refreshed_is_exit_code_4(
    person: Person, upstream: Upstream
) -> None:
    upstream.switch(omit_refresh_token=True)
    person.run("login", PHONE, "--code", upstream.code())
    age(person, 15 * 86_400)

    result = person.run("status")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "the login has ended; run: telemed-proxy login\n" in result.stdout


def test_an_ended_token_that_the_next_call_refreshes_says_so(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    age(person, 15 * 86_400)

    result = person.run("status")

    assert result.exit_code == exitcodes.DONE
    assert "logged in; the access token has ended: the next call" in result.stdout


# -- other hosts ---------------------------------------------------------------------


def test_after_a_change_of_hosts_no_command_sends_the_tokens(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    file, door = person.folder / "config.yaml", Door()
    text, sandbox = file.read_text("utf-8"), upstream.sandbox
    with open_door(door) as address:
        for url in (sandbox.api_url, sandbox.auth_url):
            text = text.replace(url, f"http://{address}")
        file.write_text(text, "utf-8")
        age(person, 86_400)

        for words in (
            ["status", "--verify"],
            ["token"],
            ["token", "--min-ttl", "30d"],
            ["refresh"],
            ["logout"],
        ):
            result = person.run(*words)

            assert result.exit_code == exitcodes.LOGIN_REQUIRED, result.output
            said = f"the stored login is for {sandbox.api_url}"
            assert said in result.output
            assert f"not for http://{address}" in result.output
    assert door.requests == []
    assert '"access_token": "' in (person.folder / "state/tokens.json").read_text()


def test_a_token_of_other_hosts_than_the_proxys_is_not_printed(
    person: Person, upstream: Upstream
) -> None:
    """Another process has logged in elsewhere; the proxy has not seen it yet."""
    person.run("login", PHONE, "--code", upstream.code())
    status = status_of(person) | {"upstream": "https://api.live"}
    with open_door(Door(200, json.dumps(status).encode())) as address:
        result = person.run("token", "--admin", str(address))

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "not for the proxy's upstream https://api.live" in result.stderr
    assert result.stdout == ""


# -- token ---------------------------------------------------------------------------


def test_token_prints_the_token_and_nothing_else(
    logged_in: Person, upstream: Upstream
) -> None:
    result = logged_in.run("token")

    assert result.exit_code == exitcodes.DONE
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    assert accepted(upstream, result.stdout.strip())


def test_a_token_that_lives_long_enough_is_not_refreshed(
    logged_in: Person, upstream: Upstream
) -> None:
    before = upstream.refreshes

    first = logged_in.run("token", "--min-ttl", "20s").stdout

    assert logged_in.run("token").stdout == first
    assert upstream.refreshes == before


def test_a_refresh_that_is_due_comes_before_the_token_is_given_out(
    person: Person, upstream: Upstream
) -> None:
    """Many servers end the token before a refresh with it."""
    upstream.switch(lifetime=60.0, old_access_dies=True)
    person.run("login", PHONE, "--code", upstream.code())
    store = person.folder / "state" / "tokens.json"
    document = json.loads(store.read_text("utf-8"))
    document["accounts"]["default"]["tokens"]["issued_at"] -= 120
    store.write_text(json.dumps(document), "utf-8")

    result = person.run("token")

    assert result.exit_code == exitcodes.DONE, result.output
    assert accepted(upstream, result.stdout.strip())


def test_a_token_that_ends_too_soon_is_refreshed_first(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    first, before = person.run("token").stdout, upstream.refreshes
    upstream.switch(old_access_dies=True)
    age(person, 86_400)

    result = person.run("token", "--min-ttl", "320h")

    assert result.exit_code == exitcodes.DONE, result.output
    assert upstream.refreshes == before + 1
    assert result.stdout != first
    assert accepted(upstream, result.stdout.strip())


def test_a_life_that_no_token_has_is_refused_without_a_refresh(
    either: Person, upstream: Upstream
) -> None:
    either.run("login", PHONE, "--code", upstream.code())
    before = upstream.refreshes

    for asked, told in (("30d", "14d"), ("14d", "13d 23h 59m 59s")):
        result = either.run("token", "--min-ttl", asked)

        assert result.exit_code == exitcodes.FAILED
        assert f"lives for {told} only, shorter than --min-ttl\n" in result.stderr
        assert result.stdout == ""
    assert upstream.refreshes == before


def test_a_fresh_token_that_lives_shorter_than_the_one_before_is_refused(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    upstream.switch(lifetime=90.0)
    age(person, 86_400)

    result = person.run("token", "--min-ttl", "320h")

    assert result.exit_code == exitcodes.FAILED
    assert "even a fresh token lives for 1m " in result.stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (59.7, "1m"),
        (90, "1m 30s"),
        (3599.7, "1h"),
        (5400, "1h 30m"),
        (86_399, "1d"),
        (1_209_598, "14d"),
    ],
)
def test_lifetimes_are_printed_for_people(seconds: float, said: str) -> None:
    assert for_people(seconds) == said


def test_a_token_in_its_last_seconds_is_better_than_none(
    either: Person, upstream: Upstream
) -> None:
    upstream.switch(lifetime=20.0)
    either.run("login", PHONE, "--code", upstream.code())
    upstream.switch(token_fault="html500")

    result = either.run("token")

    assert result.exit_code == exitcodes.DONE
    assert accepted(upstream, result.stdout.strip())
    assert "telemed-proxy: the token was not refreshed: " in result.stderr


def test_a_life_that_was_asked_for_is_not_bargained_down(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    age(person, 86_400)
    upstream.switch(token_fault="html500")

    result = person.run("token", "--min-ttl", "320h")

    assert result.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert result.stdout == ""


def test_no_token_without_a_login(either: Person) -> None:
    result = either.run("token")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "run: telemed-proxy login" in result.stderr
    assert result.stdout == ""


# -- refresh and logout --------------------------------------------------------------


def test_refresh_brings_another_token(logged_in: Person, upstream: Upstream) -> None:
    first, before = logged_in.run("token").stdout, upstream.refreshes

    result = logged_in.run("refresh")

    assert result.exit_code == exitcodes.DONE, result.output
    assert result.stdout.startswith("Refreshed; the access token lives until 2")
    assert upstream.refreshes == before + 1
    assert logged_in.run("token").stdout != first


def test_a_refresh_that_is_refused_asks_for_a_login(
    logged_in: Person, upstream: Upstream
) -> None:
    upstream.switch(refresh_dies_with_access=True, lifetime=0.0)
    logged_in.run("refresh")

    for _ in range(2):  # the second time it is known to be refused, and not tried
        result = logged_in.run("refresh")

        assert result.exit_code == exitcodes.LOGIN_REQUIRED
        assert "; run: telemed-proxy login" in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_token_file_that_was_damaged_is_told_of(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    store = person.folder / "state" / "tokens.json"
    store.write_text("{", "utf-8")

    result = person.run("token")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "tokens.json was damaged" in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_refresh_without_a_login(either: Person) -> None:
    assert either.run("refresh").exit_code == exitcodes.LOGIN_REQUIRED


def test_logout_forgets_the_tokens(logged_in: Person, tmp_path: Path) -> None:
    token = logged_in.run("token").stdout.strip()
    store = Path(status_of(logged_in)["store"].removeprefix("file:"))

    result = logged_in.run("logout")

    assert result.exit_code == exitcodes.DONE
    assert result.stdout == "Logged out; the tokens are forgotten.\n"
    assert status_of(logged_in)["state"] == "logged_out"
    assert token not in store.read_text("utf-8")


def test_no_token_is_in_any_output_but_that_of_token(logged_in: Person) -> None:
    token = logged_in.run("token").stdout.strip()

    for command in (["status"], ["status", "--json", "--verify"], ["check"]):
        result = logged_in.run(*command)
        assert token not in result.output


# -- Finding the proxy ---------------------------------------------------------------


def test_the_ready_lines_admin_address_can_be_pasted(
    serving: Proxy, person: Person
) -> None:
    (person.folder / "config.yaml").unlink()

    result = person.run("status", "--admin", serving.admin)

    assert f"the running proxy at {serving.admin[7:]}" in result.stdout


def test_an_address_that_was_asked_for_must_answer(person: Person) -> None:
    result = person.run("status", "--admin", str(closed_address()))

    assert result.exit_code == exitcodes.FAILED
    assert result.stderr.startswith("telemed-proxy: no proxy answers at 127.0.0.1:")


def test_a_proxy_on_a_port_that_nobody_can_know_is_not_looked_for(
    person: Person,
) -> None:
    file = person.folder / "config.yaml"
    lines = file.read_text("utf-8").splitlines()
    lines[1] = "admin: {listen: '127.0.0.1:0'}"
    file.write_text("\n".join(lines), "utf-8")

    assert "asked:              the token store" in person.run("status").stdout


def test_something_else_at_the_admin_address_is_not_passed_over(
    person: Person,
) -> None:
    file = person.folder / "config.yaml"
    with open_door(Door(200, b"hello")) as address:
        lines = file.read_text("utf-8").splitlines()
        lines[1] = f"admin: {{listen: '{address}'}}"
        file.write_text("\n".join(lines), "utf-8")
        result = person.run("token")

    assert result.exit_code == exitcodes.CONFIG
    assert "something else listens at" in result.stderr


def test_tokens_of_a_proxy_on_another_machine_cannot_be_read(person: Person) -> None:
    status = {
        "state": "active",
        "version": "1",
        "expires_in": 1000,
        "store": f"file:{person.folder}/elsewhere.json",
    }
    with open_door(Door(200, json.dumps(status).encode())) as address:
        result = person.run("token", "--admin", str(address))

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert "run this where the proxy runs" in result.stderr


def test_a_broken_config_is_one_sentence_and_exit_code_3(person: Person) -> None:
    (person.folder / "config.yaml").write_text("upstream: {clientid: x}\n", "utf-8")

    for command in ("login", "status", "token", "refresh", "logout", "serve"):
        # A code, so that login does not mind that there is no terminal.
        more = ["1", "--code", "1"] if command == "login" else []
        result = person.run(command, *([PHONE, *more[1:]] if more else []))

        assert result.exit_code == exitcodes.CONFIG, command
        assert "config.yaml, line 1: upstream.clientid" in result.stderr
        assert result.stderr.count("\n") == 1
