"""Answers that get lost, break off, come late, or are HTML."""

import asyncio
import time

import aiohttp
import pytest

from proxy.sandbox import Sandbox
from tests.clocks import MovedClock
from tests.sandbox.conftest import Patient

LOST = (aiohttp.ClientError, TimeoutError)
SHORT = aiohttp.ClientTimeout(total=0.1)


async def balance(patient: Patient) -> int:
    return int((await patient.get("/api/v1/profile/get"))["item"]["balance"])


# -- /token


@pytest.mark.parametrize("how", ["reset", "timeout", "truncated"])
async def test_an_answer_lost_after_commit_has_spent_the_token(
    patient: Patient, how: str
) -> None:
    patient.sandbox.switches.set({"drop_after_commit": how, "drop_count": 1})

    with pytest.raises(LOST):
        async with asyncio.timeout(0.2):
            await patient.refresh()

    assert patient.sandbox.token_requests[-1].outcome == "issued"
    assert patient.sandbox.token_requests[-1].delivered is False
    assert patient.sandbox.switches.drop_after_commit is None
    status, body = await patient.refresh()
    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("how", "status"), [("empty", 200), ("html502", 502)])
async def test_an_answer_of_no_use_has_spent_the_token(
    patient: Patient, how: str, status: int
) -> None:
    patient.sandbox.switches.set({"drop_after_commit": how, "drop_count": 1})
    form = {
        "grant_type": "refresh_token",
        "refresh_token": patient.tokens["refresh_token"],
        "client_id": patient.sandbox.client_id,
    }

    url = f"{patient.sandbox.auth_url}/token"
    async with patient.session.post(url, data=form) as answer:
        content = await answer.read()

    assert answer.status == status
    assert b"access_token" not in content
    assert (await patient.refresh())[0] == 400


@pytest.mark.parametrize("how", ["html500", "html502", "maintenance", "reset"])
async def test_a_token_fault_has_done_nothing(patient: Patient, how: str) -> None:
    patient.sandbox.switches.set({"token_fault": how, "token_fault_count": 2})

    for _ in range(2):
        with pytest.raises(LOST):
            await patient.refresh()

    assert patient.sandbox.token_requests[-1].outcome == f"fault:{how}"
    assert (await patient.refresh())[0] == 200


async def test_a_fault_can_touch_one_grant_only(stranger: Patient) -> None:
    stranger.sandbox.switches.set(
        {"drop_after_commit": "reset", "drop_count": 1, "drop_only": "refresh_token"}
    )

    await stranger.login()
    with pytest.raises(LOST):
        await stranger.refresh()


async def test_a_late_answer_is_late(patient: Patient) -> None:
    patient.sandbox.switches.delay = 0.05
    start = time.monotonic()

    await patient.refresh()

    assert time.monotonic() - start >= 0.05


# -- the API


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("html500", 500, "text/html"),
        ("json500", 500, "application/json"),
        ("maintenance", 503, "text/html"),
    ],
)
async def test_a_broken_api_has_done_nothing(
    patient: Patient, how: str, status: int, kind: str
) -> None:
    before = await balance(patient)
    patient.sandbox.switches.set({"api_fault": how, "api_fault_count": 1})

    path = "/api/v1/voiprequest/start"
    async with patient.call("POST", path, json={"doctorId": 101}) as answer:
        assert answer.status == status
        assert answer.content_type == kind

    assert await balance(patient) == before


@pytest.mark.parametrize("how", ["reset", "truncated", "timeout"])
async def test_a_lost_answer_of_the_api_has_cost_the_money(
    patient: Patient, how: str
) -> None:
    before = await balance(patient)
    patient.sandbox.switches.set({"api_fault": how, "api_fault_count": 1})

    with pytest.raises(LOST):
        async with patient.call(
            "POST", "/api/v1/voiprequest/start", json={}, timeout=SHORT
        ) as answer:
            await answer.read()

    assert await balance(patient) < before


@pytest.mark.parametrize("how", ["reset", "truncated"])
async def test_a_download_breaks_off_in_the_middle(patient: Patient, how: str) -> None:
    patient.sandbox.switches.set({"api_fault": how, "api_fault_count": 1})

    async with patient.call("GET", "/api/v1/media/get/sample-2m") as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_the_sms_call_fails_on_its_own(stranger: Patient) -> None:
    stranger.sandbox.switches.set({"api_fault": "maintenance"})
    assert await stranger.validation_code() == 200

    stranger.sandbox.switches.set({"sms_fault": "html500", "sms_fault_count": 1})
    assert await stranger.validation_code() == 500
    assert len(stranger.sandbox.sms) == 1


@pytest.mark.parametrize(
    "switches",
    [{"api_delay": 0.05}, {"api_fault": "slow", "slow_seconds": 0.05}],
)
async def test_a_slow_api_is_slow(
    patient: Patient, switches: dict[str, object]
) -> None:
    patient.sandbox.switches.set(switches)
    start = time.monotonic()

    assert await patient.status() == 200

    assert time.monotonic() - start >= 0.05


# -- listeners and connections


async def test_closing_lets_go_of_what_hangs(clock: MovedClock) -> None:
    async with aiohttp.ClientSession() as session:
        async with Sandbox(clock=clock, announce=lambda _: None) as sandbox:
            patient = Patient(sandbox, session)
            await patient.login()
            sandbox.switches.set({"api_fault": "timeout", "delay": 60.0})
            calls = [
                asyncio.ensure_future(patient.status()),
                asyncio.ensure_future(patient.refresh()),
            ]
            while len(sandbox.token_requests) < 2 or not sandbox.requests[-1].status:
                await asyncio.sleep(0.01)
            start = time.monotonic()
        assert time.monotonic() - start < 1
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_listener_that_stopped_comes_back_where_it_was(
    patient: Patient,
) -> None:
    url = patient.sandbox.auth_url
    await patient.sandbox.auth_listener.stop()
    with pytest.raises(aiohttp.ClientError):
        await patient.refresh()

    await patient.sandbox.auth_listener.start()

    assert patient.sandbox.auth_url == url
    assert (await patient.refresh())[0] == 200


async def test_idle_connections_can_be_cut(patient: Patient) -> None:
    await patient.get("/api/v1/profile/get")

    assert patient.sandbox.api_listener.drop_connections() == 1
    assert await patient.status() == 200


async def test_connections_are_kept_alive(patient: Patient) -> None:
    for _ in range(3):
        await patient.get("/api/v1/profile/get")

    assert patient.sandbox.api_listener.drop_connections() == 1


async def test_a_client_that_leaves_a_download_harms_nobody(patient: Patient) -> None:
    async with patient.call("GET", "/api/v1/media/get/sample-1024m") as answer:
        await answer.content.readexactly(1024)

    assert await patient.status() == 200


async def test_a_port_in_use_leaves_nothing_open(sandbox: Sandbox) -> None:
    taken = int(sandbox.control_url.rpartition(":")[2])
    second = Sandbox(ports=(0, 0, taken))

    with pytest.raises(OSError, match="address already in use"):
        await second.start()

    await second.close()
    third = Sandbox(ports=(int(second.api_url.rpartition(":")[2]), 0, 0))
    async with third:
        assert third.api_url == second.api_url
