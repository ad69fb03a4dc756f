"""Memory under load for long: it has to stay where it is."""

import statistics

from bench import wrk
from bench.lab import Lab, say
from bench.upstream import CALL

SECTION = "memory"
CASE = "load"
SLICES = 20
CLIENTS = 64


def measure(lab: Lab) -> None:
    """Load for the minutes of the options, in slices; read the memory after each."""
    lab.results.forget(SECTION)
    seconds = 60 * lab.options.soak / SLICES
    with lab.ours() as ours:
        samples = []
        for number in range(SLICES):
            say(f"{SECTION}: slice {number + 1} of {SLICES}")
            wrk.run(ours.url + CALL, clients=CLIENTS, seconds=seconds)
            samples.append(ours.program.memory())
        lab.results.add(SECTION, CASE, ours.name, "memory", *samples)
        lab.results.add(SECTION, CASE, ours.name, "minutes", lab.options.soak)
        lab.results.add(SECTION, CASE, ours.name, "growth", growth(samples))


def growth(samples: list[float]) -> float:
    """Return by how much the last fifth of `samples` is above the one after a tenth.

    The first tenth is left out: there connections are opened, and pools fill.
    """
    tenth = max(1, len(samples) // 10)
    early = statistics.median(samples[tenth : 3 * tenth])
    return statistics.median(samples[-2 * tenth :]) - early
