"""The program's command line, stopping itself at one step of a refresh.

    python launcher.py [--stop-at POINT] [--names FILE] [--lease SECONDS] -- serve

At POINT it prints `stopped at POINT` and sends itself SIGSTOP; whoever started it
kills it there, or lets it go on. The program itself has nothing of this: its store and
its call of the authorization server are wrapped here, and the two calls by which a file
becomes durable. `--names FILE` is a JSON object of host names and addresses that are
known; a name without an address is one that DNS has lost. `--lease SECONDS` is how long
a Redis lock outlives its owner.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from proxy.cli import main
from proxy.oauth.endpoints import Endpoints
from proxy.oauth.messages import TokenPair
from proxy.oauth.stores import Change, TokenStore
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.record import AccountRecord

STEPS_OF_A_SAVE = ("begun", "half-written", "written", "renamed", "saved")

POINTS = (
    "locked",
    *(f"note.{step}" for step in STEPS_OF_A_SAVE),
    "sending",
    "answered",
    *(f"save.{step}" for step in STEPS_OF_A_SAVE),
)
"""The steps of a refresh in their order; a store that is no file has fewer."""


class Stops:
    """Knows how far the refresh is, and where to stop."""

    def __init__(self, point: str | None) -> None:
        self._point = point
        self.phase: str | None = None
        """`note` before the answer of the refresh under way, `save` after it."""

    def reach(self, point: str) -> None:
        """Stop here, if here is where to stop; only the first time."""
        if point != self._point:
            return
        self._point = None
        print(f"stopped at {point}", flush=True)
        # To this very thread: sent to the process, another one may take it, and this
        # one gets past the point.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    def step(self, name: str) -> None:
        """Reach a step of the save under way, if a refresh is."""
        if self.phase is not None:
            self.reach(f"{self.phase}.{name}")

    def is_at(self, name: str) -> bool:
        """Say whether the step is the one to stop at."""
        return self.phase is not None and self._point == f"{self.phase}.{name}"


def wrap_store(kind: type[TokenStore], stops: Stops) -> None:
    """Tell `stops` of the lock and the changes of a store."""
    lock, update = kind.lock, kind.update

    @asynccontextmanager
    async def stopping_lock(
        self: Any, account: str, **patience: float
    ) -> AsyncIterator[None]:
        async with lock(self, account, **patience):
            if patience:  # not for a refresh: the program tries its store at the start
                yield
                return
            stops.reach("locked")
            stops.phase = "note"
            try:
                yield
            finally:
                stops.phase = None

    async def stopping_update(self: Any, account: str, change: Change) -> AccountRecord:
        stops.step("begun")
        record = await update(self, account, change)
        stops.step("saved")
        return record

    kind.lock = stopping_lock  # type: ignore[method-assign]
    kind.update = stopping_update  # type: ignore[method-assign]


def wrap_endpoints(stops: Stops) -> None:
    """Tell `stops` of the call of the authorization server."""
    refresh = Endpoints.refresh

    async def stopping_refresh(self: Endpoints, refresh_token: str) -> TokenPair:
        stops.reach("sending")
        pair = await refresh(self, refresh_token)
        stops.reach("answered")
        stops.phase = "save"
        return pair

    Endpoints.refresh = stopping_refresh  # type: ignore[method-assign]


def wrap_files(stops: Stops) -> None:
    """Tell `stops` how far a file is on its way to the disk."""
    sync, replace = os.fsync, os.replace

    def stopping_sync(descriptor: Any) -> None:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            sync(descriptor)
            return
        if stops.is_at("half-written"):
            os.ftruncate(descriptor, state.st_size // 2)
        stops.step("half-written")
        sync(descriptor)
        stops.step("written")

    def stopping_replace(*arguments: Any, **options: Any) -> None:
        replace(*arguments, **options)
        stops.step("renamed")

    os.fsync = stopping_sync  # type: ignore[assignment]
    os.replace = stopping_replace


def wrap_names(file: Path) -> None:
    """Have the names in `file` resolved as it says at that moment."""
    resolve = ThreadedResolver.resolve

    async def resolve_here(
        self: ThreadedResolver,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        names = json.loads(await asyncio.to_thread(file.read_text))
        if host not in names:
            return await resolve(self, host, port, family)
        if names[host] is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = await resolve(self, names[host], port, family)
        return [{**each, "hostname": host} for each in found]

    ThreadedResolver.resolve = resolve_here  # type: ignore[method-assign]


def wrap_stores(stops: Stops, lease: float | None) -> None:
    """Do so for all kinds of stores whose packages are there."""
    wrap_store(FileStore, stops)
    with suppress(ImportError):
        from proxy.oauth.stores.redis import RedisStore

        wrap_store(RedisStore, stops)
        if lease is not None:
            options = RedisStore.__init__.__kwdefaults__ or {}
            options["lease"] = lease


def launch() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stop-at", choices=POINTS)
    parser.add_argument("--names", type=Path)
    parser.add_argument("--lease", type=float)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    stops = Stops(options.stop_at)
    wrap_stores(stops, options.lease)
    wrap_endpoints(stops)
    wrap_files(stops)
    if options.names:
        wrap_names(options.names)
    sys.argv = ["telemed-proxy", *options.command]
    main()


if __name__ == "__main__":
    launch()
