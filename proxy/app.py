"""The composition root: what knows all parts, and how long each lives.

`app_oauth` and `app_forward` put its two halves together.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from proxy import __version__
from proxy.access.peers import SameUser
from proxy.admin.late import LateAdmin
from proxy.admin.password import Password
from proxy.admin.state import AdminInfo
from proxy.app_forward import Forward, make_forward, make_pool
from proxy.app_oauth import OAuth, open_oauth, tls_context
from proxy.certificate import ServerCertificate
from proxy.clock import Clock, system_clock
from proxy.config import Config
from proxy.errors import StoreError
from proxy.forward.exchange import Exchange
from proxy.health import Health
from proxy.journal.replay import Replays
from proxy.journal.ring import Journal
from proxy.listeners import GivenSockets, Listener, ProtocolFactory, local_names
from proxy.log import AccessLog
from proxy.metrics import Metrics
from proxy.oauth.login import Login
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores import BUSY, TokenStore
from proxy.oauth.stores.record import DEFAULT_ACCOUNT
from proxy.recording import Records
from proxy.secret_files import open_to_others

__all__ = ["App", "OAuth", "open_app", "open_oauth", "tls_context"]

logger = logging.getLogger(__name__)

DRAIN = 10.0
"""Seconds for calls under way when the program is told to stop."""

_CUT = 0.05

_JUST_CONNECTED = 0.1


@dataclass(frozen=True, slots=True)
class App:
    """The running proxy. Addresses are what to point a client at."""

    login: Login
    refresher: Refresher
    health: Health
    metrics: Metrics
    journal: Journal
    addresses: Sequence[str]
    admin_address: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the admin listener shows, and acts on."""

    oauth: OAuth
    info: AdminInfo
    health: Health
    metrics: Metrics
    journal: Journal
    replays: Replays


class AdminPage:
    """What answers on the admin listener; opened when somebody comes, see `late`.

    Raises ConfigError for a password file that cannot be used.
    """

    def __init__(
        self, config: Config, shown: Shown, callers: SameUser | None, clock: Clock
    ) -> None:
        self._config = config
        self._shown = shown
        self._callers = callers
        self._clock = clock
        path = config.admin.password_file
        self._password = None if path is None else Password(path, clock)
        self._stack = AsyncExitStack()

    async def open(self) -> ProtocolFactory:
        """Return what makes the protocol of a connection."""
        # In a thread: requests are forwarded meanwhile.
        await asyncio.to_thread(import_module, "proxy.admin.app")
        from proxy.admin.app import admin_app, open_connections
        from proxy.admin.trust import visitors_are_trusted
        from proxy.admin.viewer import Viewer
        from proxy.journal.entries import Place
        from proxy.journal.report import config_text

        shown, info = self._shown, self._shown.info
        viewer = Viewer(
            journal=shown.journal,
            replays=shown.replays,
            place=lambda: Place(info.upstream, next(iter(info.listen()), "")),
            config_text=lambda: config_text(self._config),
            trusted=visitors_are_trusted(self._config),
        )
        app = admin_app(
            login=shown.oauth.login,
            refresher=shown.oauth.refresher,
            info=info,
            health=shown.health,
            metrics=shown.metrics,
            viewer=viewer,
            names=local_names([self._config.admin.listen]),
            allowed_hosts=self._config.access.allowed_hosts,
            password=self._password,
            clock=self._clock,
        )
        connections = open_connections(app, self._callers, patience=DRAIN)
        return await self._stack.enter_async_context(connections)

    async def close(self) -> None:
        """End its connections."""
        await self._stack.aclose()


@asynccontextmanager
async def open_app(
    config: Config,
    clock: Clock = system_clock,
    *,
    sandbox: bool = False,
    given: GivenSockets | None = None,
) -> AsyncIterator[App]:
    """Start everything that `config` describes; on leaving, drain and close it.

    With `sandbox`, people are told that nothing here is real; `given` are sockets to
    take instead of opening them. Raises ConfigError for what only shows when it is
    tried, StoreError.
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
        pool = make_pool(config.upstream, tls, [*forwarding, admin])
        stack.push_async_callback(pool.close)
        journal, records = _recording(stack, config, metrics)
        callers = SameUser() if config.access.same_user else None
        keeping = journal.content.keeping
        forward = make_forward(
            config, pool, oauth.refresher, records.record, keeping, callers, clock
        )
        stack.push_async_callback(forward.replays.close)
        journal.under_way = forward.inbound.under_way
        metrics.watch(
            in_flight=lambda: forward.handler.in_flight,
            connections_opened=lambda: pool.opened,
            before=records.hand_on,
        )
        health = Health(logged_in=lambda: oauth.refresher.status().state == "active")
        addresses: list[str] = []
        info = _info(config, addresses, sandbox=sandbox)
        shown = Shown(oauth, info, health, metrics, journal, forward.replays)
        page = AdminPage(config, shown, callers, clock)
        stack.push_async_callback(page.close)
        late = LateAdmin(page.open)
        stack.push_async_callback(late.close)
        await _open(stack, admin, late, given)
        stack.push_async_callback(_drain, forward)
        for listener in forwarding:
            await _open(stack, listener, forward.inbound, given)
            addresses.append(listener.url)
        if given is not None:
            given.expect_none_left()
        _warn_of_everybody(config, addresses)
        pool.start()
        health.started = True
        login, refresher = oauth.login, oauth.refresher
        yield App(login, refresher, health, metrics, journal, addresses, admin.url)
        health.stopping = True
        for listener in forwarding:
            listener.close()


def _recording(
    stack: AsyncExitStack, config: Config, metrics: Metrics
) -> tuple[Journal, Records[Exchange]]:
    """Return the journal, and what hands it and the others all that has ended."""
    kept = config.journal
    journal = Journal(kept.exchanges, kept.bytes, content=kept.content)
    stack.callback(journal.content.close)
    records = Records[Exchange](
        metrics.record, AccessLog(config.log).write, journal.record
    )
    stack.callback(records.hand_on)
    journal.hand_on = records.hand_on
    return journal, records


def _info(config: Config, addresses: Sequence[str], *, sandbox: bool) -> AdminInfo:
    return AdminInfo(
        listen=lambda: addresses,
        upstream=str(config.upstream.api_url),
        version=__version__,
        needs_local_key=config.access.local_key_file is not None,
        sandbox=sandbox,
    )


def _warn_of_everybody(config: Config, addresses: Sequence[str]) -> None:
    """Say at every start what `access.anyone` means."""
    if config.access.anyone:
        logger.warning(
            "access.anyone is true: whoever reaches %s acts as the person who "
            "logged in",
            ", ".join(addresses),
        )


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


def _served_tls(config: Config) -> ssl.SSLContext | None:
    """Return the context for our own listeners, if one of them speaks TLS."""
    certificate_file, key_file = config.tls.certificate_file, config.tls.key_file
    if certificate_file is None or key_file is None:
        return None
    return ServerCertificate(certificate_file, key_file).context


async def _open(
    stack: AsyncExitStack,
    listener: Listener,
    factory: ProtocolFactory,
    given: GivenSockets | None,
) -> None:
    await listener.open(factory, given)
    stack.callback(listener.close)


async def _drain(forward: Forward) -> None:
    """Let calls under way finish; what is not done in time is cut."""
    # Who has just connected is about to send its request, which a close would lose.
    forward.handler.draining = True
    await asyncio.sleep(_JUST_CONNECTED)
    # Calls first: closing the listener's connections takes no more of an upload.
    loop = asyncio.get_running_loop()
    until = loop.time() + DRAIN
    with suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            await forward.handler.drain()
    # What was written by then may still be on its way to slow readers.
    await forward.inbound.shutdown(max(_CUT, until - loop.time()))
