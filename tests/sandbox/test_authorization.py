"""The authorization server: the likely one, and its opposite by switches."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from proxy.sandbox import Sandbox
from tests.clocks import MovedClock
from tests.sandbox.conftest import Patient

FOURTEEN_DAYS = 1_209_600
INVALID_GRANT = 400, "invalid_grant"


async def refused(patient: Patient, token: str, **form: str) -> tuple[int, Any]:
    status, body = await patient.refresh(token, **form)
    return status, body.get("error")


# -- the login


async def test_the_code_is_announced_in_a_line_for_people(
    stranger: Patient, announced: list[str]
) -> None:
    assert await stranger.validation_code() == 200

    [line] = announced
    assert re.fullmatch(r"SMS to \+7 916 123-45-67: \d{4}", line)
    assert stranger.sandbox.sms == [("79161234567", line[-4:])]


async def test_the_answer_to_a_login_is_the_documented_one(patient: Patient) -> None:
    assert list(patient.tokens) == [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
    ]
    assert patient.tokens["token_type"] == "bearer"
    assert patient.tokens["expires_in"] == FOURTEEN_DAYS - 1
    assert await patient.status() == 200


async def test_the_documented_sample_number_can_log_in(stranger: Patient) -> None:
    url = f"{stranger.sandbox.api_url}/api/v1/access/validation-code"
    async with stranger.session.get(f"{url}?code=1&number=1111111111") as answer:
        assert answer.status == 200
    phone, code = stranger.sandbox.sms[-1]

    status, _ = await stranger.token(
        grant_type="password", username=phone, password=code
    )

    assert (phone, status) == ("11111111111", 200)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("", "code"),
        ("code=7", "number"),
        ("code=%2B7&number=9161234567", "code"),
        ("code=7&number=nine", "number"),
        ("code=7&number=%D9%A1%D9%A2", "number"),
    ],
)
async def test_a_number_that_cannot_be_dialled_gets_no_sms(
    stranger: Patient, query: str, value: str
) -> None:
    path = f"/api/v1/access/validation-code?{query}"

    body = await stranger.expect(400, "GET", path)

    assert (body["type"], body["value"]) == ("bad_argument", value)
    assert stranger.sandbox.sms == []


async def test_a_wrong_code_can_be_tried_again(stranger: Patient) -> None:
    await stranger.validation_code()
    phone, code = stranger.sandbox.sms[-1]
    wrong = "0000" if code != "0000" else "1111"

    status, body = await stranger.token(
        grant_type="password", username=phone, password=wrong
    )
    again, _ = await stranger.token(
        grant_type="password", username=phone, password=code
    )

    assert (status, body["error"], again) == (400, "invalid_grant", 200)
    outcomes = [each.outcome for each in stranger.sandbox.token_requests]
    assert outcomes == ["refused:invalid_grant", "issued"]


async def test_a_code_works_once_and_not_for_ever(
    stranger: Patient, clock: MovedClock
) -> None:
    await stranger.login()
    phone, code = stranger.sandbox.sms[-1]
    form = {"grant_type": "password", "username": phone}
    assert (await stranger.token(**form, password=code))[0] == 400

    await stranger.validation_code()
    clock.now += 301
    code = stranger.sandbox.sms[-1].code
    assert (await stranger.token(**form, password=code))[0] == 400


async def test_after_the_attempts_the_right_code_is_refused_too(
    stranger: Patient,
) -> None:
    stranger.sandbox.switches.wrong_code_attempt_limit = 2
    await stranger.validation_code()
    phone, code = stranger.sandbox.sms[-1]
    form = {"grant_type": "password", "username": phone}

    for wrong in ("x", "y", code):
        assert (await stranger.token(**form, password=wrong))[0] == 400
    await stranger.validation_code()
    code = stranger.sandbox.sms[-1].code
    assert (await stranger.token(**form, password=code))[0] == 200


async def test_the_sms_limit_counts_an_hour_and_a_phone(
    stranger: Patient, clock: MovedClock
) -> None:
    stranger.sandbox.switches.sms_limit = 2

    assert [await stranger.validation_code() for _ in range(3)] == [200, 200, 400]
    assert await stranger.validation_code("9035550000") == 200
    clock.now += 3601
    assert await stranger.validation_code() == 200


# -- the form


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "password"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "client_id": "-"}, "invalid_clientId"),
        ({"grant_type": "password", "client_id": "0" * 32}, "invalid_clientId"),
    ],
)
async def test_a_form_that_asks_for_nothing_is_refused(
    stranger: Patient, form: dict[str, str], error: str
) -> None:
    status, body = await stranger.token(**form)

    assert (status, body["error"]) == (400, error)
    assert body["error_description"]


async def test_only_a_form_is_taken(stranger: Patient) -> None:
    url = f"{stranger.sandbox.auth_url}/token"
    for more in (
        {"json": {"grant_type": "password"}},
        {"data": "grant_type=a&grant_type=b", "headers": {"Content-Type": FORM}},
        {"data": b"grant_type=\xff%", "headers": {"Content-Type": FORM}},
    ):
        async with stranger.session.post(url, **more) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"] == "invalid_request"
    async with stranger.session.get(url) as answer:
        assert answer.status == 400
    async with stranger.session.get(f"{url}s") as answer:
        assert answer.status == 404


FORM = "application/x-www-form-urlencoded"


async def test_answers_with_tokens_are_not_to_be_stored(patient: Patient) -> None:
    form = {"grant_type": "none"}
    url = f"{patient.sandbox.auth_url}/token"
    async with patient.session.post(url, data=form) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


# -- the refresh


async def test_a_refresh_token_is_single_use_and_rotates(patient: Patient) -> None:
    old = patient.tokens

    status, new = await patient.refresh()

    assert status == 200
    assert new["refresh_token"] != old["refresh_token"]
    assert new["access_token"] != old["access_token"]
    assert await refused(patient, old["refresh_token"]) == INVALID_GRANT
    assert patient.sandbox.spent_presented == 1
    # The older access token lives on until its own end.
    assert await patient.status(access=old["access_token"]) == 200
    assert (await patient.refresh(new["refresh_token"]))[0] == 200


async def test_requests_are_remembered_with_their_generation(patient: Patient) -> None:
    _, second = await patient.refresh()
    await patient.refresh()
    await patient.refresh(second["refresh_token"])

    noted = [
        (each.grant_type, each.outcome, each.generation)
        for each in patient.sandbox.token_requests
    ]
    assert noted == [
        ("password", "issued", 1),
        ("refresh_token", "issued", 2),
        ("refresh_token", "refused:invalid_grant", 1),
        ("refresh_token", "issued", 3),
    ]


async def test_an_access_token_ends_with_its_lifetime(
    patient: Patient, clock: MovedClock
) -> None:
    clock.now += FOURTEEN_DAYS - 2
    assert await patient.status() == 200
    clock.now += 1
    assert await patient.status() == 401
    # The refresh token outlives it.
    assert (await patient.refresh())[0] == 200


async def test_a_new_login_kills_the_older_refresh_token(patient: Patient) -> None:
    old = patient.tokens

    await patient.login()

    assert await refused(patient, old["refresh_token"]) == INVALID_GRANT
    assert await patient.status(access=old["access_token"]) == 200
    assert (await patient.refresh())[0] == 200


async def test_another_phone_s_login_kills_nothing(patient: Patient) -> None:
    other = Patient(patient.sandbox, patient.session)
    await other.login("9035550000")

    assert (await patient.refresh())[0] == 200


async def test_early_revocation_leaves_the_refresh_token(patient: Patient) -> None:
    assert patient.sandbox.revoke_access() == 1

    assert await patient.status() == 401
    status, new = await patient.refresh()
    assert status == 200
    assert await patient.status(access=new["access_token"]) == 200


async def test_a_revoked_refresh_token_leaves_the_access_token(
    patient: Patient,
) -> None:
    assert patient.sandbox.revoke_refresh("79161234567") == 1

    assert await patient.status() == 200
    token = patient.tokens["refresh_token"]
    assert await refused(patient, token) == INVALID_GRANT
    assert patient.sandbox.spent_presented == 0


# -- the switches, each against its opposite above


async def test_without_rotation_the_old_refresh_token_stays(patient: Patient) -> None:
    patient.sandbox.switches.rotate_refresh = False

    for _ in range(3):
        status, body = await patient.refresh()
        assert status == 200
        assert "refresh_token" not in body
        assert await patient.status(access=body["access_token"]) == 200
    patient.sandbox.revoke_refresh()
    assert (await patient.refresh())[0] == 400


async def test_an_unreplaced_refresh_token_belongs_to_the_newest_pair(
    patient: Patient, clock: MovedClock
) -> None:
    switches = patient.sandbox.switches
    switches.set({"rotate_refresh": False, "refresh_dies_with_access": True})
    clock.now += FOURTEEN_DAYS - 10
    await patient.refresh()

    clock.now += 20
    assert (await patient.refresh())[0] == 200
    assert patient.sandbox.token_requests[-1].generation == 3
    clock.now += FOURTEEN_DAYS
    assert (await patient.refresh())[0] == 400
    assert patient.sandbox.token_requests[-1].generation == 3


async def test_reusable_refresh_tokens_all_stay(patient: Patient) -> None:
    patient.sandbox.switches.single_use = False

    _, new = await patient.refresh()

    assert (await patient.refresh())[0] == 200
    assert (await patient.refresh(new["refresh_token"]))[0] == 200
    assert patient.sandbox.spent_presented == 0


async def test_within_the_grace_a_spent_token_is_taken(
    patient: Patient, clock: MovedClock
) -> None:
    patient.sandbox.switches.grace_seconds = 30
    await patient.refresh()

    clock.now += 29
    assert (await patient.refresh())[0] == 200
    clock.now += 1
    assert (await patient.refresh())[0] == 400
    assert patient.sandbox.spent_presented == 2


async def test_a_spent_token_shown_again_can_kill_the_live_one(
    patient: Patient,
) -> None:
    patient.sandbox.switches.reuse_kills = True
    _, new = await patient.refresh()

    assert (await patient.refresh())[0] == 400
    assert await refused(patient, new["refresh_token"]) == INVALID_GRANT


async def test_several_logins_of_a_phone_can_live_side_by_side(
    patient: Patient,
) -> None:
    patient.sandbox.switches.one_per_phone = False
    old = patient.tokens["refresh_token"]

    await patient.login()

    assert (await patient.refresh(old))[0] == 200


async def test_a_refresh_token_can_die_with_its_access_token(
    patient: Patient, clock: MovedClock
) -> None:
    patient.sandbox.switches.refresh_dies_with_access = True

    clock.now += FOURTEEN_DAYS

    assert (await patient.refresh())[0] == 400


@pytest.mark.parametrize("rotate", [True, False])
async def test_a_refresh_can_end_the_older_access_token(
    patient: Patient, rotate: bool
) -> None:
    patient.sandbox.switches.old_access_dies = True
    patient.sandbox.switches.rotate_refresh = rotate

    _, new = await patient.refresh()

    assert await patient.status() == 401
    assert await patient.status(access=new["access_token"]) == 200


async def test_client_id_need_not_be_required(patient: Patient) -> None:
    patient.sandbox.switches.require_client_id = False

    assert (await patient.refresh(client_id="-"))[0] == 200


async def test_a_missing_client_id_does_not_spend_the_refresh_token(
    patient: Patient,
) -> None:
    token = patient.tokens["refresh_token"]
    error = await refused(patient, token, client_id="-")
    assert error == (400, "invalid_clientId")
    patient.sandbox.switches.client_error = "invalid_client"
    error = await refused(patient, token, client_id="unknown")
    assert error == (400, "invalid_client")

    assert (await patient.refresh())[0] == 200


async def test_lifetimes_are_switched_for_the_next_token(
    patient: Patient, clock: MovedClock
) -> None:
    patient.sandbox.switches.lifetime = 5
    _, new = await patient.refresh()

    assert new["expires_in"] == 5
    clock.now += 5
    assert await patient.status(access=new["access_token"]) == 401
    patient.sandbox.switches.access_lifetime_enforced = False
    assert await patient.status(access=new["access_token"]) == 200


async def test_the_api_refuses_with_the_documented_403(patient: Patient) -> None:
    patient.sandbox.switches.reject_with = "403"
    patient.sandbox.revoke_access()

    body = await patient.expect(403, "GET", "/api/v1/profile/get")

    assert body["type"] == "oauth"


async def test_the_odd_answers_of_real_servers(stranger: Patient) -> None:
    switches = stranger.sandbox.switches
    switches.expires_in_as_string = True
    switches.omit_refresh_token = True
    switches.extra_members = True
    switches.error_without_description = True

    body = await stranger.login()
    _, refusal = await stranger.token(grant_type="refresh_token", refresh_token="x")

    assert body["expires_in"] == "1209599"
    assert "refresh_token" not in body
    assert body["userName"] == "79161234567"
    assert refusal == {"error": "invalid_grant"}


async def test_a_refresh_token_that_is_not_replaced_is_not_spent(
    patient: Patient,
) -> None:
    patient.sandbox.switches.omit_refresh_token = True

    assert [(await patient.refresh())[0] for _ in range(2)] == [200, 200]
    assert patient.sandbox.spent_presented == 0


async def test_everything_can_be_forgotten(
    patient: Patient, control: Callable[..., Any]
) -> None:
    await patient.post("/api/v1/profile/update", {"city": "Омск"})
    patient.sandbox.switches.lifetime = 3

    patient.sandbox.reset()

    assert patient.sandbox.requests == []
    assert patient.sandbox.token_requests == []
    assert patient.sandbox.sms == []
    assert await patient.status() == 401
    assert (await patient.login())["expires_in"] == FOURTEEN_DAYS - 1
    profile = await patient.get("/api/v1/profile/get")
    assert profile["item"]["city"] != "Омск"


async def test_tokens_are_not_in_what_is_printed(patient: Patient) -> None:
    await patient.get("/api/v1/profile/get")

    sandbox: Sandbox = patient.sandbox
    printed = repr(sandbox.requests) + repr(sandbox.token_requests) + repr(sandbox)
    assert patient.tokens["access_token"] not in printed
    assert patient.tokens["refresh_token"] not in printed
