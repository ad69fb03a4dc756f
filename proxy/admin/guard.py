"""What stands before every route of the admin listener, and dresses every answer.

It is middleware and a signal, so a route added later is guarded without asking for it:

* `Host` is one of our own names, against DNS rebinding
* a browser says `same-origin`, against other people's pages, also on other ports of
  this machine
* the password, when there is one, or the session of a person who typed it; probes go
  without
* content of unsafe requests is JSON, which no form can send across origins; the forms
  of our page are the exception and carry a secret of this process instead
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from enum import Enum

from aiohttp import hdrs, web

from proxy.access.cookies import cookie_name
from proxy.access.hosts import OwnNames, shown
from proxy.access.origins import Pages
from proxy.access.rules import fields_of_interest
from proxy.admin.password import Password
from proxy.admin.sessions import Sessions
from proxy.answers import PROXY_NAME, error_body, error_fields
from proxy.clock import system_clock
from proxy.errors import AccessDeniedError, NotFoundError, ProxyError, RequestError

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECURITY_FIELDS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

SESSION_PATH = UNLOCK_PATH = "/session"

OPEN_PATHS = frozenset(
    {
        "/startup",
        "/readiness",
        "/liveness",
        SESSION_PATH,
        "/static/style.css",
        "/static/icon.svg",
    }
)
"""Those that ask for no password: probes, and the page that asks for it."""

FORM_PATHS = frozenset(
    {"/login/code", "/login/token", "/refresh", "/logout", UNLOCK_PATH, "/session/end"}
)

BODY_LIMIT = 64 * 1024
"""Bytes of content that are read; the largest honest request has some hundred."""

CONTENT_TIME = 30.0
"""Seconds for all of it to come: a handler must not wait for a slow sender forever."""

CSRF_FIELD = "csrf"

_SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


class Access(Enum):
    """What a request that is not refused is let do."""

    OPEN = "open"
    LOCKED = "locked"
    """The page that asks for the password comes first."""


class Guard:
    """Refuses before a handler runs, and turns its errors into answers."""

    def __init__(
        self,
        names: OwnNames,
        password: Password | None,
        *,
        sessions: Sessions | None = None,
        content_time: float = CONTENT_TIME,
    ) -> None:
        self._names = names
        self._content_time = content_time
        self._pages = Pages()
        self._password = password
        self._sessions = sessions or Sessions(system_clock)
        self._secret = secrets.token_bytes(32)

    @property
    def csrf_token(self) -> str:
        """What the forms of our page carry: other pages cannot read it."""
        return hmac.new(self._secret, b"form", hashlib.sha256).hexdigest()

    def check_csrf(self, given: object) -> None:
        """Refuse a form that this process did not make."""
        right = self.csrf_token.encode()
        sent = str(given).encode("utf-8", "replace")
        if not hmac.compare_digest(sent, right):
            raise AccessDeniedError(
                "This page is from before a restart of the proxy. Please try again.",
                value="csrf",
            )

    @property
    def has_password(self) -> bool:
        """Whether there is anything to unlock."""
        return self._password is not None

    def is_unlocked(self, request: web.Request) -> bool:
        """Whether no password is needed, or a session goes on."""
        if self._password is None:
            return True
        return self._sessions.knows(request.cookies.get(_cookie_name(request)))

    def unlock(self, request: web.Request, typed: str) -> tuple[str, str]:
        """Return the cookie's name and value of a new session.

        Raises:
            LocalKeyError: the password is wrong.
            CooldownError: there were too many wrong ones.
        """
        if self._password is not None:
            self._password.check_typed(typed, request.remote or "")
        return _cookie_name(request), self._sessions.begin()

    def lock(self, request: web.Request) -> str:
        """End the session of `request`, and return the name of its cookie."""
        name = _cookie_name(request)
        self._sessions.end(request.cookies.get(name))
        return name

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Check `request`, let `handler` answer it, answer its errors."""
        try:
            if self._check(request) is Access.LOCKED:
                return web.Response(status=303, headers={"Location": SESSION_PATH})
            if request.method not in _SAFE:
                await self._read_content(request)
            return await handler(request)
        except ProxyError as error:
            return _challenged(error_response(error), request)
        except web.HTTPException as error:
            return _translated(error, request)
        except Exception:
            # The last boundary: what nobody expected is a fault of ours.
            logger.exception("%s %s failed", request.method, request.path)
            return error_response(
                ProxyError("This is a fault of the proxy; its log tells more.")
            )

    def _check(self, request: web.Request) -> "Access":
        seen = fields_of_interest(request.raw_headers)
        host = seen.get(b"host")
        self._names.check(host, _local_address(request))
        try:
            self._pages.check(
                seen.get(b"origin"),
                seen.get(b"sec-fetch-site"),
                host,
                secure=request.secure,
            )
        except AccessDeniedError as error:
            # access.allowed_origins is for the forwarding listener only.
            raise AccessDeniedError(
                "Only this listener's own page may call it from a browser.",
                value="origin",
            ) from error
        if request.path not in OPEN_PATHS and not self.is_unlocked(request):
            if b"authorization" not in seen and _is_persons(request):
                return Access.LOCKED
            assert self._password is not None  # noqa: S101  else nothing is locked
            self._password.check(seen.get(b"authorization"), request.remote or "")
        if request.method not in _SAFE:
            self._check_unsafe(request, seen)
        return Access.OPEN

    async def _read_content(self, request: web.Request) -> None:
        """Read the content, which the handler then finds read, within its time."""
        try:
            async with asyncio.timeout(self._content_time):
                await request.read()
        except TimeoutError:
            raise RequestError(
                "The content did not come in time.", value="content", status=408
            ) from None

    def _check_unsafe(self, request: web.Request, seen: dict[bytes, bytes]) -> None:
        origin, site = seen.get(b"origin"), seen.get(b"sec-fetch-site")
        if request.path in FORM_PATHS:
            if origin is None and site != b"same-origin":
                raise AccessDeniedError(
                    "Forms come from this listener's own page; programs call /api/.",
                    value="origin",
                )
            _require_type(request, "application/x-www-form-urlencoded")
            return
        if (origin is not None or site is not None) and site != b"same-origin":
            raise AccessDeniedError(
                "A browser must say Sec-Fetch-Site: same-origin here.", value="origin"
            )
        _require_type(request, "application/json")


def error_response(error: ProxyError) -> web.Response:
    """Return `error` in the one shape that all our errors have."""
    # The newline keeps a terminal's prompt off the answer.
    response = web.Response(status=error.status, body=error_body(error) + b"\n")
    for name, value in error_fields(error):
        response.headers[name] = value
    return response


def _challenged(response: web.Response, request: web.Request) -> web.Response:
    """Return `response` such that no browser asks for a password on a page's behalf.

    For a script's call it would, in a window of its own, in the middle of the page. A
    401 has a challenge (RFC 9110, section 11.6.1), so it gets one that none knows.
    """
    by_script = request.headers.get("Sec-Fetch-Dest") == "empty"
    if by_script and hdrs.WWW_AUTHENTICATE in response.headers:
        response.headers[hdrs.WWW_AUTHENTICATE] = f'Page realm="{PROXY_NAME}"'
    return response


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Set the fields that every answer has; runs just before its head goes out."""
    for name, value in SECURITY_FIELDS.items():
        response.headers[name] = value
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    # What runs here, and in which version, is nobody's business before the password.
    response.headers.popall(hdrs.SERVER, None)


def _translated(error: web.HTTPException, request: web.Request) -> web.Response:
    """Return the router's and the reader's refusals in our shape."""
    match error:
        case web.HTTPNotFound():
            return error_response(
                NotFoundError(f"There is nothing at {shown(request.path)}.")
            )
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            response = error_response(
                RequestError(f"Use {allowed} here.", value="method", status=405)
            )
            response.headers[hdrs.ALLOW] = allowed
            return response
        case web.HTTPRequestEntityTooLarge():
            return error_response(
                RequestError(
                    f"The content is over {BODY_LIMIT} bytes.",
                    value="content",
                    status=413,
                )
            )
        case _:
            return error_response(
                RequestError("The request is malformed.", status=error.status)
            )


def _require_type(request: web.Request, media_type: str) -> None:
    if request.content_type.lower() != media_type:
        raise RequestError(
            f"Send Content-Type: {media_type} here.", value="content_type", status=415
        )


def _is_persons(request: web.Request) -> bool:
    """Say whether a browser asks for the page, rather than a program for JSON."""
    wanted = request.headers.get(hdrs.ACCEPT, "")
    return request.method == "GET" and request.path == "/" and "text/html" in wanted


def _cookie_name(request: web.Request) -> str:
    name = request.transport and request.transport.get_extra_info("sockname")
    return cookie_name(name[1] if isinstance(name, tuple) else None)


def _local_address(request: web.Request) -> str | None:
    """Return the address that the client connected to; None for Unix sockets."""
    name = request.transport and request.transport.get_extra_info("sockname")
    return name[0] if isinstance(name, tuple) else None
