"""The three probes and what they mean."""

import pytest

from proxy.health import Health


@pytest.mark.parametrize("logged_in", [True, False])
@pytest.mark.parametrize("stopping", [True, False])
@pytest.mark.parametrize("started", [True, False])
def test_ready_is_started_logged_in_and_not_stopping(
    started: bool, stopping: bool, logged_in: bool
) -> None:
    health = Health(lambda: logged_in, started=started, stopping=stopping)

    assert health.startup()[0] == (200 if started else 503)
    ready = started and logged_in and not stopping
    assert health.readiness()[0] == (200 if ready else 503)
    assert health.liveness()[0] == 200


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        (Health(lambda: True), "starting"),
        (Health(lambda: True, started=True, stopping=True), "stopping"),
        (Health(lambda: False, started=True), "nobody is logged in"),
    ],
)
def test_a_probe_that_fails_says_why(health: Health, reason: str) -> None:
    assert health.readiness() == (503, reason)
