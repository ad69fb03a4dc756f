"""Memory under load for long: it has to stay where it is."""

import statistics

from bench import wrk
from bench.lab import Lab, say
from bench.rows.requests import warm_up
from bench.upstream import CALL

SECTION = "memory"
CASE = "load"
SLICES = 20
CLIENTS = 64
WARM_UP = 15.0


def measure(lab: Lab) -> None:
    """Load for the minutes of the options, in slices; read the memory after each."""
    lab.results.forget(SECTION)
    seconds = 60 * lab.options.soak / SLICES
    with lab.ours() as ours:
        # Connections are opened, pools and the journal fill.
        warm_up([ours], CLIENTS, WARM_UP)
        samples = []
        for number in range(SLICES):
            say(f"{SECTION}: slice {number + 1} of {SLICES}")
            wrk.run(ours.url + CALL, clients=CLIENTS, seconds=seconds)
            samples.append(ours.program.memory())
        lab.results.add(SECTION, CASE, ours.name, "memory", *samples)
        lab.results.add(SECTION, CASE, ours.name, "minutes", lab.options.soak)
        lab.results.add(SECTION, CASE, ours.name, "growth", growth(samples))


def growth(samples: list[float]) -> float:
    """Return by how much the last fifth of `samples` is above the first."""
    fifth = max(1, len(samples) // 5)
    return statistics.median(samples[-fifth:]) - statistics.median(samples[:fifth])
