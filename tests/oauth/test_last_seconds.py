"""How a token's end meets a refresh that fails: no call fails without need."""

import asyncio
import random

import pytest

from proxy.errors import (
    LoginRequiredError,
    StoreError,
    TokenAnswerError,
    UpstreamUnreachableError,
)
from proxy.oauth.refresher import Refresher
from proxy.oauth.schedule import MARGIN, URGENT_DELAY, Backoff
from proxy.oauth.stores import Change
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.record import AccountRecord
from tests.clocks import MovedClock
from tests.oauth.conftest import StartRefresher
from tests.oauth.fakes import HOUR, PHONE, START, FakeAuthorizationServer

OVER = START + HOUR - MARGIN
LAST_SECOND = START + HOUR - 1
GONE = UpstreamUnreachableError("refused", value="refused")


async def fail_until(refresher: Refresher, clock: MovedClock, instant: float) -> None:
    """Have the timer look every second, as it does while tries are put off."""
    clock.now = START + 0.6 * HOUR
    while clock.now < instant:
        await refresher.tick()
        await refresher.settled()
        clock.advance(1)


async def test_tries_are_not_put_off_past_the_moment_when_calls_need_one(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = TokenAnswerError("answered 503")
    await fail_until(refresher, clock, OVER)
    server.failure = None

    assert await refresher.access_token() != "access-0"


async def test_the_same_when_it_could_not_be_saved(
    refresher: Refresher,
    store: FileStore,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def update(account: str, change: Change) -> AccountRecord:
        raise StoreError("no space left")

    monkeypatch.setattr(store, "update", update)
    await fail_until(refresher, clock, OVER)

    assert await refresher.access_token() != "access-0"
    monkeypatch.undo()


async def test_after_the_end_it_is_tried_often(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = GONE
    await fail_until(refresher, clock, START + 1.2 * HOUR)
    with pytest.raises(UpstreamUnreachableError):
        await refresher.access_token()
    server.failure = None
    clock.advance(URGENT_DELAY)

    assert await refresher.access_token() != "access-0"


async def test_a_token_serves_to_its_end_while_there_is_no_better_one(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = GONE
    clock.now = LAST_SECOND

    assert await refresher.access_token() == "access-0"
    assert await refresher.access_token() == "access-0"  # while tries are put off

    clock.advance(1)
    with pytest.raises(UpstreamUnreachableError):
        await refresher.access_token()


async def test_it_does_so_when_its_refresh_token_is_refused_then(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.current = "another-login"
    clock.now = LAST_SECOND

    assert await refresher.access_token() == "access-0"

    clock.advance(1)
    with pytest.raises(LoginRequiredError):
        await refresher.access_token()


async def test_it_does_so_when_another_process_was_refused_first(
    start: StartRefresher,
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
) -> None:
    other = await start()
    server.current = "another-login"
    clock.now = LAST_SECOND

    tokens = await asyncio.gather(refresher.access_token(), other.access_token())

    assert set(tokens) == {"access-0"}
    assert server.calls == 1


async def test_all_who_come_together_find_the_login_of_another_process(
    start: StartRefresher, refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    other = await start()
    await refresher.logout()
    await other.reload()
    await refresher.adopt(server.pair(7, "refresh-7"), PHONE)

    tokens = await asyncio.gather(*(other.access_token() for _ in range(3)))

    assert tokens == ["access-7"] * 3


async def test_but_not_for_a_call_whose_token_was_rejected(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.current = "another-login"
    clock.now = LAST_SECOND

    with pytest.raises(LoginRequiredError):
        await refresher.access_token(rejected="access-0")


def test_a_pause_is_no_longer_than_it_may_be() -> None:
    backoff = Backoff(random.Random(1))

    delays = [backoff.failed(START, at_most=URGENT_DELAY) for _ in range(12)]

    assert max(delays) == URGENT_DELAY
    assert backoff.failed(START, at_most=0.5) == 0.5
    assert backoff.remaining(START + 0.5) == 0
