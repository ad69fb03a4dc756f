"""The page that asks for the admin password, and the sessions it begins and ends."""

from urllib.parse import parse_qsl

from aiohttp import web

from proxy.admin.guard import CSRF_FIELD, SESSION_PATH, UNLOCK_PATH, Guard
from proxy.admin.templates import Markup, fill
from proxy.admin.texts import texts_for
from proxy.errors import AccessDeniedError, CooldownError, LocalKeyError, ProxyError

_FIELDS_LIMIT = 10


class Lock:
    """Handlers of the password page; without a password, there is nothing to unlock."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        """Return the page, its form, and the one that ends a session."""
        return [
            web.get(SESSION_PATH, self.show),
            web.post(UNLOCK_PATH, self.unlock),
            web.post("/session/end", self.end),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Ask for the password, if it is not known already."""
        if self._guard.is_unlocked(request):
            return _to("/")
        return _page(request)

    async def unlock(self, request: web.Request) -> web.Response:
        """Begin a session for who knows the password."""
        if not self._guard.has_password:
            return _to("/")
        form = await _read(request)
        try:
            name, token = self._guard.unlock(request, form.get("password", ""))
        except (LocalKeyError, CooldownError) as error:
            return _page(request, error)
        response = _to("/")
        # No Max-Age: it ends with the browser, and with the session at the latest.
        response.set_cookie(
            name,
            token,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    async def end(self, request: web.Request) -> web.Response:
        """End the session."""
        form = await _read(request)
        try:
            self._guard.check_csrf(form.get(CSRF_FIELD, ""))
        except AccessDeniedError:
            return _to("/")  # the page is older than the process; so is its session
        response = _to(SESSION_PATH)
        response.del_cookie(
            self._guard.lock(request),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _page(request: web.Request, error: ProxyError | None = None) -> web.Response:
    texts = texts_for(request.headers.get("Accept-Language", ""))
    message = Markup()
    if error is not None:
        key = "password_wait" if isinstance(error, CooldownError) else "password_wrong"
        message = fill(
            "message",
            kind="error",
            role="alert",
            text=texts[key],
            details="",
        )
    # A 401 would need a challenge, and have browsers ask in a window of their own.
    status = 200 if error is None else 429 if error.retry_after else 403
    response = web.Response(
        text=fill(
            "password",
            lang=texts["lang"],
            message=message,
            action=UNLOCK_PATH,
            t_title=texts["title_password"],
            t_lead=texts["lead_password"],
            t_password=texts["password"],
            t_unlock=texts["unlock"],
        ),
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Language": texts["lang"],
            "Vary": "Accept-Language",
            # Under no-referrer the form would come with "Origin: null".
            "Referrer-Policy": "same-origin",
        },
    )
    if error is not None and error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _read(request: web.Request) -> dict[str, str]:
    text = (await request.read()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT)
    except ValueError:
        return {}
    return dict(pairs)
