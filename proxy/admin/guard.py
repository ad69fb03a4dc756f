"""What stands before every route of the admin listener, and dresses every answer.

It is middleware and a signal, so a route added later is guarded without asking for it:

* `Host` is one of our own names, against DNS rebinding
* a browser says `same-origin`, against other people's pages, also on other ports of
  this machine
* the password, when there is one; probes go without
* content of unsafe requests is JSON, which no form can send across origins; the forms
  of our page are the exception and carry a secret of this process instead
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from proxy.access.hosts import OwnNames, shown
from proxy.access.origins import Pages
from proxy.access.rules import fields_of_interest
from proxy.admin.password import Password
from proxy.answers import error_body, error_fields
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

OPEN_PATHS = frozenset({"/startup", "/readiness", "/liveness"})
FORM_PATHS = frozenset({"/login/code", "/login/token", "/refresh", "/logout"})

BODY_LIMIT = 64 * 1024
"""Bytes of content that are read; the largest honest request has some hundred."""

CSRF_FIELD = "csrf"

_SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


class Guard:
    """Refuses before a handler runs, and turns its errors into answers."""

    def __init__(self, names: OwnNames, password: Password | None) -> None:
        self._names = names
        self._pages = Pages()
        self._password = password
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

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Check `request`, let `handler` answer it, answer its errors."""
        try:
            self._check(request)
            return await handler(request)
        except ProxyError as error:
            return error_response(error)
        except web.HTTPException as error:
            return _translated(error, request)
        except Exception:
            # The last boundary: what nobody expected is a fault of ours.
            logger.exception("%s %s failed", request.method, request.path)
            return error_response(
                ProxyError("This is a fault of the proxy; its log tells more.")
            )

    def _check(self, request: web.Request) -> None:
        seen = fields_of_interest(request.raw_headers)
        host = seen.get(b"host")
        self._names.check(host, _local_address(request))
        try:
            self._pages.check(seen.get(b"origin"), seen.get(b"sec-fetch-site"), host)
        except AccessDeniedError as error:
            # access.allowed_origins is for the forwarding listener only.
            raise AccessDeniedError(
                "Only this listener's own page may call it from a browser.",
                value="origin",
            ) from error
        if self._password is not None and request.path not in OPEN_PATHS:
            self._password.check(seen.get(b"authorization"), request.remote or "")
        if request.method not in _SAFE:
            self._check_unsafe(request, seen)

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


def _local_address(request: web.Request) -> str | None:
    """Return the address that the client connected to; None for Unix sockets."""
    name = request.transport and request.transport.get_extra_info("sockname")
    return name[0] if isinstance(name, tuple) else None
