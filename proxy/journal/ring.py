"""The exchanges that ended lately, as they were recorded; the oldest go first.

They are held and no more: what they look like is worked out when somebody looks.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from proxy.forward.exchange import Exchange
from proxy.forward.keeping import Keeping
from proxy.journal.content_switch import ContentSwitch

# What the objects of an exchange take beside their text, and those of a field.
_OBJECTS = 1500
_FIELD = 150


class Recorded(NamedTuple):
    """An exchange that has ended; `sequence` counts them in the order of their ends."""

    sequence: int
    exchange: Exchange


class Journal:
    """Keeps up to `most` exchanges, and of them up to `most_bytes`.

    A quarter of the bytes is for content of exchanges that have not ended, see
    `content`. `under_way` returns these, and `hand_on` brings what was not recorded
    yet. One event loop uses it, without locks.
    """

    def __init__(self, most: int, most_bytes: int, *, content: bool = False) -> None:
        self.most = most
        self.most_bytes = most_bytes
        keeping = Keeping(most_bytes // 4)
        self.content = ContentSwitch(keeping, always=content and most > 0)
        self.under_way: Callable[[], list[Exchange]] = list
        self.hand_on: Callable[[], None] = lambda: None
        self._ring: deque[Exchange] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._watching: set[asyncio.Event] = set()
        self.content.on_change = self._tell
        self.run = os.urandom(3).hex()
        """Tells this life of the program, whose sequence begins anew, from others."""
        self.sequence = 0
        self.cleared = 0
        """How often everything was forgotten on demand."""
        self.contents_forgotten = 0
        """How often the content of everything was."""

    # -- Writing -----------------------------------------------------------------

    def record(self, exchanges: Sequence[Exchange]) -> None:
        """Keep `exchanges`, which have ended."""
        self.sequence += len(exchanges)
        if not self.most:
            return
        # Of many at a time, most would be forgotten again at once.
        lasting = exchanges[-self.most :]
        sizes = [_size(exchange) for exchange in lasting]
        ring, room = self._ring, self.most_bytes - self.content.keeping.most
        ring.extend(lasting)
        self._sizes.extend(sizes)
        self._bytes += sum(sizes)
        while len(ring) > self.most or (self._bytes > room and ring):
            ring.popleft()
            self._bytes -= self._sizes.popleft()
        self._tell()

    def clear(self) -> int:
        """Forget everything; return how many exchanges that were."""
        self.hand_on()
        count = len(self._ring)
        self._ring.clear()
        self._sizes.clear()
        self._bytes = 0
        self.cleared += 1
        self._tell()
        return count

    def forget_content(self) -> None:
        """Forget the content of all exchanges, and nothing else of them."""
        self.hand_on()
        for exchange in self.under_way():
            if exchange.kept is not None:
                exchange.kept.forget()
        for exchange in self._ring:
            exchange.kept = None
        self.contents_forgotten += 1
        self._sizes = deque(map(_size, self._ring))
        self._bytes = sum(self._sizes)
        self._tell()

    # -- Reading -----------------------------------------------------------------

    @property
    def bytes(self) -> int:
        """What the exchanges take, more or less."""
        return self._bytes

    @property
    def forgotten(self) -> int:
        """How many exchanges were recorded and are not here any more."""
        return self.sequence - len(self._ring)

    def recorded(self) -> list[Recorded]:
        """Return what is kept, oldest first."""
        self.hand_on()
        return self.after(0)

    def after(self, sequence: int) -> list[Recorded]:
        """Return what is kept and came after `sequence`, oldest first."""
        count = max(0, min(self.sequence - sequence, len(self._ring)))
        newest = list(islice(reversed(self._ring), count))
        first = self.sequence - count + 1
        return [Recorded(first + at, one) for at, one in enumerate(reversed(newest))]

    def find(self, exchange_id: str) -> Exchange | None:
        """Return the exchange called `exchange_id`, if it is here or under way."""
        self.hand_on()
        return next((one for one in self._all() if one.id == exchange_id), None)

    def _all(self) -> Iterator[Exchange]:
        yield from self.under_way()
        yield from self._ring

    # -- Watching ----------------------------------------------------------------

    def watch(self) -> asyncio.Event:
        """Return an event that is set whenever there is something new.

        To be given back with `unwatch`.
        """
        event = asyncio.Event()
        self._watching.add(event)
        return event

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watching)

    def unwatch(self, event: asyncio.Event) -> None:
        """Set `event` no more."""
        self._watching.discard(event)

    def _tell(self) -> None:
        for event in self._watching:
            event.set()


def _size(exchange: Exchange) -> int:
    """Return about how much memory `exchange` takes."""
    section, answer, kept = exchange.section, exchange.answer, exchange.kept
    size = _OBJECTS + len(exchange.target)
    if section is not None:
        # The fields as they came, as lines, and as they are sent on. Most share theirs
        # with others, which cannot be told here.
        size += 3 * len(section.raw) + _FIELD * len(section.fields)
    if answer is not None:
        size += len(answer)
    return size if kept is None else size + kept.size
