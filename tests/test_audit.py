"""The check of the dependencies: what it asks, and what it makes of the answer."""

import importlib.util
import json
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.doors import Door, closed_address, open_door

FOUND: dict[str, object] = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "fixed_in": ["9.9"],
    "link": "https://osv.dev/vulnerability/PYSEC-2026-1",
    "withdrawn": None,
}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    file = Path(__file__).parents[1] / "scripts" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_asks_about_everything_that_the_program_imports(audit: ModuleType) -> None:
    packages = audit.installed()

    # Direct ones, those of extras, and what these bring along in their turn.
    assert {"aiohttp", "pyyaml", "cryptography", "redis", "cffi"} <= packages.keys()
    assert packages["aiohttp"] == metadata.version("aiohttp")
    # What only the tests need is not part of the program.
    assert not {"pytest", "ruff", "django", "trustme"} & packages.keys()


def run(audit: ModuleType, known: list[dict[str, object]]) -> tuple[int, Door]:
    door = Door(content=json.dumps({"vulnerabilities": known}).encode())
    with open_door(door) as address:
        return audit.main(["--index", f"http://{address}"]), door


def test_nothing_known_is_well(
    audit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    code, door = run(audit, [{**FOUND, "withdrawn": "2026-11-01T00:00:00Z"}])

    count = len(audit.installed())
    assert code == 0
    assert len(door.requests) == count
    assert f"/aiohttp/{metadata.version('aiohttp')}/json" in [
        r[1] for r in door.requests
    ]
    said = capsys.readouterr().out
    assert (
        said
        == f"audit: {count} of {count} packages looked up, 0 known vulnerabilities\n"
    )


def test_what_is_known_fails(
    audit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run(audit, [FOUND])

    assert code == 1
    assert "PYSEC-2026-1 CVE-2026-1; fixed in: 9.9; https" in capsys.readouterr().out


@pytest.mark.parametrize(
    "door",
    [None, Door(404, b"Not Found"), Door(200, b"<html>"), Door(200, b'{"info": {}}')],
    ids=["no network", "no such data", "no JSON", "other JSON"],
)
def test_what_cannot_be_looked_up_is_said_and_no_failure(
    audit: ModuleType, door: Door | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if door is None:
        code = audit.main(["--index", f"http://{closed_address()}"])
    else:
        with open_door(door) as address:
            code = audit.main(["--index", f"http://{address}"])
        assert len(door.requests) == 1  # it is not asked again and again

    said = capsys.readouterr().out
    assert code == 0
    assert "audit: not looked up from " in said
    assert "audit: 0 of " in said


def test_ruff_looks_for_what_bandit_does() -> None:
    import tomllib

    project = tomllib.loads(
        (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
    )
    lint = project["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    ignored = {
        where
        for where, rules in lint["per-file-ignores"].items()
        if any(
            rule.startswith("S") and rule[1:2] in ("", *"0123456789") for rule in rules
        )
    }
    assert ignored == {"tests/**", "bench/**"}
