"""Endpoints that are opened when the first call is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.oauth.late import Calls, LateEndpoints
from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone

MODULE = "json"
PAIR = TokenPair("access", "refresh", 1.0, 100.0)


class Server:
    """Takes the calls, and notes when it was opened and closed."""

    def __init__(self, failures: int = 0) -> None:
        self.skew: float | None = 2.0
        self.opened = 0
        self.closed = 0
        self.calls: list[str] = []
        self._failures = failures

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Calls]:
        self.opened += 1
        await asyncio.sleep(0)
        if self.opened <= self._failures:
            raise OSError("no")
        yield self
        self.closed += 1

    async def send_validation_code(self, phone: Phone) -> None:
        self.calls.append("sms")

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        self.calls.append("password")
        return PAIR

    async def refresh(self, refresh_token: str) -> TokenPair:
        self.calls.append("refresh")
        return PAIR


async def test_nothing_is_opened_before_the_first_call_and_once_for_all() -> None:
    server, phone = Server(), Phone("7", "9161234567")
    endpoints = LateEndpoints(MODULE, server.open)
    assert (server.opened, endpoints.skew) == (0, None)
    await asyncio.gather(
        endpoints.send_validation_code(phone),
        endpoints.password(phone, "1234"),
        endpoints.refresh("refresh"),
    )
    assert (server.opened, endpoints.skew) == (1, 2.0)
    assert sorted(server.calls) == ["password", "refresh", "sms"]
    await endpoints.close()
    assert server.closed == 1


async def test_a_failure_to_open_is_raised_and_tried_again() -> None:
    server = Server(failures=1)
    endpoints = LateEndpoints(MODULE, server.open)
    with pytest.raises(OSError, match="no"):
        await endpoints.refresh("refresh")
    assert await endpoints.refresh("refresh") == PAIR
    await endpoints.close()


async def test_what_was_never_opened_is_closed_in_peace() -> None:
    server = Server()
    await LateEndpoints(MODULE, server.open).close()
    assert (server.opened, server.closed) == (0, 0)
