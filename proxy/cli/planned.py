"""When a stored token is to be refreshed, told where no proxy runs that would do it."""

import random

from proxy.clock import iso_utc
from proxy.oauth.messages import TokenPair
from proxy.oauth.schedule import Schedule


class _NoJitter(random.Random):
    """The middle of what a proxy would draw from."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def planned_refresh(pair: TokenPair, share: float) -> str:
    """Return the instant, the same each time it is asked.

    A proxy draws once for each token how much earlier or later it refreshes. Without
    one, each command would draw anew, and tell another instant.
    """
    return iso_utc(Schedule.of(pair, share, _NoJitter()).due_at)
