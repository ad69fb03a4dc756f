"""Joins the parts of the admin listener into one application."""

from collections.abc import Awaitable, Callable, Iterable
from importlib import resources
from pathlib import Path

from aiohttp import web

from proxy.access.hosts import OwnNames
from proxy.admin.api import Api
from proxy.admin.guard import BODY_LIMIT, Guard, dress
from proxy.admin.lock import Lock
from proxy.admin.page import Page
from proxy.admin.password import Password
from proxy.admin.sessions import Sessions
from proxy.admin.state import AdminInfo, LoginSteps, TokenKeeper
from proxy.clock import Clock, system_clock
from proxy.health import Health, Verdict
from proxy.metrics import CONTENT_TYPE, Metrics

_STATIC = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def admin_app(
    *,
    login: LoginSteps,
    refresher: TokenKeeper,
    info: AdminInfo,
    health: Health,
    metrics: Metrics,
    names: Iterable[str] = (),
    allowed_hosts: Iterable[str] = (),
    password_file: Path | None = None,
    clock: Clock = system_clock,
) -> web.Application:
    """Return the admin listener's application.

    Args:
        login: takes phone and validation code.
        refresher: owns the tokens.
        info: where things are.
        health: answers the probes.
        metrics: counts what was forwarded.
        names: the hosts that the listener is configured with.
        allowed_hosts: more names that it answers to.
        password_file: when given, everything but the probes asks for the password.
        clock: the time.
    """
    password = Password(password_file, clock) if password_file else None
    guard = Guard(OwnNames(names, allowed_hosts), password, sessions=Sessions(clock))
    app = web.Application(middlewares=[guard.middleware], client_max_size=BODY_LIMIT)
    app.on_response_prepare.append(dress)
    app.add_routes(Api(login, refresher, info).routes())
    app.add_routes(Lock(guard).routes())
    app.add_routes(Page(login, refresher, info, guard, clock).routes())
    app.add_routes(
        [
            web.get("/startup", _probe(health.startup)),
            web.get("/readiness", _probe(health.readiness)),
            web.get("/liveness", _probe(health.liveness)),
            web.get("/metrics", _metrics(metrics, refresher, clock)),
            *(web.get(f"/static/{name}", _static(name)) for name in _STATIC),
        ]
    )
    return app


def _probe(verdict: Callable[[], Verdict]) -> Handler:
    async def probe(request: web.Request) -> web.Response:
        status, text = verdict()
        return web.Response(status=status, text=f"{text}\n")

    return probe


def _metrics(metrics: Metrics, refresher: TokenKeeper, clock: Clock) -> Handler:
    async def read(request: web.Request) -> web.Response:
        text = metrics.render(clock(), refresher.status())
        # The version parameter keeps `content_type=` from being of use here.
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    return read


def _static(name: str) -> Handler:
    """Return a handler for one known file: no path of a client is ever opened."""
    content = resources.files("proxy.admin").joinpath("static", name).read_bytes()

    async def static(request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=_STATIC[name], charset="utf-8")

    return static
