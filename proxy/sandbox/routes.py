"""Every documented call of the API, as data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote

from proxy.sandbox.answers import Answer, StreamAnswer
from proxy.sandbox.calls import clinic, consultations, media, messages, person
from proxy.sandbox.calls.call import Call

Body = Literal["none", "json", "multipart"]
Shape = Literal["list", "item", "bare", "bytes"]

VALIDATION_CODE = "/api/v1/access/validation-code"


@dataclass(frozen=True, slots=True)
class Route:
    """One call: what it takes and which shape its answer has.

    `paid` marks the calls that cost the patient money.
    """

    area: str
    method: str
    path: str
    shape: Shape
    answer: Callable[[Call], Answer | StreamAnswer]
    query: tuple[str, ...] = ()
    body: Body = "none"
    members: tuple[str, ...] = ()
    paid: bool = False


Function = Callable[[Call], Answer | StreamAnswer]


def _get(area: str, path: str, shape: Shape, answer: Function, *query: str) -> Route:
    return Route(area, "GET", path, shape, answer, query)


def _list(area: str, path: str, answer: Function, *query: str) -> Route:
    return _get(area, path, "list", answer, *query, "limit", "offset")


def _post(
    area: str, path: str, answer: Function, *members: str, shape: Shape = "item"
) -> Route:
    return Route(area, "POST", path, shape, answer, body="json", members=members)


def _upload(area: str, path: str, answer: Function, *members: str) -> Route:
    return Route(area, "POST", path, "item", answer, body="multipart", members=members)


def _start(kind: str, path: str, *members: str) -> Route:
    answer = consultations.start(kind)
    members = ("doctorId", "text", "attachmentIds", *members)
    return replace(_post(kind, path, answer, *members), paid=True)


def _terminate(kind: str, path: str) -> Route:
    answer = consultations.terminate(kind)
    return _post(kind, path, answer, "requestId", shape="bare")


def _every_kind(area: str, base: str, kind: str | None) -> list[Route]:
    """Return the calls that all kinds of consultations have."""
    listed, one = consultations.list_of(kind), consultations.one_of(kind)
    opinion = consultations.feedback(kind)
    members = ("requestId", "rating", "text")
    return [
        _list(area, f"{base}/get-all", listed, "status", "doctorId", "createdFromUtc"),
        _get(area, f"{base}/get/{{id}}", "item", one),
        _post(area, f"{base}/patient-feedback", opinion, *members),
    ]


_REQUEST = "/api/v1/request"
_CALLBACK = "/api/v1/callbackrequest"
_WRITING = "/api/v1/writingrequest"
_VOIP = "/api/v1/voiprequest"
_REFERENCE = "reference data"
_SYSTEM = ("operatingSystemName", "applicationVersion")
_IDS = ("specialtyId", "regionId", "degreeId", "positionId")
_FILTERS = (*_IDS, "name", "isAvailable", "sort")
_PERSON = ("lastName", "firstName", "middleName", "gender", "birthDate", "email")
_PROFILE = (*_PERSON, "city", "heightCm", "weightKg", "allergies")
_WINDOW = ("requestId", "createdFromUtc", "lookForward")
_MESSAGE = ("requestId", "text", "attachmentIds")

ROUTES: tuple[Route, ...] = (
    _get(
        "application", "/api/v1/application/updates", "item", clinic.updates, *_SYSTEM
    ),
    _list("doctors", "/api/v1/doctor/get-all", clinic.doctors, *_FILTERS),
    _get("doctors", "/api/v1/doctor/get/{id}", "bare", clinic.doctor),
    *_every_kind("requests", _REQUEST, None),
    _get("requests", f"{_REQUEST}/get-status/{{id}}", "item", consultations.status),
    _get(
        "requests",
        f"{_REQUEST}/medical-report",
        "item",
        consultations.medical_report,
        "id",
    ),
    _upload(
        "requests",
        f"{_REQUEST}/attach-document",
        consultations.attach_document,
        "requestId",
        "file",
    ),
    *_every_kind("callback", _CALLBACK, "callback"),
    _start("callback", f"{_CALLBACK}/start-callback", "phone"),
    _terminate("callback", f"{_CALLBACK}/terminate-callback"),
    *_every_kind("writing", _WRITING, "writing"),
    _get(
        "writing",
        f"{_WRITING}/has-unread-messages/{{id}}",
        "bare",
        consultations.has_unread_messages,
    ),
    _start("writing", f"{_WRITING}/start-writing"),
    _post("writing", f"{_WRITING}/cancel", consultations.cancel, "requestId"),
    _post("writing", f"{_WRITING}/abort", consultations.abort, "requestId"),
    *_every_kind("voip", _VOIP, "voip"),
    _start("voip", f"{_VOIP}/start"),
    _terminate("voip", f"{_VOIP}/terminate"),
    _list("messages", "/api/v2/message/get-all", messages.get_all, *_WINDOW),
    _list("messages", "/api/v1/message/get-all-unread", messages.get_all_unread),
    _post("messages", "/api/v1/message/add", messages.add, *_MESSAGE),
    _post(
        "messages",
        "/api/v1/message/mark-as-read",
        messages.mark_as_read,
        "messageIds",
        "requestId",
    ),
    _upload("media", "/api/v1/media/add", media.add, "file"),
    _get("media", "/api/v1/media/get/{id}", "bytes", media.get),
    _list("media", "/api/v1/media/get-uploaded", media.get_uploaded),
    _get("profile", "/api/v1/profile/get", "item", person.profile),
    _post("profile", "/api/v1/profile/update", person.update_profile, *_PROFILE),
    _post(
        "medical card",
        "/api/v1/medicalcard/share",
        person.share_medical_card,
        "doctorId",
    ),
    _list("operations", "/api/v1/operation/get-all", person.operations, "type"),
    _post("push", "/api/v1/push/subscribe", person.subscribe, "token", "platform"),
    _get("push", "/api/v1/push/unsubscribe", "item", person.unsubscribe, "token"),
    _list(_REFERENCE, "/api/v1/region/get-all", clinic.regions),
    _list(_REFERENCE, "/api/v1/degree/get-all", clinic.degrees),
    _list(_REFERENCE, "/api/v1/medicalposition/get-all", clinic.positions),
    _list(_REFERENCE, "/api/v1/medicalspecialty/get-all", clinic.specialties),
)


def normal_path(raw: str) -> str:
    """Return the path of a raw target as the server resolves it.

    It is as lenient as IIS: escapes, dot segments, doubled slashes and case make no
    difference. Whoever checks paths in front of it has to know that.
    """
    parts: list[str] = []
    for part in unquote(raw).replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def find(path: str) -> tuple[list[Route], dict[str, str]]:
    """Return the routes that a normal path can mean, and the value of its `{id}`."""
    fixed = _BY_PATH.get(path.lower())
    if fixed is not None:
        return fixed, {}
    parent, _, last = path.rpartition("/")
    routes = _BY_PATH.get(parent.lower() + "/{id}", [])
    return routes, {"id": last} if routes else {}


def _by_path() -> dict[str, list[Route]]:
    found: dict[str, list[Route]] = {}
    for route in ROUTES:
        found.setdefault(route.path.lower(), []).append(route)
    return found


_BY_PATH = _by_path()
