"""The command line: what to measure, how much of it, and of which checkout."""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench import machine, programs, tables
from bench.lab import NO_UVLOOP, OURS, QUIET, Lab, Options
from bench.peers.others import PEERS
from bench.peers.ours import ROOT
from bench.results import Results
from bench.rows import (
    crowd,
    far,
    growth,
    idle,
    latency,
    memory,
    refresh,
    requests,
    start,
    streams,
)
from bench.tables import REQUESTS

RESULTS = programs.CACHE / "results.json"
QUICK_RESULTS = programs.CACHE / "quick.json"

ROWS: dict[str, Callable[[Lab], None]] = {
    "requests": requests.measure,
    "closing": requests.measure_closing,
    "latency": latency.measure,
    "streams": streams.measure,
    "far": far.measure,
    "idle": idle.measure,
    "memory": memory.measure,
    "crowd": crowd.measure,
    "start": start.measure,
    "refresh": refresh.measure,
    "growth": growth.measure,
}
QUICK_PEERS = ("nginx", "Caddy", "fast-proxy")


def main() -> int:
    # Whatever asks this program to end, what it started is ended first. A shell lets
    # what runs in its background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = _parser()
    asked = parser.parse_args()
    command = COMMANDS.get(asked.what[0]) if len(asked.what) == 1 else None
    if unknown := [name for name in asked.what if not command and name not in ROWS]:
        known = ", ".join((*COMMANDS, *ROWS))
        parser.error(f"there is no {unknown[0]!r}; there are: {known}")
    try:
        (command or _rows)(asked)
    except KeyboardInterrupt:
        return 130
    return 0


def _all(asked: argparse.Namespace) -> None:
    _measure(asked, list(ROWS))


def _rows(asked: argparse.Namespace) -> None:
    _measure(asked, asked.what)


def _measure(asked: argparse.Namespace, names: list[str]) -> None:
    """Measure the rows called `names`; results of others stay as they are."""
    options, results = _options(asked), Results.load(RESULTS)
    with _lab(options, results) as lab:
        for name in names:
            try:
                ROWS[name](lab)
            finally:
                results.save(RESULTS)
    _show(results)


def _quick(asked: argparse.Namespace) -> None:
    """Measure the core rows in about a minute."""
    options = _options(asked, Options(rounds=3, seconds=1.0, peers=QUICK_PEERS))
    results = Results()
    with _lab(options, results) as lab:
        requests.measure(lab, tuple(asked.clients or (64,)))
        requests.measure_closing(lab)
    results.save(QUICK_RESULTS)
    for section in ("requests", "connection per call"):
        for case in results.cases(section):
            table = tables.compared(results, section, case, REQUESTS)
            print(f"\n{section}\n{tables.plain(table)}")
    _show(results)


def _goals(_: argparse.Namespace) -> None:
    """Print the table of the last results."""
    _show(Results.load(RESULTS), unmeasured=True)


def _report(_: argparse.Namespace) -> None:
    """Put the last results into the documentation."""
    # matplotlib takes a second to load, and nothing else needs it.
    from bench import plots, report

    results, docs = Results.load(RESULTS), ROOT / "docs"
    plots.draw(results, docs / "performance")
    report.write(results, docs / "performance.md")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "all": _all,
    "quick": _quick,
    "goals": _goals,
    "report": _report,
}


def _options(asked: argparse.Namespace, base: Options | None = None) -> Options:
    base = base or Options()
    return replace(
        base,
        rounds=asked.rounds or base.rounds,
        seconds=asked.seconds or base.seconds,
        idle=asked.idle,
        soak=asked.soak,
        peers=tuple(asked.peer or base.peers),
        variants=(OURS,) if asked.default_only else (OURS, QUIET, NO_UVLOOP),
        tree=asked.tree.resolve(),
        also=tuple(tree.resolve() for tree in asked.also),
    )


def _lab(options: Options, results: Results) -> Lab:
    results.left_out = programs.prepare(options.peers)
    results.machine = machine.describe()
    results.programs = programs.versions()
    there = tuple(peer for peer in options.peers if peer not in results.left_out)
    return Lab(replace(options, peers=there), results)


def _show(results: Results, *, unmeasured: bool = False) -> None:
    print(f"\n{tables.plain(tables.goals(results, unmeasured=unmeasured))}")
    for peer, why in results.left_out.items():
        print(f"{peer} was left out: {why}")
    for line in tables.failures(results):
        print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="What the proxy costs, beside what others cost.",
    )
    add = parser.add_argument
    add(
        "what",
        nargs="*",
        default=["all"],
        metavar="WHAT",
        help=f"{', '.join(COMMANDS)}; or rows: {', '.join(ROWS)}",
    )
    add("--tree", type=Path, default=ROOT, help="the checkout to measure: this one")
    add(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="another checkout to compare in the same run; may be repeated",
    )
    add("--peer", action="append", choices=list(PEERS), help="only these peers")
    add(
        "--default-only",
        action="store_true",
        help="not this proxy without journal and log, nor without uvloop",
    )
    add("--clients", type=int, action="append", help="in quick: how many; 64")
    add("--rounds", type=int, help="how often each is measured: 5, in quick 3")
    add("--seconds", type=float, help="of load in a round, whole: 3, in quick 1")
    add("--idle", type=float, default=100, help="seconds nobody calls: 100")
    add("--soak", type=float, default=1, help="minutes of load for the memory: 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
