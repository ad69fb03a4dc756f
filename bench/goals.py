"""What the proxy is to reach, and whether it did: the table of `make bench`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.lab import OURS, QUIET
from bench.results import Results
from bench.stats import Figure, difference, figure, ratio

Measure = Callable[[Results], Figure | None]

GIVEN_NAMES = ("Caddy", "http-proxy", "fast-proxy")


@dataclass(frozen=True)
class Goal:
    """A line of the table: at most, or at least, `limit` of `unit`."""

    what: str
    limit: float
    unit: str
    measure: Measure
    at_least: bool = False

    @property
    def asked(self) -> str:
        """The limit as it is shown."""
        word = "at least" if self.at_least else "at most"
        return f"{word} {show(self.limit, self.unit)}"


@dataclass(frozen=True)
class Verdict:
    """A goal with what was measured; None where nothing was."""

    goal: Goal
    found: Figure | None

    @property
    def passed(self) -> bool | None:
        """Whether the goal is met."""
        if self.found is None:
            return None
        if self.goal.at_least:
            return self.found.median >= self.goal.limit
        return self.found.median <= self.goal.limit

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """The cells of its line."""
        goal, unit = self.goal, self.goal.unit
        if self.found is None:
            return (goal.what, goal.asked, "-", "-", "not measured")
        spread = f"{show(self.found.low, '')} to {show(self.found.high, unit)}"
        said = "pass" if self.passed else "FAIL"
        return (goal.what, goal.asked, show(self.found.median, unit), spread, said)


def show(value: float, unit: str) -> str:
    """Return `value` with as many digits as mean something."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    if unit in ("calls",):
        digits = 0
    return f"{value:.{digits}f} {unit}".rstrip()


def verdicts(results: Results) -> list[Verdict]:
    """Return every goal with what `results` say of it."""
    return [Verdict(goal, goal.measure(results)) for goal in GOALS]


def _values(section: str, case: str, subject: str, metric: str) -> Measure:
    def measure(results: Results) -> Figure | None:
        values = results.get(section, case, subject, metric)
        return figure(values) if values else None

    return measure


def _ratio(
    section: str, case: str, metric: str, base: str, *, subject: str = OURS
) -> Measure:
    def measure(results: Results) -> Figure | None:
        values = results.get(section, case, subject, metric)
        bases = results.get(section, case, base, metric)
        return ratio(values, bases) if values and bases else None

    return measure


def _requests() -> Iterable[Goal]:
    for clients in (16, 64, 256):
        case = f"{clients} clients"
        yield Goal(
            f"CPU per request, {case}, against nginx",
            2.5,
            "x",
            _ratio("requests", case, "cpu", "nginx"),
        )
    for clients in (16, 64, 256):
        case = f"{clients} clients"
        yield Goal(
            f"the same, journal and access log off, {case}",
            2.0,
            "x",
            _ratio("requests", case, "cpu", "nginx", subject=QUIET),
        )
    for peer, limit in (("Caddy", 0.6), ("http-proxy", 0.4), ("fast-proxy", 0.65)):
        for clients in (16, 64, 256):
            case = f"{clients} clients"
            yield Goal(
                f"CPU per request, {case}, against {peer}",
                limit,
                "x",
                _ratio("requests", case, "cpu", peer),
            )


def _rates() -> Iterable[Goal]:
    for clients in (64, 256):
        case = f"{clients} clients"
        for peer in GIVEN_NAMES:
            yield Goal(
                f"calls a second, {case}, against {peer}",
                1.0,
                "x",
                _ratio("requests", case, "rate", peer),
                at_least=True,
            )
            yield Goal(
                f"p99, {case}, against {peer}",
                1.0,
                "x",
                _ratio("requests", case, "p99", peer),
            )


def _added(results: Results) -> Figure | None:
    ours = results.get("latency", "1 client", OURS, "p50")
    direct = results.get("latency", "1 client", "direct", "p50")
    return difference(ours, direct) if ours and direct else None


def _streams() -> Iterable[Goal]:
    for way in ("download", "upload"):
        for size in ("64 MB", "1 GB"):
            yield Goal(
                f"{way} of {size}: rate, against nginx",
                0.95,
                "x",
                _ratio("streams", f"{way} {size}", "rate", "nginx"),
                at_least=True,
            )
    for way in ("download", "upload"):
        for size in ("64 MB", "1 GB"):
            yield Goal(
                f"{way} of {size}: peak memory",
                48,
                "MB",
                _values("streams", f"{way} {size}", OURS, "peak"),
            )
        yield Goal(
            f"{way}: peak memory of 1 GB over that of 64 MB", 1.05, "x", _peaks(way)
        )


def _peaks(way: str) -> Measure:
    def measure(results: Results) -> Figure | None:
        small = results.get("streams", f"{way} 64 MB", OURS, "peak")
        large = results.get("streams", f"{way} 1 GB", OURS, "peak")
        return ratio(large, small) if small and large else None

    return measure


def _crowds() -> Iterable[Goal]:
    for crowd in ("5000 idle clients", "1000 slow readers"):
        yield Goal(
            f"{crowd}: p99 of others, against without",
            2.0,
            "x",
            _with_crowd(crowd),
        )
        yield Goal(
            f"{crowd}: memory a connection",
            40,
            "kB",
            _values("crowds", crowd, OURS, "per connection"),
        )


def _with_crowd(crowd: str) -> Measure:
    def measure(results: Results) -> Figure | None:
        without = results.get("crowds", crowd, OURS, "p99 without")
        beside = results.get("crowds", crowd, OURS, "p99 with")
        return ratio(beside, without) if without and beside else None

    return measure


def _refresh_tail(results: Results) -> Figure | None:
    during = results.get("refresh", "64 clients", OURS, "p99 of that second")
    others = results.get("refresh", "64 clients", OURS, "p99 of the others")
    return ratio(during, others) if during and others else None


def _first_call(results: Results) -> Figure | None:
    first, second = _idle(results, "first"), _idle(results, "second")
    return ratio(first, second) if first and second else None


def _idle_memory(results: Results) -> Figure | None:
    memory = _idle(results, "memory")
    return figure(memory) if memory else None


def _idle_memory_visited(results: Results) -> Figure | None:
    memory = _idle(results, "memory visited")
    return figure(memory) if memory else None


def _idle(results: Results, metric: str) -> list[float]:
    # Its one case says how long it was.
    for case in results.cases("idle"):
        return results.get("idle", case, OURS, metric)
    return []


GOALS: tuple[Goal, ...] = (
    *_requests(),
    *_rates(),
    Goal("latency added to a direct call, 1 client, median", 100, "µs", _added),
    Goal(
        "connection per call: CPU per request, against nginx",
        4.0,
        "x",
        _ratio("connection per call", "16 clients", "cpu", "nginx"),
    ),
    Goal(
        "connection per call: CPU per request, against Caddy",
        1.0,
        "x",
        _ratio("connection per call", "16 clients", "cpu", "Caddy"),
    ),
    *_streams(),
    Goal(
        "new curl process, upstream 25 ms away, against direct",
        0.34,
        "x",
        _ratio("far", "new curl process", "time", "direct"),
    ),
    Goal(
        "first call after an idle time, against the second",
        1.1,
        "x",
        _first_call,
    ),
    Goal("memory, idle", 40, "MB", _idle_memory),
    Goal(
        "memory, idle, after a look at the admin listener",
        40,
        "MB",
        _idle_memory_visited,
    ),
    Goal(
        "memory, growth under load",
        1.0,
        "MB",
        _values("memory", "load", OURS, "growth"),
    ),
    *_crowds(),
    Goal(
        "start until the ready line", 350, "ms", _values("start", "ready", OURS, "time")
    ),
    Goal("telemed-proxy version", 150, "ms", _values("start", "version", OURS, "time")),
    Goal(
        "refresh under load: calls that failed",
        0,
        "calls",
        _values("refresh", "64 clients", OURS, "failed"),
    ),
    Goal("refresh under load: p99 of that second", 2.0, "x", _refresh_tail),
)
