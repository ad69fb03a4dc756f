"""Profile, medical card, payments, push notifications."""

import pytest

from tests.sandbox.conftest import Json, Patient


async def test_an_updated_profile_stays_so(patient: Patient) -> None:
    before = (await patient.get("/api/v1/profile/get"))["item"]
    changes = {
        "lastName": "Щукин-Ёлкин",
        "heightCm": 181,
        "email": "a@b.ru",
        "gender": "male",
        "birthDate": "1980-02-29T00:00:00+0300",
    }

    await patient.post("/api/v1/profile/update", changes)

    after = (await patient.get("/api/v1/profile/get"))["item"]
    assert after == before | changes
    assert after["phone"] == "79161234567"


@pytest.mark.parametrize(
    "changes",
    [
        {"heightCm": 900},
        {"email": "none"},
        {"gender": "?"},
        {"birthDate": "29.02.1980"},
        {"city": ["Тверь"]},
    ],
)
async def test_a_wrong_profile_changes_nothing(patient: Patient, changes: Json) -> None:
    before = await patient.get("/api/v1/profile/get")

    body = await patient.post(
        "/api/v1/profile/update", {"city": "Омск"} | changes, status=400
    )

    assert body["value"] == next(iter(changes))
    assert await patient.get("/api/v1/profile/get") == before


async def test_devices_are_remembered_and_forgotten(patient: Patient) -> None:
    for token in ("one", "two"):
        device = {"token": token, "platform": "android"}
        await patient.post("/api/v1/push/subscribe", device)
    path = "/api/v1/push/unsubscribe"

    first = await patient.get(f"{path}?token=one")
    await patient.expect(404, "GET", f"{path}?token=one")
    rest = await patient.get(path)

    assert first["item"]["removedCount"] == 1
    assert rest["item"]["removedCount"] == 1
    await patient.post(
        "/api/v1/push/subscribe", {"token": "x", "platform": "pager"}, status=400
    )


async def test_the_card_is_shared_with_a_doctor_there_is(patient: Patient) -> None:
    shared = await patient.post("/api/v1/medicalcard/share", {"doctorId": 103})

    assert shared["item"]["doctor"]["id"] == 103
    assert shared["item"]["expires"] > shared["item"]["created"]
    await patient.post("/api/v1/medicalcard/share", {"doctorId": 1}, status=404)
    await patient.post("/api/v1/medicalcard/share", {}, status=400)


async def test_operations_are_listed_by_type(patient: Patient) -> None:
    path = "/api/v1/operation/get-all?limit=100"

    every = await patient.get(path)
    deposits = await patient.get(f"{path}&type=deposit")

    assert {each["type"] for each in every["items"]} >= {"deposit", "payment"}
    assert [each["amount"] for each in deposits["items"]] == [15_000]
