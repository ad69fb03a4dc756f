"""How a failure ends a command: one sentence on stderr and an exit code.

This is the only place that does it. Nobody sees a traceback unless they ask for it
with TELEMED_PROXY_DEBUG=1.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import click

from proxy.cli import exitcodes
from proxy.errors import (
    CLIENT_REFUSED,
    AccessDeniedError,
    ConfigError,
    LoginError,
    LoginRequiredError,
    ProxyError,
    TokenRefusedError,
    UpstreamError,
)

DEBUG_VARIABLE: Final = "TELEMED_PROXY_DEBUG"

# The first class that fits decides.
EXIT_CODES: Final[tuple[tuple[type[ProxyError], int], ...]] = (
    (ConfigError, exitcodes.CONFIG),
    # The admin password comes from the config file, so that is what to mend.
    (AccessDeniedError, exitcodes.CONFIG),
    (LoginRequiredError, exitcodes.LOGIN_REQUIRED),
    (TokenRefusedError, exitcodes.LOGIN_REQUIRED),
    (UpstreamError, exitcodes.UPSTREAM_UNREACHABLE),
)


class WrongCodeError(LoginError):
    """The validation code was not accepted, and nobody is there to type another."""


def exit_code(error: ProxyError) -> int:
    """Return the exit code for `error`."""
    if isinstance(error, WrongCodeError):
        return exitcodes.LOGIN_REQUIRED
    if error.value == CLIENT_REFUSED:
        return exitcodes.CONFIG
    for kind, code in EXIT_CODES:
        if isinstance(error, kind):
            return code
    return exitcodes.FAILED


def say(sentence: str) -> None:
    """Print one sentence on stderr under the program's name."""
    click.echo(f"telemed-proxy: {sentence}", err=True)


@contextmanager
def failures_end_the_program() -> Iterator[None]:
    """Turn whatever a command raises into a sentence and an exit code."""
    try:
        with _sigterm_unwinds():
            yield
    except click.Abort as exc:
        sys.exit(_aborted(exc))
    except KeyboardInterrupt:
        sys.exit(exitcodes.SIGINT)
    except click.ClickException as exc:
        say(_usage_sentence(exc))
        sys.exit(exc.exit_code)
    except ProxyError as exc:
        _trace_if_asked()
        say(_with_next_step(exc))
        sys.exit(exit_code(exc))
    except Exception as exc:  # noqa: BLE001  the last door: a sentence, no traceback
        _trace_if_asked()
        say(_unforeseen_sentence(exc))
        sys.exit(exitcodes.FAILED)


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    """End by SystemExit on SIGTERM, so that files and locks are let go in order."""

    def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(exitcodes.SIGTERM)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are somebody else's
        return
    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _aborted(abort: click.Abort) -> int:
    """Tell Ctrl-C at a prompt from the end of the input."""
    if isinstance(abort.__context__, EOFError):
        say("the input ended before the question was answered")
        return exitcodes.USAGE
    return exitcodes.SIGINT


def _usage_sentence(error: click.ClickException) -> str:
    sentence = error.format_message().strip().removesuffix(".")
    sentence = sentence[:1].lower() + sentence[1:]
    context = getattr(error, "ctx", None)
    if context is None:
        return sentence
    return f"{sentence} (more: {context.command_path} --help)"


def _with_next_step(error: ProxyError) -> str:
    sentence = error.description
    if not isinstance(error, TokenRefusedError):
        return sentence
    if error.value == CLIENT_REFUSED:
        return f"{sentence}; check upstream.client_id"
    return f"{sentence}; run: telemed-proxy login"


def _unforeseen_sentence(error: Exception) -> str:
    # The text of a foreign exception may hold anything, a secret included; that of
    # an OSError is the system's own.
    what = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        what = f"{what}: {error.strerror}{where}"
    return f"unforeseen {what}; to see more, set {DEBUG_VARIABLE}=1 and repeat"


def is_debugging() -> bool:
    """Return whether the person wants to see everything."""
    return bool(os.environ.get(DEBUG_VARIABLE))


def _trace_if_asked() -> None:
    if is_debugging():
        import traceback

        click.echo(traceback.format_exc(), err=True)
