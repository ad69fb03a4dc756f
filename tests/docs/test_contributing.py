"""CONTRIBUTING.md leads to what is there."""

import re

import pytest

from tests.docs.loading import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CODE = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
PATHS = [
    each for each in CODE if re.fullmatch(r"[\w./-]+(/|\.(md|py|toml|yaml))", each)
]
COMMANDS = [each for each in CODE if each.startswith("make ")]
TARGETS = set(
    re.findall(
        r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
)


@pytest.mark.parametrize("path", PATHS)
def test_each_file_that_is_named_is_there(path: str) -> None:
    found = ROOT / path

    assert found.is_dir() if path.endswith("/") else found.is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_make_knows_each_target(command: str) -> None:
    assert command.split()[1] in TARGETS


def test_every_folder_of_the_package_and_each_kind_of_test_is_on_the_tour() -> None:
    folders = {
        f"proxy/{each.parent.name}/" for each in (ROOT / "proxy").glob("*/__init__.py")
    }

    assert folders - set(PATHS) == set()


def test_the_names_in_the_code_are_those_of_the_text() -> None:
    # A word, and the file in which it has its meaning.
    for word, file in {
        "open_store": "proxy/oauth/stores/__init__.py",
        "TokenStore": "proxy/oauth/stores/__init__.py",
        "PLACES": "tests/oauth/stores/conftest.py",
        "Place": "tests/oauth/stores/places.py",
        "Forwarding": "proxy/forward/forwarding.py",
        "unreachable": "proxy/cli/findings.py",
        "wrong": "proxy/cli/findings.py",
        "note": "proxy/cli/findings.py",
        "Call": "proxy/journal/command_parts.py",
        "Entry": "proxy/journal/entry.py",
        "Clock": "proxy/clock.py",
        "routes()": "proxy/admin/api.py",
    }.items():
        assert f"`{word}`" in TEXT
        name = word.removesuffix("()")
        defined = rf"^ *(class|def) {name}\b|^{name} = "
        assert re.search(defined, (ROOT / file).read_text("utf-8"), re.MULTILINE), word


def test_it_stays_short_enough_to_be_read() -> None:
    assert len(TEXT.split()) < 1800
