"""The first call after an idle time, and the memory of a proxy that nobody uses.

Over an upstream that is 25 ms away each way: there a call without a warm connection
shows, as it takes three times as long. Several proxies are idle at the same time, as
nobody wants to wait several times.
"""

import http.client
import time
import urllib.request
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.lab import OURS, Lab, say
from bench.rows.far import far_upstream
from bench.upstream import CALL

SECTION = "idle"
MEMORY = "memory"
PROXIES = 8


def measure(lab: Lab) -> None:
    """Measure the first and the second call after the idle seconds of the options."""
    lab.results.forget(SECTION)
    case = f"{lab.options.idle:g} s"
    with far_upstream(lab) as upstream, ExitStack() as stack:
        proxies = [
            stack.enter_context(lab.ours(upstream=upstream)) for _ in range(PROXIES)
        ]
        for one in proxies:
            call(one.url)
        _wait(lab.options.idle)
        for one in proxies:
            memory = one.program.memory()
            lab.results.add(SECTION, case, OURS, "first", 1e3 * call(one.url))
            lab.results.add(SECTION, case, OURS, "second", 1e3 * call(one.url))
            lab.results.add(SECTION, case, OURS, "memory", memory)
            visit(one.admin)
            visited = one.program.memory()
            lab.results.add(SECTION, case, OURS, "memory visited", visited)


def call(url: str) -> float:
    """Return the seconds of a call over a connection of its own."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    began = time.perf_counter()
    connection.request("GET", CALL)
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - began
    connection.close()
    if answer.status != http.client.OK:
        raise ConnectionError(f"{url} answered {answer.status}")
    return seconds


def visit(admin: str) -> None:
    """Ask the admin listener for the status, as the page, a command and a probe do."""
    with urllib.request.urlopen(f"{admin}/api/status", timeout=20) as answer:
        answer.read()


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        say(f"{SECTION}: {left:.0f} s of {seconds:g} s are left")
        time.sleep(min(10.0, left))
