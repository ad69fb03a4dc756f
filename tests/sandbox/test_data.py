"""The same seed makes the same clinic; nothing of it comes from the program itself."""

import ast
from pathlib import Path

import pytest

import proxy.sandbox
from proxy.sandbox.data.dates import parse_date, written
from proxy.sandbox.data.world import World
from tests.clocks import MovedClock
from tests.sandbox.conftest import PHONE

FILES = sorted(Path(proxy.sandbox.__file__).parent.rglob("*.py"))


def shown(world: World) -> list[object]:
    patient = world.patient(PHONE)
    return [
        [doctor.detailed() for doctor in world.doctors.values()],
        patient.shown(),
        [one.shown() for one in patient.of_kind(None)],
        [message.shown() for message in patient.messages()],
    ]


def test_a_seed_makes_one_clinic(clock: MovedClock) -> None:
    first = shown(World(7, clock))
    clock.now += 1_000_000

    assert shown(World(7, clock)) == first
    assert shown(World(8, clock)) != first


def test_names_agree_in_gender(clock: MovedClock) -> None:
    for doctor in World(1, clock).doctors.values():
        surname, _, patronymic = doctor.name
        ends = ("а", "вна") if doctor.female else ("в", "вич")
        assert surname.endswith((ends[0], "ин"))
        assert patronymic.endswith(ends[1])


def test_every_patient_has_a_past_of_all_kinds(clock: MovedClock) -> None:
    world = World(1, clock)
    for number in range(20):
        patient = world.patient(f"7916000{number:04d}")
        kinds = {one.kind for one in patient.of_kind(None)}
        assert kinds == {"callback", "writing", "voip"}
        assert any(one.report for one in patient.of_kind(None))
        assert any(one.unread for one in patient.of_kind("writing"))


def test_ids_are_everyone_s_own(clock: MovedClock) -> None:
    world = World(1, clock)
    ids = [
        one.id
        for number in range(50)
        for one in world.patient(f"7916000{number:04d}").consultations.values()
    ]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T03:00:00+0300", 0),
        ("1970-01-01T03:00:00 0300", 0),
        ("1970-01-01T03:00:00+03:00", 0),
        ("1969-12-31T19:00:00-0500", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.999", 1),
    ],
)
def test_dates_are_read(text: str, instant: float) -> None:
    assert parse_date(text) == instant


@pytest.mark.parametrize("text", ["", "today", "2025-13-01T00:00:00Z", "2025-01-01"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        parse_date(text)


def test_dates_are_written_as_documented() -> None:
    assert written(0) == "1970-01-01T03:00:00+0300"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_sandbox_imports_nothing_of_the_program(path: Path) -> None:
    imported = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.append(node.module or "")
        elif isinstance(node, ast.Import):
            imported += [name.name for name in node.names]

    own = [name for name in imported if name.split(".")[0] == "proxy"]
    assert all(name.startswith("proxy.sandbox") for name in own)
