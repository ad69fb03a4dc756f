"""Builds the sdist and the wheel, installs each where nothing else is, and tries it.

The source is a commit, HEAD unless another is named, so that nothing of this folder
gets in. Each is installed with and without the extras, for every Python from 3.11 on
that this machine has; the others are named. A line a step; the exit code is 1 if one
failed.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from release_build import (
    Built,
    build,
    check_content,
    extras_of,
    take_source,
    version_of,
)
from release_numbers import DOCUMENT, measure, write_numbers
from release_pythons import PYTHONS, Python, environment, find_pythons
from release_smoke import smoke
from release_steps import StepError, step


def main(arguments: list[str] | None = None) -> int:
    """Do all steps; return 1 when one failed."""
    options = _options(arguments)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="release-check-") as name:
        folder = Path(name)
        try:
            built, pythons = _prepare(folder, options)
        except StepError:
            return 1
        for title, attempt in _attempts(folder, built, pythons):
            try:
                step(title, attempt)
            except StepError:
                failed += 1
        try:
            _numbers(folder, built, pythons[0], write=options.write_numbers)
        except StepError:
            failed += 1
    print(f"release-check: {failed} steps failed" if failed else "release-check: ok")
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ref", default="HEAD", help="The commit that is released.")
    parser.add_argument(
        "--python",
        action="append",
        choices=PYTHONS,
        help="Only for this one; may be repeated.",
    )
    parser.add_argument(
        "--write-numbers",
        action="store_true",
        help=f"Put sizes and times into {DOCUMENT.name}.",
    )
    return parser.parse_args(arguments)


def _prepare(folder: Path, options: argparse.Namespace) -> tuple[Built, list[Python]]:
    """Return what was built, and the Pythons to try it with."""
    pythons = step("find Pythons", lambda: find_pythons(options.python or PYTHONS))
    source = step("take the source", lambda: take_source(options.ref, folder))
    version = step("read the version", lambda: version_of(source))
    built = step("build", lambda: build(source, version, folder))
    step("look into sdist and wheel", lambda: check_content(built))
    return built, pythons


def _attempts(
    folder: Path, built: Built, pythons: list[Python]
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each way to install it, with what to try."""
    for python in pythons:
        for kind, file in (("wheel", built.wheel), ("sdist", built.sdist)):
            for extras in ("", extras_of(built.source)):
                title = f"Python {python.version}, {kind}{extras}"
                place = folder / title.replace(" ", "-").replace(",", "")

                def attempt(
                    python: Python = python,
                    what: str = f"{file}{extras}",
                    place: Path = place,
                ) -> str:
                    with environment(python, place, what) as installed:
                        return smoke(installed, built.version, place / "run")

                yield title, attempt


def _numbers(folder: Path, built: Built, python: Python, *, write: bool) -> None:
    def attempt() -> str:
        with environment(python, folder / "numbers", str(built.wheel)) as installed:
            rows = measure(installed, built)
        if write:
            write_numbers(rows, python.version)
        return "; ".join(f"{what}: {value}" for what, value, _ in rows)

    step("measure", attempt)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as exc:
        sys.exit(f"release-check: stopped ({type(exc).__name__})")
