"""Counters of the forwarding listener, and their Prometheus text form.

Plain integers on the path of a request; everything else happens when they are read.
Labels come from small fixed sets, so that no client can make more of them, and nothing
here tells whose data passed by.
"""

import platform
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import get_args

from proxy import __version__
from proxy.forward.exchange import Exchange
from proxy.journal.endpoints import ENDPOINTS, endpoint_of
from proxy.oauth.refresher import Outcome
from proxy.oauth.status import TokenStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 100.0)
"""Upper bounds of the duration histogram, in seconds."""

STATUS_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")

OTHER = "other"
"""The endpoint of the requests that are none of the API's documented calls."""

_PREFIX = "telemed_proxy_"


class _Row:
    """What one endpoint was asked: requests by their class, and their time."""

    __slots__ = ("requests", "seconds")

    def __init__(self) -> None:
        self.requests = [0] * len(STATUS_CLASSES)
        self.seconds = 0.0


class Metrics:
    """Counts since the program started; written by one event loop, without locks."""

    def __init__(self) -> None:
        self._requests = [[0, 0] for _ in STATUS_CLASSES]
        self._endpoints = {each: _Row() for each in (*ENDPOINTS, OTHER)}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._received = 0
        self._sent = 0
        self._refreshes: dict[Outcome, int] = dict.fromkeys(get_args(Outcome), 0)
        self._in_flight: Callable[[], int] = int
        self._connections_opened: Callable[[], int] = int
        self._before: Callable[[], None] = lambda: None

    def watch(
        self,
        *,
        in_flight: Callable[[], int],
        connections_opened: Callable[[], int],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask these two, which others count anyway, when the metrics are read.

        `before` is called first: it records what has not been counted yet.
        """
        self._in_flight = in_flight
        self._connections_opened = connections_opened
        self._before = before

    def record(self, exchanges: Iterable[Exchange]) -> None:
        """Count exchanges that have ended."""
        rows = self._endpoints
        for exchange in exchanges:
            # The status is 0 when the client left before there was one.
            kind = exchange.status // 100
            if not 0 < kind < 6:
                kind = 0
            relayed = exchange.answered_by == "upstream"
            self._requests[kind][relayed] += 1
            seconds = exchange.seconds
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds
            row = rows[endpoint_of(exchange.target) or OTHER]
            row.requests[kind] += 1
            row.seconds += seconds
            self._received += exchange.received
            self._sent += exchange.sent

    def count_refresh(self, outcome: Outcome) -> None:
        """Count one refresh by its outcome."""
        self._refreshes[outcome] += 1

    def render(self, now: float, status: TokenStatus) -> str:
        """Return all of it as Prometheus text (exposition format 0.0.4)."""
        self._before()
        lines = [
            *self._request_lines(),
            *self._duration_lines(),
            *self._endpoint_lines(),
            *self._traffic_lines(),
            *self._refresh_lines(),
            *_token_lines(now, status),
            *_build_lines(),
        ]
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> list[str]:
        return _family(
            "requests_total",
            "counter",
            "Requests answered, by the class of their status (none: the caller left "
            "first) and by who made the answer: relayed from upstream, or the proxy.",
            [
                (_labels(status_class=kind, origin=origin), self._requests[row][column])
                for row, kind in enumerate(STATUS_CLASSES)
                for column, origin in enumerate(("proxy", "relayed"))
            ],
        )

    def _duration_lines(self) -> list[str]:
        name = "request_duration_seconds"
        total = 0
        samples: list[tuple[str, float]] = []
        for bound, count in zip((*BUCKETS, "+Inf"), self._buckets, strict=True):
            total += count
            samples.append((f"_bucket{_labels(le=str(bound))}", total))
        samples += [("_sum", round(self._seconds, 6)), ("_count", total)]
        return _family(
            name,
            "histogram",
            "Time from a request's head to the end of its answer.",
            samples,
        )

    def _endpoint_lines(self) -> list[str]:
        # Only what was counted: most programs use few of the calls.
        used = {each: row for each, row in self._endpoints.items() if any(row.requests)}
        return [
            *_family(
                "endpoint_requests_total",
                "counter",
                "Requests answered, by the documented call and the class of status.",
                [
                    (_labels(endpoint=endpoint, status_class=kind), count)
                    for endpoint, row in used.items()
                    for kind, count in zip(STATUS_CLASSES, row.requests, strict=True)
                    if count
                ],
            ),
            *_family(
                "endpoint_duration_seconds",
                "summary",
                "Time from a request's head to the end of its answer, by the call.",
                [
                    sample
                    for endpoint, row in used.items()
                    for sample in (
                        (f"_sum{_labels(endpoint=endpoint)}", round(row.seconds, 6)),
                        (f"_count{_labels(endpoint=endpoint)}", sum(row.requests)),
                    )
                ],
            ),
        ]

    def _traffic_lines(self) -> list[str]:
        return [
            *_family(
                "content_received_bytes_total",
                "counter",
                "Content bytes that calling programs sent here.",
                [("", self._received)],
            ),
            *_family(
                "content_sent_bytes_total",
                "counter",
                "Content bytes sent back to calling programs.",
                [("", self._sent)],
            ),
            *_family(
                "requests_in_flight",
                "gauge",
                "Requests that are being forwarded now.",
                [("", self._in_flight())],
            ),
            *_family(
                "upstream_connections_opened_total",
                "counter",
                "Connections opened to the upstream; the rest were reused.",
                [("", self._connections_opened())],
            ),
        ]

    def _refresh_lines(self) -> list[str]:
        return _family(
            "token_refreshes_total",
            "counter",
            "Refreshes of the token pair: refreshed; refused by the authorization "
            "server, so that a login is needed; failed on the way, to be tried again.",
            [
                (_labels(outcome=outcome), count)
                for outcome, count in self._refreshes.items()
            ],
        )


def _build_lines() -> list[str]:
    labels = _labels(version=__version__, python=platform.python_version())
    return _family(
        "build_info",
        "gauge",
        "Always 1; the labels tell what is running.",
        [(labels, 1)],
    )


def _token_lines(now: float, status: TokenStatus) -> list[str]:
    times = (
        ("token_expires", "the access token expires", status.expires_at),
        ("token_refresh_due", "the next refresh is due", status.refresh_due_at),
        ("login_needed_by", "somebody has to log in again", status.login_needed_by),
    )
    lines = _family(
        "time_seconds",
        "gauge",
        "This program's clock, Unix time.",
        [("", round(now, 3))],
    )
    for name, what, instant in times:
        lines += _family(
            f"{name}_timestamp_seconds",
            "gauge",
            f"When {what}, Unix time; absent when unknown or logged out.",
            [] if instant is None else [("", round(instant, 3))],
        )
    return lines


def _family(
    name: str, kind: str, text: str, samples: Iterable[tuple[str, float]]
) -> list[str]:
    return [
        f"# HELP {_PREFIX}{name} {text}",
        f"# TYPE {_PREFIX}{name} {kind}",
        *(f"{_PREFIX}{name}{suffix} {value}" for suffix, value in samples),
    ]


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
