"""Medians of rounds, their spread, and ratios of what was measured in turns."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A median, and the lowest and highest value it is the median of."""

    median: float
    low: float
    high: float


def figure(values: Sequence[float]) -> Figure:
    """Return the median and the spread of `values`."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(values: Sequence[float], base: Sequence[float]) -> Figure:
    """Return the ratio of the medians, and the spread of the rounds' own ratios.

    Round by round, as what slows a machine down for a while slows down both.
    """
    rounds = [one / other for one, other in zip(values, base, strict=False)]
    median = statistics.median(values) / statistics.median(base)
    return Figure(median, min(*rounds, median), max(*rounds, median))


def difference(values: Sequence[float], base: Sequence[float]) -> Figure:
    """Return the difference of the medians, and the spread of the rounds' own."""
    rounds = [one - other for one, other in zip(values, base, strict=False)]
    median = statistics.median(values) - statistics.median(base)
    return Figure(median, min(*rounds, median), max(*rounds, median))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]
