"""Uploads come back byte for byte; big downloads are streams."""

import hashlib
import io
import zlib

import aiohttp

from proxy.sandbox.data.files import sample_chunks
from proxy.sandbox.data.world import HOSTILE_PAGE, UPLOADS_KEPT, World
from tests.clocks import MovedClock
from tests.sandbox.conftest import Json, Patient

LIMIT = 10 * 1024 * 1024
ADD = "/api/v1/media/add"


def upload(content: bytes, name: str = "file.bin", kind: str = "image/x-test") -> Json:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename=name, content_type=kind)
    return {"data": form}


async def download(patient: Patient, media_id: str) -> tuple[bytes, str]:
    async with patient.call("GET", f"/api/v1/media/get/{media_id}") as answer:
        assert answer.status == 200
        return await answer.read(), answer.headers["Content-Type"]


async def test_an_upload_of_ten_megabytes_comes_back_byte_for_byte(
    patient: Patient,
) -> None:
    content = b"".join(sample_chunks(10))

    body = await patient.expect(200, "POST", ADD, **upload(content))

    assert body["item"]["size"] == LIMIT
    assert await download(patient, body["item"]["id"]) == (content, "image/x-test")


async def test_a_byte_more_is_limit_exceeded_and_stores_nothing(
    patient: Patient,
) -> None:
    form = aiohttp.FormData()
    form.add_field("small", b"x", filename="small.txt")
    form.add_field("large", io.BytesIO(bytes(LIMIT + 1)), filename="large.bin")

    body = await patient.expect(400, "POST", ADD, data=form)

    assert body["type"] == "limit_exceeded"
    assert (await patient.get("/api/v1/media/get-uploaded"))["totalCount"] == 0


async def test_several_files_are_a_list(patient: Patient) -> None:
    form = aiohttp.FormData()
    form.add_field("comment", "Анализы")
    for number in range(3):
        form.add_field("file", b"%d" % number, filename=f"{number}.txt")

    body = await patient.expect(200, "POST", ADD, data=form)

    assert [each["fileName"] for each in body["items"]] == ["0.txt", "1.txt", "2.txt"]
    contents = [await download(patient, each["id"]) for each in body["items"]]
    assert [content for content, _ in contents] == [b"0", b"1", b"2"]


async def test_an_upload_without_a_file_is_refused(patient: Patient) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("comment", "нет файла")

    assert (await patient.expect(400, "POST", ADD, data=form))["value"] == "file"
    body = await patient.expect(400, "POST", ADD, json={"file": "text"})
    assert body["value"] == "content"


async def test_an_upload_that_ends_too_early_is_refused(patient: Patient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    cut = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nabc'

    body = await patient.expect(400, "POST", ADD, data=cut, headers=headers)

    assert body["type"] == "bad_argument"


async def test_an_uploaded_file_can_go_with_a_message(patient: Patient) -> None:
    media = await patient.expect(200, "POST", ADD, **upload(b"photo"))
    listed = await patient.get("/api/v1/writingrequest/get-all?status=inProgress")
    body = {
        "requestId": listed["items"][0]["id"],
        "text": "Фото",
        "attachmentIds": [media["item"]["id"]],
    }

    added = await patient.post("/api/v1/message/add", body)

    assert added["item"]["attachments"] == [media["item"]]


async def test_a_large_sample_is_the_same_every_time(patient: Patient) -> None:
    wanted = hashlib.sha256()
    for chunk in sample_chunks(64):
        wanted.update(chunk)
    for name in ("sample-64m", "stream-64m"):
        got = hashlib.sha256()
        async with patient.call("GET", f"/api/v1/media/get/{name}") as answer:
            length = answer.headers.get("Content-Length")
            async for piece in answer.content.iter_any():
                got.update(piece)
        assert got.digest() == wanted.digest()
        assert length == (str(64 * 1024 * 1024) if name == "sample-64m" else None)


async def test_samples_have_a_largest_size(patient: Patient) -> None:
    async with patient.call("HEAD", "/api/v1/media/get/sample-1024m") as answer:
        assert answer.headers["Content-Length"] == str(1024**3)
    await patient.expect(404, "GET", "/api/v1/media/get/sample-1025m")
    await patient.expect(404, "GET", "/api/v1/media/get/sample-0m")
    await patient.expect(404, "GET", "/api/v1/media/get/none")


async def test_a_doctor_s_photo_is_a_picture(patient: Patient) -> None:
    doctor = await patient.get("/api/v1/doctor/get/101")

    content, kind = await download(patient, doctor["photoId"])

    assert kind == "image/png"
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    data = content[content.index(b"IDAT") + 4 : -16]
    assert len(zlib.decompress(data)) == 96 * (96 * 3 + 1)


async def test_other_people_s_html_is_served_as_html(patient: Patient) -> None:
    content, kind = await download(patient, HOSTILE_PAGE)

    assert kind == "text/html; charset=utf-8"
    assert b"<script>" in content


def test_old_uploads_make_room_for_new_ones(clock: MovedClock) -> None:
    from proxy.sandbox.data.patient import Media

    world = World(1, clock)
    half = UPLOADS_KEPT // 2
    for number in range(3):
        name = f"upload-{number}"
        world.keep(Media(name, "f", "x/y", half, clock(), content=b"kept"))

    kept = [world.media[f"upload-{number}"].read() for number in range(3)]
    assert kept == [None, b"kept", b"kept"]
