"""The Russian README says what the English one says, as far as a test can tell."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "README.md"
RUSSIAN = ROOT / "docs" / "README.ru.md"

_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_ROW = re.compile(r"^\| (.*?) \|", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


def blocks(file: Path) -> list[str]:
    return _BLOCK.findall(file.read_text("utf-8"))


def prose(file: Path) -> str:
    return _BLOCK.sub("```", file.read_text("utf-8"))


def outline(file: Path) -> list[str]:
    """Return headings by their depth, blocks and table rows, in the order they come."""
    return re.findall(r"^(?:#+ |```|\| )", prose(file), re.MULTILINE)


def first_column(file: Path) -> list[list[str]]:
    """Return what of each row's first cell needs no translation."""
    return [
        _CODE.findall(cell) or re.findall(r"\d+", cell)
        for cell in _ROW.findall(prose(file))
    ]


def names(file: Path) -> list[str]:
    """Return what the text calls by its name, line breaks aside."""
    text = _BLOCK.sub("", file.read_text("utf-8"))
    return sorted({" ".join(name.split()) for name in _CODE.findall(text)})


def links(file: Path) -> set[Path]:
    found = _LINK.findall(prose(file))
    return {(file.parent / link).resolve() for link in found if "://" not in link}


def test_the_same_headings_blocks_and_rows_in_the_same_order() -> None:
    assert outline(RUSSIAN) == outline(ENGLISH)
    assert len(_HEADING.findall(prose(RUSSIAN))) > 1


def test_the_same_commands() -> None:
    assert blocks(RUSSIAN) == blocks(ENGLISH)


def test_the_same_first_columns_of_tables() -> None:
    assert first_column(RUSSIAN) == first_column(ENGLISH)


def test_the_same_names_in_the_text() -> None:
    assert names(RUSSIAN) == names(ENGLISH)


@pytest.mark.parametrize("file", [ENGLISH, RUSSIAN], ids=["english", "russian"])
def test_links_lead_somewhere(file: Path) -> None:
    assert [link for link in links(file) if not link.exists()] == []


def test_the_same_documents_are_named() -> None:
    translated = {ENGLISH, RUSSIAN}
    pictures = {
        link for link in links(ENGLISH) | links(RUSSIAN) if link.suffix == ".png"
    }

    assert links(RUSSIAN) - translated - pictures == (
        links(ENGLISH) - translated - pictures
    )
