"""The admin calls for programs: JSON in, JSON out."""

import json
from typing import Any

from aiohttp import web

from proxy.admin.state import AdminInfo, LoginSteps, TokenKeeper, status_members
from proxy.errors import LoginError, RequestError
from proxy.oauth.phone import Phone, parse_phone, phone_from_parts

_TEXT_LIMIT = 200


class Api:
    """Handlers under /api/; the guard has looked at each request before."""

    def __init__(
        self, login: LoginSteps, refresher: TokenKeeper, info: AdminInfo
    ) -> None:
        self._login = login
        self._refresher = refresher
        self._info = info

    def routes(self) -> list[web.RouteDef]:
        """Return the calls."""
        return [
            web.get("/api/status", self.status),
            web.post("/api/login/code", self.request_code),
            web.post("/api/login/token", self.submit_code),
            web.post("/api/refresh", self.refresh),
            web.post("/api/logout", self.logout),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Tell the state."""
        return json_response(self.members())

    async def request_code(self, request: web.Request) -> web.Response:
        """Have the SMS sent."""
        phone = _phone(await read_members(request))
        if phone is None:
            raise LoginError(
                'Send {"phone": "+7 916 123-45-67"}, or "code" and "number" apart.',
                value="phone",
            )
        await self._login.request_code(phone)
        answer = {
            # In full, so that whoever typed it can check how it was understood.
            "phone": phone.display,
            "retry_after": self._refresher.status().retry_after,
            "status": self.members(),
        }
        return json_response(answer, status=202)

    async def submit_code(self, request: web.Request) -> web.Response:
        """Exchange the code for tokens; with a phone, also one that was sent before."""
        members = await read_members(request)
        code = text_member(members, "validation_code")
        if code is None:
            raise LoginError('Send {"validation_code": "7654"}.', value="code")
        await self._login.submit_code(code, _phone(members))
        return json_response(self.members())

    async def refresh(self, request: web.Request) -> web.Response:
        """Refresh now."""
        await read_members(request)
        await self._refresher.refresh()
        return json_response(self.members())

    async def logout(self, request: web.Request) -> web.Response:
        """Forget the tokens."""
        await read_members(request)
        await self._refresher.logout()
        return json_response(self.members())

    def members(self) -> dict[str, Any]:
        """Return the members of the status."""
        return status_members(self._refresher.status(), self._info)


def json_response(members: dict[str, Any], status: int = 200) -> web.Response:
    """Return `members` as JSON, for people too: Cyrillic stays readable."""
    return web.Response(
        text=json.dumps(members, ensure_ascii=False) + "\n",
        status=status,
        content_type="application/json",
        charset="utf-8",
    )


def text_member(members: dict[str, Any], name: str) -> str | None:
    """Return the text called `name`; a number will do, None and empty are missing."""
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        raise RequestError(f"{name} must be a short text.", value=name)
    return value.strip() or None


async def read_members(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that was sent; nothing at all is an empty one."""
    content = await request.read()
    if not content.strip():
        return {}
    try:
        members = json.loads(content)
    except (ValueError, RecursionError):
        # Not chained: the decoder's error holds the content, code and all.
        raise RequestError("The content is not JSON.", value="content") from None
    if not isinstance(members, dict):
        raise RequestError("The content must be a JSON object.", value="content")
    return members


def _phone(members: dict[str, Any]) -> Phone | None:
    whole = text_member(members, "phone")
    if whole is not None:
        return parse_phone(whole)
    code, number = text_member(members, "code"), text_member(members, "number")
    if code is None or number is None:
        return None
    return phone_from_parts(code, number)
