"""When a token pair is due and over, and how often it may be tried: pure judgement.

All of it is judged from the wall clock at the moment of use, because laptops sleep and
clocks get set; so nothing here may depend on time having passed steadily.
"""

import random
from dataclasses import dataclass

from proxy.oauth.messages import TokenPair

JITTER = 0.05
"""Spreads refreshes, so that proxies started together do not refresh together."""

MARGIN = 5.0
"""A token this close to its end may end on the way; short-lived ones get less."""

CLOCK_SLACK = 60.0
"""A clock this far before the issue of a token was set back in between."""

FIRST_DELAY = 1.0
MAX_DELAY = 300.0

URGENT_DELAY = 15.0
"""Tries are no further apart while calls fail for want of a token."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants that matter for one pair."""

    issued_at: float
    due_at: float
    over_at: float

    @classmethod
    def of(cls, pair: TokenPair, share: float, jitter: random.Random) -> "Schedule":
        """Return the schedule of `pair`, due after about `share` of its lifetime."""
        over_at = pair.expires_at - min(MARGIN, 0.1 * pair.lifetime)
        due_at = pair.issued_at + pair.lifetime * share * jitter.uniform(
            1 - JITTER, 1 + JITTER
        )
        return cls(pair.issued_at, min(due_at, over_at), over_at)

    @property
    def fresh(self) -> tuple[float, float]:
        """From when until when there is nothing to do."""
        # After the clock was set back the instants mean nothing; a refresh sets
        # them right before the token ends unseen.
        return self.issued_at - CLOCK_SLACK, self.due_at

    def is_due(self, now: float) -> bool:
        """Say whether a refresh should be under way."""
        since, until = self.fresh
        return not since <= now < until

    def is_over(self, now: float) -> bool:
        """Say whether the token is too old to be handed out."""
        return now >= self.over_at


class Backoff:
    """Keeps the tries of a failing call apart: 1 s, doubling, to 5 minutes."""

    def __init__(self, jitter: random.Random, first_delay: float = FIRST_DELAY) -> None:
        self._jitter = jitter
        self._first_delay = first_delay
        self._failures = 0
        self._not_before = 0.0

    def failed(self, now: float, *, at_most: float = MAX_DELAY) -> float:
        """Count a failure; return the seconds until the next try."""
        delay = min(MAX_DELAY, self._first_delay * 2.0 ** min(self._failures, 10))
        delay = min(delay * self._jitter.uniform(0.8, 1.0), at_most)
        self._failures += 1
        self._not_before = now + delay
        return delay

    def cleared(self) -> None:
        """Forget the failures."""
        self._failures = 0
        self._not_before = 0.0

    def remaining(self, now: float) -> float:
        """Return the seconds in which no try should be made; zero if one may."""
        remaining = self._not_before - now
        # More than the longest delay: the clock was set back.
        return remaining if 0 < remaining <= MAX_DELAY else 0.0


REMINDERS = (3 * 86400.0, 86400.0, 6 * 3600.0, 3600.0, 600.0)
"""How long before a deadline somebody is reminded of it, in seconds."""


class Reminder:
    """Says when a reminder of a deadline is due: once for each of REMINDERS."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._given = 0

    def is_due(self, deadline: float | None, now: float) -> bool:
        """Say whether to remind of `deadline` now; not again for the same reason."""
        if deadline != self._deadline:
            self._deadline, self._given = deadline, 0
        if deadline is None:
            return False
        passed = sum(deadline - now <= before for before in REMINDERS)
        due, self._given = passed > self._given, max(passed, self._given)
        return due


class Allowance:
    """So many at once, and one more every so many seconds."""

    def __init__(self, burst: int, every: float) -> None:
        self._burst = burst
        self._every = every
        self._spent = 0.0
        self._counted_at = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        elapsed = max(0.0, now - self._counted_at)
        self._spent = max(0.0, self._spent - elapsed / self._every)
        self._counted_at = now
        if self._spent > self._burst - 1:
            return False
        self._spent += 1
        return True
