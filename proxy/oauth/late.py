"""Endpoints whose HTTP client is loaded when the first call is made.

For what aiohttp takes see `proxy.admin.late`. A proxy whose token is good for days
needs it for none of its requests.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib import import_module
from typing import Protocol

from yarl import URL

from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone


class Calls(Protocol):
    """The calls of a login and its upkeep."""

    skew: float | None

    async def send_validation_code(self, phone: Phone) -> None:
        """Have an SMS with a validation code sent to `phone`, once."""

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        """Exchange a validation code for a token pair."""

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair; it is sent once."""


def issuer_of(api_url: URL, auth_url: URL) -> str:
    """Return whose tokens these are, and where they may be sent."""
    return f"{api_url.origin()} {auth_url.origin()}"


class LateEndpoints:
    """Makes the calls of what `opened` opens, when there is one to be made.

    `module` is imported before that, in a thread: requests are forwarded meanwhile.
    """

    def __init__(
        self, module: str, opened: Callable[[], AbstractAsyncContextManager[Calls]]
    ) -> None:
        self._module = module
        self._opened = opened
        self._calls: Calls | None = None
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    @property
    def skew(self) -> float | None:
        """How many seconds the server's clock is ahead of ours, as far as is known."""
        return None if self._calls is None else self._calls.skew

    async def send_validation_code(self, phone: Phone) -> None:
        """Have an SMS with a validation code sent to `phone`, once."""
        await (await self._ready()).send_validation_code(phone)

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        """Exchange a validation code for a token pair."""
        return await (await self._ready()).password(phone, validation_code)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair; it is sent once."""
        return await (await self._ready()).refresh(refresh_token)

    async def close(self) -> None:
        """Close what was opened."""
        await self._stack.aclose()

    async def _ready(self) -> Calls:
        async with self._opening:
            if self._calls is None:
                await asyncio.to_thread(import_module, self._module)
                self._calls = await self._stack.enter_async_context(self._opened())
            return self._calls
