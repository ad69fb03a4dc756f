"""Which documented call a target means."""

import pytest

from proxy.journal.endpoints import ENDPOINTS, endpoint_of
from proxy.sandbox.routes import ROUTES, VALIDATION_CODE


def test_they_are_the_calls_that_the_sandbox_answers() -> None:
    assert set(ENDPOINTS) == {route.path for route in ROUTES} | {VALIDATION_CODE}
    assert list(ENDPOINTS) == sorted(set(ENDPOINTS))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_is_found_with_any_id_and_any_query(endpoint: str) -> None:
    path = endpoint.replace("{id}", "4f2c-17")

    assert endpoint_of(path) == endpoint
    assert endpoint_of(f"{path}?limit=3&from=a/b?c") == endpoint


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        ("/api/v1/doctor/get/7", "/api/v1/doctor/get/{id}"),
        ("/API/V1/Doctor/Get/AbC", "/api/v1/doctor/get/{id}"),
        ("/api/v1/Profile/get", "/api/v1/profile/get"),
        ("http://127.0.0.1:8080/api/v1/profile/get?x", "/api/v1/profile/get"),
        ("HTTP://host/api/v1/doctor/get/7", "/api/v1/doctor/get/{id}"),
        ("/api/v1/doctor/get/", None),
        ("/api/v1/doctor/get/7/", None),
        ("/api/v1/doctor/get/7/8", None),
        ("/api/v1/doctor/get", None),
        ("/api/v1/profile/get/", None),
        ("/api/v2/profile/get", None),
        ("/api/v1/profile/gets", None),
        ("/other?/api/v1/profile/get", None),
        ("http://host", None),
        ("://", None),
        ("*", None),
        ("/", None),
        ("", None),
    ],
)
def test_what_a_target_means(target: str, endpoint: str | None) -> None:
    assert endpoint_of(target) == endpoint


@pytest.mark.parametrize(
    "target",
    [
        "/" + "a://" * 15_000,
        "http://h/" + "http://h/" * 5000 + "api/v1/profile/get",
        "/api/v1/doctor/get/",
        "/api/v1/profile/get/",
        "a://",
        "*",
        "",
    ],
)
def test_what_is_written_oddly_is_none(target: str) -> None:
    assert endpoint_of(target) is None
