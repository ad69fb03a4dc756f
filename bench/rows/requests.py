"""CPU, rate and latency of small calls, by clients; and with a connection per call."""

from collections.abc import Sequence

from bench import wrk
from bench.lab import Lab, say
from bench.peers.running import Running
from bench.processes import StartError
from bench.upstream import CALL

SECTION = "requests"
CLOSING = "connection per call"
CLIENTS = (16, 64, 256)

CLOSE = "Connection: close"


def case(clients: int) -> str:
    """Return what a number of clients is called in results."""
    return "1 client" if clients == 1 else f"{clients} clients"


def measure(lab: Lab, clients: Sequence[int] = CLIENTS) -> None:
    """Measure everybody with keep-alive clients."""
    lab.results.forget(SECTION)
    with lab.running(*lab.names()) as everybody:
        for count in clients:
            warm_up(everybody, count)
            in_turns(lab, everybody, SECTION, case(count), count)


def measure_closing(lab: Lab) -> None:
    """Measure everybody with clients that open a connection for each call."""
    lab.results.forget(CLOSING)
    with lab.running(*lab.names()) as everybody:
        warm_up(everybody)
        in_turns(lab, everybody, CLOSING, case(16), 16, fields=[CLOSE])


def in_turns(
    lab: Lab,
    everybody: Sequence[Running],
    section: str,
    case: str,
    clients: int,
    *,
    target: str = CALL,
    fields: Sequence[str] = (),
    rounds: int | None = None,
) -> None:
    """Load each in turn, as often as there are rounds, each time from another first."""
    rounds = rounds or lab.options.rounds
    for number in range(rounds):
        first = number % len(everybody)
        for one in (*everybody[first:], *everybody[:first]):
            say(f"{section}: {case}, round {number + 1} of {rounds}: {one.name}")
            load(lab, one, section, case, clients, target=target, fields=fields)


def load(
    lab: Lab,
    one: Running,
    section: str,
    case: str,
    clients: int,
    *,
    target: str = CALL,
    fields: Sequence[str] = (),
) -> None:
    """Load `one` for the seconds of a round, and add what it cost.

    In microseconds of CPU a call, calls a second, milliseconds, megabytes at the peak.
    """
    one.program.forget_peak()
    before = one.program.cpu()
    got = wrk.run(
        one.url + target, clients=clients, seconds=lab.options.seconds, fields=fields
    )
    cpu = one.program.cpu() - before
    where = (section, case, one.name)
    lab.results.add(*where, "cpu", 1e6 * cpu / max(1, got.requests))
    lab.results.add(*where, "rate", got.rate)
    lab.results.add(*where, "p50", 1e3 * got.percentile(50))
    lab.results.add(*where, "p99", 1e3 * got.percentile(99))
    lab.results.add(*where, "memory", one.program.peak_memory())
    lab.results.add(*where, "failed", got.failed)


def warm_up(
    everybody: Sequence[Running], clients: int = 64, seconds: float = 1
) -> None:
    """Let each open its connections and compile what it compiles; see that it works."""
    for one in everybody:
        say(f"warming up {one.name}")
        got = wrk.run(one.url + CALL, clients=clients, seconds=seconds)
        if got.failed > got.requests / 10:
            said = one.program.output.read_text(encoding="utf-8", errors="replace")
            raise StartError(f"{one.name} does not work:\n{said[-2000:]}")
