"""Requests wait for somebody who types the code: not for long, and not too many."""

import asyncio

import pytest

from proxy.errors import LoginRequiredError
from proxy.oauth.holding import Holding
from proxy.oauth.login import Login
from tests.oauth.conftest import StartRefresher
from tests.oauth.fakes import PHONE, FakeAuthorizationServer


async def test_they_go_on_when_the_login_is_there(
    login: Login, server: FakeAuthorizationServer
) -> None:
    holding = Holding(login._refresher, seconds=30, requests=3)
    await login.request_code(PHONE)
    waiting = [asyncio.ensure_future(holding.access_token()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert not any(one.done() for one in waiting)

    await login.submit_code(server.code)

    assert await asyncio.gather(*waiting) == ["access-0"] * 3


async def test_those_beyond_the_limit_are_answered_at_once(login: Login) -> None:
    holding = Holding(login._refresher, seconds=30, requests=1)
    await login.request_code(PHONE)
    first = asyncio.ensure_future(holding.access_token())
    await asyncio.sleep(0.01)

    with pytest.raises(LoginRequiredError):
        await holding.access_token()

    first.cancel()
    await asyncio.wait([first])
    second = asyncio.ensure_future(holding.access_token())
    await asyncio.sleep(0.01)
    assert not second.done()
    second.cancel()


async def test_nobody_waits_for_ever(login: Login) -> None:
    holding = Holding(login._refresher, seconds=0.01, requests=1)
    await login.request_code(PHONE)

    for _ in range(2):
        with pytest.raises(LoginRequiredError):
            await holding.access_token()


async def test_nobody_waits_while_nobody_logs_in(start: StartRefresher) -> None:
    holding = Holding(await start(), seconds=30, requests=1)

    with pytest.raises(LoginRequiredError):
        await holding.access_token()
