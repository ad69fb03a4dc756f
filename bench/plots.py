"""How cost grows, drawn: SVG files that a text editor can compare."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from bench.lab import OURS
from bench.results import Results
from bench.rows.growth import BY_CLIENTS, BY_FIELDS, BY_SIZE
from bench.stats import figure

COLORS = {
    OURS: "#c2185b",
    "nginx": "#2e7d32",
    "haproxy": "#1565c0",
    "Caddy": "#6d4c41",
    "fast-proxy": "#ef6c00",
}
PLOTS = {"clients": BY_CLIENTS, "size": BY_SIZE, "fields": BY_FIELDS}
TITLES = {
    "clients": "By clients at the same time",
    "size": "By size of the answer; 16 clients",
    "fields": "By fields added to the request and to the answer; 16 clients",
}
PANELS = (
    ("cpu", "CPU per request, µs (logarithmic)"),
    ("memory", "memory at the peak, MB (logarithmic)"),
)

_STYLE = {
    # The same results make the same file.
    "svg.hashsalt": "bench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}


def draw(results: Results, folder: Path, kind: str = "svg") -> list[Path]:
    """Draw what was measured into `folder`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with mpl.rc_context(_STYLE):
        for name, section in PLOTS.items():
            if results.cases(section):
                path = folder / f"{name}.{kind}"
                drawing = _drawing(results, section, TITLES[name])
                no_date = {"Date": None} if kind == "svg" else {}
                drawing.savefig(path, metadata=no_date, dpi=110)
                drawn.append(path)
    return drawn


def _drawing(results: Results, section: str, title: str) -> Drawing:
    drawing = Drawing(figsize=(9.5, 4.0), layout="constrained")
    drawing.set_facecolor("white")
    left, right = drawing.subplots(1, 2)
    cases = results.cases(section)
    for axes, (metric, label) in zip((left, right), PANELS, strict=True):
        for subject in results.subjects(section):
            _line(axes, results, section, cases, subject, metric)
        axes.set_title(label, loc="left", fontsize=10)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_locator(mpl.ticker.NullLocator())
        axes.set_xticks(range(len(cases)), [_short(case) for case in cases])
    drawing.suptitle(title, x=0.01, ha="left", fontsize=11)
    handles, labels = left.get_legend_handles_labels()
    drawing.legend(
        handles, labels, loc="outside lower left", ncols=len(labels), frameon=False
    )
    return drawing


def _line(
    axes: Axes,
    results: Results,
    section: str,
    cases: Sequence[str],
    subject: str,
    metric: str,
) -> None:
    found = [
        (place, figure(values))
        for place, case in enumerate(cases)
        if (values := results.get(section, case, subject, metric))
    ]
    places = [place for place, _ in found]
    color, ours = COLORS.get(subject, "#777777"), subject == OURS
    axes.plot(
        places,
        [each.median for _, each in found],
        label=subject,
        color=color,
        linewidth=2.4 if ours else 1.4,
        marker="o",
        markersize=4,
        zorder=3 if ours else 2,
    )
    axes.fill_between(
        places,
        [each.low for _, each in found],
        [each.high for _, each in found],
        color=color,
        alpha=0.12,
        linewidth=0,
    )


def _short(case: str) -> str:
    """Return `case` as the axis says it: the title says of what."""
    number = case.removesuffix(" clients").removesuffix(" client")
    number = number.removesuffix(" fields")
    return f"{int(number):,}" if number.isdecimal() else number
