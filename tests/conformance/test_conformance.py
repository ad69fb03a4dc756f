"""The cases themselves: each is named, says its rule, and is played somewhere."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import all_cases, modules
from tests.conformance.profiles import PROFILES

FOLDER = Path(__file__).parent

SECTION = re.compile(r"RFC \d{4,5}, \d+(\.\d+)*|the contract, .+")


@pytest.mark.parametrize("module", modules())
def test_every_module_of_cases_is_played(module: str) -> None:
    test = FOLDER / f"test_{module}.py"

    assert f'playing("{module}")' in test.read_text()


def test_ids_are_unique() -> None:
    count = Counter(case.id for case in all_cases())

    assert [id for id, times in count.items() if times > 1] == []


@pytest.mark.parametrize("case", list(all_cases()), ids=lambda case: case.id)
def test_every_case_names_rule_and_section(case: Case) -> None:
    assert re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)*", case.id)
    assert case.rule.endswith(".")
    assert SECTION.fullmatch(case.section), case.section
    assert case.expect
    assert case.profile in PROFILES
