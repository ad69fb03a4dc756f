"""One account on a real file store, an authorization server that rotates, a clock."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from proxy.oauth.login import Login
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.file import FileStore
from tests.clocks import MovedClock
from tests.oauth.fakes import PHONE, START, FakeAuthorizationServer

StartRefresher = Callable[[], Awaitable[Refresher]]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@pytest.fixture
def server(clock: MovedClock) -> FakeAuthorizationServer:
    return FakeAuthorizationServer(clock)


@pytest.fixture
def store(tmp_path: Path, clock: MovedClock) -> FileStore:
    return FileStore(tmp_path / "state" / "tokens.json", clock=clock)


@pytest.fixture
async def start(
    store: FileStore, server: FakeAuthorizationServer, clock: MovedClock
) -> AsyncIterator[StartRefresher]:
    """Start one more process's refresher on the same store; time moves by hand."""
    started = []

    async def start() -> Refresher:
        refresher = Refresher(store, server, clock, 0.5, jitter=random.Random(1))
        await refresher.start(timer=False)
        started.append(refresher)
        return refresher

    yield start
    for refresher in started:
        if server.gate:
            server.gate.set()
        await refresher.close()


@pytest.fixture
async def refresher(
    start: StartRefresher, server: FakeAuthorizationServer
) -> Refresher:
    """A refresher with a fresh login: access-0 and refresh-0, for an hour."""
    refresher = await start()
    await refresher.adopt(server.pair(0, "refresh-0"), PHONE)
    return refresher


@pytest.fixture
async def login(
    start: StartRefresher, server: FakeAuthorizationServer, clock: MovedClock
) -> Login:
    """A login that nobody has begun."""
    return Login(server, await start(), clock)
