"""The control endpoint: look at the fakes and turn their switches while they run.

Guarded as any local listener has to be: a web page that someone has open must not be
able to use it, not even through a host name that it points at loopback.
"""

import ipaddress
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from proxy.sandbox.answers import Answer, ApiError, bad_argument, json_answer, not_found
from proxy.sandbox.scenarios import SCENARIOS, switches_of
from proxy.sandbox.switches import SwitchError, describe_switches

if TYPE_CHECKING:
    from proxy.sandbox.app import Sandbox

_SAFE = {"GET", "HEAD"}
_ENTRIES_SHOWN = 100


class ControlApi:
    """Answers the control endpoint's calls over `sandbox`."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._calls: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "/"): self._describe,
            ("GET", "/switches"): self._switches,
            ("PATCH", "/switches"): self._set_switches,
            ("GET", "/scenarios"): self._scenarios,
            ("POST", "/scenario"): self._set_scenario,
            ("POST", "/revoke"): self._revoke,
            ("POST", "/reset"): self._reset,
            ("GET", "/requests"): self._requests,
            ("GET", "/token-requests"): self._token_requests,
            ("GET", "/sms"): self._sms,
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            _guard(request)
            body = {} if request.method in _SAFE else await _body(request)
            answer = json_answer(self._call(request)(body))
        except ApiError as error:
            answer = error.answer()
        except SwitchError as error:
            answer = bad_argument("switch", str(error)).answer()
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400)
        return _response(answer)

    def _call(self, request: web.BaseRequest) -> Callable[[dict[str, Any]], Any]:
        method = "GET" if request.method == "HEAD" else request.method
        call = self._calls.get((method, request.path))
        if call is None:
            listed = ", ".join(" ".join(each) for each in self._calls)
            raise not_found("path", f"There is no such call; there are: {listed}.")
        return call

    def _describe(self, _: dict[str, Any]) -> Any:
        return {"calls": [" ".join(each) for each in self._calls]}

    def _switches(self, _: dict[str, Any]) -> Any:
        return {
            "scenario": self._sandbox.scenario,
            "switches": self._sandbox.switches.as_dict(),
            "about": describe_switches(),
        }

    def _set_switches(self, body: dict[str, Any]) -> Any:
        self._sandbox.switches.set(body)
        return self._switches({})

    def _scenarios(self, _: dict[str, Any]) -> Any:
        return {name: each.description for name, each in SCENARIOS.items()}

    def _set_scenario(self, body: dict[str, Any]) -> Any:
        try:
            switches = switches_of(str(body.get("name")))
        except ValueError as error:
            raise bad_argument("name", str(error)) from error
        self._sandbox.switches.restore(switches)
        self._sandbox.scenario = str(body["name"])
        return self._switches({})

    def _revoke(self, body: dict[str, Any]) -> Any:
        which, phone = body.get("tokens", "access"), body.get("phone")
        if which not in ("access", "refresh", "both"):
            raise bad_argument("tokens", "tokens must be access, refresh or both")
        if phone is not None and not isinstance(phone, str):
            raise bad_argument("phone", "phone must be text, digits only")
        access = self._sandbox.revoke_access(phone) if which != "refresh" else 0
        refresh = self._sandbox.revoke_refresh(phone) if which != "access" else 0
        return {"access": access, "refresh": refresh}

    def _reset(self, _: dict[str, Any]) -> Any:
        self._sandbox.reset()
        return self._switches({})

    def _requests(self, _: dict[str, Any]) -> Any:
        shown = self._sandbox.requests[-_ENTRIES_SHOWN:]
        return _listed([each.as_dict() for each in shown], self._sandbox.requests)

    def _token_requests(self, _: dict[str, Any]) -> Any:
        every = self._sandbox.token_requests
        listed = _listed([each.as_dict() for each in every[-_ENTRIES_SHOWN:]], every)
        return listed | {"spentPresented": self._sandbox.spent_presented}

    def _sms(self, _: dict[str, Any]) -> Any:
        every = self._sandbox.sms
        return _listed([each._asdict() for each in every[-_ENTRIES_SHOWN:]], every)


def _listed(items: list[dict[str, Any]], every: list[Any]) -> dict[str, Any]:
    return {"items": items, "count": len(items), "totalCount": len(every)}


def _guard(request: web.BaseRequest) -> None:
    if not _is_loopback(request.host):
        raise ApiError(403, "forbidden", "host", "Host must be a loopback address.")
    # Programs send neither field; a browser's own address bar sends "none".
    if "Origin" in request.headers:
        raise ApiError(403, "forbidden", "origin", "Not for web pages.")
    if request.headers.get("Sec-Fetch-Site", "none") != "none":
        raise ApiError(403, "forbidden", "site", "Not for web pages.")
    if request.method not in _SAFE and request.content_type != "application/json":
        described = "Content-Type must be application/json."
        raise ApiError(415, "bad_argument", "content-type", described)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _body(request: web.BaseRequest) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_argument("content", "Send a JSON object.")
    return body


def _response(answer: Answer) -> web.Response:
    headers = {
        "Content-Type": answer.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(status=answer.status, body=answer.content, headers=headers)
