"""How an exchange looks as a line."""

import json
import re
import unicodedata
from typing import Any

import click
import pytest

from proxy.cli.tail_lines import NARROWEST, duration, json_line, line, safe, size
from tests.cli.streams import summary

EVIL = "\x1b[2J\x07\r\n\x9b1m\u202e\u2028\udc80\x7f"


def parts(**changes: Any) -> list[str]:
    return line(summary(**changes)).split()


def test_a_line_has_what_people_look_for() -> None:
    found = parts(caller="report")

    assert re.fullmatch(r"\d\d:\d\d:00\.123", found[0])
    assert found[1:] == [
        *("200", "GET", "12", "ms", "5.1", "kB"),
        *("/api/v1/doctor/get/17", "(report)"),
    ]


def test_columns_stand_below_one_another() -> None:
    lines = [
        line(summary(), width=80),
        line(summary(status=0, running=True, sent=0), width=80),
        line(summary(method="OPTIONS", seconds=123.4, sent=98_765_432), width=80),
    ]

    assert {one.index("/api") for one in lines} == {lines[0].index("/api")}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_line_fits_the_terminal(width: int) -> None:
    target = "/" + "a" * 300
    shown = line(summary(target=target), width=width)

    assert len(shown) == width
    assert shown.endswith("aaa...")


@pytest.mark.parametrize("width", [80, 200])
def test_notes_are_shown_whole(width: int) -> None:
    noted = summary(target="/" + "a" * 300, caller="report", answered_by="proxy")
    shown = line(noted, width=width)

    assert len(shown) == width
    assert shown.endswith("aaa...  (report, by proxy)")


def test_a_narrow_terminal_still_gets_a_piece_of_the_target() -> None:
    shown = line(summary(target="/" + "a" * 300), width=10)

    assert shown.endswith(" /" + "a" * (NARROWEST - 4) + "...")


def test_without_a_terminal_nothing_is_cut() -> None:
    target = "/" + "a" * 3000

    assert target in line(summary(target=target))


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"answered_by": "proxy"}, "by proxy"),
        ({"replayed": True}, "replayed"),
        ({"resent": True}, "resent"),
        ({"paid": True}, "paid"),
        ({"paid": True, "caller": "report"}, "report, paid"),
    ],
)
def test_what_is_unusual_is_noted(changes: dict[str, Any], note: str) -> None:
    assert line(summary(**changes)).endswith(f"  ({note})")
    assert "(" not in line(summary())


@pytest.mark.parametrize("changes", [{"status": 502}, {"error": "client_left"}])
def test_a_failure_says_why(changes: dict[str, Any]) -> None:
    failed = summary(**changes, why="It was so. Do that.")

    assert line(failed).endswith("/get/17  It was so. Do that.")
    assert line(failed, width=80).splitlines()[1:] == ["    It was so. Do that."]
    assert "It was so" not in line({**failed, "running": True})
    assert "It was so" not in line(summary(why="It was so."))


def test_a_failure_without_a_reason_has_its_word() -> None:
    assert line(summary(status=0, error="client_left")).endswith("client_left")
    assert " --- GET" in line(summary(status=0, error="client_left"))
    assert len(line(summary(status=404), width=80).splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "32"),
        ({"status": 302}, "36"),
        ({"status": 404}, "33"),
        ({"status": 503}, "31"),
        ({"status": 0, "error": "client_left"}, "31"),
        ({"error": "http_response_incomplete"}, "31"),
        ({"running": True}, "2"),
    ],
)
def test_colour_tells_how_it_went(changes: dict[str, Any], code: str) -> None:
    plain = line(summary(**changes), width=100)
    painted = line(summary(**changes), width=100, color=True)

    assert painted.startswith(f"\x1b[{code}m")
    assert click.unstyle(painted) == plain


@pytest.mark.parametrize("member", ["target", "method", "caller", "why"])
@pytest.mark.parametrize("width", [None, 300])
def test_no_character_of_others_commands_the_terminal(
    member: str, width: int | None
) -> None:
    shown = line(summary(status=500, **{member: f"a{EVIL}b"}), width=width)

    first, *rest = shown.splitlines()
    assert len(rest) == (width is not None and member == "why")
    assert all(one.isprintable() for one in (first, *rest))
    assert r"a\x1b[2J\x07\r\n\x9b1m\u202e\u2028\udc80\x7fb" in shown


def test_json_comes_back_as_it_was_and_commands_no_terminal() -> None:
    shown = json_line(summary(target=f"/врач{EVIL}"))

    assert json.loads(shown) == summary(target=f"/врач{EVIL}")
    assert "врач" in shown
    assert {unicodedata.category(c)[0] for c in shown} & {"C"} == set()


def test_plain_text_stays_as_it_is() -> None:
    assert safe("Анна \\ é") == "Анна \\ é"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (10_485_760, "10 MB"),
        (2_500_000_000, "2.5 GB"),
        (5_000_000_000_000, "5000 GB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 ms"),
        (0.0004, "0.4 ms"),
        (0.00994, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10 s"),
        (3600, "3600 s"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
