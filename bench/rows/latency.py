"""What a proxy adds to a direct call where there is one client.

wrk with one connection, straight to the upstream and through each proxy in turns. A
client in C that waits in epoll has little time of its own to add; one in Python would
add more than a good proxy does. Direct calls use TLS in the client, which those through
a proxy leave to the proxy: the difference is what a program gains or loses.
"""

from bench import wrk
from bench.lab import Lab, say
from bench.rows.requests import warm_up
from bench.upstream import AUTHORIZATION, CALL

SECTION = "latency"
CASE = "1 client"
DIRECT = "direct"


def measure(lab: Lab) -> None:
    """Measure everybody, and nobody."""
    lab.results.forget(SECTION)
    with lab.running(*lab.names()) as everybody:
        warm_up(everybody)
        ways = {DIRECT: lab.upstream.url, **{one.name: one.url for one in everybody}}
        for number in range(2 * lab.options.rounds):
            for name, url in ways.items():
                say(f"{SECTION}, round {number + 1}: {name}")
                got = wrk.run(
                    url + CALL,
                    clients=1,
                    seconds=lab.options.seconds / 2,
                    fields=[AUTHORIZATION],
                )
                for percent in (50, 99):
                    microseconds = 1e6 * got.percentile(percent)
                    lab.results.add(SECTION, CASE, name, f"p{percent}", microseconds)
