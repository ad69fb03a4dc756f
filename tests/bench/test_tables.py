"""Results become verdicts, and verdicts and results become tables."""

import re
from pathlib import Path

import pytest

from bench import report, tables
from bench.goals import verdicts
from bench.lab import OURS
from bench.results import Results

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.fixture
def results() -> Results:
    found = Results()
    found.add("requests", "64 clients", "nginx", "cpu", 20.0, 22.0, 24.0)
    found.add("requests", "64 clients", "nginx", "failed", 0, 0, 0)
    found.add("requests", "64 clients", OURS, "cpu", 44.0, 50.0, 40.0)
    found.add("requests", "64 clients", OURS, "failed", 0, 2, 1)
    return found


def test_a_goal_is_met_or_not_by_the_ratio_of_medians(results: Results) -> None:
    (verdict,) = [each for each in verdicts(results) if each.found]

    assert verdict.row == (
        "CPU per request, 64 clients, against nginx",
        "at most 2.50 x",
        "2.00 x",
        "1.67 to 2.27 x",
        "pass",
    )


def test_a_goal_above_its_limit_fails(results: Results) -> None:
    results.add("requests", "64 clients", OURS, "cpu", *[60.0] * 4)

    (verdict,) = [each for each in verdicts(results) if each.found]

    assert verdict.passed is False


def test_what_was_not_measured_is_neither_met_nor_failed() -> None:
    for verdict in verdicts(Results()):
        assert verdict.passed is None
        assert verdict.row[-1] == "not measured"


def test_everybody_is_compared_with_the_base(results: Results) -> None:
    metrics = (("cpu", "µs"), ("rate", "1/s"))

    assert tables.compared(results, "requests", "64 clients", metrics) == [
        ("64 clients", "cpu, µs", "from, to", "rate, 1/s", "cpu, x nginx"),
        ("nginx", "22.0", "20.0, 24.0", "-", "1.00"),
        (OURS, "44.0", "40.0, 50.0", "-", "2.00"),
    ]


def test_failed_calls_are_told(results: Results) -> None:
    assert tables.failures(results) == [f"requests, 64 clients: {OURS}: 3 failed"]


def test_columns_stand_below_each_other() -> None:
    assert tables.plain([("who", "µs"), ("nginx", "9.5"), ("we", "19.5")]) == (
        "who      µs\nnginx   9.5\nwe     19.5"
    )


def test_markdown_has_numbers_on_the_right() -> None:
    assert tables.markdown([("who", "µs"), ("we", "19.5")]) == (
        "| who | µs |\n| --- | ---: |\n| we | 19.5 |"
    )


def test_results_survive_their_file(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "deep" / "results.json")

    assert Results.load(tmp_path / "deep" / "results.json") == results
    assert Results.load(tmp_path / "none.json") == Results()


def test_only_what_stands_between_markers_is_replaced(results: Results) -> None:
    page = "before\n<!-- bench: notes -->\nold\n<!-- /bench -->\nafter\n"

    filled = report.filled(page, results)

    assert filled == (
        "before\n<!-- bench: notes -->\n\n"
        f"* requests, 64 clients: {OURS}: 3 failed\n\n<!-- /bench -->\nafter\n"
    )
    assert report.filled(filled, results) == filled


def test_the_page_has_every_part_once() -> None:
    names = re.findall(r"<!-- bench: ([a-z ]+) -->", PAGE.read_text("utf-8"))

    assert sorted(names) == sorted(report.PARTS)
