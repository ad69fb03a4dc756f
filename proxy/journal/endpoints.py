"""The API's documented calls, and which of them a request target means. Pure.

Exchanges are grouped by these, and metrics labelled: there is a fixed number of them,
whatever clients ask for.
"""

from typing import Final

ENDPOINTS: Final = (
    "/api/v1/access/validation-code",
    "/api/v1/application/updates",
    "/api/v1/callbackrequest/get-all",
    "/api/v1/callbackrequest/get/{id}",
    "/api/v1/callbackrequest/patient-feedback",
    "/api/v1/callbackrequest/start-callback",
    "/api/v1/callbackrequest/terminate-callback",
    "/api/v1/degree/get-all",
    "/api/v1/doctor/get-all",
    "/api/v1/doctor/get/{id}",
    "/api/v1/media/add",
    "/api/v1/media/get-uploaded",
    "/api/v1/media/get/{id}",
    "/api/v1/medicalcard/share",
    "/api/v1/medicalposition/get-all",
    "/api/v1/medicalspecialty/get-all",
    "/api/v1/message/add",
    "/api/v1/message/get-all-unread",
    "/api/v1/message/mark-as-read",
    "/api/v1/operation/get-all",
    "/api/v1/profile/get",
    "/api/v1/profile/update",
    "/api/v1/push/subscribe",
    "/api/v1/push/unsubscribe",
    "/api/v1/region/get-all",
    "/api/v1/request/attach-document",
    "/api/v1/request/get-all",
    "/api/v1/request/get-status/{id}",
    "/api/v1/request/get/{id}",
    "/api/v1/request/medical-report",
    "/api/v1/request/patient-feedback",
    "/api/v1/voiprequest/get-all",
    "/api/v1/voiprequest/get/{id}",
    "/api/v1/voiprequest/patient-feedback",
    "/api/v1/voiprequest/start",
    "/api/v1/voiprequest/terminate",
    "/api/v1/writingrequest/abort",
    "/api/v1/writingrequest/cancel",
    "/api/v1/writingrequest/get-all",
    "/api/v1/writingrequest/get/{id}",
    "/api/v1/writingrequest/has-unread-messages/{id}",
    "/api/v1/writingrequest/patient-feedback",
    "/api/v1/writingrequest/start-writing",
    "/api/v2/message/get-all",
)
"""Their paths, with `{id}` for the part that differs from call to call."""

_ID: Final = "/{id}"

_FIXED: Final = {path: path for path in ENDPOINTS if not path.endswith(_ID)}
_WITH_ID: Final = {
    path.removesuffix(_ID): path for path in ENDPOINTS if path.endswith(_ID)
}


def endpoint_of(target: str) -> str | None:
    """Return the one of ENDPOINTS that a request target means, or None.

    Case makes no difference, as it makes none to the API.
    """
    # Asked for every exchange: the usual is told by one look into a dict.
    path = target.partition("?")[0] if "?" in target else target
    found = _FIXED.get(path)
    if found is not None:
        return found
    parent, _, last = path.rpartition("/")
    found = _WITH_ID.get(parent)
    if found is not None:
        return found if last else None
    # Once and no more: what is written oddly twice is no call of anybody's.
    plain = _plain_path(path)
    parent, _, last = plain.rpartition("/")
    return _FIXED.get(plain) or (_WITH_ID.get(parent) if last else None)


def _plain_path(path: str) -> str:
    """Return a path that may be written in upper case, and have an origin before it."""
    if path[:1] != "/" and "://" in path:
        _, slash, rest = path.partition("://")[2].partition("/")
        path = slash + rest
    return path.lower()
