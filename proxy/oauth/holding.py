"""Lets requests wait while somebody types the validation code."""

import asyncio
from contextlib import suppress
from typing import Protocol

from proxy.errors import LoginRequiredError
from proxy.oauth.status import TokenStatus


class TokenSource(Protocol):
    """Where tokens come from, and news of a login."""

    def current(self) -> str | None:
        """Return the access token if nothing at all needs to be done."""

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return a usable token, or raise LoginRequiredError."""

    async def arrival(self) -> None:
        """Wait until another token pair is in use."""

    def status(self) -> TokenStatus:
        """Return what may be told about the login."""


class Holding:
    """Hands out the tokens of `source`; while a code is awaited, requests wait.

    At most `requests` of them do, and each for at most `seconds`: then it gets the
    answer that it would have got at once.
    """

    def __init__(self, source: TokenSource, *, seconds: float, requests: int) -> None:
        self._source = source
        self._seconds = seconds
        self._requests = requests
        self._waiting = 0

    def current(self) -> str | None:
        """Return a token that is usable now, if there is one."""
        return self._source.current()

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return a usable token, if one comes in time.

        Raises:
            LoginRequiredError: nobody is logging in, or not in time, or too many
                requests wait for it already.
            StoreError, UpstreamError: as the source raises them.
        """
        try:
            return await self._source.access_token(rejected=rejected)
        except LoginRequiredError:
            if self._waiting >= self._requests or not self._source.status().code_sent:
                raise
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._source.arrival()
        finally:
            self._waiting -= 1
        return await self._source.access_token(rejected=rejected)
