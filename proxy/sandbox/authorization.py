"""The fake authorization server: POST /token, as a Katana server most likely does it.

The authorization server's half of RFC 6749: sections 4.3 (password), 6 (refresh),
5.1 and 5.2 (answers). What the switches change is what servers differ in.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from aiohttp import web

from proxy.sandbox.answers import json_answer
from proxy.sandbox.faults import error_page, spoil
from proxy.sandbox.records import Ring, TokenRequest
from proxy.sandbox.sms import SmsCentre
from proxy.sandbox.switches import Switches
from proxy.sandbox.tokens import Issued, RefreshRefusedError, TokenBook

_FORM = "application/x-www-form-urlencoded"
_REQUESTS_KEPT = 10_000
_HEAD = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Server": "Microsoft-IIS/10.0",
    "X-Powered-By": "ASP.NET",
}


class OAuthError(Exception):
    """A refusal of RFC 6749, section 5.2."""

    def __init__(
        self, error: str, description: str, *, phone: str = "", generation: int = 0
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.phone = phone
        self.generation = generation


@dataclass(slots=True)
class AuthorizationServer:
    """Answers POST /token and remembers every request."""

    client_id: str
    switches: Switches
    clock: Callable[[], float]
    sms: SmsCentre
    tokens: TokenBook
    requests: Ring[TokenRequest] = field(default_factory=lambda: Ring(_REQUESTS_KEPT))

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to the second host."""
        if request.path.rstrip("/").lower() != "/token":
            return web.Response(status=404, text="404 - File or directory not found.")
        if request.method != "POST":
            return self._refused(OAuthError("invalid_request", "Use POST."))
        try:
            form = _form(request.content_type, (await request.read()).decode())
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400)
        except (OAuthError, UnicodeDecodeError):
            self._note("", "refused:invalid_request")
            return self._refused(OAuthError("invalid_request", "The form is malformed"))
        return await self._token(request, form)

    async def _token(
        self, request: web.BaseRequest, form: dict[str, str]
    ) -> web.StreamResponse:
        grant_type = form.get("grant_type", "")
        client_id = form.get("client_id")
        fault = self._fault("token_fault", grant_type)
        if fault is not None:
            self._note(grant_type, f"fault:{fault}", client_id=client_id)
            await asyncio.sleep(self.switches.delay)
            return await spoil(fault, request, error_page("html502"))
        try:
            issued = self._grant(grant_type, form)
        except OAuthError as error:
            outcome = f"refused:{error.error}"
            self._note(grant_type, outcome, error.generation, error.phone, client_id)
            await asyncio.sleep(self.switches.delay)
            return self._refused(error)
        fault = self._fault("drop_after_commit", grant_type)
        noted = self._note(
            grant_type, "issued", issued.generation, issued.phone, client_id
        )
        noted.delivered = fault is None
        await asyncio.sleep(self.switches.delay)
        answer = self._issued(issued)
        if fault is not None:
            return await spoil(fault, request, answer)
        return answer

    def _grant(self, grant_type: str, form: dict[str, str]) -> Issued:
        self._check_client(form.get("client_id"))
        if grant_type == "password":
            phone, code = form.get("username", ""), form.get("password", "")
            if not self.sms.redeem(phone, code):
                raise OAuthError(
                    "invalid_grant",
                    "The user name or password is incorrect.",
                    phone=phone,
                )
            return self.tokens.login(phone)
        if grant_type == "refresh_token":
            return self._refresh(form.get("refresh_token", ""))
        raise OAuthError("unsupported_grant_type", "grant_type is not supported.")

    def _refresh(self, refresh_token: str) -> Issued:
        try:
            return self.tokens.refresh(refresh_token)
        except RefreshRefusedError as refused:
            raise OAuthError(
                "invalid_grant",
                "The refresh token is invalid or has expired.",
                phone=refused.phone,
                generation=refused.generation,
            ) from None

    def _check_client(self, client_id: str | None) -> None:
        if not client_id:
            if self.switches.require_client_id:
                raise OAuthError(self.switches.client_error, "ClientId should be sent.")
        elif client_id != self.client_id:
            raise OAuthError(
                self.switches.client_error,
                f"Client '{client_id}' is not registered in the system.",
            )

    def _fault(self, switch: str, grant_type: str) -> str | None:
        if self.switches.drop_only not in (None, grant_type):
            return None
        return self.switches.take(switch)

    def _issued(self, issued: Issued) -> web.Response:
        expires_in = max(1, int(issued.lifetime))
        body: dict[str, object] = {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": (
                str(expires_in) if self.switches.expires_in_as_string else expires_in
            ),
        }
        if issued.refresh_token is not None:
            body["refresh_token"] = issued.refresh_token
        if self.switches.extra_members:
            body |= {
                "as:client_id": self.client_id,
                "userName": issued.phone,
                "roles": ["patient"],
                ".issued": _http_date(issued.issued_at),
                ".expires": _http_date(issued.issued_at + issued.lifetime),
            }
        return _json(body, 200)

    def _refused(self, error: OAuthError) -> web.Response:
        body = {"error": error.error}
        if not self.switches.error_without_description:
            body["error_description"] = error.description
        return _json(body, 400)

    def _note(
        self,
        grant_type: str,
        outcome: str,
        generation: int = 0,
        phone: str = "",
        client_id: str | None = None,
    ) -> TokenRequest:
        noted = TokenRequest(
            self.clock(), grant_type, outcome, generation, phone, client_id
        )
        self.requests.append(noted)
        return noted


def _form(content_type: str, text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    form = dict(pairs)
    # Section 3.2: request parameters must not be included more than once.
    if content_type != _FORM or len(form) != len(pairs):
        raise OAuthError("invalid_request", "")
    return form


def _json(body: object, status: int) -> web.Response:
    return web.Response(
        status=status,
        body=json_answer(body).content,
        headers={"Content-Type": "application/json;charset=UTF-8"} | _HEAD,
    )


def _http_date(instant: float) -> str:
    moment = datetime.fromtimestamp(instant, UTC)
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
