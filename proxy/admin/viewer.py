"""What the admin listener sees of the journal, and where exchanges take place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from proxy.admin.shown import searched_text, summary_of
from proxy.errors import AccessDeniedError, NotFoundError
from proxy.forward.exchange import Exchange
from proxy.journal.entries import Place, entry_of
from proxy.journal.entry import Entry
from proxy.journal.filters import Filter
from proxy.journal.replay import Replays
from proxy.journal.ring import Journal

AT_A_TIME: Final = 50
"""Exchanges that are looked through before forwarded calls have their turn."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The journal, and what is done with it.

    `place` tells where exchanges take place, `config_text` the config without its
    secrets. Where callers have to prove who they are and visitors of the admin listener
    do not, these are not `trusted`: what they could see or send, callers could not.
    """

    journal: Journal
    replays: Replays
    place: Callable[[], Place]
    config_text: Callable[[], str]
    trusted: bool = True

    def expect_trust(self) -> None:
        """Raise AccessDeniedError where visitors are not trusted."""
        if not self.trusted:
            raise AccessDeniedError(
                "Callers of this proxy need a key or the right to its socket, visitors "
                "of this listener nothing: to see personal data, keep content or send "
                "a request again here, set admin.password_file.",
                value="password",
            )

    async def entries(self, wanted: Filter, limit: int | None = None) -> list[Entry]:
        """Return the exchanges that match, newest first, those under way included."""
        found = []
        async for entry in self._newest_first():
            if matches(wanted, entry):
                found.append(entry)
                if len(found) == limit:
                    break
        return found

    async def _newest_first(self) -> AsyncIterator[Entry]:
        place = self.place()
        recorded = [one.exchange for one in self.journal.recorded()]
        running = self.journal.under_way()
        going_on = set(map(id, running))
        by_start = sorted([*recorded, *running], key=lambda one: -one.number)
        for count, exchange in enumerate(by_start, 1):
            yield entry_of(exchange, place, running=id(exchange) in going_on)
            if not count % AT_A_TIME:
                await asyncio.sleep(0)

    def exchange(self, exchange_id: str) -> Exchange:
        """Return the exchange called `exchange_id`. Raises NotFoundError."""
        found = self.journal.find(exchange_id)
        if found is None:
            raise NotFoundError(
                "There is no such exchange, or it is forgotten already.",
                value="exchange",
            )
        return found

    def entry(self, exchange: Exchange) -> Entry:
        """Return `exchange` as it can be shown."""
        running = any(one is exchange for one in self.journal.under_way())
        return entry_of(exchange, self.place(), running=running)


def matches(wanted: Filter, entry: Entry) -> bool:
    """Say whether `entry` is one of those wanted."""
    return wanted.matches(summary_of(entry), lambda: searched_text(entry))
