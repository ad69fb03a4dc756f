"""Where nginx differs: the same cases, played against it and against ours.

`python -m tests.conformance.differential` prints the table, `--write` puts it into
docs/conformance.md.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.case import Case
from tests.conformance.cases import all_cases
from tests.conformance.play import Played, play
from tests.conformance.profiles import PROFILES, Profile
from tests.conformance.subjects import Nginx, Ours, RunningSubject, Subjects

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
BEGIN, END = "<!-- differential: begin -->", "<!-- differential: end -->"

PATIENCE = 1.0
"""Shorter than in tests of ours: what differs is often that nothing comes."""
LANES = 4

HEADER = """\
| case | rule | section | nginx | telemed-proxy |
| --- | --- | --- | --- | --- |
"""


@dataclass
class Row:
    """A case in which nginx does something else than is expected."""

    case: Case
    nginx: Played
    ours: Played | None = None

    def __str__(self) -> str:
        case = self.case
        ours = "as expected" if self.ours is None or self.ours.passed else ""
        cells = (
            f"`{case.id}`",
            case.rule,
            case.section,
            short(self.nginx),
            ours or (short(self.ours) if self.ours else ""),
        )
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


async def play_all(
    cases: Iterable[Case], make: Callable[[Profile], RunningSubject]
) -> list[Played]:
    """Play `cases` against subjects of one kind, several of them at a time."""
    waiting = list(enumerate(cases))[::-1]
    played: dict[int, Played] = {}

    async def lane() -> None:
        subjects = Subjects(make)
        try:
            while waiting:
                number, case = waiting.pop()
                # Starting one blocks, and the other lanes have cases to play.
                subject = await asyncio.to_thread(subjects.get, case.profile)
                patience = PATIENCE + PROFILES[case.profile].slowest
                played[number] = await play(case, subject, patience)
        finally:
            await asyncio.to_thread(subjects.stop)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(LANES):
            tasks.create_task(lane())
    return [played[number] for number in sorted(played)]


def nginx_rows() -> list[Row]:
    """Return the cases in which nginx differs, without looking at ours."""
    played = asyncio.run(play_all(all_cases(), Nginx))
    return [Row(one.case, one) for one in played if not one.passed]


def rows() -> list[Row]:
    """Return the cases in which nginx differs, and what ours does in them."""
    differing = nginx_rows()
    ours = asyncio.run(play_all([row.case for row in differing], Ours))
    return [
        Row(row.case, row.nginx, one) for row, one in zip(differing, ours, strict=True)
    ]


def table(differing: Iterable[Row]) -> str:
    """Return the Markdown table of `differing`."""
    return HEADER + "".join(f"{row}\n" for row in differing)


def unlisted(document: str, differing: Iterable[Row]) -> list[str]:
    """Return the ids of cases that the table in `document` should have, and has not."""
    part = document.partition(BEGIN)[2].partition(END)[0]
    listed = set(re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE))
    return [row.case.id for row in differing if row.case.id not in listed]


def with_table(document: str, text: str) -> str:
    """Return `document` with `text` between the two markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} in the document")
    return f"{before}{BEGIN}\n{text}{END}{after}"


def short(played: Played) -> str:
    """Return what came of a case in a few words, the same on every run."""
    # What else there was can be seen in a test's output.
    text = "; ".join(one.partition(" among ")[0] for one in played.differences[:2])
    text = re.sub(r"127\.0\.0\.1:\d+", "UPSTREAM", text)
    text = re.sub(r"(?<![\w])b(['\"])", r"\1", text)
    return text if len(text) <= 160 else f"{text[:160]}..."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it into the document."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.differential")
    parser.add_argument("--write", action="store_true", help=f"update {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    text = table(rows())
    if options.write:
        DOCUMENT.write_text(with_table(DOCUMENT.read_text(), text))
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
