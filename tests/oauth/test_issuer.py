"""Tokens are for the hosts that issued them: no other host ever sees them."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from yarl import URL

from proxy.errors import CooldownError, LoginRequiredError
from proxy.oauth.endpoints import Endpoints, open_session
from proxy.oauth.login import Login
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.file import FileStore
from tests.clocks import MovedClock
from tests.oauth.fakes import HOUR, PHONE, FakeAuthorizationServer

TEST = "https://api.test https://auth.test"
LIVE = "https://api.live https://auth.live"

At = Callable[[str], Awaitable[Refresher]]


@pytest.fixture
async def at(
    store: FileStore, server: FakeAuthorizationServer, clock: MovedClock
) -> AsyncIterator[At]:
    """Start a process whose config names the hosts of an issuer, on the same store."""
    started = []

    async def at(issuer: str) -> Refresher:
        refresher = Refresher(store, server, clock, issuer=issuer)
        await refresher.start(timer=False)
        started.append(refresher)
        return refresher

    yield at
    for refresher in started:
        await refresher.close()


@pytest.fixture
async def other(at: At, server: FakeAuthorizationServer) -> Refresher:
    """A process for the live hosts, where the store has a login at the test hosts."""
    await (await at(TEST)).adopt(server.pair(0, "refresh-0"), PHONE)
    return await at(LIVE)


async def test_the_issuer_is_that_of_the_urls(clock: MovedClock) -> None:
    async with open_session() as session:
        endpoints = Endpoints(
            session,
            api_url=URL("https://API.test:443/"),
            auth_url=URL("https://auth.test:8443"),
            client_id="",
            clock=clock,
        )

    assert endpoints.issuer == "https://api.test https://auth.test:8443"


@pytest.mark.parametrize("later", [0, 0.6 * HOUR, 2 * HOUR])
async def test_tokens_of_other_hosts_are_never_sent(
    other: Refresher, server: FakeAuthorizationServer, clock: MovedClock, later: float
) -> None:
    clock.advance(later)

    assert other.current() is None
    await other.tick()
    for call in (other.access_token, other.refresh):
        with pytest.raises(LoginRequiredError) as caught:
            await call()
        assert caught.value.description == (
            "the stored login is for https://api.test and https://auth.test, not for "
            "https://api.live and https://auth.live; run: telemed-proxy login"
        )
    with pytest.raises(LoginRequiredError):
        await other.access_token(rejected="access-0")
    await other.settled()
    assert server.presented == []


async def test_either_host_makes_the_difference(
    at: At, server: FakeAuthorizationServer
) -> None:
    await (await at(TEST)).adopt(server.pair(0, "refresh-0"), PHONE)

    for issuer in ("https://api.test https://auth.x", "https://x https://auth.test"):
        assert (await at(issuer)).current() is None
    assert (await at(TEST)).current() == "access-0"


async def test_a_login_elsewhere_is_told_as_logged_out(
    other: Refresher, at: At, caplog: pytest.LogCaptureFixture
) -> None:
    status = (await at(LIVE)).status()

    assert (status.state, status.phone, status.expires_at) == ("logged_out", None, None)
    assert status.refresh_due_at is None
    assert status.last_error is not None
    assert "the stored login is for https://api.test" in status.last_error
    assert "it is kept, but not used" in caplog.text
    assert not [s for s in ("access-", "refresh-") if s in caplog.text]


async def test_a_login_elsewhere_survives_all_but_a_login(
    other: Refresher, at: At, server: FakeAuthorizationServer, store: FileStore
) -> None:
    before = await store.load("default")
    with pytest.raises(LoginRequiredError, match="it is kept"):
        await other.logout()
    assert await store.load("default") == before
    assert (await at(TEST)).current() == "access-0"

    await other.adopt(server.pair(1, "refresh-1"), PHONE)

    record = await store.load("default")
    assert record.issuer == LIVE
    assert record.previous is None
    assert other.current() == "access-1"


async def test_a_running_process_lets_go_when_the_login_is_replaced(
    at: At, server: FakeAuthorizationServer
) -> None:
    here = await at(TEST)
    await here.adopt(server.pair(0, "refresh-0"), PHONE)
    await (await at(LIVE)).adopt(server.pair(1, "refresh-1"), PHONE)

    await here.tick()

    assert here.current() is None
    assert here.status().state == "logged_out"


async def test_a_refresh_keeps_the_issuer(
    at: At, server: FakeAuthorizationServer, store: FileStore
) -> None:
    here = await at(TEST)
    await here.adopt(server.pair(0, "refresh-0"), PHONE)

    await here.refresh()

    assert (await store.load("default")).issuer == TEST
    assert here.record.previous is not None


async def test_tokens_of_an_unknown_issuer_are_used_and_become_ours_by_a_refresh(
    at: At, server: FakeAuthorizationServer, store: FileStore
) -> None:
    await (await at(TEST)).adopt(server.pair(0, "refresh-0"), PHONE)
    await store.update("default", lambda record: replace(record, issuer=None))
    here = await at(LIVE)
    assert here.current() == "access-0"

    await here.refresh()

    assert (await store.load("default")).issuer == LIVE


async def test_the_sms_budget_is_shared(
    other: Refresher, at: At, server: FakeAuthorizationServer, clock: MovedClock
) -> None:
    await Login(server, other, clock).request_code(PHONE)

    assert other.status().state == "code_sent"
    with pytest.raises(CooldownError):
        await Login(server, await at(TEST), clock).request_code(PHONE)


async def test_a_logout_is_in_the_log(
    at: At, server: FakeAuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here = await at(TEST)
    await here.adopt(server.pair(0, "refresh-0"), PHONE)

    await here.logout()

    assert [r.getMessage() for r in caplog.records] == ["logged out"]
