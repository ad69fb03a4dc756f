"""The threat model in docs/security.md names tests and settings that exist."""

import re
from pathlib import Path

import pytest

from proxy.config import Config

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")

NAMED = set(re.findall(r"`(test_\w+)`", DOCUMENT))


def named_in(folder: Path) -> set[str]:
    sources = (file.read_text("utf-8") for file in folder.rglob("test_*.py"))
    return {
        name
        for source in sources
        for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", source, re.MULTILINE)
    }


def test_each_test_that_is_named_exists() -> None:
    assert NAMED - named_in(ROOT / "tests") == set()


def test_each_proof_is_named() -> None:
    about_itself = named_in(Path(__file__).parent) & set(globals())
    assert named_in(Path(__file__).parent) - NAMED == about_itself


@pytest.mark.parametrize("section", ["access", "limits"])
def test_each_setting_of_a_defence_is_named(section: str) -> None:
    settings = type(getattr(Config(), section)).settings
    named = set(re.findall(rf"`{section}\.(\w+)`", DOCUMENT))
    assert named == set(settings)
