import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.clock import system_clock
from proxy.errors import (
    LoginRequiredError,
    StoreError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from proxy.oauth.changes import refresh_started
from proxy.oauth.messages import TokenPair
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.record import MOVED, AccountRecord, LoginRecord
from tests.clocks import MovedClock
from tests.oauth.conftest import StartRefresher
from tests.oauth.fakes import HOUR, PHONE, START, FakeAuthorizationServer

DUE = 0.6 * HOUR
DAY = 86400.0


async def saved(store: FileStore) -> TokenPair:
    pair = (await store.load("default")).tokens
    assert pair is not None
    return pair


# -- who waits, who does not -----------------------------------------------------


async def test_a_fresh_token_is_not_refreshed(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    assert refresher.current() == "access-0"
    assert await refresher.access_token() == "access-0"
    await refresher.tick()
    assert server.calls == 0


async def test_nobody_waits_for_a_refresh_that_is_only_due(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.gate = asyncio.Event()
    clock.advance(DUE)

    assert refresher.current() is None
    assert [await refresher.access_token() for _ in range(3)] == ["access-0"] * 3
    await server.started.wait()
    assert await refresher.access_token() == "access-0"
    server.gate.set()
    await refresher.settled()

    assert refresher.current() == "access-1"
    assert server.calls == 1


async def test_the_timer_refreshes_what_is_due_without_any_caller(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    clock.advance(DUE)

    await refresher.tick()
    await refresher.settled()

    assert refresher.current() == "access-1"


async def test_the_running_timer_follows_short_lifetimes(
    store: FileStore,
) -> None:
    """A login wakes the timer, which would otherwise sleep on for half a minute."""
    server = FakeAuthorizationServer(system_clock, lifetime=0.2)
    refresher = Refresher(store, server, system_clock, 0.5)
    await refresher.start()
    try:
        await asyncio.sleep(0)
        await refresher.adopt(server.pair(0, "refresh-0"), PHONE)
        for _ in range(3):
            await asyncio.wait_for(server.started.wait(), 5)
            server.started.clear()
    finally:
        await refresher.close()

    assert server.presented[:3] == ["refresh-0", "refresh-1", "refresh-2"]


async def test_callers_wait_when_the_token_is_over_and_share_one_refresh(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    clock.advance(HOUR - 1)

    tokens = await asyncio.gather(*(refresher.access_token() for _ in range(200)))

    assert set(tokens) == {"access-1"}
    assert server.calls == 1


async def test_200_callers_whose_token_was_rejected_share_one_refresh(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    tokens = await asyncio.gather(
        *(refresher.access_token(rejected="access-0") for _ in range(200))
    )

    assert set(tokens) == {"access-1"}
    assert server.calls == 1


async def test_a_late_rejection_of_an_old_token_does_not_refresh_again(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    await refresher.access_token(rejected="access-0")

    assert await refresher.access_token(rejected="access-0") == "access-1"
    assert refresher.current() == "access-1"
    assert server.calls == 1


async def test_a_rejected_token_is_handed_to_nobody_while_it_is_replaced(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.gate = asyncio.Event()
    first = asyncio.ensure_future(refresher.access_token(rejected="access-0"))
    await server.started.wait()

    assert refresher.current() is None
    second = asyncio.ensure_future(refresher.access_token())
    await asyncio.sleep(0)
    assert not second.done()
    server.gate.set()

    assert (await first, await second) == ("access-1", "access-1")


async def test_a_caller_that_goes_away_does_not_lose_the_rotated_token(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    caller = asyncio.ensure_future(refresher.access_token(rejected="access-0"))
    await server.started.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    server.gate.set()
    await refresher.settled()

    assert refresher.current() == "access-1"
    assert (await saved(store)).refresh_token == "refresh-1"


async def test_closing_waits_for_the_refresh_under_way(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
    clock: MovedClock,
) -> None:
    server.gate = asyncio.Event()
    clock.advance(DUE)
    await refresher.tick()
    await server.started.wait()

    closing = asyncio.ensure_future(refresher.close())
    await asyncio.sleep(0)
    server.gate.set()
    await closing

    assert (await saved(store)).refresh_token == "refresh-1"


async def test_closing_gives_up_after_its_grace(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    caplog: pytest.LogCaptureFixture,
    clock: MovedClock,
) -> None:
    server.gate = asyncio.Event()
    clock.advance(DUE)
    await refresher.tick()
    await server.started.wait()

    await refresher.close(grace=0.01)

    assert "given up" in caplog.text


# -- saved before it is used -----------------------------------------------------


class SlowToSave(FileStore):
    """Lets a test look while a save is under way."""

    hold: asyncio.Event | None = None
    saving = asyncio.Event()

    server: FakeAuthorizationServer

    async def update(self, account, change):  # type: ignore[no-untyped-def]
        if self.hold is not None and self.server.calls:
            self.saving.set()
            await self.hold.wait()
        return await super().update(account, change)


async def test_nobody_gets_the_new_token_before_it_is_saved(
    store: FileStore, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    slow = SlowToSave(store._path, clock=clock)
    slow.saving = asyncio.Event()
    slow.server = server
    refresher = Refresher(slow, server, clock)
    await refresher.start(timer=False)
    await refresher.adopt(server.pair(0, "refresh-0"), PHONE)
    slow.hold = asyncio.Event()
    clock.advance(DUE)

    await refresher.access_token()
    await slow.saving.wait()
    assert server.calls == 1
    assert await refresher.access_token() == "access-0"
    slow.hold.set()
    await refresher.settled()

    assert await refresher.access_token() == "access-1"
    assert (await saved(store)).access_token == "access-1"
    await refresher.close()


async def test_the_generation_before_is_kept(
    refresher: Refresher, store: FileStore
) -> None:
    await refresher.refresh()

    record = await store.load("default")

    assert record.tokens is not None
    assert record.previous is not None
    assert record.previous.refresh_token == "refresh-0"
    assert record.tokens.generation == record.previous.generation + 1
    assert record.last_refresh is not None


async def test_a_restart_finds_the_login(
    refresher: Refresher, start: StartRefresher
) -> None:
    await refresher.refresh()

    assert (await start()).current() == "access-1"


async def test_a_pair_that_cannot_be_saved_is_used_and_saved_later(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
) -> None:
    blocked = store._path.with_name("tokens.json.new")
    server.gate = asyncio.Event()
    waiting = asyncio.ensure_future(refresher.access_token(rejected="access-0"))
    await server.started.wait()
    blocked.mkdir()  # where the next file would be written
    server.gate.set()

    assert await waiting == "access-1"
    assert (await saved(store)).access_token == "access-0"
    assert "cannot be written" in str(refresher.status().last_error)
    await refresher.tick()  # still blocked
    assert refresher.current() == "access-1"

    blocked.rmdir()
    await refresher.tick()

    assert (await saved(store)).refresh_token == "refresh-1"
    assert refresher.status().last_error is None
    assert server.calls == 1


async def refresh_unsaved(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
    error: type[Exception] = StoreError,
) -> Path:
    """Refresh while the store fails from when the server was asked.

    Return what stands in the store's way, for the test to remove.
    """
    blocked = store._path.with_name("tokens.json.new")
    server.gate = asyncio.Event()
    refreshing = asyncio.ensure_future(refresher.refresh())
    await server.started.wait()
    blocked.mkdir()
    server.gate.set()
    with pytest.raises(error):
        await refreshing
    return blocked


async def test_closing_saves_what_is_not_saved_yet(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    blocked = await refresh_unsaved(refresher, server, store)
    blocked.rmdir()

    await refresher.close()

    assert (await saved(store)).refresh_token == "refresh-1"


async def test_without_its_store_a_refresh_is_not_sent(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    """A rotated token that cannot be saved would be lost by the next restart."""
    content = store._path.read_bytes()
    store._path.unlink()
    store._path.mkdir()

    with pytest.raises(StoreError):
        await refresher.access_token(rejected="access-0")

    assert server.calls == 0
    store._path.rmdir()
    store._path.write_bytes(content)


async def test_a_refresh_that_could_not_be_saved_is_not_sent(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    """While the access token lives, waiting for the disk costs nobody anything."""
    blocked = store._path.with_name("tokens.json.new")
    blocked.mkdir()
    with pytest.raises(StoreError):
        await refresher.refresh()
    assert server.calls == 0
    assert await refresher.access_token() == "access-0"
    blocked.rmdir()
    await refresher.refresh()
    assert server.calls == 1


async def test_a_token_that_is_over_is_replaced_though_it_cannot_be_saved(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
    clock: MovedClock,
) -> None:
    blocked = store._path.with_name("tokens.json.new")
    blocked.mkdir()
    clock.advance(15 * DAY)
    assert await refresher.access_token() == "access-1"
    blocked.rmdir()
    await refresher.tick()
    assert (await saved(store)).access_token == "access-1"


async def test_the_store_tells_of_a_refresh_whose_outcome_is_not_known(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    refreshing = asyncio.ensure_future(refresher.refresh())
    await server.started.wait()
    assert (await store.load("default")).refresh_started is not None
    server.gate.set()
    await refreshing
    assert (await store.load("default")).refresh_started is None


# -- failures --------------------------------------------------------------------

AT_ONCE = 2
"""Calls that one refresh makes while its outcome is unknown."""

UNKNOWN = [
    TokenAnswerError("the authorization server answered 500"),
    UpstreamTimeoutError("no answer in time"),
    UpstreamUnreachableError("no connection"),
]


@pytest.mark.parametrize("failure", UNKNOWN, ids=lambda exc: type(exc).__name__)
async def test_a_live_token_serves_through_an_outage_with_tries_kept_apart(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    failure: TokenAnswerError,
) -> None:
    server.failure = failure
    # What was not even sent need not be found out about at once.
    at_once = 1 if isinstance(failure, UpstreamUnreachableError) else AT_ONCE
    clock.advance(DUE)

    for _ in range(200):
        assert await refresher.access_token() == "access-0"
        await refresher.settled()

    assert server.calls == at_once
    status = refresher.status()
    assert (status.state, status.last_error) == ("active", failure.description)

    clock.advance(1)
    assert await refresher.access_token() == "access-0"
    await refresher.settled()
    assert server.calls == 2 * at_once
    clock.advance(1)
    await refresher.tick()
    await refresher.settled()
    assert server.calls == 2 * at_once  # two seconds apart now

    server.failure = None
    clock.advance(1)
    await refresher.tick()
    await refresher.settled()
    assert refresher.current() == f"access-{2 * at_once + 1}"
    assert refresher.status().last_error is None


async def test_a_rejected_token_that_cannot_be_replaced_raises_for_who_met_it(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = TokenAnswerError("the authorization server answered 500")

    with pytest.raises(TokenAnswerError):
        await refresher.access_token(rejected="access-0")
    with pytest.raises(TokenAnswerError) as caught:
        await refresher.access_token(rejected="access-0")

    assert caught.value.retry_after == 1
    assert server.calls == AT_ONCE
    # The rejection may have been one call's own.
    assert await refresher.access_token() == "access-0"
    server.failure = None
    clock.advance(1)
    assert await refresher.access_token(rejected="access-0") == "access-3"


async def test_an_outage_beyond_the_end_of_the_token_raises_and_heals(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = UpstreamTimeoutError("no answer in time")
    clock.advance(2 * HOUR)

    results = await asyncio.gather(
        *(refresher.access_token() for _ in range(200)), return_exceptions=True
    )
    assert {type(result) for result in results} == {UpstreamTimeoutError}
    for _ in range(100):
        with pytest.raises(UpstreamTimeoutError):
            await refresher.access_token()
    assert server.calls == AT_ONCE

    server.failure = None
    clock.advance(1)
    assert await refresher.access_token() == "access-3"


@pytest.mark.parametrize("failure", UNKNOWN[:2], ids=lambda exc: type(exc).__name__)
async def test_a_lost_answer_is_asked_for_once_more_at_once(
    refresher: Refresher, server: FakeAuthorizationServer, failure: TokenAnswerError
) -> None:
    """The server had not acted, or takes the spent token for a while."""
    server.failures = [failure]

    await refresher.refresh()

    assert server.presented == ["refresh-0", "refresh-0"]
    assert refresher.current() == "access-2"


async def test_a_refresh_whose_answer_was_lost_says_so_and_serves_on(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.loses_answer = UpstreamTimeoutError("no answer in time")

    with pytest.raises(TokenRefusedError):
        await refresher.refresh()

    assert server.presented == ["refresh-0", "refresh-0"]
    status = refresher.status()
    assert "its answer was lost" in str(status.last_error)
    assert status.state == "active"
    assert status.login_needed_by == status.expires_at
    assert await refresher.access_token() == "access-0"


async def test_a_token_that_nobody_here_had_used_was_taken_by_another_login(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.current = "taken"

    with pytest.raises(TokenRefusedError):
        await refresher.refresh()

    assert "another login for this phone" in str(refresher.status().last_error)


class TestUncertain:
    """A process died between the note that a refresh begins and its answer."""

    @staticmethod
    async def died(store: FileStore, record: AccountRecord, clock: MovedClock) -> None:
        pair = record.tokens
        assert pair is not None
        await store.update("default", lambda one: refresh_started(one, pair, clock()))

    async def test_the_old_token_is_tried_once_at_the_next_start(
        self,
        refresher: Refresher,
        server: FakeAuthorizationServer,
        store: FileStore,
        clock: MovedClock,
        start: StartRefresher,
    ) -> None:
        await self.died(store, refresher.record, clock)
        clock.advance(60)  # long before it would be due

        again = await start()
        assert await again.access_token() == "access-0"
        await again.tick()
        await again.settled()

        assert server.presented == ["refresh-0"]
        assert again.current() == "access-1"
        assert (await store.load("default")).refresh_started is None

    async def test_refused_it_is_dead_and_the_access_token_serves_on(
        self,
        refresher: Refresher,
        server: FakeAuthorizationServer,
        store: FileStore,
        clock: MovedClock,
        start: StartRefresher,
    ) -> None:
        server.current = "refresh-whose-answer-was-lost"
        await self.died(store, refresher.record, clock)

        again = await start()
        for _ in range(3):
            await again.tick()
            await again.settled()

        assert server.presented == ["refresh-0"]
        status = again.status()
        assert (status.state, status.login_needed_by) == ("active", status.expires_at)
        assert "its answer was lost" in str(status.last_error)
        assert await again.access_token() == "access-0"
        clock.advance(2 * HOUR)
        assert again.status().state == "login_required"

    async def test_after_a_login_nothing_is_uncertain_any_more(
        self,
        refresher: Refresher,
        server: FakeAuthorizationServer,
        store: FileStore,
        clock: MovedClock,
    ) -> None:
        await self.died(store, refresher.record, clock)
        await refresher.adopt(server.pair(9, "refresh-0"), PHONE)

        await refresher.tick()
        await refresher.settled()

        assert server.calls == 0

    async def test_several_tries_are_one_refresh(
        self, refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
    ) -> None:
        server.failure = UpstreamTimeoutError("no answer in time")
        for _ in range(3):
            with pytest.raises(UpstreamTimeoutError):
                await refresher.refresh()

        started = (await store.load("default")).refresh_started
        assert started is not None
        assert (started.tries, started.generation) == (
            3,
            refresher.record.generation,
        )
        assert "refresh-0" not in started.token

    async def test_where_a_lock_can_be_lost_its_owner_is_given_time(
        self,
        refresher: Refresher,
        server: FakeAuthorizationServer,
        store: FileStore,
        clock: MovedClock,
        start: StartRefresher,
    ) -> None:
        store.doubt = 60.0
        clock.advance(DUE)
        await self.died(store, refresher.record, clock)
        again = await start()

        for _ in range(3):
            await again.tick()
            await again.settled()
            assert await again.access_token() == "access-0"
        assert server.calls == 0

        clock.advance(60)
        await again.tick()
        await again.settled()
        assert again.current() == "access-1"

    async def test_but_not_while_no_call_can_go_through(
        self,
        refresher: Refresher,
        server: FakeAuthorizationServer,
        store: FileStore,
        clock: MovedClock,
        start: StartRefresher,
    ) -> None:
        store.doubt = 60.0
        await self.died(store, refresher.record, clock)
        again = await start()

        assert await again.access_token(rejected="access-0") == "access-1"


async def test_a_login_that_was_moved_is_not_asked_for_here(
    start: StartRefresher, store: FileStore
) -> None:
    told = f"{MOVED}keyring:: set store.url to that"
    await store.update("default", lambda _: AccountRecord(last_error=told))

    with pytest.raises(LoginRequiredError, match="set store.url to that"):
        await (await start()).access_token()


async def test_what_the_store_has_lost_is_saved_again(
    refresher: Refresher, store: FileStore
) -> None:
    before = await store.load("default")
    await store.update("default", lambda _: AccountRecord())

    await refresher.tick()
    await refresher.tick()

    assert (await store.load("default")).tokens == before.tokens


class Missing(FileStore):
    """A store that is on another machine, and may be away."""

    away = True

    async def load(self, account: str) -> AccountRecord:
        if self.away:
            raise StoreError("the store is away", value="store_unreachable")
        return await super().load(account)


async def test_a_store_that_is_away_at_the_start_is_waited_for(
    tmp_path: Path, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    store = Missing(tmp_path / "tokens.json", clock=clock)
    store.away = False
    with_login = Refresher(store, server, clock)
    await with_login.start(timer=False)
    await with_login.adopt(server.pair(0, "refresh-0"), PHONE)
    store.away = True
    refresher = Refresher(store, server, clock)
    with pytest.raises(StoreError):
        await refresher.start(timer=False)

    await refresher.start()
    try:
        for _ in range(3):
            with pytest.raises(StoreError, match="away"):
                await refresher.access_token()
        store.away = False
        await refresher.tick()
        assert await refresher.access_token() == "access-0"
    finally:
        await refresher.close()


async def test_somebody_is_reminded_before_the_login_ends(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.lifetime = 14 * DAY
    await refresher.adopt(server.pair(0, None), PHONE)

    reminders = []
    for _ in range(14 * 24):
        caplog.clear()
        await refresher.tick()
        if any("log in again before" in one.getMessage() for one in caplog.records):
            reminders.append(round((START + 14 * DAY - clock()) / HOUR))
        clock.advance(HOUR)

    assert reminders == [72, 24, 6, 1]


async def test_the_upstreams_clock_is_told(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    assert refresher.status().clock_skew is None
    server.skew = -90.0
    assert refresher.status().clock_skew == -90.0


async def test_whoever_waits_for_a_login_is_told_of_it(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    await refresher.logout()
    waiting = [asyncio.ensure_future(refresher.arrival()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)

    await refresher.adopt(server.pair(1, "refresh-0"), PHONE)

    await asyncio.gather(*waiting)


async def test_a_refused_refresh_token_is_never_sent_again(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    start: StartRefresher,
) -> None:
    server.current = "taken by another login"
    clock.advance(DUE)

    assert await refresher.access_token() == "access-0"
    await refresher.settled()

    # The access token serves on, and the end is told.
    again = await start()
    for each in (refresher, again):
        status = each.status()
        assert status.state == "active"
        assert status.refresh_due_at is None
        assert status.login_needed_by == status.expires_at
        assert "invalid_grant" in str(status.last_error)
        assert each.current() == "access-0"
        with pytest.raises(LoginRequiredError):
            await each.refresh()

    clock.advance(0.4 * HOUR)
    for each in (refresher, again):
        assert each.status().state == "login_required"
        with pytest.raises(LoginRequiredError, match="telemed-proxy login"):
            await each.access_token()
    assert server.presented == ["refresh-0"]


async def test_a_rejected_token_with_a_dead_refresh_token_needs_a_login(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.current = "taken by another login"

    results = await asyncio.gather(
        *(refresher.access_token(rejected="access-0") for _ in range(50)),
        return_exceptions=True,
    )

    assert {type(result) for result in results} == {LoginRequiredError}
    assert refresher.status().state == "login_required"
    assert server.calls == 1


async def test_a_forced_refresh_tells_the_refusal(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.current = "taken by another login"

    with pytest.raises(TokenRefusedError):
        await refresher.refresh()


async def test_a_forced_refresh_does_not_wait_for_the_next_try(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    server.failure = TokenAnswerError("the authorization server answered 500")
    with pytest.raises(TokenAnswerError):
        await refresher.refresh()
    server.failure = None

    await refresher.refresh()

    assert refresher.current() == "access-3"


async def test_an_answer_without_a_refresh_token_leaves_the_old_one_valid(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.rotates = False

    await refresher.refresh()
    await refresher.refresh()

    assert server.presented == ["refresh-0", "refresh-0"]
    assert (await saved(store)).refresh_token == "refresh-0"


async def test_a_login_without_a_refresh_token_serves_until_its_end(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    await refresher.adopt(server.pair(9, None), PHONE)

    clock.advance(HOUR - 1)
    assert refresher.current() == "access-9"
    status = refresher.status()
    assert status.state == "active"
    assert status.login_needed_by == status.expires_at
    with pytest.raises(LoginRequiredError):
        await refresher.refresh()

    clock.advance(1)
    with pytest.raises(LoginRequiredError):
        await refresher.access_token()
    assert server.calls == 0


async def test_an_endpoint_that_rejects_every_token_does_not_rotate_for_ever(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    token = "access-0"
    for _ in range(100):
        token = await refresher.access_token(rejected=token)

    assert server.calls == 20
    # Told by the same token coming back; others are served meanwhile.
    assert await refresher.access_token(rejected=token) == token
    assert refresher.current() == token
    clock.advance(15)
    assert await refresher.access_token(rejected=token) != token


async def test_after_a_success_the_tries_start_close_together_again(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    failure = TokenAnswerError("the authorization server answered 500")
    server.failure = failure
    for _ in range(6):
        with pytest.raises(TokenAnswerError):
            await refresher.refresh()
    server.failure = None
    await refresher.refresh()
    server.failure = failure
    calls = server.calls

    for _ in range(2):
        with pytest.raises(TokenAnswerError):
            await refresher.access_token(rejected="access-13")
        clock.advance(1)

    assert server.calls == calls + 2 * AT_ONCE


async def test_a_failure_of_one_login_does_not_hold_back_the_next(
    refresher: Refresher, server: FakeAuthorizationServer
) -> None:
    server.failure = TokenAnswerError("the authorization server answered 500")
    with pytest.raises(TokenAnswerError):
        await refresher.refresh()
    server.failure = None
    await refresher.adopt(server.pair(9, "refresh-0"), PHONE)

    assert refresher.status().last_error is None
    assert await refresher.access_token(rejected="access-9") == "access-3"


async def test_the_running_timer_tries_again_after_a_failure(store: FileStore) -> None:
    server = FakeAuthorizationServer(system_clock)
    server.failure = TokenAnswerError("the authorization server answered 500")
    refresher = Refresher(store, server, system_clock, 0.0, first_delay=0.05)
    await refresher.start()
    try:
        await refresher.adopt(server.pair(0, "refresh-0"), PHONE)
        for _ in range(2):
            await asyncio.wait_for(server.started.wait(), 5)
            server.started.clear()
    finally:
        await refresher.close()


async def test_a_refusal_that_cannot_be_saved_is_remembered(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.current = "taken by another login"
    blocked = await refresh_unsaved(refresher, server, store, TokenRefusedError)

    await refresher.tick()
    await refresher.reload()
    with pytest.raises(LoginRequiredError):
        await refresher.refresh()

    blocked.rmdir()
    await refresher.tick()
    assert (await store.load("default")).refused
    assert server.presented == ["refresh-0"]


async def test_an_sms_counted_elsewhere_is_not_lost_by_a_late_save(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
    start: StartRefresher,
) -> None:
    blocked = await refresh_unsaved(refresher, server, store)
    blocked.rmdir()
    counted = LoginRecord(PHONE, sends=3, cooldown_until=5.0)
    await (await start()).update(lambda record: replace(record, login=counted))

    await refresher.tick()

    record = await store.load("default")
    assert record.login == counted
    assert record.tokens is not None
    assert record.tokens.access_token == "access-1"


# -- clocks ----------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-365 * DAY, -DAY, DAY, 365 * DAY])
async def test_a_clock_that_jumps_costs_one_refresh_at_most(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    jump: float,
) -> None:
    clock.advance(jump)
    for _ in range(5):
        await refresher.access_token()
        await refresher.settled()
    assert server.calls == 1

    clock.advance(-jump)
    for _ in range(5):
        await refresher.access_token()
        await refresher.settled()
    assert server.calls == 2
    assert refresher.status().state == "active"


@pytest.mark.parametrize("lifetime", [1.0, 365 * DAY])
async def test_lifetimes_of_a_second_and_of_a_year_work(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    lifetime: float,
) -> None:
    server.lifetime = lifetime
    await refresher.refresh()
    assert refresher.current() == "access-1"

    clock.advance(lifetime * 0.6)
    assert await refresher.access_token() == "access-1"
    await refresher.settled()
    assert refresher.current() == "access-2"
    clock.advance(lifetime)
    assert await refresher.access_token() == "access-3"


async def test_a_login_far_apart_from_the_clock_is_still_newer(
    refresher: Refresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    clock.advance(-DAY)

    await refresher.adopt(server.pair(9, "refresh-9"), PHONE)

    assert refresher.current() == "access-9"


# -- several processes -----------------------------------------------------------


async def test_a_process_adopts_what_another_has_refreshed(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    other = await start()
    clock.advance(DUE)
    await other.refresh()

    assert await refresher.access_token(rejected="access-0") == "access-1"
    assert server.presented == ["refresh-0"]


async def test_processes_that_refresh_at_once_spend_the_refresh_token_once(
    refresher: Refresher, server: FakeAuthorizationServer, start: StartRefresher
) -> None:
    others = [await start() for _ in range(4)]

    tokens = await asyncio.gather(
        *(each.access_token(rejected="access-0") for each in (refresher, *others))
    )

    assert set(tokens) == {"access-1"}
    assert server.presented == ["refresh-0"]


async def test_an_adopted_pair_that_is_over_as_well_is_refreshed(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    await (await start()).refresh()
    clock.advance(2 * HOUR)

    assert await refresher.access_token() == "access-2"
    assert server.presented == ["refresh-0", "refresh-1"]


async def test_the_timer_notices_another_process_s_logout_and_login(
    refresher: Refresher, server: FakeAuthorizationServer, start: StartRefresher
) -> None:
    other = await start()
    await other.logout()
    await refresher.tick()
    assert refresher.status().state == "logged_out"

    await other.adopt(server.pair(9, "refresh-9"), PHONE)
    await refresher.tick()
    assert refresher.current() == "access-9"


async def test_a_caller_finds_another_process_s_login_at_once(
    start: StartRefresher, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    refresher, other = await start(), await start()
    with pytest.raises(LoginRequiredError):
        await refresher.access_token()
    await other.adopt(server.pair(9, "refresh-9"), PHONE)

    clock.advance(1)

    assert await refresher.access_token() == "access-9"


async def test_a_lost_store_is_written_anew_from_memory(
    refresher: Refresher, store: FileStore
) -> None:
    store._path.unlink()

    await refresher.tick()
    assert refresher.current() == "access-0"
    await refresher.refresh()

    assert (await saved(store)).refresh_token == "refresh-1"


async def test_a_login_into_a_lost_store_is_adopted(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    store: FileStore,
    start: StartRefresher,
    clock: MovedClock,
) -> None:
    await refresher.refresh()
    store._path.unlink()
    clock.advance(60)
    other = await start()
    await other.adopt(server.pair(9, "refresh-9"), PHONE)

    await refresher.tick()

    assert refresher.current() == "access-9"


# -- login and logout in the middle of a refresh ---------------------------------


async def test_a_login_during_a_refresh_wins(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    waiting = asyncio.ensure_future(refresher.access_token(rejected="access-0"))
    await server.started.wait()

    await refresher.adopt(server.pair(9, "refresh-9"), PHONE)
    assert refresher.current() == "access-9"
    server.gate.set()

    assert await waiting == "access-9"
    assert (await saved(store)).refresh_token == "refresh-9"


async def test_a_logout_during_a_refresh_wins(
    refresher: Refresher, server: FakeAuthorizationServer, store: FileStore
) -> None:
    server.gate = asyncio.Event()
    waiting = asyncio.ensure_future(refresher.access_token(rejected="access-0"))
    await server.started.wait()

    await refresher.logout()
    server.gate.set()

    with pytest.raises(LoginRequiredError):
        await waiting
    assert refresher.current() is None
    assert (await store.load("default")).tokens is None


async def test_a_logout_leaves_no_token_in_the_file(
    refresher: Refresher, store: FileStore
) -> None:
    await refresher.refresh()

    await refresher.logout()

    content = store._path.read_text()
    assert "access-" not in content
    assert "refresh-" not in content
    assert refresher.status().phone is None
    with pytest.raises(LoginRequiredError, match="telemed-proxy login"):
        await refresher.access_token()
    with pytest.raises(LoginRequiredError):
        await refresher.refresh()


async def test_a_caller_that_goes_away_does_not_stop_a_logout_half_way(
    refresher: Refresher, store: FileStore
) -> None:
    caller = asyncio.ensure_future(refresher.logout())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    async with asyncio.timeout(5):
        while refresher.current() is not None:
            await asyncio.sleep(0.005)
    assert (await store.load("default")).tokens is None


async def test_a_logout_that_cannot_be_saved_says_so_and_is_kept(
    refresher: Refresher, store: FileStore
) -> None:
    blocked = store._path.with_name("tokens.json.new")
    blocked.mkdir()

    with pytest.raises(StoreError):
        await refresher.logout()
    await refresher.tick()
    assert refresher.status().state == "logged_out"

    blocked.rmdir()
    await refresher.tick()
    assert (await store.load("default")).tokens is None


async def test_a_logout_of_nobody_writes_nothing(
    start: StartRefresher, store: FileStore
) -> None:
    await (await start()).logout()

    assert not store._path.exists()


# -- status, log -----------------------------------------------------------------


async def test_the_status_tells_when_what_is_due(
    refresher: Refresher, clock: MovedClock, store: FileStore
) -> None:
    clock.advance(10)

    status = refresher.status()

    assert status.state == "active"
    assert status.phone == "+7******4567"
    assert status.expires_at == clock() + HOUR - 10
    assert status.expires_in == HOUR - 10
    assert status.refresh_due_at is not None
    assert 0.47 * HOUR < status.refresh_due_at - clock() + 10 < 0.53 * HOUR
    assert status.login_needed_by is None
    assert status.last_refresh is None
    assert status.last_error is None
    assert status.store == store.url
    assert not status.code_sent


async def test_no_token_is_told_or_logged(
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = [repr(refresher.status()), repr(refresher.record)]
    await refresher.access_token(rejected="access-0")
    server.failure = TokenAnswerError("the authorization server answered 500")
    clock.advance(2 * HOUR)
    with pytest.raises(TokenAnswerError):
        await refresher.access_token()
    server.failure = None
    server.current = "refresh-x"
    with pytest.raises(TokenRefusedError):
        await refresher.refresh()
    told += [repr(refresher.status()), repr(refresher.record), caplog.text]

    assert "refreshed" in caplog.text
    assert not [text for text in told if "access-" in text or "refresh-" in text]
