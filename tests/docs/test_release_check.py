"""The release check, but for what needs the package index."""

import io
import re
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest

from proxy import __version__
from tests.docs.loading import ROOT, load_script

PACKAGE = (
    "proxy/__init__.py",
    "proxy/admin/static/page.js",
    "proxy/admin/templates/row.html",
)
FILES = (*PACKAGE, "pyproject.toml", "README.md")
METADATA = "telemed_proxy-1.2.3.dist-info/METADATA"


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    return load_script("release_steps")


@pytest.fixture(scope="module")
def builds(steps: ModuleType) -> ModuleType:
    return load_script("release_build")


@pytest.fixture(scope="module")
def pythons(steps: ModuleType) -> ModuleType:
    return load_script("release_pythons")


# -- The version ---------------------------------------------------------------------


@pytest.fixture
def source(builds: ModuleType, tmp_path: Path) -> Any:
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy/__init__.py").write_text('"""P."""\n\n__version__ = "1.2.3"\n')
    for name in ("pyproject.toml", "Dockerfile", "README.md", "Makefile"):
        (tmp_path / name).write_text("")
    return builds.Source(tmp_path, frozenset(FILES), "")


def test_the_version_is_that_of_the_package(builds: ModuleType, source: Any) -> None:
    assert builds.version_of(source) == "1.2.3"
    assert builds.version_of(replace(source, folder=ROOT)) == __version__


def test_a_second_place_that_states_it_is_refused(
    builds: ModuleType, steps: ModuleType, source: Any
) -> None:
    (source.folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')

    with pytest.raises(steps.StepError, match=r"pyproject\.toml states the version"):
        builds.version_of(source)


def test_a_package_without_one_is_refused(
    builds: ModuleType, steps: ModuleType, source: Any
) -> None:
    (source.folder / "proxy/__init__.py").write_text("")

    with pytest.raises(steps.StepError, match="must have one line"):
        builds.version_of(source)


# -- What is in it -------------------------------------------------------------------


def built(builds: ModuleType, source: Any, in_sdist: Any, in_wheel: Any) -> Any:
    sdist, wheel = source.folder / "s.tar.gz", source.folder / "w.whl"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in in_sdist:
            archive.addfile(
                tarfile.TarInfo(f"telemed_proxy-1.2.3/{name}"), io.BytesIO()
            )
    with ZipFile(wheel, "w") as packed:
        for name in in_wheel:
            packed.writestr(name, "")
    return builds.Built(source, "1.2.3", sdist, wheel)


def test_what_the_commit_has_is_let_through(builds: ModuleType, source: Any) -> None:
    made = built(builds, source, [*FILES, "PKG-INFO"], [*PACKAGE, METADATA])

    assert builds.check_content(made) == "6 and 3 files"


@pytest.mark.parametrize(
    ("in_sdist", "in_wheel", "why"),
    [
        ([*FILES, "config.yaml"], PACKAGE, "the sdist also has config.yaml"),
        (FILES[1:], PACKAGE, "the sdist lacks proxy/__init__.py"),
        (FILES, PACKAGE[:2], "the wheel lacks proxy/admin/templates/row.html"),
        (FILES, [PACKAGE[0], PACKAGE[2]], "the wheel lacks proxy/admin/static/page.js"),
        (FILES, [*PACKAGE, "tests/x.py"], "the wheel also has tests/x.py"),
    ],
    ids=["stray file", "sdist lacks one", "no template", "no script", "tests"],
)
def test_what_is_stray_or_missing_is_named(
    builds: ModuleType,
    steps: ModuleType,
    source: Any,
    in_sdist: Any,
    in_wheel: Any,
    why: str,
) -> None:
    made = built(builds, source, in_sdist, in_wheel)

    with pytest.raises(steps.StepError, match=re.escape(why)):
        builds.check_content(made)


# -- Pythons -------------------------------------------------------------------------


def test_a_shim_that_leads_nowhere_is_no_python(
    pythons: ModuleType,
    steps: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'no such version' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    with pytest.raises(steps.StepError, match="none is here"):
        pythons.find_pythons(["3.99"])

    assert capsys.readouterr().out == "skip Python 3.99: it is not on this machine\n"


def test_the_python_that_runs_this_is_found(pythons: ModuleType) -> None:
    version = "{}.{}".format(*sys.version_info)

    assert [str(each) for each in pythons.find_pythons([version])] == [version]


# -- Steps ---------------------------------------------------------------------------


def test_a_step_that_fails_says_why_and_is_raised(
    steps: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "print('it is broken'); raise SystemExit(7)"]

    with pytest.raises(steps.StepError):
        steps.step("try", lambda: steps.run(*command))

    said = capsys.readouterr().out
    assert said.startswith("FAIL try: ")
    assert "ended with 7, not 0:\n     it is broken" in said


def test_a_commit_that_is_not_there_fails_the_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = "{}.{}".format(*sys.version_info)

    check = load_script("release_check")

    assert check.main(["--ref", "no-such-commit", "--python", version]) == 1
    assert "FAIL take the source: git archive" in capsys.readouterr().out


# -- The smoke test, of the program that is installed here -----------------------------


@pytest.fixture
def here(pythons: ModuleType) -> Any:
    found = pythons.Installed(Path(sys.prefix), Path(sys.executable))
    if not found.program.exists():
        pytest.skip("telemed-proxy is not installed as a command here")
    return found


def test_a_good_program_passes(here: Any, tmp_path: Path) -> None:
    told = load_script("release_smoke").smoke(here, __version__, tmp_path / "run")

    count = re.search(r"login, a call, (\d+) files of the page, SIGTERM$", told)
    assert count
    # Every script is reached from the page: none is shipped in vain, none is missing.
    shipped = (ROOT / "proxy/admin/static").glob("*.js")
    assert int(count[1]) >= len(list(shipped))


def test_another_version_is_noticed(
    here: Any, steps: ModuleType, tmp_path: Path
) -> None:
    smoke = load_script("release_smoke").smoke

    with pytest.raises(steps.StepError, match=r"it is 9\.9\.9, but says"):
        smoke(here, "9.9.9", tmp_path / "run")


# -- The numbers ---------------------------------------------------------------------


def test_numbers_take_the_place_of_the_old_ones(tmp_path: Path) -> None:
    numbers = load_script("release_numbers")
    document = tmp_path / "install.md"
    document.write_text("# A\n\n<!-- numbers -->\nold\n<!-- end of numbers -->\n\nB\n")

    numbers.write_numbers([("size", "1 MB", "`du`")], "3.11", document)

    assert document.read_text() == (
        "# A\n\n<!-- numbers -->\n\n| Python 3.11 | | told by |\n| --- | ---: | --- |\n"
        "| size | 1 MB | `du` |\n\n<!-- end of numbers -->\n\nB\n"
    )


def test_the_document_has_numbers() -> None:
    text = load_script("release_numbers").DOCUMENT.read_text("utf-8")

    table = text.partition("<!-- numbers -->")[2].partition("<!-- end of")[0]
    assert re.search(r"^\| the wheel \| \d+ kB \|", table, re.MULTILINE)
    assert len(re.findall(r"\| [\d.]+ (?:ms|MB|kB) \|", table)) >= 4


def test_every_extra_is_tried_and_in_the_document(
    builds: ModuleType, source: Any
) -> None:
    here = builds.extras_of(replace(source, folder=ROOT)).strip("[]").split(",")
    text = load_script("release_numbers").DOCUMENT.read_text("utf-8")

    assert {"redis", "speed"} <= set(here)
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(here)
