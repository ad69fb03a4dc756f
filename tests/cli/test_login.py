"""The login command: what it takes, what it asks, and how it ends."""

import json
import signal

import pytest

from proxy.cli import exitcodes
from tests.cli.conftest import MASKED, PHONE, Person, Upstream
from tests.running import Proxy

# -- Without a terminal --------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["+7", "916", "123-45-67"],
        ["+7 916 123-45-67"],
        ["8", "(916)", "123-45-67"],
        ["79161234567"],
    ],
    ids=" | ".join,
)
def test_a_phone_may_be_several_words(
    person: Person, upstream: Upstream, words: list[str]
) -> None:
    result = person.run("login", *words, "--code", upstream.code())

    assert result.exit_code == exitcodes.DONE, result.output
    assert f"Logged in as {MASKED}." in result.stdout
    assert "The access token lives until 2" in result.stdout


def test_with_a_code_no_sms_is_sent(either: Person, upstream: Upstream) -> None:
    code = upstream.code()
    before = len(upstream.sandbox.sms)

    result = either.run("login", PHONE, "--code", code)

    assert result.exit_code == exitcodes.DONE, result.output
    assert len(upstream.sandbox.sms) == before


def test_a_code_alone_is_for_the_phone_that_was_asked_for(
    serving: Proxy, person: Person, upstream: Upstream
) -> None:
    serving.ask("POST", "/api/login/code", {"phone": PHONE})

    result = person.run("login", "--code", upstream.latest_code())

    assert result.exit_code == exitcodes.DONE, result.output


def test_a_code_for_no_phone_is_a_usage_error(either: Person) -> None:
    result = either.run("login", "--code", "1234")

    assert result.exit_code == exitcodes.USAGE
    assert "give PHONE" in result.stderr


def test_a_wrong_code_says_how_many_more_may_be_tried(either: Person) -> None:
    result = either.run("login", PHONE, "--code", "000000")

    assert result.exit_code == exitcodes.LOGIN_REQUIRED
    assert result.stderr.startswith("telemed-proxy: the validation code was not acc")
    assert result.stderr.count("\n") == 1


def test_a_login_that_cannot_be_refreshed_says_so(
    either: Person, upstream: Upstream
) -> None:
    upstream.switch(omit_refresh_token=True)

    result = either.run("login", PHONE, "--code", upstream.code())

    assert result.exit_code == exitcodes.DONE
    assert "It cannot be refreshed: log in again before then." in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("words", [["login", PHONE, "--code", "1"], ["refresh"]])
def test_a_client_id_that_is_refused_is_the_configs_fault(
    person: Person, upstream: Upstream, words: list[str]
) -> None:
    person.run("login", PHONE, "--code", upstream.code())
    file = person.folder / "config.yaml"
    text = file.read_text("utf-8").replace("client_id: 98", "client_id: 00")
    file.write_text(text, "utf-8")

    result = person.run(*words)

    assert result.exit_code == exitcodes.CONFIG, result.output
    assert result.stderr.endswith("; check upstream.client_id\n")


@pytest.mark.parametrize(
    ("words", "missing"), [([], "PHONE and --code CODE"), ([PHONE], "--code CODE")]
)
def test_nobody_is_asked_where_no_terminal_is(
    person: Person, upstream: Upstream, words: list[str], missing: str
) -> None:
    before = len(upstream.sandbox.sms)

    result = person.run("login", *words)

    assert result.exit_code == exitcodes.USAGE
    assert f"stdin is no terminal to ask on: give {missing}" in result.stderr
    assert len(upstream.sandbox.sms) == before


def test_a_phone_that_cannot_be_dialled_is_a_usage_error(person: Person) -> None:
    result = person.run("login", "call", "me", "--code", "1234")

    assert result.exit_code == exitcodes.USAGE
    assert "write it like +7 916 123-45-67" in result.stderr


def test_the_documented_sample_number_goes_through(
    person: Person, upstream: Upstream
) -> None:
    person.run("login", "+1 1111111111", "--code", "1234")

    assert upstream.sandbox.token_requests[-1].phone == "11111111111"


def test_on_the_store_a_client_id_is_needed(person: Person) -> None:
    file = person.folder / "config.yaml"
    text = file.read_text("utf-8").replace("client_id: 98", "client_id: '' #")
    file.write_text(text.replace("#", "}\n#"), "utf-8")

    result = person.run("login", PHONE, "--code", "1234")

    assert result.exit_code == exitcodes.CONFIG
    assert "client_id" in result.stderr


def test_an_upstream_that_is_down_is_exit_code_5(
    either: Person, upstream: Upstream
) -> None:
    upstream.switch(token_fault="html502")

    result = either.run("login", PHONE, "--code", "1234")

    assert result.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert result.stderr.count("\n") == 1


# -- On a terminal -------------------------------------------------------------------


def test_what_is_missing_is_asked_for(either: Person, upstream: Upstream) -> None:
    with either.terminal("login") as terminal:
        terminal.expect("Phone number.*: ")
        terminal.type("call me")
        terminal.expect("telemed-proxy: a phone number has digits only")
        terminal.expect("Phone number.*: ")
        terminal.type("8 916 123 45 67")
        terminal.expect(r"on its way to \+7 916 123-45-67\.")
        terminal.expect("Code from the SMS: ")
        terminal.type("000000")
        terminal.expect(r"not accepted; try again \(4 left\)")
        terminal.expect("Code from the SMS: ")
        terminal.type(upstream.latest_code())
        terminal.expect(r"Logged in as \+7\*{6}4567\.")
        assert terminal.ends() == exitcodes.DONE

    status = json.loads(either.run("status", "--json").stdout)
    assert status["state"] == "active"


def test_the_asking_ends_with_the_attempts(person: Person) -> None:
    with person.terminal("login", PHONE) as terminal:
        for left in (4, 3, 2, 1):
            terminal.expect("Code from the SMS: ")
            terminal.type("000000")
            terminal.expect(rf"try again \({left} left\)")
        terminal.expect("Code from the SMS: ")
        terminal.type("000000")
        terminal.expect(r"not accepted; ask for a new one, possible in \d+ s\r\n")
        assert terminal.ends() == exitcodes.LOGIN_REQUIRED


def test_ctrl_c_at_a_question_is_130(person: Person) -> None:
    with person.terminal("login") as terminal:
        terminal.expect("Phone number")
        assert terminal.ends_by(signal.SIGINT) == exitcodes.SIGINT
        assert "Traceback" not in terminal.shown


def test_sigterm_at_a_question_is_143(person: Person) -> None:
    with person.terminal("login") as terminal:
        terminal.expect("Phone number")
        assert terminal.ends_by(signal.SIGTERM) == exitcodes.SIGTERM


def test_the_end_of_the_input_at_a_question_is_told(person: Person) -> None:
    with person.terminal("login") as terminal:
        terminal.expect("Phone number.*: ")
        terminal.press(b"\x04")
        terminal.expect("the input ended before the question was answered")
        assert terminal.ends() == exitcodes.USAGE


@pytest.mark.parametrize("way", ["serving", "person"])
def test_beside_an_active_login_a_code_is_asked_for_only_if_one_was_sent(
    way: str, person: Person, upstream: Upstream, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(way)
    person.run("login", PHONE, "--code", upstream.code())
    upstream.switch(sms_limit=0)

    with person.terminal("login", PHONE) as terminal:
        assert terminal.ends() == exitcodes.FAILED
        assert "Code from" not in terminal.shown


def test_the_code_of_a_login_given_up_can_still_be_typed(
    serving: Proxy, person: Person, upstream: Upstream
) -> None:
    """The cooldown keeps a second SMS back, not the person."""
    with person.terminal("login", PHONE) as terminal:
        terminal.expect("Code from the SMS: ")
        assert terminal.ends_by(signal.SIGINT) == exitcodes.SIGINT
    code, sent = upstream.latest_code(), len(upstream.sandbox.sms)

    with person.terminal("login", PHONE) as terminal:
        terminal.expect(r"the next one can be in \d+ s")
        terminal.expect("has got a code already, type that one")
        terminal.expect("Code from the SMS: ")
        terminal.type(code)
        terminal.expect("Logged in as")
        assert terminal.ends() == exitcodes.DONE
    assert len(upstream.sandbox.sms) == sent


def test_for_another_number_the_code_of_the_first_is_not_asked_for(
    person: Person, upstream: Upstream
) -> None:
    with person.terminal("login", PHONE) as terminal:
        terminal.expect("Code from the SMS: ")
        assert terminal.ends_by(signal.SIGINT) == exitcodes.SIGINT
    upstream.switch(sms_limit=0)

    with person.terminal("login", "+7 916 765-43-21") as terminal:
        assert terminal.ends() == exitcodes.FAILED
        assert "Code from" not in terminal.shown


def test_without_a_client_id_nothing_is_asked(person: Person) -> None:
    file = person.folder / "config.yaml"
    text = file.read_text("utf-8").replace("client_id: 98", "client_id: '' #")
    file.write_text(text.replace("#", "}\n#"), "utf-8")

    with person.terminal("login") as terminal:
        assert terminal.ends() == exitcodes.CONFIG
        assert "client_id" in terminal.shown
        assert "Phone number" not in terminal.shown
