"""The control endpoint: for programs on this machine, not for web pages."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.sandbox import SCENARIOS
from tests.sandbox.conftest import Patient

Control = Callable[..., Any]


async def test_switches_are_read_and_set(control: Control, patient: Patient) -> None:
    status, before = await control("GET", "/switches")
    assert (status, before["switches"]["lifetime"]) == (200, 1209599.0)
    assert before["about"]["lifetime"]

    status, after = await control(
        "PATCH", "/switches", json={"lifetime": 5, "reject_with": "403"}
    )

    assert (status, after["switches"]["lifetime"]) == (200, 5.0)
    assert patient.sandbox.switches.reject_with == "403"
    assert (await patient.refresh())[1]["expires_in"] == 5


async def test_a_wrong_switch_is_explained(control: Control) -> None:
    status, body = await control("PATCH", "/switches", json={"lifetime": "long"})

    assert status == 400
    assert body["description"] == "lifetime must be a number"


async def test_scenarios_are_listed_and_chosen(
    control: Control, patient: Patient
) -> None:
    _, listed = await control("GET", "/scenarios")
    assert list(listed) == list(SCENARIOS)

    status, body = await control("POST", "/scenario", json={"name": "short-lived"})
    assert (status, body["scenario"]) == (200, "short-lived")
    assert patient.sandbox.switches.lifetime == 10
    await control("POST", "/scenario", json={"name": "default"})
    assert patient.sandbox.switches.lifetime == 1209599.0
    status, body = await control("POST", "/scenario", json={"name": "storm"})
    assert status == 400
    assert "there are: default" in body["description"]


@pytest.mark.parametrize(
    ("tokens", "api", "refresh"),
    [("access", 401, 200), ("refresh", 200, 400), ("both", 401, 400)],
)
async def test_tokens_are_revoked(
    control: Control, patient: Patient, tokens: str, api: int, refresh: int
) -> None:
    body = {"tokens": tokens, "phone": "79161234567"}

    assert (await control("POST", "/revoke", json=body))[0] == 200

    assert await patient.status() == api
    assert (await patient.refresh())[0] == refresh


async def test_what_happened_is_listed(control: Control, patient: Patient) -> None:
    await patient.get("/api/v1/profile/get?q=%D0%BF")
    await patient.refresh()
    await patient.refresh()

    _, requests = await control("GET", "/requests")
    _, tokens = await control("GET", "/token-requests")
    _, sms = await control("GET", "/sms")

    assert requests["items"][-1]["target"] == "/api/v1/profile/get?q=%D0%BF"
    assert requests["items"][-1]["status"] == 200
    assert tokens["items"][-1]["outcome"] == "refused:invalid_grant"
    assert tokens["spentPresented"] == 1
    [sent] = sms["items"]
    assert sent["phone"] == "79161234567"
    assert len(sent["code"]) == 4


async def test_reset_forgets(control: Control, patient: Patient) -> None:
    assert (await control("POST", "/reset", json={}))[0] == 200

    assert await patient.status() == 401
    assert (await control("GET", "/requests"))[1]["totalCount"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
async def test_no_web_page_turns_a_switch(
    control: Control, patient: Patient, headers: dict[str, str], status: int
) -> None:
    headers = {"Content-Type": "application/json"} | headers

    answered, _ = await control(
        "PATCH", "/switches", data=b'{"lifetime": 7}', headers=headers
    )

    assert answered == status
    assert (patient.sandbox.switches.lifetime == 7) == (status == 200)


async def test_reading_is_guarded_too(control: Control) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://127.0.0.1"}):
        assert (await control("GET", "/sms", headers=headers))[0] == 403


async def test_what_is_not_a_call_lists_the_calls(control: Control) -> None:
    status, body = await control("GET", "/nothing")
    assert status == 404
    assert "PATCH /switches" in body["description"]
    assert "GET /sms" in (await control("GET", "/"))[1]["calls"]
    for data in (b"[]", b"{"):
        status, _ = await control(
            "POST", "/reset", data=data, headers={"Content-Type": "application/json"}
        )
        assert status == 400
    assert (await control("POST", "/revoke", json={"tokens": "all"}))[0] == 400
    assert (await control("POST", "/revoke", json={"phone": 7}))[0] == 400
