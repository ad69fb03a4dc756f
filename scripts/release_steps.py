"""Steps of a release check: a line each, and commands that say why they failed."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 600.0
_TAIL = 15


class StepError(Exception):
    """The step is of no use; the text says why."""


def step(title: str, attempt: Callable[[], T]) -> T:
    """Return what `attempt` does, after a line about it; it may raise `StepError`."""
    began = time.monotonic()
    try:
        result = attempt()
    except StepError as exc:
        print(f"FAIL {title}: {exc}", flush=True)
        raise
    told = result if isinstance(result, str) else getattr(result, "told", "")
    if isinstance(result, list):
        told = ", ".join(map(str, result))
    seconds = time.monotonic() - began
    print(f"ok   {title}: {told or result} ({seconds:.1f} s)", flush=True)
    return result


def run(
    *command: str | Path,
    expect: int = 0,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return what `command` prints; raise StepError when it ends otherwise than so."""
    try:
        done = subprocess.run(  # noqa: S603  a list of words, no shell
            command,
            cwd=folder,
            env=clean_environ() | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=PATIENCE,
            check=False,
        )
    except OSError as exc:
        raise StepError(f"{command[0]} cannot be run: {exc.strerror}") from exc
    if done.returncode != expect:
        words = " ".join(Path(word).name for word in command[:4])
        lines = "\n     ".join(done.stdout.splitlines()[-_TAIL:])
        raise StepError(
            f"{words} ended with {done.returncode}, not {expect}:\n     {lines}"
        )
    return done.stdout


def clean_environ() -> dict[str, str]:
    """Return the environment less what changes what Python imports or we are told."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TELEMED_PROXY", "PYTHON", "VIRTUAL_ENV", "COV"))
    }
