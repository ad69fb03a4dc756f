"""Where nginx differs is in docs/conformance.md, with who is right."""

import os

import pytest

from tests.conformance.behaviour import Deed, told
from tests.conformance.cases import all_cases
from tests.conformance.differential import (
    DOCUMENT,
    compare,
    escaped,
    listed,
    replaced,
)
from tests.conformance.verdicts import VERDICTS, verdicts
from tests.programs import need


@pytest.fixture
def document() -> str:
    return DOCUMENT.read_text("utf-8")


@pytest.mark.timeout(240)
async def test_every_rule_in_which_nginx_differs_is_listed(
    document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Debian keeps it where only root's PATH leads.
    monkeypatch.setenv("PATH", os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    need("nginx")

    differing = {(row.section, row.rule) for row in await compare()}

    # A row more does no harm: it is of another version of nginx.
    assert differing
    assert (
        differing - {(section, rule) for section, rule, _ in listed(document)} == set()
    )


def test_the_table_has_the_verdicts_that_are_kept(document: str) -> None:
    rows = list(listed(document))

    assert rows
    for section, rule, right in rows:
        assert right == escaped(str(VERDICTS[section][rule]))


def test_every_verdict_is_about_a_rule_of_some_case() -> None:
    rules = {(case.section, case.rule) for case in all_cases()}

    assert {(section, rule) for section, rule, _ in verdicts()} - rules == set()


def test_deeds_to_several_things_are_told_together() -> None:
    deeds = [
        Deed("serves it"),
        Deed("drops", "x-a"),
        Deed("drops", "X-B"),
        Deed("drops", "X-A"),
    ]

    assert told(deeds) == "drops X-A, X-B; serves it"


def test_only_what_is_between_the_markers_is_replaced() -> None:
    marked = "a\n<!-- cases: begin -->\n{}<!-- cases: end -->\nb\n"

    assert replaced(marked.format("old\n"), "cases", "new\n") == marked.format("new\n")
    with pytest.raises(ValueError, match="no <!-- other"):
        replaced(marked, "other", "new\n")
