"""The counters and their Prometheus text."""

import re
from dataclasses import replace

import pytest

from proxy.forward.exchange import Exchange
from proxy.journal.endpoints import ENDPOINTS
from proxy.metrics import BUCKETS, OTHER, STATUS_CLASSES, Metrics
from proxy.oauth.status import TokenStatus

NOBODY = TokenStatus(
    state="logged_out",
    phone=None,
    code_sent=False,
    retry_after=0,
    expires_at=None,
    expires_in=None,
    refresh_due_at=None,
    login_needed_by=None,
    last_refresh=None,
    last_error=None,
    store="file:/run/tokens.json",
)


def exchange(
    status: int = 200,
    answered_by: str = "upstream",
    seconds: float = 0.02,
    received: int = 0,
    sent: int = 0,
    target: str = "/api/v1/profile/get?phone=79161234567",
) -> Exchange:
    made = Exchange("r", 1, "GET", target)
    made.caller = "report"
    made.status, made.answered_by, made.seconds = status, answered_by, seconds
    made.received, made.sent = received, sent
    return made


def samples(metrics: Metrics, status: TokenStatus = NOBODY) -> dict[str, float]:
    lines = metrics.render(1000.0, status).splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


@pytest.mark.parametrize(
    ("status", "answered_by", "labels"),
    [
        (200, "upstream", 'status_class="2xx",origin="relayed"'),
        (204, "proxy", 'status_class="2xx",origin="proxy"'),
        (101, "upstream", 'status_class="1xx",origin="relayed"'),
        (302, "upstream", 'status_class="3xx",origin="relayed"'),
        (404, "upstream", 'status_class="4xx",origin="relayed"'),
        (403, "proxy", 'status_class="4xx",origin="proxy"'),
        (503, "proxy", 'status_class="5xx",origin="proxy"'),
        (0, "proxy", 'status_class="none",origin="proxy"'),
        (999, "upstream", 'status_class="none",origin="relayed"'),
    ],
)
def test_requests_are_counted_by_class_and_by_who_answered(
    status: int, answered_by: str, labels: str
) -> None:
    metrics = Metrics()
    metrics.record([exchange(status, answered_by)])

    counted = {name for name, value in samples(metrics).items() if value == 1}
    assert f"telemed_proxy_requests_total{{{labels}}}" in counted
    assert len([name for name in counted if "proxy_requests_total" in name]) == 1


def test_the_histogram_is_cumulative_and_ends_at_the_count() -> None:
    metrics = Metrics()
    for seconds in (0.0, 0.01, 0.02, 0.3, 1e9):
        metrics.record([exchange(seconds=seconds)])

    found = samples(metrics)
    name = "telemed_proxy_request_duration_seconds"
    counts = [found[f'{name}_bucket{{le="{bound}"}}'] for bound in (*BUCKETS, "+Inf")]
    assert counts == sorted(counts)
    assert (counts[0], counts[1], counts[-1]) == (2, 3, 5)
    assert found[f"{name}_count"] == 5
    assert found[f"{name}_sum"] == pytest.approx(1e9 + 0.33)


def of_endpoints(metrics: Metrics) -> dict[str, float]:
    prefix = "telemed_proxy_endpoint_"
    return {
        name.removeprefix(prefix): value
        for name, value in samples(metrics).items()
        if name.startswith(prefix)
    }


def test_what_was_counted_is_told_by_documented_call() -> None:
    metrics = Metrics()
    metrics.record(
        [
            exchange(200, seconds=0.5, target="/api/v1/doctor/get/1"),
            exchange(404, seconds=0.25, target="/api/v1/doctor/get/2?a=b"),
            exchange(200, seconds=1, target="/api/v1/profile/get"),
            exchange(0, "proxy", seconds=2, target="/of/its/own"),
        ]
    )

    doctor, profile = "/api/v1/doctor/get/{id}", "/api/v1/profile/get"
    assert of_endpoints(metrics) == {
        f'requests_total{{endpoint="{doctor}",status_class="2xx"}}': 1,
        f'requests_total{{endpoint="{doctor}",status_class="4xx"}}': 1,
        f'requests_total{{endpoint="{profile}",status_class="2xx"}}': 1,
        'requests_total{endpoint="other",status_class="none"}': 1,
        f'duration_seconds_sum{{endpoint="{doctor}"}}': 0.75,
        f'duration_seconds_count{{endpoint="{doctor}"}}': 2,
        f'duration_seconds_sum{{endpoint="{profile}"}}': 1,
        f'duration_seconds_count{{endpoint="{profile}"}}': 1,
        'duration_seconds_sum{endpoint="other"}': 2,
        'duration_seconds_count{endpoint="other"}': 1,
    }


def test_what_was_not_counted_has_no_series() -> None:
    assert of_endpoints(Metrics()) == {}


def test_content_is_counted_both_ways() -> None:
    metrics = Metrics()
    metrics.record([exchange(received=10, sent=3)])
    metrics.record([exchange(received=1)])

    found = samples(metrics)
    assert found["telemed_proxy_content_received_bytes_total"] == 11
    assert found["telemed_proxy_content_sent_bytes_total"] == 3


def test_what_others_count_is_asked_when_read() -> None:
    metrics = Metrics()
    assert samples(metrics)["telemed_proxy_requests_in_flight"] == 0
    now = [3]
    metrics.watch(in_flight=lambda: now[0], connections_opened=lambda: 7)
    now[0] = 5

    found = samples(metrics)
    assert found["telemed_proxy_requests_in_flight"] == 5
    assert found["telemed_proxy_upstream_connections_opened_total"] == 7


def test_token_times_are_told_when_known() -> None:
    names = ("token_expires", "token_refresh_due", "login_needed_by")
    keys = [f"telemed_proxy_{name}_timestamp_seconds" for name in names]

    status = replace(NOBODY, expires_at=2000.5, refresh_due_at=1500.0)
    found = samples(Metrics(), status)

    assert [found.get(key) for key in keys] == [2000.5, 1500.0, None]
    assert not set(keys) & set(samples(Metrics()))


def test_refreshes_are_counted_by_outcome() -> None:
    metrics = Metrics()
    metrics.count_refresh("refreshed")
    metrics.count_refresh("refreshed")
    metrics.count_refresh("refused")

    found = samples(metrics)
    name = "telemed_proxy_token_refreshes_total"
    assert found[f'{name}{{outcome="refreshed"}}'] == 2
    assert found[f'{name}{{outcome="refused"}}'] == 1
    assert found[f'{name}{{outcome="failed"}}'] == 0


def test_no_client_can_make_new_series() -> None:
    metrics = Metrics()
    before = len(samples(metrics))
    for status in range(0, 1200, 7):
        target = f"/api/v1/doctor/{status}" if status % 2 else f"/{status}?{status}"
        odd = exchange(status, f"by {status}", seconds=status / 10, target=target)
        metrics.record([odd, exchange(status)])

    found = of_endpoints(metrics)
    assert len(samples(metrics)) == before + len(found)
    labels = {label for name in found for label in re.findall(r'="([^"]*)"', name)}
    assert labels <= {*ENDPOINTS, OTHER, *STATUS_CLASSES}
    text = metrics.render(0.0, NOBODY)
    assert "79161234567" not in text
    assert "report" not in text


def test_the_text_is_of_the_prometheus_format() -> None:
    status = replace(NOBODY, expires_at=1.0, refresh_due_at=2.0, login_needed_by=3.0)
    metrics = Metrics()
    metrics.record([exchange(target="/api/v1/doctor/get/7")])
    text = metrics.render(1000.0, status)

    assert text.endswith("\n")
    sample = re.compile(r'[a-z_]+(\{([a-z_]+="[^"\\]*",?)+\})? -?[0-9.e+]+')
    described: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            described.add(line.split(" ")[2])
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] in described
            assert line.split(" ")[3] in {
                "counter",
                "gauge",
                "histogram",
                "summary",
            }
        else:
            assert sample.fullmatch(line), line
            name = re.split(r"[{ ]", line)[0]
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert described & {name, base}


def test_the_build_is_told() -> None:
    text = Metrics().render(0.0, NOBODY)
    assert re.search(r'telemed_proxy_build_info\{version="\S+",python="3', text)
