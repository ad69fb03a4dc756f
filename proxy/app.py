"""The composition root: the only file that knows all parts, and how long each lives."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from yarl import URL

from proxy import __version__
from proxy.access.keys import LocalKeys
from proxy.access.peers import SameUser
from proxy.access.repeats import PaidCalls
from proxy.access.rules import AccessRules
from proxy.admin.app import admin_app
from proxy.admin.connection import MOST as ADMIN_CONNECTIONS, AdminConnections
from proxy.admin.state import AdminInfo
from proxy.certificate import ServerCertificate
from proxy.clock import Clock, system_clock
from proxy.config import Config, LimitsConfig, LoginConfig, UpstreamConfig
from proxy.errors import ConfigError, StoreError
from proxy.forward.dial import Origin
from proxy.forward.exchange import Exchange
from proxy.forward.forwarding import Credential, Parts
from proxy.forward.handler import NOTED, ForwardHandler
from proxy.forward.inbound_server import InboundServer
from proxy.forward.limits import Budget, InboundLimits
from proxy.forward.pool import Pool, PoolLimits
from proxy.forward.relay import ForwardOptions
from proxy.forward.target import Rewrite
from proxy.health import Health
from proxy.listeners import Listener, ProtocolFactory, local_names
from proxy.log import AccessLog
from proxy.metrics import Metrics
from proxy.oauth.endpoints import Endpoints, open_session
from proxy.oauth.holding import Holding
from proxy.oauth.login import Login
from proxy.oauth.refresher import Outcome, Refresher
from proxy.oauth.stores import BUSY, TokenStore, open_store
from proxy.oauth.stores.record import DEFAULT_ACCOUNT
from proxy.open_files import room_for
from proxy.recording import Records
from proxy.secret_files import open_to_others

logger = logging.getLogger(__name__)

DRAIN = 10.0
"""Seconds for calls under way when the program is told to stop."""

_CUT = 0.05


@dataclass(frozen=True, slots=True)
class OAuth:
    """The parts that obtain and keep the token pair."""

    login: Login
    refresher: Refresher
    store: TokenStore


@dataclass(frozen=True, slots=True)
class App:
    """The running proxy. Addresses are what to point a client at."""

    login: Login
    refresher: Refresher
    health: Health
    metrics: Metrics
    addresses: Sequence[str]
    admin_address: str


@asynccontextmanager
async def open_oauth(
    config: Config,
    clock: Clock = system_clock,
    *,
    timer: bool = False,
    tls: ssl.SSLContext | None = None,
    on_refresh: Callable[[Outcome], None] = lambda _: None,
) -> AsyncIterator[OAuth]:
    """Open the token store and what talks to the authorization server.

    Only with `timer` does a due refresh start by itself; `tls` is `tls_context` where
    that is made already; `on_refresh` hears what became of each refresh.
    """
    upstream = config.upstream
    store = open_store(config.store.url, config.store.keys)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(
            open_session(
                ssl_context=tls or tls_context(upstream),
                connect_timeout=upstream.connect_timeout,
                response_timeout=upstream.response_timeout,
            )
        )
        endpoints = Endpoints(
            session,
            api_url=upstream.api_url,
            auth_url=upstream.auth_url,
            client_id=upstream.client_id,
            clock=clock,
            proxy=upstream.egress_proxy,
        )
        refresher = Refresher(
            store,
            endpoints,
            clock,
            config.token.refresh_at,
            issuer=endpoints.issuer,
            on_refresh=on_refresh,
        )
        stack.push_async_callback(refresher.close)
        await refresher.start(timer=timer)
        yield OAuth(Login(endpoints, refresher, clock), refresher, store)


@asynccontextmanager
async def open_app(
    config: Config, clock: Clock = system_clock, *, sandbox: bool = False
) -> AsyncIterator[App]:
    """Start everything that `config` describes; on leaving, drain and close it.

    With `sandbox`, people are told that nothing here is real. Raises ConfigError for
    what only shows when it is tried, StoreError.
    """
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        tls = tls_context(config.upstream)
        oauth = await stack.enter_async_context(
            open_oauth(
                config,
                clock,
                timer=True,
                tls=tls,
                on_refresh=metrics.count_refresh,
            )
        )
        await _warn_of_store(oauth.store)
        _warn_of_files(config)
        served = _served_tls(config)
        forwarding = [Listener(address, "listen", served) for address in config.listen]
        admin = Listener(config.admin.listen, "admin.listen", served)
        pool = _pool(config.upstream, tls, [*forwarding, admin])
        stack.push_async_callback(pool.close)
        records = Records[Exchange](metrics.record, AccessLog(config.log).write)
        stack.callback(records.hand_on)
        budget = Budget(config.limits.buffered)
        handler = _handler(config, pool, oauth, records, clock, budget)
        metrics.watch(
            in_flight=lambda: handler.in_flight,
            connections_opened=lambda: pool.opened,
            before=records.hand_on,
        )
        callers = SameUser() if config.access.same_user else None
        inbound = InboundServer(
            handler.answer,
            handler.refuse,
            noted=NOTED,
            replay_limit=config.forward.replay_limit,
            limits=_inbound_limits(config.limits, config.upstream),
            budget=budget,
            callers=callers,
        )
        health = Health(logged_in=lambda: oauth.refresher.status().state == "active")
        addresses: list[str] = []

        runner = web.AppRunner(
            _admin(config, oauth, health, metrics, addresses, clock, sandbox=sandbox),
            shutdown_timeout=DRAIN,
        )
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        assert runner.server is not None  # noqa: S101  set up a line above
        await _open(stack, admin, AdminConnections(runner.server, callers))
        stack.push_async_callback(_drain, handler, inbound)
        for listener in forwarding:
            await _open(stack, listener, inbound)
            addresses.append(listener.url)
        if config.access.anyone:
            logger.warning(
                "access.anyone is true: whoever reaches %s acts as the person who "
                "logged in",
                ", ".join(addresses),
            )
        pool.start()
        health.started = True
        yield App(oauth.login, oauth.refresher, health, metrics, addresses, admin.url)
        health.stopping = True
        for listener in forwarding:
            listener.close()


async def _warn_of_store(store: TokenStore) -> None:
    """Say at the start that a login could not be saved, not when it is made."""
    try:
        async with store.lock(DEFAULT_ACCOUNT, patience=0):
            pass
    except StoreError as error:
        if error.value != BUSY:  # another process is at work: so it can be
            logger.warning("%s", error)


def _warn_of_files(config: Config) -> None:
    """Say which files with secrets others can use."""
    files = config.secret_files
    if config.store.url.startswith("file:"):
        files["store.url"] = Path(config.store.url.removeprefix("file:"))
    for name, file in files.items():
        with suppress(OSError):  # what is not there is told where it is needed
            if (found := open_to_others(file)) is not None:
                seen, mend = found
                logger.warning("%s: %s; run: %s", name, seen, mend)


def tls_context(upstream: UpstreamConfig) -> ssl.SSLContext:
    """Return the context for every call to `upstream`: the system's trust, and ours."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if upstream.ca_file is not None:
        try:
            context.load_verify_locations(upstream.ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError(
                f"upstream.ca_file: {upstream.ca_file} is not a readable file of "
                "certificates in PEM form"
            ) from exc
    return context


def _served_tls(config: Config) -> ssl.SSLContext | None:
    """Return the context for our own listeners, if one of them speaks TLS."""
    certificate_file, key_file = config.tls.certificate_file, config.tls.key_file
    if certificate_file is None or key_file is None:
        return None
    return ServerCertificate(certificate_file, key_file).context


async def _open(
    stack: AsyncExitStack, listener: Listener, factory: ProtocolFactory
) -> None:
    await listener.open(factory)
    stack.callback(listener.close)


async def _drain(handler: ForwardHandler, inbound: InboundServer) -> None:
    """Let calls under way finish; what is not done in time is cut."""
    # Calls first: closing the listener's connections takes no more of an upload.
    loop = asyncio.get_running_loop()
    until = loop.time() + DRAIN
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            await handler.drain()
    # What was written by then may still be on its way to slow readers.
    await inbound.shutdown(max(_CUT, until - loop.time()))


def _pool(
    upstream: UpstreamConfig, tls: ssl.SSLContext, listeners: Sequence[Listener]
) -> Pool:
    url, egress = upstream.api_url, upstream.egress_proxy
    assert url.host is not None  # noqa: S101  the config refuses a URL without one
    assert url.port is not None  # noqa: S101  http and https have a default
    origin = Origin(
        url.host,
        url.port,
        tls if url.scheme == "https" else None,
        None if egress is None else (str(egress.host), int(egress.port or 80)),
    )
    limits = PoolLimits(
        connect_timeout=upstream.connect_timeout,
        response_timeout=upstream.response_timeout,
        idle_timeout=upstream.idle_timeout,
        keepalive=upstream.keepalive,
        max_connections=upstream.max_connections,
        warm_connections=upstream.warm_connections,
    )
    return Pool(
        origin,
        limits,
        is_own=lambda peer, local: any(each.is_at(peer, local) for each in listeners),
    )


def _handler(
    config: Config,
    pool: Pool,
    oauth: OAuth,
    records: Records[Exchange],
    clock: Clock,
    budget: Budget,
) -> ForwardHandler:
    key_file = config.access.local_key_file
    access = AccessRules(
        config.access,
        local_names(config.listen),
        LocalKeys(key_file) if key_file is not None else None,
    )
    rewrite = _rewrite(config.upstream.api_url)
    options = ForwardOptions(
        rewrite=rewrite if config.forward.rewrite_location else None,
        server_timing=config.forward.server_timing,
        via=config.forward.via,
    )
    credential = _credential(config.login, oauth.refresher)
    paid = PaidCalls(
        config.forward.paid_calls, config.forward.paid_window, time.monotonic
    )
    parts = Parts(pool, credential, access, paid, options)
    return ForwardHandler(
        parts,
        records.record,
        clock,
        most_in_flight=config.limits.in_flight,
        budget=budget,
    )


def _inbound_limits(limits: LimitsConfig, upstream: UpstreamConfig) -> InboundLimits:
    others = upstream.max_connections + ADMIN_CONNECTIONS
    return InboundLimits(
        connections=room_for(limits.connections, others),
        head_size=limits.head_size,
        head_time=limits.head_time,
    )


def _credential(login: LoginConfig, refresher: Refresher) -> Credential:
    if not login.hold:
        return refresher
    return Holding(refresher, seconds=login.hold, requests=login.hold_requests)


def _rewrite(api_url: URL) -> Rewrite:
    origin = str(api_url.origin()).lower()
    return Rewrite(origin.encode(), str(api_url.host).encode())


def _admin(
    config: Config,
    oauth: OAuth,
    health: Health,
    metrics: Metrics,
    addresses: Sequence[str],
    clock: Clock,
    *,
    sandbox: bool,
) -> web.Application:
    return admin_app(
        login=oauth.login,
        refresher=oauth.refresher,
        info=AdminInfo(
            listen=lambda: addresses,
            upstream=str(config.upstream.api_url),
            version=__version__,
            needs_local_key=config.access.local_key_file is not None,
            sandbox=sandbox,
        ),
        health=health,
        metrics=metrics,
        names=local_names([config.admin.listen]),
        allowed_hosts=config.access.allowed_hosts,
        password_file=config.admin.password_file,
        clock=clock,
    )
