"""docs/performance.md: the parts of it that come from results, between markers."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import tables
from bench.goals import show
from bench.results import Results
from bench.rows.growth import BY_CLIENTS, BY_FIELDS, BY_SIZE
from bench.stats import figure
from bench.tables import REQUESTS, Table

_PART = re.compile(
    r"(<!-- bench: (?P<name>[a-z ]+) -->\n).*?(<!-- /bench -->)", re.DOTALL
)
STREAMS = (("rate", "MB/s"), ("cpu", "s/GB"), ("peak", "MB"))
SMALL = (
    ("far", "time", "ms"),
    ("idle", "first", "ms"),
    ("idle", "second", "ms"),
    ("idle", "memory", "MB"),
    ("idle", "memory visited", "MB"),
    ("memory", "minutes", "min"),
    ("memory", "memory", "MB"),
    ("crowds", "p99 without", "ms"),
    ("crowds", "p99 with", "ms"),
    ("crowds", "per connection", "kB"),
    ("start", "time", "ms"),
    ("refresh", "p99 of that second", "ms"),
    ("refresh", "p99 of the others", "ms"),
    ("refresh", "worst of the others", "ms"),
    ("refresh", "calls", ""),
)


def write(results: Results, page: Path) -> None:
    """Put `results` into `page`."""
    page.write_text(filled(page.read_text("utf-8"), results), encoding="utf-8")


def filled(page: str, results: Results) -> str:
    """Return `page` with each part between markers replaced by what it names."""

    def part(match: re.Match[str]) -> str:
        return f"{match[1]}\n{PARTS[match['name']](results)}\n\n{match[3]}"

    return _PART.sub(part, page)


def _goals(results: Results) -> str:
    table = tables.goals(results)
    # A cross is found at a glance where a word is not.
    marks = {"pass": "✓", "FAIL": "**✗**"}
    return tables.markdown([(*row[:4], marks.get(row[4], row[4])) for row in table])


def _machine(results: Results) -> str:
    lines = [f"* {name}: {value}" for name, value in results.machine.items()]
    versions = ", ".join(f"{name} {value}" for name, value in results.programs.items())
    return "\n".join([*lines, f"* {versions}"])


def _requests(results: Results) -> str:
    return _cases(results, "requests", REQUESTS)


def _closing(results: Results) -> str:
    return _cases(results, "connection per call", REQUESTS)


def _latency(results: Results) -> str:
    metrics = (("p50", "µs"), ("p99", "µs"))
    table = tables.compared(results, "latency", "1 client", metrics, base="direct")
    return tables.markdown(table)


def _streams(results: Results) -> str:
    return _cases(results, "streams", STREAMS)


def _cases(results: Results, section: str, metrics: tables.Metrics) -> str:
    return _apart(
        tables.compared(results, section, case, metrics)
        for case in results.cases(section)
    )


def _rest(results: Results) -> str:
    rows: Table = [("what", "whose", "median", "from, to")]
    for section, metric, unit in SMALL:
        for case in results.cases(section):
            for subject in results.subjects(section):
                values = results.get(section, case, subject, metric)
                if values:
                    found = figure(values)
                    rows.append(
                        (
                            f"{section}, {case}: {metric}",
                            subject,
                            show(found.median, unit),
                            f"{show(found.low, '')}, {show(found.high, '')}",
                        )
                    )
    return tables.markdown(rows)


def _growth(results: Results) -> str:
    return _apart(
        [(f"{name}, {unit}, {section}", *head), *rows]
        for section in (BY_CLIENTS, BY_SIZE, BY_FIELDS)
        for name, unit in (("cpu", "µs"), ("memory", "MB"))
        for (_, *head), *rows in [tables.by_case(results, section, name)]
    )


def _notes(results: Results) -> str:
    out = [f"{peer}: left out, {why}" for peer, why in results.left_out.items()]
    lines = [*out, *tables.failures(results)]
    return (
        "\n".join(f"* {line}" for line in lines)
        or "Nobody was left out, and no call failed."
    )


def _apart(found: Iterable[Table]) -> str:
    return "\n\n".join(tables.markdown(table) for table in found)


PARTS: dict[str, Callable[[Results], str]] = {
    "goals": _goals,
    "machine": _machine,
    "requests": _requests,
    "connection per call": _closing,
    "latency": _latency,
    "streams": _streams,
    "rest": _rest,
    "growth": _growth,
    "notes": _notes,
}
"""What can stand between markers."""
