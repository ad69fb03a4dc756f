"""What has happened, handed on a little later and many at a time.

Formatting a log line takes a good part of the time that forwarding a small request
does. It is taken where nobody waits: what is recorded reaches those who read it within
a tenth of a second, and in between it is one entry in a list.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

logger = logging.getLogger(__name__)

DELAY: Final = 0.1
"""Seconds after which what was recorded is handed on."""

MOST: Final = 1000
"""Entries that may wait; more are handed on at once."""

T = TypeVar("T")


class Records(Generic[T]):
    """Hands what is recorded to its `readers`, in the order in which it came."""

    def __init__(self, *readers: Callable[[Sequence[T]], None]) -> None:
        self._readers = readers
        self._waiting: list[T] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(self, entry: T) -> None:
        """Take one entry."""
        waiting = self._waiting
        waiting.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self.hand_on)
        elif len(waiting) >= MOST:
            self.hand_on()

    def hand_on(self) -> None:
        """Let the readers have all entries now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for reader in self._readers if waiting else ():
            try:
                reader(waiting)
            except Exception:
                # One that fails must not keep them from the others.
                logger.exception("what was recorded could not be read")
