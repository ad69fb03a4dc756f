"""The alerts, the dashboard and their page speak of metrics that there are."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.expressions import (
    FOLDER,
    OF_TARGETS,
    dashboard,
    queries,
    rules,
    shown_labels,
    wanted,
)
from tests.operations.scraped import Scraped
from tests.programs import need
from tests.running import Proxy, call

RULES = {rule["alert"]: rule for rule in rules()}
PAGE = (FOLDER / "monitoring.md").read_text("utf-8")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """What a proxy says that has relayed calls, and refused some."""
    with Proxy(
        *("sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"),
        folder=tmp_path_factory.mktemp("sandbox"),
    ) as running:
        call("GET", f"{running.url}/api/v1/profile/get")
        running.login()
        for path in ("profile/get", "doctor/get/0", "nothing"):
            call("GET", f"{running.url}/api/v1/{path}")
        yield Scraped.of(call("GET", f"{running.admin}/metrics").text)


@pytest.mark.parametrize(
    "expression",
    [*(rule["expr"] for rule in RULES.values()), *queries()],
)
def test_what_is_asked_for_is_there(scraped: Scraped, expression: str) -> None:
    found = wanted(expression)
    assert found
    for each in found:
        if each.metric == "up":  # Prometheus's own
            continue
        assert each.metric in scraped.labels, each.metric
        labels = scraped.labels[each.metric]
        assert each.grouped <= OF_TARGETS | set(labels), each
        for name, value in each.matched:
            if name in OF_TARGETS:
                continue
            assert any(re.fullmatch(value, one) for one in labels[name]), each


def test_what_templates_show_is_there(scraped: Scraped) -> None:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            shown = shown_labels(target["legendFormat"]) - OF_TARGETS
            for each in wanted(target["expr"].replace("$__rate_interval", "5m")):
                assert shown <= set(scraped.labels[each.metric]), panel["title"]
    for rule in RULES.values():
        for text in rule["annotations"].values():
            assert shown_labels(text) <= OF_TARGETS


def test_the_page_names_what_there_is(scraped: Scraped) -> None:
    named = set(re.findall(r"telemed_proxy_\w+", PAGE))
    assert named <= set(scraped.labels)
    alerts = set(re.findall(r"^\| `(TelemedProxy\w+)`", PAGE, re.MULTILINE))
    assert alerts == set(RULES)


def test_the_dashboard_shows_every_metric(scraped: Scraped) -> None:
    shown = {each.metric for query in queries() for each in wanted(query)}
    # The histogram's sum and count are those of its buckets.
    spare = {
        f"telemed_proxy_request_duration_seconds_{each}" for each in ("sum", "count")
    }
    assert set(scraped.labels) - spare == shown


def test_the_dashboard_s_panels_have_their_own_place() -> None:
    panels = dashboard()["panels"]
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) == 23
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_says_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"].endswith(".")
    assert rule["for"]


def test_the_alerts_fire_when_they_should(tmp_path: Path) -> None:
    need("promtool")
    # promtool looks for the rules beside the tests.
    for file in (FOLDER / "alerts.yml", Path(__file__).with_name("alerts_test.yml")):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for command in (
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ):
        ended = subprocess.run(
            ["promtool", *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_is_tried() -> None:
    tried = Path(__file__).with_name("alerts_test.yml").read_text("utf-8")
    for alert in RULES:
        assert f'alertname="{alert}",alertstate="firing",severity=' in tried
        assert f"alertname: {alert}}}" in tried
