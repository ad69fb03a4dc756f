"""The page for people: phone, code, status; forms and redirects, no JavaScript needed.

A form is answered by a redirect (RFC 9110, section 15.4.4), so that reloading the page
sends nothing again. What there is to say waits here for the next page, as an address
with a message in it could be made by anybody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import parse_qsl

from aiohttp import web

from proxy.admin.guard import CSRF_FIELD, Guard
from proxy.admin.messages import Message, bad_phone, done, failure
from proxy.admin.state import AdminInfo, LoginSteps, TokenKeeper, codes_left
from proxy.admin.texts import texts_for
from proxy.admin.view import View
from proxy.clock import Clock
from proxy.errors import (
    AccessDeniedError,
    LoginError,
    ProxyError,
    RequestError,
)
from proxy.oauth.phone import Phone, parse_phone

Form = dict[str, str]
Action = Callable[[Form], Awaitable[Message]]

# A message nobody came to read must not greet somebody else much later.
_MESSAGE_SECONDS = 60.0

_FIELDS_LIMIT = 20
_TYPED_LIMIT = 64


class Page:
    """Handlers of the page and of its forms."""

    def __init__(
        self,
        login: LoginSteps,
        refresher: TokenKeeper,
        info: AdminInfo,
        guard: Guard,
        clock: Clock,
    ) -> None:
        self._login = login
        self._refresher = refresher
        self._view = View(refresher, info, guard.csrf_token, clock)
        self._sandbox = info.sandbox
        self._guard = guard
        self._clock = clock
        self._message: tuple[float, Message] | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the page and its forms; `guard.FORM_PATHS` names the latter."""
        return [
            web.get("/", self.show),
            web.post("/login/code", self._form(self._request_code)),
            web.post("/login/token", self._form(self._submit_code)),
            web.post("/refresh", self._form(self._refresh)),
            web.post("/logout", self._form(self._logout)),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the step that is next, and what there is to know."""
        return self._render(request, self._take_message())

    # -- forms ---------------------------------------------------------------------

    def _form(
        self, act: Action
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler of a form that does `act`."""

        async def handle(request: web.Request) -> web.Response:
            form = await _read(request)
            try:
                self._guard.check_csrf(form.get(CSRF_FIELD, ""))
            except AccessDeniedError as error:
                return self._render(request, Message(("csrf",), True), error.status)
            self._message = self._clock(), await act(form)
            return web.Response(status=303, headers={"Location": "/"})

        return handle

    async def _request_code(self, form: Form) -> Message:
        pending = self._refresher.record.login.phone
        if form.get("again") and pending is not None:
            return await self._send_code(pending, typed="")
        typed = form.get("phone", "")
        try:
            phone = parse_phone(typed)
        except LoginError:
            return bad_phone(typed[:_TYPED_LIMIT])
        return await self._send_code(phone, typed=typed[:_TYPED_LIMIT])

    async def _send_code(self, phone: Phone, *, typed: str) -> Message:
        try:
            await self._login.request_code(phone)
        except ProxyError as error:
            message = failure(error, "send")
            if self._awaits_code(phone):
                return message  # a code may be there to be typed
            return replace(message, typed=typed)
        return done("done_code")

    async def _submit_code(self, form: Form) -> Message:
        typed = form.get("phone")
        shown = (typed or "")[:_TYPED_LIMIT]
        try:
            phone = parse_phone(typed) if typed is not None else None
        except LoginError:
            return bad_phone(shown, code_known=True)
        try:
            await self._login.submit_code(form.get("validation_code", ""), phone)
        except ProxyError as error:
            message = failure(error, "login", left=codes_left(self._refresher))
            return replace(message, typed=shown, code_known=typed is not None)
        return done("done_login")

    async def _refresh(self, form: Form) -> Message:
        try:
            await self._refresher.refresh()
        except ProxyError as error:
            return failure(error, "refresh")
        return done("done_refresh")

    async def _logout(self, form: Form) -> Message:
        try:
            await self._refresher.logout()
        except ProxyError as error:
            return failure(error, "logout")
        return done("done_logout")

    def _awaits_code(self, phone: Phone) -> bool:
        is_latest = phone == self._refresher.record.login.phone
        return is_latest and self._refresher.status().code_sent

    # -- answers -------------------------------------------------------------------

    def _render(
        self, request: web.Request, message: Message | None, status: int = 200
    ) -> web.Response:
        texts = texts_for(
            request.headers.get("Accept-Language", ""), sandbox=self._sandbox
        )
        other_phone = request.query.get("step") == "phone"
        return web.Response(
            text=self._view.html(
                texts,
                message,
                other_phone=other_phone,
                # Who came by Basic authentication has no session to end.
                lockable=self._guard.has_password and self._guard.is_unlocked(request),
            ),
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={
                "Content-Language": texts["lang"],
                "Vary": "Accept-Language",
                # Under no-referrer, browsers send "Origin: null" with a form (Fetch
                # standard, "append a request Origin header"), and the guard could
                # not tell our page from others.
                "Referrer-Policy": "same-origin",
            },
        )

    def _take_message(self) -> Message | None:
        if self._message is None:
            return None
        at, message = self._message
        self._message = None
        return message if 0 <= self._clock() - at < _MESSAGE_SECONDS else None


async def _read(request: web.Request) -> Form:
    """Return the fields of a form; the last of a name counts."""
    text = (await request.read()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT)
    except ValueError as error:
        raise RequestError("The form has too many fields.", value="content") from error
    return dict(pairs)
