"""Joins the parts of the admin listener into one application, and runs it.

Importing this brings aiohttp, see `late`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import PurePath

from aiohttp import web

from proxy.access.hosts import OwnNames
from proxy.admin.api import Api
from proxy.admin.connection import AdminConnections, Callers
from proxy.admin.exchanges import Exchanges
from proxy.admin.exports import Exports
from proxy.admin.guard import BODY_LIMIT, Guard, dress
from proxy.admin.lock import Lock
from proxy.admin.page import Page
from proxy.admin.password import Password
from proxy.admin.sessions import Sessions
from proxy.admin.state import AdminInfo, LoginSteps, TokenKeeper
from proxy.admin.stream import Streams
from proxy.admin.viewer import Viewer
from proxy.clock import Clock, system_clock
from proxy.health import Health, Verdict
from proxy.metrics import CONTENT_TYPE, Metrics

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def admin_app(
    *,
    login: LoginSteps,
    refresher: TokenKeeper,
    info: AdminInfo,
    health: Health,
    metrics: Metrics,
    viewer: Viewer,
    names: Iterable[str] = (),
    allowed_hosts: Iterable[str] = (),
    password: Password | None = None,
    clock: Clock = system_clock,
) -> web.Application:
    """Return the admin listener's application.

    Args:
        login: takes phone and validation code.
        refresher: owns the tokens.
        info: where things are.
        health: answers the probes.
        metrics: counts what was forwarded.
        viewer: shows the exchanges that it has seen.
        names: the hosts that the listener is configured with.
        allowed_hosts: more names that it answers to.
        password: when given, everything but the probes asks for it.
        clock: the time.
    """
    guard = Guard(OwnNames(names, allowed_hosts), password, sessions=Sessions(clock))
    app = web.Application(middlewares=[guard.middleware], client_max_size=BODY_LIMIT)
    app.on_response_prepare.append(dress)
    api = Api(login, refresher, info)
    streams = Streams(viewer, clock)
    app.on_shutdown.append(streams.close)
    app.add_routes(api.routes())
    app.add_routes(streams.routes())  # before those of one exchange: its name is no id
    app.add_routes(Exports(viewer, api.members, clock).routes())
    app.add_routes(Exchanges(viewer, clock).routes())
    app.add_routes(Lock(guard).routes())
    app.add_routes(Page(login, refresher, info, guard, clock).routes())
    app.add_routes(
        [
            web.get("/startup", _probe(health.startup)),
            web.get("/readiness", _probe(health.readiness)),
            web.get("/liveness", _probe(health.liveness)),
            web.get("/metrics", _metrics(metrics, refresher, clock)),
            web.get("/api/openapi.json", _document()),
            *_static_files(),
        ]
    )
    return app


@asynccontextmanager
async def open_connections(
    app: web.Application, callers: Callers | None, *, patience: float
) -> AsyncIterator[AdminConnections]:
    """Run `app`; its connections have `patience` seconds to end when this does."""
    runner = web.AppRunner(app, shutdown_timeout=patience)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101  set up two lines above
        yield AdminConnections(runner.server, callers)
    finally:
        await runner.cleanup()


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


def _document() -> Handler:
    """Return the handler of the document that describes these calls: OpenAPI."""
    file = resources.files("proxy.admin").joinpath("openapi.json")
    return _static(file.read_bytes(), "application/json")


def _static_files() -> Iterator[web.RouteDef]:
    """Yield a route for each file that is there: no path of a client is ever opened."""
    for file in resources.files("proxy.admin").joinpath("static").iterdir():
        media_type = _TYPES[PurePath(file.name).suffix]
        yield web.get(f"/static/{file.name}", _static(file.read_bytes(), media_type))


def _static(content: bytes, media_type: str) -> Handler:
    async def static(request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=media_type, charset="utf-8")

    return static
