"""Consultations: they cost money, appear in lists, and end once."""

from typing import Any

import aiohttp
import pytest

from tests.clocks import MovedClock
from tests.sandbox.conftest import Json, Patient

START = {
    "callback": "/api/v1/callbackrequest/start-callback",
    "writing": "/api/v1/writingrequest/start-writing",
    "voip": "/api/v1/voiprequest/start",
}
END = {
    "callback": "/api/v1/callbackrequest/terminate-callback",
    "voip": "/api/v1/voiprequest/terminate",
}


async def start(patient: Patient, kind: str, **more: Any) -> Json:
    body = {"doctorId": 101, "text": "Кружится голова"} | more
    item: Json = (await patient.post(START[kind], body))["item"]
    return item


async def balance(patient: Patient) -> int:
    return int((await patient.get("/api/v1/profile/get"))["item"]["balance"])


@pytest.mark.parametrize("kind", START)
async def test_a_started_consultation_appears_and_is_paid(
    patient: Patient, clock: MovedClock, kind: str
) -> None:
    before = await balance(patient)

    one = await start(patient, kind)

    for path in ("request", f"{kind}request"):
        listed = await patient.get(f"/api/v1/{path}/get-all")
        assert listed["items"][0] == one
        assert await patient.get(f"/api/v1/{path}/get/{one['id']}") == {"item": one}
    operations = (await patient.get("/api/v1/operation/get-all"))["items"]
    assert operations[0]["requestId"] == one["id"]
    assert operations[0]["amount"] == -one["price"] < 0
    assert await balance(patient) == before - one["price"]
    status = await patient.get(f"/api/v1/request/get-status/{one['id']}")
    assert status["item"]["status"] == one["status"]


async def test_nothing_starts_when_the_money_has_run_out(patient: Patient) -> None:
    for _ in range(20):
        if await balance(patient) < 1100:
            break
        await start(patient, "voip")
    left = await balance(patient)
    listed = await patient.get("/api/v1/request/get-all")

    body = await patient.post(START["voip"], {"doctorId": 101}, status=402)

    assert body["type"] == "insufficient_funds"
    assert await balance(patient) == left
    again = await patient.get("/api/v1/request/get-all")
    assert again["totalCount"] == listed["totalCount"]


async def test_each_start_is_a_consultation_of_its_own(patient: Patient) -> None:
    first, second = await start(patient, "callback"), await start(patient, "callback")

    assert first["id"] != second["id"]


@pytest.mark.parametrize("kind", END)
async def test_a_terminated_consultation_cannot_be_terminated_again(
    patient: Patient, kind: str
) -> None:
    one = await start(patient, kind)

    ended = await patient.post(END[kind], {"requestId": one["id"]})
    body = await patient.post(END[kind], {"requestId": one["id"]}, status=409)

    assert ended["status"] == "terminated"
    assert ended["ended"] is not None
    assert body["type"] == "conflict"


async def test_cancel_returns_the_money_and_abort_does_not(patient: Patient) -> None:
    before = await balance(patient)
    waiting = await start(patient, "writing")
    await patient.post("/api/v1/writingrequest/cancel", {"requestId": waiting["id"]})
    assert await balance(patient) == before

    talking = await start(patient, "writing")
    message = {"requestId": talking["id"], "text": "Доктор?"}
    await patient.post("/api/v1/message/add", message)
    await patient.post(
        "/api/v1/writingrequest/cancel", {"requestId": talking["id"]}, status=409
    )
    await patient.post("/api/v1/writingrequest/abort", {"requestId": talking["id"]})
    assert await balance(patient) == before - talking["price"]
    await patient.post("/api/v1/message/add", message, status=409)


async def test_abort_needs_a_conversation(patient: Patient) -> None:
    one = await start(patient, "writing")

    await patient.post(
        "/api/v1/writingrequest/abort", {"requestId": one["id"]}, status=409
    )


@pytest.mark.parametrize(
    ("kind", "body", "status", "value"),
    [
        ("callback", {"doctorId": "x"}, 400, "doctorId"),
        ("callback", {"doctorId": True}, 400, "doctorId"),
        ("callback", {"doctorId": 9999}, 404, "doctor"),
        ("callback", {"phone": "звоните"}, 400, "phone"),
        ("writing", {"doctorId": 101}, 400, "text"),
        ("writing", {"text": "x" * 4001}, 400, "text"),
        ("voip", {"attachmentIds": ["nothing"]}, 404, "media"),
    ],
)
async def test_a_start_that_cannot_be_is_refused_and_costs_nothing(
    patient: Patient, kind: str, body: Json, status: int, value: str
) -> None:
    before = await balance(patient)

    refused = await patient.post(START[kind], body, status=status)

    assert refused["value"] == value
    assert await balance(patient) == before


async def test_a_doctor_off_duty_takes_no_calls_but_answers_letters(
    patient: Patient,
) -> None:
    listed = await patient.get("/api/v1/doctor/get-all?isAvailable=false")
    number = listed["items"][0]["id"]

    refused = await patient.post(START["voip"], {"doctorId": number}, status=409)

    assert refused["value"] == "doctor"
    await start(patient, "writing", doctorId=number)


async def test_without_a_doctor_one_on_duty_is_found(patient: Patient) -> None:
    body = await patient.post(START["callback"], {})

    assert body["item"]["doctor"]["fullName"]


async def test_only_a_finished_consultation_takes_an_opinion(patient: Patient) -> None:
    one = await start(patient, "voip")
    opinion = {"requestId": one["id"], "rating": 4}
    path = "/api/v1/voiprequest/patient-feedback"

    assert (await patient.post(path, opinion, status=409))["type"] == "conflict"
    await patient.post(END["voip"], {"requestId": one["id"]})
    assert (await patient.post(path, opinion))["item"]["feedback"]["rating"] == 4
    await patient.post(path, opinion | {"rating": 6}, status=400)


async def test_a_consultation_of_another_kind_is_not_found(patient: Patient) -> None:
    one = await start(patient, "voip")

    await patient.expect(404, "GET", f"/api/v1/writingrequest/get/{one['id']}")


async def test_a_stranger_s_consultation_is_forbidden(patient: Patient) -> None:
    other = next(iter(patient.sandbox.world.patient("70000000000").consultations))

    body = await patient.expect(403, "GET", f"/api/v1/request/get/{other}")

    assert body["type"] == "forbidden"
    await patient.expect(404, "GET", "/api/v1/request/get/1")
    await patient.expect(400, "GET", "/api/v1/request/get/one")


async def test_two_patients_do_not_see_each_other(patient: Patient) -> None:
    one = await start(patient, "voip")
    other = Patient(patient.sandbox, patient.session)
    await other.login("9035550000")

    await other.expect(403, "GET", f"/api/v1/request/get/{one['id']}")
    listed = await other.get("/api/v1/request/get-all?limit=100")
    assert one["id"] not in [each["id"] for each in listed["items"]]


async def test_lists_filter_by_status_doctor_and_date(
    patient: Patient, clock: MovedClock
) -> None:
    one = await start(patient, "callback", doctorId=105)
    path = "/api/v1/request/get-all?limit=100"

    waiting = await patient.get(f"{path}&status=waiting")
    of_doctor = await patient.get(f"{path}&doctorId=105")
    # The raw plus of the date arrives as it is.
    recent = await patient.get(f"{path}&createdFromUtc=2025-10-01T00:00:00+0300")

    assert waiting["items"] == [one]
    assert one in of_doctor["items"]
    assert recent["items"] == [one]
    await patient.expect(400, "GET", f"{path}&status=unheard")
    await patient.expect(400, "GET", f"{path}&createdFromUtc=yesterday")


async def test_a_document_is_attached_by_multipart(patient: Patient) -> None:
    one = await start(patient, "callback")
    form = aiohttp.FormData()
    form.add_field("requestId", str(one["id"]))
    form.add_field("file", b"\x89PNG", filename="снимок.png", content_type="image/png")

    body = await patient.expect(
        200, "POST", "/api/v1/request/attach-document", data=form
    )

    [media] = body["item"]["attachments"]
    assert media["contentType"] == "image/png"
    assert media["size"] == 4
    uploaded = await patient.get("/api/v1/media/get-uploaded")
    assert uploaded["items"] == [media]


async def test_the_medical_report_is_a_pdf_that_can_be_read(patient: Patient) -> None:
    listed = await patient.get("/api/v1/request/get-all?limit=100")
    one = next(each for each in listed["items"] if each["hasMedicalReport"])
    without = next(each for each in listed["items"] if not each["hasMedicalReport"])

    report = await patient.get(f"/api/v1/request/medical-report?id={one['id']}")

    path = f"/api/v1/media/get/{report['item']['mediaId']}"
    async with patient.call("GET", path) as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        assert (await answer.read()).startswith(b"%PDF-")
    await patient.expect(
        404, "GET", f"/api/v1/request/medical-report?id={without['id']}"
    )
