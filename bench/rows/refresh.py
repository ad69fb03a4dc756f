"""A refresh in the middle of load: no call may fail, and none should notice it."""

import asyncio
import statistics
import time
from collections import defaultdict

from bench import load
from bench.lab import Lab, say
from bench.peers.ours import post
from bench.peers.running import Running
from bench.rows.requests import warm_up
from bench.stats import percentile
from bench.upstream import CALL

SECTION = "refresh"
CASE = "64 clients"
CLIENTS = 64
AROUND = 4.0
"""Seconds of load before the refresh, and after it."""


def measure(lab: Lab) -> None:
    """Measure as many refreshes as there are rounds."""
    lab.results.forget(SECTION)
    with lab.ours() as ours:
        warm_up([ours])
        for number in range(lab.options.rounds):
            say(f"{SECTION} {number + 1} of {lab.options.rounds}")
            _one(lab, ours)


def _one(lab: Lab, ours: Running) -> None:
    moments = []

    async def under_load() -> load.Calls:
        async with load.clients(ours.url + CALL, CLIENTS) as calls:
            await asyncio.sleep(AROUND)
            moments.append(time.perf_counter())
            # In a thread, which waits for the answer while the load goes on.
            await asyncio.to_thread(post, ours.admin, "/api/refresh", {})
            await asyncio.sleep(AROUND)
        return calls

    calls = load.run(under_load)
    during, others = seconds_around(calls, moments[0])
    where = (SECTION, CASE, ours.name)
    lab.results.add(*where, "p99 of that second", 1e3 * during)
    lab.results.add(*where, "p99 of the others", 1e3 * statistics.median(others))
    lab.results.add(*where, "worst of the others", 1e3 * max(others))
    lab.results.add(*where, "failed", calls.failed)
    lab.results.add(*where, "calls", len(calls.seconds))


def seconds_around(calls: load.Calls, moment: float) -> tuple[float, list[float]]:
    """Return the p99 of the second from `moment` on, and those of the whole others.

    The first and the last second are not whole, and left out.
    """
    by_second: dict[int, list[float]] = defaultdict(list)
    for ended, seconds in zip(calls.ended, calls.seconds, strict=True):
        by_second[int((ended - moment) // 1)].append(seconds)
    tails = {second: percentile(all_, 0.99) for second, all_ in by_second.items()}
    whole = sorted(tails)[1:-1]
    return tails[0], [tails[second] for second in whole if second != 0]
