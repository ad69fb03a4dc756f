"""How cost grows: with clients, with the size of answers, with fields per message."""

from typing import Any

from bench.lab import OURS, Lab
from bench.rows.requests import case, in_turns, warm_up
from bench.upstream import FIELDS, fields_target, file_target

BY_CLIENTS = "growth by clients"
BY_SIZE = "growth by size"
BY_FIELDS = "growth by fields"

CLIENTS = (1, 4, 16, 64, 256, 1000, 5000)
ANSWERS = ("1 kB", "10 kB", "100 kB", "1 MB")
NAMES = ("nginx", "haproxy", "Caddy", "fast-proxy", OURS)
ROUNDS = 3

# By default the proxy refuses more than 256 calls at a time of one caller.
MANY: dict[str, Any] = {"limits": {"in_flight": 2 * max(CLIENTS)}}
SOME = 16


def measure(lab: Lab) -> None:
    """Measure each of the three, with the peers that say something about it."""
    rounds = min(ROUNDS, lab.options.rounds)
    for section in (BY_CLIENTS, BY_SIZE, BY_FIELDS):
        lab.results.forget(section)
    with lab.running(*NAMES, settings=MANY) as everybody:
        for count in CLIENTS:
            # So many new connections to the upstream, which take seconds with TLS, are
            # another question.
            warm_up(everybody, count, seconds=max(1, count // 250))
            in_turns(lab, everybody, BY_CLIENTS, case(count), count, rounds=rounds)
    with lab.running(*NAMES) as everybody:
        warm_up(everybody, clients=SOME)
        for count in FIELDS:
            in_turns(
                lab,
                everybody,
                BY_FIELDS,
                f"{count} fields",
                SOME,
                target=fields_target(count),
                # As many in the request as in the answer, and as long.
                fields=[
                    f"X-Caller-F{each:04}: value-{each:014}" for each in range(count)
                ],
                rounds=rounds,
            )
        # The last, as large answers leave memory behind.
        for size in ANSWERS:
            target = file_target(size)
            in_turns(lab, everybody, BY_SIZE, size, SOME, target=target, rounds=rounds)
