"""Every documented call answers, in its documented shape."""

import io
import json
import re
from typing import Any

import aiohttp
import pytest
from yarl import URL

from proxy.sandbox import Sandbox
from proxy.sandbox.routes import ROUTES, Route
from tests.sandbox.conftest import Patient

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")

# What the upstream's documentation lists, written down a second time.
DOCUMENTED = """
GET /api/v1/application/updates
GET /api/v1/doctor/get-all
GET /api/v1/doctor/get/{id}
GET /api/v1/request/get-all
GET /api/v1/request/get/{id}
GET /api/v1/request/get-status/{id}
GET /api/v1/request/medical-report
POST /api/v1/request/attach-document
POST /api/v1/request/patient-feedback
GET /api/v1/callbackrequest/get-all
GET /api/v1/callbackrequest/get/{id}
POST /api/v1/callbackrequest/start-callback
POST /api/v1/callbackrequest/terminate-callback
POST /api/v1/callbackrequest/patient-feedback
GET /api/v1/writingrequest/get-all
GET /api/v1/writingrequest/get/{id}
GET /api/v1/writingrequest/has-unread-messages/{id}
POST /api/v1/writingrequest/start-writing
POST /api/v1/writingrequest/cancel
POST /api/v1/writingrequest/abort
POST /api/v1/writingrequest/patient-feedback
GET /api/v1/voiprequest/get-all
GET /api/v1/voiprequest/get/{id}
POST /api/v1/voiprequest/start
POST /api/v1/voiprequest/terminate
POST /api/v1/voiprequest/patient-feedback
GET /api/v2/message/get-all
GET /api/v1/message/get-all-unread
POST /api/v1/message/add
POST /api/v1/message/mark-as-read
POST /api/v1/media/add
GET /api/v1/media/get/{id}
GET /api/v1/media/get-uploaded
GET /api/v1/profile/get
POST /api/v1/profile/update
POST /api/v1/medicalcard/share
GET /api/v1/operation/get-all
POST /api/v1/push/subscribe
GET /api/v1/push/unsubscribe
GET /api/v1/region/get-all
GET /api/v1/degree/get-all
GET /api/v1/medicalposition/get-all
GET /api/v1/medicalspecialty/get-all
""".strip().splitlines()


def test_the_route_table_is_the_documentation() -> None:
    assert sorted(f"{route.method} {route.path}" for route in ROUTES) == sorted(
        DOCUMENTED
    )


class Caller:
    """Knows an id, a query and a body that each call takes."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient

    async def of(self, kind: str, **wanted: str) -> int:
        listed = await self.patient.get(
            f"/api/v1/{kind}/get-all", params=wanted | {"limit": "100"}
        )
        return int(listed["items"][0]["id"])

    async def started(self, kind: str) -> int:
        path = {"callback": "start-callback", "writing": "start-writing"}
        body = await self.patient.post(
            f"/api/v1/{kind}request/{path.get(kind, 'start')}", {"text": "Кашель"}
        )
        return int(body["item"]["id"])

    async def path(self, route: Route) -> str:
        path = route.path
        if "{id}" not in path:
            return path
        if route.area == "doctors":
            return path.replace("{id}", "101")
        if route.area == "media":
            return path.replace("{id}", "sample-1m")
        kind = "request" if route.area == "requests" else f"{route.area}request"
        return path.replace("{id}", str(await self.of(kind)))

    async def query(self, route: Route) -> dict[str, str]:
        if route.path.endswith("updates"):
            return {"operatingSystemName": "iOS", "applicationVersion": "3.1.0"}
        if route.path.endswith("medical-report"):
            return {"id": str(await self.with_report())}
        return {}

    async def with_report(self) -> int:
        listed = await self.patient.get("/api/v1/request/get-all?limit=100")
        return next(int(r["id"]) for r in listed["items"] if r["hasMedicalReport"])

    async def content(self, route: Route) -> dict[str, Any]:
        if route.body == "multipart":
            form = aiohttp.FormData()
            if "requestId" in route.members:
                form.add_field("requestId", str(await self.of("request")))
            form.add_field("file", b"%PDF-1.4", filename="analysis.pdf")
            return {"data": form}
        return {"json": await self.body(route)} if route.body == "json" else {}

    async def body(self, route: Route) -> dict[str, Any]:
        last = route.path.rpartition("/")[2]
        if route.paid:
            return {"doctorId": 101, "text": "Болит горло"}
        if last == "patient-feedback":
            kind = "request" if route.area == "requests" else f"{route.area}request"
            done = await self.of(kind, status="completed")
            return {"requestId": done, "rating": 5, "text": "Спасибо"}
        if last in ("terminate", "terminate-callback", "cancel"):
            return {"requestId": await self.started(route.area)}
        running = await self.of("writingrequest", status="inProgress")
        bodies: dict[str, dict[str, Any]] = {
            "abort": {"requestId": running},
            "add": {"requestId": running, "text": "Добрый день!"},
            "mark-as-read": {"requestId": running},
            "update": {"city": "Тверь"},
            "share": {"doctorId": 102},
            "subscribe": {"token": "a1b2", "platform": "ios"},
        }
        return bodies[last]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
async def test_every_documented_call_answers(patient: Patient, route: Route) -> None:
    caller = Caller(patient)
    path, query = await caller.path(route), await caller.query(route)
    content = await caller.content(route)

    async with patient.call(route.method, path, params=query, **content) as answer:
        raw = await answer.read()

    assert answer.status == 200, raw
    if route.shape == "bytes":
        assert len(raw) == 1024 * 1024
        return
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert rb"\u04" not in raw, "Cyrillic must not be escaped"
    body = json.loads(raw.decode("utf-8"))
    if route.shape == "list":
        assert list(body) == ["items", "count", "totalCount"]
        assert body["count"] == len(body["items"]) <= body["totalCount"]
    elif route.shape == "item":
        assert list(body) == ["item"]
    else:
        assert "item" not in body
        assert "items" not in body
    for name, value in dates(body):
        assert DATE.fullmatch(value), (name, value)


def dates(body: Any) -> list[tuple[str, str]]:
    """Return every date member, at any depth."""
    if isinstance(body, list):
        return [found for each in body for found in dates(each)]
    if not isinstance(body, dict):
        return []
    found = [each for value in body.values() for each in dates(value)]
    names = ("created", "ended", "expires", "birthDate")
    return found + [(n, body[n]) for n in names if body.get(n) is not None]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
async def test_every_call_wants_a_token(stranger: Patient, route: Route) -> None:
    path = route.path.replace("{id}", "1")

    async with stranger.call(route.method, path, access="stolen") as answer:
        body = await answer.json()

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert body == {"message": "Authorization has been denied for this request."}


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("specialtyId=x", "specialtyId"),
        ("isAvailable=perhaps", "isAvailable"),
        ("sort=colour", "sort"),
    ],
)
async def test_a_wrong_argument_is_named(
    patient: Patient, query: str, value: str
) -> None:
    body = await patient.expect(400, "GET", f"/api/v1/doctor/get-all?{query}")

    assert body["type"] == "bad_argument"
    assert body["value"] == value
    assert body["description"]


async def test_pages_of_a_list_make_up_the_whole(patient: Patient) -> None:
    path = "/api/v1/doctor/get-all"
    whole = await patient.get(f"{path}?limit=100")
    pages = [await patient.get(f"{path}?limit=25&offset={n}") for n in (0, 25, 50)]

    items = [item for page in pages for item in page["items"]]
    assert items == whole["items"]
    assert {page["totalCount"] for page in pages} == {64}
    assert (await patient.get(path))["count"] == 10


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("specialtyId=3", lambda d: 3 in [each["id"] for each in d["specialties"]]),
        ("regionId=77", lambda d: d["region"]["id"] == 77),
        ("degreeId=2", lambda d: d["degree"]["id"] == 2),
        ("positionId=1", lambda d: d["position"]["id"] == 1),
        ("isAvailable=false", lambda d: d["isAvailable"] is False),
        ("name=ова", lambda d: "ова" in d["fullName"].lower()),
        ("NAME=%D0%BE%D0%B2%D0%B0", lambda d: "ова" in d["fullName"].lower()),
    ],
)
async def test_filters_keep_exactly_what_fits(
    patient: Patient, query: str, member: Any
) -> None:
    every = (await patient.get("/api/v1/doctor/get-all?limit=100"))["items"]
    found = (await patient.get(f"/api/v1/doctor/get-all?limit=100&{query}"))["items"]

    assert found == [doctor for doctor in every if member(doctor)]
    assert found


@pytest.mark.parametrize(
    "path",
    [
        "/API/V1/Profile/GET",
        "/api/v1/profile/get/",
        "//api/v1/./doctor/..//profile/get",
        "/api/v1/%70rofile/get",
    ],
)
async def test_paths_are_taken_as_leniently_as_iis_does(
    patient: Patient, path: str
) -> None:
    url = URL(patient.sandbox.api_url + path, encoded=True)
    headers = {"Authorization": f"Bearer {patient.tokens['access_token']}"}
    async with patient.session.get(url, headers=headers) as answer:
        assert answer.status == 200


async def test_an_unknown_path_is_a_documented_404(patient: Patient) -> None:
    body = await patient.expect(404, "GET", "/api/v1/нет?x=1")

    assert body["type"] == "not_found"
    assert set(body) == {"type", "value", "description"}


async def test_a_wrong_method_is_answered_as_the_framework_does(
    patient: Patient,
) -> None:
    async with patient.call("DELETE", "/api/v1/profile/get") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET"


async def test_head_has_the_length_of_get(patient: Patient) -> None:
    async with patient.call("GET", "/api/v1/profile/get") as answer:
        length = len(await answer.read())
    async with patient.call("HEAD", "/api/v1/profile/get") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Length"] == str(length)
        assert await answer.read() == b""


async def test_lists_are_compressed_when_the_client_takes_gzip(
    patient: Patient, sandbox: Sandbox
) -> None:
    async with patient.call(
        "GET", "/api/v1/doctor/get-all", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        packed, body = answer.headers, await answer.json()
    async with patient.call(
        "GET", "/api/v1/doctor/get-all", headers={"Accept-Encoding": "identity"}
    ) as answer:
        plain, same = answer.headers, await answer.json()

    assert packed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain
    assert body == same
    assert int(packed["Content-Length"]) < int(plain["Content-Length"]) / 3
    assert packed["Vary"] == "Accept-Encoding"
    assert packed["Server"] == "Microsoft-IIS/10.0"
    assert packed["X-Request-Id"] != plain["X-Request-Id"]
    assert len(packed.getall("Set-Cookie")) == 2


async def test_a_body_that_is_not_an_object_is_refused(patient: Patient) -> None:
    for data in (b"[1]", b"{", b"\xff", b"[" * 100_000):
        body = await patient.expect(400, "POST", "/api/v1/profile/update", data=data)
        assert body["value"] == "content"


async def test_a_json_body_has_a_largest_size(patient: Patient) -> None:
    large = io.BytesIO(b'{"city": "%s"}' % (b"x" * 1024 * 1024))

    body = await patient.expect(400, "POST", "/api/v1/profile/update", data=large)

    assert body["type"] == "limit_exceeded"


async def test_a_form_is_as_good_as_json(patient: Patient) -> None:
    body = await patient.expect(
        200, "POST", "/api/v1/profile/update", data={"city": "Тверь"}
    )

    assert body["item"]["city"] == "Тверь"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("operatingSystemName=iOS", "applicationVersion"),
        ("operatingSystemName=BeOS&applicationVersion=1.0", "operatingSystemName"),
        ("operatingSystemName=iOS&applicationVersion=new", "applicationVersion"),
    ],
)
async def test_updates_checks_its_arguments(
    patient: Patient, query: str, value: str
) -> None:
    body = await patient.expect(400, "GET", f"/api/v1/application/updates?{query}")

    assert body["value"] == value


async def test_an_old_version_must_update(patient: Patient) -> None:
    query = "operatingSystemName=Android&applicationVersion="
    old = await patient.get(f"/api/v1/application/updates?{query}1.9")
    new = await patient.get(f"/api/v1/application/updates?{query}3.14.0")

    assert old["item"]["isUpdateRequired"] is True
    assert new["item"]["isUpdateAvailable"] is False
