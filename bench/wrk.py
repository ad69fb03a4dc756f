"""Load by wrk: keep-alive clients that send the next call when they got an answer."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_REQUESTS = re.compile(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b")
_PERCENTILE = re.compile(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_SOCKET_ERRORS = re.compile(
    r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)"
)
_STATUSES = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class OutputError(Exception):
    """wrk did not say what it measured."""


@dataclass(frozen=True)
class Load:
    """What wrk saw: calls, seconds, latencies in seconds, and calls gone wrong."""

    requests: int
    seconds: float
    percentiles: dict[int, float]
    failed: int

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.requests / self.seconds

    def percentile(self, percent: int) -> float:
        """Return it in seconds; all the time there was, where no call ended."""
        return self.percentiles[percent] if self.requests else self.seconds


def run(
    url: str,
    *,
    clients: int,
    seconds: float,
    fields: Sequence[str] = (),
) -> Load:
    """Load `url` from one thread, for `seconds`, of which wrk takes whole ones."""
    command = [
        *("wrk", "--threads", "1", "--connections", str(clients), "--latency"),
        *("--duration", f"{max(1, round(seconds))}s", "--timeout", "10s"),
        *(part for field in fields for part in ("--header", field)),
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OutputError(f"wrk failed: {done.stdout}{done.stderr}")
    return parse(done.stdout)


def parse(output: str) -> Load:
    """Return what `output` of wrk says."""
    total = _REQUESTS.search(output)
    if total is None:
        raise OutputError(f"no result in {output!r}")
    # A call that timed out is none of the requests, a status that is no 2xx is one.
    failed = 0
    if errors := _SOCKET_ERRORS.search(output):
        failed += sum(int(count) for count in errors.groups())
    if statuses := _STATUSES.search(output):
        failed += int(statuses[1])
    return Load(
        requests=int(total[1]),
        seconds=float(total[2]) * _UNITS[total[3]],
        percentiles={
            int(percent): float(value) * _UNITS[unit]
            for percent, value, unit in _PERCENTILE.findall(output)
        },
        failed=failed,
    )
