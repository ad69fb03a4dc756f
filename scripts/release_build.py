"""Builds sdist and wheel of a commit, and looks into them."""

import re
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from release_steps import StepError, run

ROOT = Path(__file__).parents[1]

_VERSION = re.compile(r'^__version__ = "([0-9][0-9A-Za-z.+-]*)"$', re.MULTILINE)
_STATED = ("pyproject.toml", "Dockerfile", "README.md", "Makefile")


@dataclass(frozen=True)
class Source:
    """A commit's files in a folder of their own."""

    folder: Path
    files: frozenset[str]
    told: str


@dataclass(frozen=True)
class Built:
    """What a release consists of."""

    source: Source
    version: str
    sdist: Path
    wheel: Path

    @property
    def told(self) -> str:
        """The files with their sizes."""
        sizes = [f"{each.name} {_kb(each)} kB" for each in (self.sdist, self.wheel)]
        return ", ".join(sizes)


def take_source(ref: str, folder: Path) -> Source:
    """Return the files of the commit `ref`, unpacked below `folder`."""
    archive, target = folder / "source.tar", folder / "source"
    run("git", "archive", "--format=tar", f"--output={archive}", ref, folder=ROOT)
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
        files = frozenset(each.name for each in packed if not each.isdir())
    changed = run("git", "status", "--porcelain", folder=ROOT).splitlines()
    told = f"{len(files)} files of {ref}"
    if changed and ref == "HEAD":
        told += f"; {len(changed)} changed files of this folder are not in it"
    return Source(target, files, told)


def version_of(source: Source) -> str:
    """Return the version in proxy/__init__.py, which no other file may state."""
    found = _VERSION.findall((source.folder / "proxy/__init__.py").read_text("utf-8"))
    if len(found) != 1:
        raise StepError("proxy/__init__.py must have one line __version__ = ...")
    [version] = found
    assigned = re.compile(rf"version[^\n]{{0,12}}{re.escape(version)}\b", re.IGNORECASE)
    for name in _STATED:
        if assigned.search((source.folder / name).read_text("utf-8")):
            raise StepError(f"{name} states the version too; leave it to proxy/")
    return str(version)


def extras_of(source: Source) -> str:
    """Return every extra that users may add, as pip takes them: [one,two]."""
    project = tomllib.loads((source.folder / "pyproject.toml").read_text("utf-8"))
    return f"[{','.join(project['project'].get('optional-dependencies', {}))}]"


def build(source: Source, version: str, folder: Path) -> Built:
    """Return the sdist, and the wheel that was built from it, not from the source."""
    tools, made = folder / "tools", folder / "made"
    run(sys.executable, "-m", "venv", tools)
    python = tools / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "build>=1.2")
    run(python, "-m", "build", "--outdir", made, source.folder)
    found = sorted(made.iterdir())
    wanted = [
        made / f"telemed_proxy-{version}-py3-none-any.whl",
        made / f"telemed_proxy-{version}.tar.gz",
    ]
    if found != wanted:
        raise StepError(f"built {[each.name for each in found]}, not {wanted}")
    wheel, sdist = found
    return Built(source, version, sdist, wheel)


def check_content(built: Built) -> str:
    """Raise StepError unless both hold what the commit has, and nothing else."""
    package = {name for name in built.source.files if name.startswith("proxy/")}
    for part in ("proxy/admin/static/", "proxy/admin/templates/"):
        if not any(name.startswith(part) for name in package):
            raise StepError(f"nothing of {part} is in the commit")
    with tarfile.open(built.sdist) as archive:
        packed = {each.name.partition("/")[2] for each in archive if not each.isdir()}
    needed = package | {"pyproject.toml", "README.md"}
    _compare("sdist", packed - {"PKG-INFO"}, needed, built.source.files)
    with ZipFile(built.wheel) as wheel:
        names = {each for each in wheel.namelist() if ".dist-info/" not in each}
    _compare("wheel", names, package, package)
    return f"{len(packed)} and {len(names)} files"


def _compare(
    what: str, found: set[str], needed: set[str], allowed: set[str] | frozenset[str]
) -> None:
    if missing := sorted(needed - found):
        raise StepError(f"the {what} lacks {', '.join(missing[:5])}")
    if stray := sorted(found - allowed):
        raise StepError(f"the {what} also has {', '.join(stray[:5])}")


def _kb(file: Path) -> int:
    return round(file.stat().st_size / 1000)
