"""Runs the proxy as a program: event loop, ready line, signals, drain."""

import asyncio
import gc
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from proxy.app import App, open_app
from proxy.config import AdminConfig, Config
from proxy.listeners import GivenSockets
from proxy.log import setup_logging
from proxy.systemd import ServiceManager, inherited_sockets

_NAME = "telemed-proxy"
_EXAMPLE_PATH = "/api/v1/profile/get"

_USUAL_ADMIN = f"http://{AdminConfig().listen}"
"""Where commands look for the proxy unless told."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How the fake upstream behaves; the names are in `proxy.sandbox.scenarios`."""

    seed: int = 1
    scenario: str = "default"


def run(config: Config, *, sandbox: SandboxOptions | None = None) -> int:
    """Run until a signal says stop; return the exit code, 128 and the signal's number.

    The ready line goes to stdout, the log to stderr. With `sandbox`, the upstream of
    `config` is replaced by an embedded fake one. Raises ConfigError, StoreError.
    """
    setup_logging(config.log)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(config, sandbox))


async def _serve(config: Config, sandbox: SandboxOptions | None) -> int:
    stop = _StopSignal()
    stop.install()
    if sandbox is None:
        manager = ServiceManager(os.environ)
        given = GivenSockets(inherited_sockets(os.environ))
        async with open_app(config, given=given) as app:
            _say(ready_line(app))
            _settle()
            manager.ready(lambda: _how_it_is(app))
            number = await stop.received()
            manager.stopping()
        return 128 + number
    async with (
        _fake_upstream(config, sandbox) as (config, lines),
        open_app(config, sandbox=True) as app,
    ):
        for line in (*lines, ready_line(app)):
            _say(line)
        return 128 + await stop.received()


def _how_it_is(app: App) -> str:
    """Return the few words that a service manager shows."""
    addresses = " ".join(app.addresses)
    if app.health.logged_in():
        return f"forwarding at {addresses}"
    return f"nobody is logged in; forwarding at {addresses} after: {_program()} login"


def _settle() -> None:
    """Keep what is there to stay out of all later collections: 10 ms of every full one.

    For as long as one runs, nothing is forwarded.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _fake_upstream(
    config: Config, options: SandboxOptions
) -> AsyncIterator[tuple[Config, list[str]]]:
    """Yield the config to run with, and what to say of the sandbox behind it."""
    from proxy.sandbox import Sandbox

    async with Sandbox(
        seed=options.seed, scenario=options.scenario, announce=_say
    ) as fake:
        lines = [
            f"sandbox api {fake.api_url}  auth {fake.auth_url}  "
            f"client_id {fake.client_id}",
            f"sandbox control {fake.control_url}  (faults: /switches)",
        ]
        upstream = config.upstream.replace(
            api_url=fake.api_url, auth_url=fake.auth_url, client_id=fake.client_id
        )
        yield config.replace(upstream=upstream), lines


def ready_line(app: App) -> str:
    """Return the line that says where the proxy is and what to do next."""
    proxy = " ".join(app.addresses)
    if app.health.logged_in():
        then = _call(app.addresses[0])
    else:
        then = f"{_program()} login"
        if app.admin_address != _USUAL_ADMIN:
            then += f" --admin {app.admin_address}"
    return f"ready: proxy {proxy}  admin {app.admin_address}  next: {then}"


def _call(address: str) -> str:
    """Return a command that makes a call at `address`."""
    if not address.startswith("unix:"):
        return f"curl {address}{_EXAMPLE_PATH}"
    socket = shlex.quote(address.removeprefix("unix:"))
    return f"curl --unix-socket {socket} http://localhost{_EXAMPLE_PATH}"


def _program() -> str:
    """Return how to call this program: by its name, where that finds it."""
    own = Path(sys.argv[0])
    if own.name != _NAME:
        return _NAME
    from shutil import which  # it comes with all that it can unpack

    return str(own) if which(_NAME) is None else _NAME


def _say(line: str) -> None:
    # Whoever waits for the ready line reads a pipe, which Python would buffer.
    print(line, flush=True)  # noqa: T201  what the program is asked to print


class _StopSignal:
    """The first SIGINT or SIGTERM asks for a drain; the second ends at once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received: asyncio.Future[int] = self._loop.create_future()

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._loop.add_signal_handler(number, self._on_signal, number)
            except NotImplementedError:  # Windows
                signal.signal(number, self._from_outside)

    async def received(self) -> int:
        """Wait for the first signal and return its number."""
        return await self._received

    def _from_outside(self, number: int, _: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        if self._received.done():
            sys.stdout.flush()
            os._exit(128 + number)
        self._received.set_result(number)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the faster event loop's factory where it is installed."""
    try:
        if sys.platform == "win32":
            import winloop as fast
        else:
            import uvloop as fast
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = fast.new_event_loop
    return factory
