"""Sessions of people who typed the admin password on the page.

Programs send the password with each call instead, by Basic authentication.
"""

import hashlib
import secrets
from typing import Final

from proxy.clock import Clock

LIFETIME: Final = 12 * 3600.0
"""Seconds from the password to the end: a working day, whatever happens in it."""

MOST: Final = 32
"""Sessions at a time; a further one ends the oldest."""


class Sessions:
    """Knows sessions by their tokens; they end with this process at the latest.

    Tokens are kept as digests: equally long, so that comparing them tells nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun: dict[bytes, float] = {}

    def begin(self) -> str:
        """Return the token of a new session."""
        while len(self._begun) >= MOST:
            del self._begun[next(iter(self._begun))]
        token = secrets.token_urlsafe(32)
        self._begun[_digest(token)] = self._clock()
        return token

    def knows(self, token: str | None) -> bool:
        """Whether `token` is that of a session that goes on."""
        if not token:
            return False
        begun = self._begun.get(_digest(token))
        return begun is not None and 0 <= self._clock() - begun < LIFETIME

    def end(self, token: str | None) -> None:
        """Forget the session of `token`."""
        if token:
            self._begun.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
