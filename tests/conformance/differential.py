"""Where nginx differs: all cases, played against nginx, and who is right.

Ours does what the cases expect; the rest of the suite sees to that. `python -m
tests.conformance.differential` prints the table, `--write` puts it into
docs/conformance.md, with the number of cases.
"""

import argparse
import asyncio
import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.behaviour import deeds, told
from tests.conformance.case import Case
from tests.conformance.cases import all_cases, cases_in, modules
from tests.conformance.play import Played, play
from tests.conformance.profiles import PROFILES
from tests.conformance.steps import Sleep, Slowly, as_steps
from tests.conformance.subjects import Nginx, nginx_version
from tests.conformance.verdicts import VERDICTS, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"

PATIENCE = 1.0
"""Shorter than in tests of ours: nginx differs often in that nothing comes."""
LONG_PATIENCE = 5.0
LANES = 24
"""Many, as they mostly wait."""
FEW_LANES = 2
"""For settings that few cases need."""

HEADER = (
    "| section | rule | cases | nginx | right |",
    "| --- | --- | --- | --- | --- |",
)


@dataclass
class Row:
    """A rule in some of whose cases nginx does something else than is expected."""

    section: str
    rule: str
    cases: int
    """How many cases the rule has."""
    differing: list[Played]

    @property
    def verdict(self) -> Verdict | None:
        return verdict(self.section, self.rule)

    def __str__(self) -> str:
        count = len(self.differing)
        cells = (
            self.section,
            self.rule,
            str(count) if count == self.cases else f"{count} of {self.cases}",
            told(deed for played in self.differing for deed in deeds(played)),
            str(self.verdict),
        )
        return f"| {' | '.join(map(escaped, cells))} |"


async def compare() -> list[Row]:
    """Play all cases, and return a row for each rule in which nginx differs."""
    played = await play_all(all_cases())

    def is_doubtful(one: Played) -> bool:
        return not one.passed and verdict(one.case.section, one.case.rule) is None

    # On a busy machine an answer may have come too late.
    doubtful = [one.case for one in played if is_doubtful(one)]
    again = await play_all(doubtful, patience=LONG_PATIENCE, lanes=FEW_LANES)
    return rows([*(one for one in played if not is_doubtful(one)), *again])


async def play_all(
    cases: Iterable[Case], *, patience: float = PATIENCE, lanes: int = LANES
) -> list[Played]:
    """Play `cases` against nginx, several of them at a time."""
    waiting: dict[str, list[Case]] = {}
    # The slow ones come first, so that nobody waits for them alone at the end.
    for case in sorted(cases, key=_seconds):
        waiting.setdefault(case.profile, []).append(case)
    played: list[Played] = []

    async def lane(subject: Nginx, queue: list[Case]) -> None:
        while queue:
            case = queue.pop()
            played.append(await play(case, subject, patience + _seconds(case)))

    wanted = [
        (PROFILES[profile], queue)
        for profile, queue in waiting.items()
        for _ in range(lanes if profile == "default" else FEW_LANES)
    ]
    with ExitStack() as running:
        # All of them before the first case, whose times their starting would upset.
        subjects = []
        for profile, _ in wanted:
            subjects.append(Nginx(profile))
            running.callback(subjects[-1].stop)
        async with asyncio.TaskGroup() as tasks:
            for subject, (_, queue) in zip(subjects, wanted, strict=True):
                tasks.create_task(lane(subject, queue))
    return sorted(played, key=lambda one: one.case.id)


def rows(played: Iterable[Played]) -> list[Row]:
    """Return a row for each rule in which nginx differs, in the order of sections."""
    cases = Counter((case.section, case.rule) for case in all_cases())
    differing: dict[tuple[str, str], list[Played]] = {}
    for one in played:
        if not one.passed:
            key = (one.case.section, one.case.rule)
            differing.setdefault(key, []).append(one)
    return [
        Row(section, rule, cases[section, rule], differing[section, rule])
        for section, rule in sorted(differing, key=lambda key: (_order(key[0]), key[1]))
    ]


def table(differing: Sequence[Row]) -> str:
    """Return the Markdown table of `differing`, which all have a verdict."""
    count: Counter[str] = Counter()
    for row in differing:
        if row.verdict is None:
            raise ValueError(f"no verdict: {row.rule} ({row.section})")
        count[row.verdict.right] += 1
    number = sum(len(row.differing) for row in differing)
    counted = ", ".join(f"{right} {times}" for right, times in count.most_common())
    said = f"{number} cases, of {len(differing)} rules: {counted}."
    lines = [f"nginx {nginx_version()} differs in {said}", "", *HEADER]
    return "\n".join((*lines, *map(str, differing), ""))


def numbers() -> str:
    """Return the Markdown table of how many cases there are, module by module."""
    lines = ["| cases/ | about | cases |", "| --- | --- | ---: |"]
    total = 0
    for module in modules():
        about = importlib.import_module(f"tests.conformance.cases.{module}").__doc__
        count = len(cases_in(module))
        total += count
        first = (about or "").partition("\n")[0].rstrip(".")
        lines.append(f"| `{module}` | {escaped(first)} | {count} |")
    return "\n".join((*lines, f"| | | **{total}** |", ""))


def between(document: str, name: str) -> str:
    """Return what stands between the markers called `name` in `document`."""
    begin, end = _markers(name)
    return document.partition(begin)[2].partition(end)[0].lstrip("\n")


def replaced(document: str, name: str, text: str) -> str:
    """Return `document` with `text` between the markers called `name`."""
    begin, end = _markers(name)
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no {begin} ... {end} in the document")
    return f"{before}{begin}\n{text}{end}{after}"


def listed(document: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, rule and verdict of each row of the table in `document`."""
    for line in between(document, "differential").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 5 and cells[1] in ESCAPED:
            yield cells[0], ESCAPED[cells[1]], cells[4]


def verdict(section: str, rule: str) -> Verdict | None:
    """Return who is right about `rule`, if that is known."""
    return VERDICTS.get(section, {}).get(rule)


def escaped(text: str) -> str:
    """Return `text` fit for a cell of a table."""
    for sign in ("\\", "|", "<"):
        text = text.replace(sign, f"\\{sign}")
    return text


ESCAPED = {escaped(case.rule): case.rule for case in all_cases()}


def _seconds(case: Case) -> float:
    """Return how long `case` takes by what its scripts and its settings say."""
    scripts = (case.send, *case.answers, *case.on_connect)
    steps = [step for script in scripts for step in as_steps(script)]
    pauses = sum(step.seconds for step in steps if isinstance(step, Sleep))
    for step in steps:
        if isinstance(step, Slowly):
            pauses += step.seconds * len(step.data) / step.size
    return PROFILES[case.profile].slowest + pauses


def _order(section: str) -> tuple[str, list[int], str]:
    document, _, place = section.partition(", ")
    parts = place.split(".")
    return document, [int(one) for one in parts if one.isdigit()], place


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it into the document."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.differential")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    text = table(asyncio.run(compare()))
    if options.write:
        document = replaced(DOCUMENT.read_text("utf-8"), "differential", text)
        DOCUMENT.write_text(replaced(document, "cases", numbers()), "utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
