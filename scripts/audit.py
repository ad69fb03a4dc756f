"""Looks for known vulnerabilities in what telemed-proxy runs on, its extras included.

It asks PyPI, which knows what OSV (https://osv.dev) does, about each package in the
version that is installed. Without a network it says so, and that is no failure: what
could not be looked up is not known to be bad.
"""

import argparse
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
INDEX = "https://pypi.org/pypi"
PATIENCE = 10.0


class NoAnswerError(Exception):
    """The index cannot be asked, or does not know of vulnerabilities."""


def installed() -> dict[str, str]:
    """Return the version of each package that the program may import, by its name."""
    found: dict[str, str] = {}
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *sum(project["optional-dependencies"].values(), []),
    ]
    wanted = list(_names(lines))
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform or Python, or an extra left out
        needed = metadata.requires(name) or []
        wanted += _names(line for line in needed if "extra ==" not in line)
    return dict(sorted(found.items()))


def _names(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in requirements:
        if named := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement):
            yield re.sub(r"[-_.]+", "-", named[0]).lower()


def vulnerabilities(name: str, version: str, index: str = INDEX) -> list[str]:
    """Return what is known of `name` in `version`, one sentence each."""
    url = f"{index}/{name}/{version}/json"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310
            shape = json.load(answer)
        known = shape["vulnerabilities"]
    except urllib.error.HTTPError as error:
        error.close()
        raise NoAnswerError(f"{url} answers {error.code}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoAnswerError(f"{url}: {type(error).__name__} {error}") from error
    return [_sentence(name, version, one) for one in known if not one.get("withdrawn")]


def _sentence(name: str, version: str, one: dict[str, object]) -> str:
    aliases, fixed = one.get("aliases") or (), one.get("fixed_in") or ()
    names = " ".join([str(one.get("id")), *map(str, aliases)])  # type: ignore[call-overload]
    cure = ", ".join(map(str, fixed)) or "none yet"  # type: ignore[call-overload]
    return f"{name} {version}: {names}; fixed in: {cure}; {one.get('link') or ''}"


def main(arguments: list[str] | None = None) -> int:
    """Print what is found; return 1 if that is anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", default=INDEX, help="Where to ask.")
    index = parser.parse_args(arguments).index
    packages = installed()
    found, asked = [], 0
    for name, version in packages.items():
        try:
            found += vulnerabilities(name, version, index)
        except NoAnswerError as error:
            print(f"audit: not looked up from {name} on: {error}")
            break
        asked += 1
    for sentence in found:
        print(f"audit: {sentence}")
    verdict = f", {len(found)} known vulnerabilities" if asked else ""
    print(f"audit: {asked} of {len(packages)} packages looked up{verdict}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
