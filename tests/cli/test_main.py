"""The command line as a whole: help, laziness, sentences, exit codes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner, Result

from proxy.cli import COMMANDS, exitcodes, main
from proxy.cli.command import Command
from proxy.cli.failures import WrongCodeError, exit_code, failures_end_the_program
from proxy.errors import (
    CLIENT_REFUSED,
    AccessDeniedError,
    ConfigError,
    CooldownError,
    LocalKeyError,
    LoginRequiredError,
    ProxyError,
    StoreError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from tests.running import PROGRAM, own_environ


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


# -- Help ----------------------------------------------------------------------------


def test_help_lists_every_command_without_cutting_a_sentence() -> None:
    result = invoke("--help")

    assert result.exit_code == exitcodes.DONE
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert "..." not in result.stdout.replace("[ARGS]...", "")
    assert "130 Ctrl-C" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = invoke(name, "-h")

    assert result.exit_code == exitcodes.DONE
    assert f"telemed-proxy {name}" in result.stdout.partition("Example")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_explained(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert isinstance(command, Command)
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_no_command_at_all_shows_the_help_as_a_usage_error() -> None:
    result = invoke()

    assert result.exit_code == exitcodes.USAGE
    assert "Commands:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sreve"], "telemed-proxy: no such command 'sreve'"),
        (["serve", "--lissten", "x"], "no such option"),
        (["serve", "--listen", "nonsense"], "'--listen': must be an address such as"),
        (["serve", "extra"], "extra argument (extra)"),
        (["token", "--min-ttl", "60"], "'--min-ttl': must be a duration such as"),
        (["sandbox", "--scenario", "nope"], "'nope' is none of: default,"),
        (["sandbox", "--seed", "x"], "'x' is not a valid integer"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistyped_line_is_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str
) -> None:
    result = invoke(*arguments)

    assert result.exit_code == exitcodes.USAGE
    assert result.stderr.startswith("telemed-proxy: ")
    assert sentence in result.stderr
    assert "--help)" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["stats"], "status"),
        (["Serve"], "serve"),
        (["lgoin", "+7 916 123-45-67"], "login"),
        (["store", "mvoe"], "move"),
        (["xyzzy"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistyped_command_names_the_one_that_was_meant(
    arguments: list[str], meant: str | None
) -> None:
    result = invoke(*arguments)

    assert result.exit_code == exitcodes.USAGE
    assert (f", did you mean {meant}? (more: telemed-proxy" in result.stderr) == (
        meant is not None
    )
    assert result.stderr.count("\n") == 1


def test_completion_scripts_call_the_program_by_its_name() -> None:
    for shell in ("bash", "zsh", "fish"):
        result = invoke("completion", shell)

        assert result.exit_code == exitcodes.DONE
        assert "_TELEMED_PROXY_COMPLETE" in result.stdout


def test_completion_without_a_shell_takes_the_one_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert "fish_complete" in invoke("completion").stdout

    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert invoke("completion").exit_code == exitcodes.USAGE


def test_a_shell_that_completes_gets_the_scenarios() -> None:
    def complete(words: str, position: int) -> str:
        # A completing shell runs the program itself, with these variables.
        environ = own_environ() | {
            "_TELEMED_PROXY_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
        }
        return subprocess.run(
            PROGRAM, env=environ, capture_output=True, text=True, check=True
        ).stdout

    assert "plain,short-lived" in complete("telemed-proxy sandbox --scenario sh", 3)


# -- Start-up ------------------------------------------------------------------------


def test_version_names_what_a_bug_report_needs() -> None:
    lines = invoke("version").stdout.splitlines()

    assert lines[0].startswith("telemed-proxy ")
    assert lines[1].startswith(f"Python {sys.version.split()[0]}")
    assert lines[2].startswith("event loop: ")
    assert lines[3].startswith("parser")
    assert "aiohttp 3" in lines[3]
    assert invoke("--version").stdout.strip() == lines[0]


# -- Failures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 3),
        (AccessDeniedError("x"), 3),
        (LocalKeyError("x"), 3),
        (LoginRequiredError("x"), 4),
        (TokenRefusedError("invalid_grant", "x"), 4),
        (TokenRefusedError("", "x", value=CLIENT_REFUSED), 3),
        (WrongCodeError("x"), 4),
        (UpstreamUnreachableError("x"), 5),
        (UpstreamTimeoutError("x"), 5),
        (TokenAnswerError("x"), 5),
        (StoreError("x"), 1),
        (CooldownError("x"), 1),
        (ProxyError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code(error: ProxyError, code: int) -> None:
    assert exit_code(error) == code


def ended_by(raise_it: Callable[[], NoReturn]) -> int | str | None:
    with pytest.raises(SystemExit) as ended, failures_end_the_program():
        raise_it()
    return ended.value.code


def raiser(error: BaseException) -> Callable[[], NoReturn]:
    def raise_it() -> NoReturn:
        raise error

    return raise_it


def test_an_error_of_ours_is_its_own_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended_by(raiser(ConfigError("config.yaml, line 3: mend it"))) == 3

    assert capsys.readouterr() == ("", "telemed-proxy: config.yaml, line 3: mend it\n")


def test_an_unforeseen_error_is_named_without_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text may hold anything, such as a token."""
    monkeypatch.delenv("TELEMED_PROXY_DEBUG", raising=False)

    assert ended_by(raiser(RuntimeError("Bearer secret"))) == exitcodes.FAILED

    error = capsys.readouterr().err
    assert error.startswith("telemed-proxy: unforeseen RuntimeError; ")
    assert "TELEMED_PROXY_DEBUG=1" in error
    assert "secret" not in error
    assert "Traceback" not in error


def test_the_debug_variable_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMED_PROXY_DEBUG", "1")

    ended_by(raiser(RuntimeError("where")))

    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_unforeseen_system_error_says_what_the_system_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended_by(raiser(OSError(28, "No space left on device", "/state/tokens.json")))

    assert "OSError: No space left on device (/state/tokens.json)" in (
        capsys.readouterr().err
    )


def test_ctrl_c_is_130_and_sigterm_143() -> None:
    def terminate() -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not reached")

    before = signal.getsignal(signal.SIGTERM)

    assert ended_by(raiser(KeyboardInterrupt())) == exitcodes.SIGINT
    assert ended_by(terminate) == exitcodes.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_reader_that_has_gone_is_no_error_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        done = subprocess.run(
            [*PROGRAM, "completion", "zsh"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == exitcodes.FAILED
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["status", "-c"], "telemed-proxy status"),
        (["token", "--min-ttl"], "telemed-proxy token"),
        (["status", "--nonsense"], "telemed-proxy status"),
        (["--nonsense"], "telemed-proxy"),
    ],
)
def test_every_usage_error_names_the_help(words: list[str], command: str) -> None:
    result = CliRunner().invoke(main, words)

    assert result.exit_code == exitcodes.USAGE
    assert result.stderr.endswith(f"(more: {command} --help)\n")
