"""Messages: added, answered, read."""

from tests.clocks import MovedClock
from tests.sandbox.conftest import Json, Patient


async def running(patient: Patient) -> int:
    listed = await patient.get("/api/v1/writingrequest/get-all?status=inProgress")
    return int(listed["items"][0]["id"])


async def test_an_added_message_is_listed_and_answered(
    patient: Patient, clock: MovedClock
) -> None:
    one = await running(patient)
    text = "Температура 37,5 — это ничего? «Парацетамол» принял 😷"

    added = await patient.post("/api/v1/message/add", {"requestId": one, "text": text})

    listed = await patient.get(
        f"/api/v2/message/get-all?requestId={one}&lookForward=false&limit=2"
    )
    reply, own = listed["items"]
    assert own == added["item"]
    assert own["text"] == text
    assert reply["author"] == "doctor"
    assert reply["isRead"] is False


async def test_reading_ends_unread(patient: Patient) -> None:
    one = await running(patient)
    path = f"/api/v1/writingrequest/has-unread-messages/{one}"
    assert (await patient.get(path))["hasUnreadMessages"] is True
    unread = (await patient.get("/api/v1/message/get-all-unread"))["items"]

    marked = await patient.post(
        "/api/v1/message/mark-as-read", {"messageIds": [m["id"] for m in unread]}
    )

    assert marked["item"]["markedCount"] == len(unread) > 0
    assert (await patient.get(path)) == {"hasUnreadMessages": False, "count": 0}
    assert (await patient.get("/api/v1/message/get-all-unread"))["totalCount"] == 0
    again = await patient.post("/api/v1/message/mark-as-read", {"requestId": one})
    assert again["item"]["markedCount"] == 0


async def test_a_window_looks_forward_or_back(patient: Patient) -> None:
    path = f"/api/v2/message/get-all?requestId={await running(patient)}&limit=100"
    every = (await patient.get(path))["items"]
    middle = every[2]["created"]

    forward = (await patient.get(f"{path}&createdFromUtc={middle}"))["items"]
    back = await patient.get(f"{path}&createdFromUtc={middle}&lookForward=false")

    assert [m["id"] for m in forward] == [m["id"] for m in every[2:]]
    earlier: list[Json] = back["items"]
    assert [m["id"] for m in earlier] == [m["id"] for m in reversed(every[:2])]


async def test_the_same_instant_in_another_zone_is_the_same_window(
    patient: Patient,
) -> None:
    path = "/api/v2/message/get-all?limit=100&createdFromUtc="

    moscow = await patient.get(f"{path}2025-01-01T03:00:00+0300")
    coded = await patient.get(f"{path}2025-01-01T03:00:00%2B0300")
    utc = await patient.get(f"{path}2025-01-01T00:00:00Z")
    bare = await patient.get(f"{path}2025-01-01T00:00:00")

    assert moscow == coded == utc == bare
    assert moscow["totalCount"] > 0


async def test_wrong_messages_are_refused(patient: Patient) -> None:
    one = await running(patient)

    await patient.post("/api/v1/message/add", {"requestId": one}, status=400)
    await patient.post("/api/v1/message/add", {"text": "?"}, status=400)
    await patient.post("/api/v1/message/mark-as-read", {}, status=400)
    await patient.post("/api/v1/message/mark-as-read", {"ids": [1]}, status=404)
