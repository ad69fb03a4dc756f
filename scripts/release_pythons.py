"""The Pythons of this machine, and environments with nothing else in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release_steps import StepError, run

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

_TELL = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


@dataclass(frozen=True)
class Python:
    """One interpreter."""

    version: str
    program: Path

    def __str__(self) -> str:
        return self.version


@dataclass(frozen=True)
class Installed:
    """An environment with the program in it."""

    folder: Path
    python: Path

    @property
    def program(self) -> Path:
        """The command that people type."""
        suffix = ".exe" if sys.platform == "win32" else ""
        return self.python.parent / f"telemed-proxy{suffix}"


def find_pythons(wanted: Iterable[str]) -> list[Python]:
    """Return those of the `wanted` versions that are there; name the others."""
    found: list[Python] = []
    for version in wanted:
        candidates = _candidates(version)
        program = next((each for each in candidates if _is(version, each)), None)
        if program is None:
            print(f"skip Python {version}: it is not on this machine")
        else:
            found.append(Python(version, program))
    if not found:
        raise StepError("none is here; install python3.11 or newer")
    return found


def _candidates(version: str) -> Iterator[Path]:
    """Yield where an interpreter of this version may be."""
    if named := shutil.which(f"python{version}"):
        yield Path(named)
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(home.glob(f"versions/{version}.*/bin/python"), reverse=True)
    shares = Path.home() / ".local/share/uv/python"
    yield from sorted(shares.glob(f"cpython-{version}.*/bin/python{version}"))
    yield Path(sys.executable)


def _is(version: str, program: Path) -> bool:
    """Return whether `program` is CPython of this version: a shim may lead nowhere."""
    try:
        told = subprocess.run(  # noqa: S603  from the folders of Pythons
            [program, "-c", _TELL],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.stdout.split() == [version, "cpython"]


@contextmanager
def environment(python: Python, folder: Path, what: str) -> Iterator[Installed]:
    """Make an environment with `what` and its dependencies in it, for a while.

    It has no pip of its own, so that its size is that of what was installed.
    """
    run(python.program, "-m", "venv", "--without-pip", "--clear", folder)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    inside = scripts / "python"
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    try:
        run(*pip, "--python", inside, "install", what)
        yield Installed(folder, inside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
