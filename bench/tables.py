"""Tables, for a terminal and for Markdown."""

from collections.abc import Sequence

from bench.goals import show, verdicts
from bench.results import Results
from bench.stats import figure, ratio

Table = list[tuple[str, ...]]
"""The first row names the columns, the first column what is in the row."""

Metrics = Sequence[tuple[str, str]]
"""Names with their units."""

REQUESTS: Metrics = (
    ("cpu", "µs"),
    ("rate", "1/s"),
    ("p50", "ms"),
    ("p99", "ms"),
    ("memory", "MB"),
)


def plain(table: Table) -> str:
    """Return `table` in columns; the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        cells = [
            cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def markdown(table: Table) -> str:
    """Return `table` in Markdown."""
    head, *rows = table
    ruler = ("---", *("---:" for _ in head[1:]))
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ruler, *rows])


def goals(results: Results, *, unmeasured: bool = True) -> Table:
    """Return the table of goals; on demand only those that were measured."""
    found = [each for each in verdicts(results) if unmeasured or each.found is not None]
    head = ("what", "goal", "measured", "rounds from, to", "")
    return [head, *(verdict.row for verdict in found)]


def compared(
    results: Results, section: str, case: str, metrics: Metrics, base: str = "nginx"
) -> Table:
    """Return everybody in `case`; the first metric also against `base`."""
    main, unit = metrics[0]
    bases = results.get(section, case, base, main)
    head = (
        *(case, f"{main}, {unit}", "from, to"),
        *(f"{name}, {unit}" for name, unit in metrics[1:]),
        f"{main}, x {base}",
    )
    rows: Table = [head]
    for subject in results.subjects(section):
        values = results.get(section, case, subject, main)
        if not values:
            continue
        spread = figure(values)
        others = (results.get(section, case, subject, name) for name, _ in metrics[1:])
        rows.append(
            (
                subject,
                show(spread.median, ""),
                f"{show(spread.low, '')}, {show(spread.high, '')}",
                *(show(figure(other).median, "") if other else "-" for other in others),
                f"{ratio(values, bases).median:.2f}" if bases else "-",
            )
        )
    return rows


def by_case(results: Results, section: str, metric: str) -> Table:
    """Return the medians of `metric`: a row for everybody, a column for each case."""
    cases = results.cases(section)
    rows: Table = [(metric, *cases)]
    for subject in results.subjects(section):
        found = (results.get(section, case, subject, metric) for case in cases)
        cells = (show(figure(values).median, "") if values else "-" for values in found)
        rows.append((subject, *cells))
    return rows


def failures(results: Results) -> list[str]:
    """Return a line for each subject of which calls failed, and in which case."""
    lines = []
    for section in results.sections:
        for case in results.cases(section):
            for subject in results.subjects(section):
                failed = sum(results.get(section, case, subject, "failed"))
                if failed:
                    lines.append(f"{section}, {case}: {subject}: {failed:.0f} failed")
    return lines
