"""Whether content is kept: never, always, or for a limited time."""

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.forward.keeping import Keeping

LONGEST: Final = 8 * 3600.0
"""Seconds for which content can be kept at most, unless the config says always."""


class ContentSwitch:
    """Turns the `keeping` of content on for a time, and off by itself.

    `on_change` is told of each change.
    """

    def __init__(self, keeping: Keeping, *, always: bool) -> None:
        self.keeping = keeping
        keeping.wanted = always
        self.on_change: Callable[[], None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_on(self) -> bool:
        """Whether content is kept now."""
        return self.keeping.wanted

    @property
    def ends_at(self) -> float | None:
        """When it ends by itself, by the event loop's clock; None where it does not."""
        return None if self._timer is None else self._timer.when()

    @property
    def seconds_left(self) -> float | None:
        """For how much longer; None where that is not limited, or nothing is kept."""
        if self._timer is None:
            return None
        return max(0.0, self._timer.when() - asyncio.get_running_loop().time())

    def keep_for(self, seconds: float) -> None:
        """Keep content for `seconds` from now on, instead of what was said before."""
        self.close()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self.stop)
        self.keeping.wanted = True
        self.on_change()

    def stop(self) -> None:
        """Keep no more content; what was kept stays."""
        self.close()
        self.keeping.wanted = False
        self.on_change()

    def close(self) -> None:
        """End the running time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
