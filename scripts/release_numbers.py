"""What the program weighs once installed, and how long it takes to start."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from release_build import ROOT, Built
from release_pythons import Installed
from release_steps import StepError, run

DOCUMENT = ROOT / "docs" / "reference" / "install.md"

Row = tuple[str, str, str]
"""What was measured, the number with its unit, and the command that tells it."""

_BEGIN, _END = "<!-- numbers -->\n", "<!-- end of numbers -->\n"
_TIMES = 10
_TOTAL = re.compile(r"\| +(\d+) \| proxy\.cli$", re.MULTILINE)


def measure(installed: Installed, built: Built) -> list[Row]:
    """Return the numbers of an environment in which nothing else is installed."""
    [packages] = installed.folder.glob("[Ll]ib/**/site-packages")
    sizes = {each.name: _size(each) for each in packages.iterdir()}
    heaviest = max(sizes, key=lambda each: sizes[each])
    distributions = len(list(packages.glob("*.dist-info")))
    name = built.wheel.name.replace(built.version, "*")
    importing = ("-X", "importtime", "-c", "import proxy.cli")
    return [
        (
            "the wheel",
            f"{built.wheel.stat().st_size / 1000:.0f} kB",
            f"`ls -l {name}`",
        ),
        (
            f"installed with its dependencies, {distributions} packages",
            f"{sum(sizes.values()) / 1e6:.1f} MB",
            "`du -s --apparent-size site-packages`",
        ),
        (
            f"the heaviest of these, {heaviest}",
            f"{sizes[heaviest] / 1e6:.1f} MB",
            f"`du -s --apparent-size site-packages/{heaviest}`",
        ),
        (
            "importing the command line",
            f"{_best(lambda: _import_time(installed, importing)):.0f} ms",
            '`python -X importtime -c "import proxy.cli"`',
        ),
        (
            "telling the version, Python's own start included",
            f"{_best(lambda: _version_time(installed)):.0f} ms",
            "`telemed-proxy version`",
        ),
    ]


def _size(place: Path) -> int:
    files = place.rglob("*") if place.is_dir() else [place]
    return sum(each.stat().st_size for each in files if each.is_file())


def _best(attempt: Callable[[], float]) -> float:
    """Return the least of several: what else the machine does only adds to it."""
    return min(attempt() for _ in range(_TIMES))


def _import_time(installed: Installed, importing: tuple[str, ...]) -> float:
    told = run(installed.python, *importing)
    found = _TOTAL.search(told)
    if found is None:
        raise StepError(f"-X importtime does not tell of proxy.cli: {told[-200:]}")
    return int(found[1]) / 1000


def _version_time(installed: Installed) -> float:
    began = time.perf_counter()
    run(installed.program, "version")
    return (time.perf_counter() - began) * 1000


def write_numbers(rows: list[Row], python: str, document: Path = DOCUMENT) -> None:
    """Put a table of `rows` in place of the one in the `document`."""
    before, begin, rest = document.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise StepError(f"{document.name} lacks the lines {_BEGIN}{_END}")
    lines = [f"| Python {python} | | told by |", "| --- | ---: | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    table = "\n".join(lines)
    document.write_text(f"{before}{begin}\n{table}\n\n{end}{after}", "utf-8")
