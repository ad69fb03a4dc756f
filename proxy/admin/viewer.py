"""What the admin listener sees of the journal, and where exchanges take place."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from proxy.admin.shown import searched_text, summary_of
from proxy.errors import AccessDeniedError, NotFoundError
from proxy.forward.exchange import Exchange
from proxy.journal.entries import Place, entry_of, nothing_of
from proxy.journal.entry import Entry
from proxy.journal.filters import Filter
from proxy.journal.replay import Replays
from proxy.journal.ring import Journal

logger = logging.getLogger(__name__)

AT_A_TIME: Final = 50
"""Exchanges that are looked through at a time."""

_AT_ONCE: Final = 5  # before forwarded calls have their turn

Summary = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """An exchange, and the line about it in the list; `running` says it goes on."""

    exchange: Exchange
    summary: Summary
    running: bool


class Viewer:
    """The journal, and what is done with it.

    Args:
        journal: what there is to see.
        replays: sends requests again.
        place: tells where exchanges take place.
        config_text: returns the config without its secrets.
        trusted: False where callers have to prove who they are and visitors of the
            admin listener do not: what these could see or send, callers could not.
    """

    def __init__(
        self,
        journal: Journal,
        replays: Replays,
        place: Callable[[], Place],
        config_text: Callable[[], str],
        *,
        trusted: bool = True,
    ) -> None:
        self.journal = journal
        self.replays = replays
        self.place = place
        self.config_text = config_text
        self._trusted = trusted
        self._summaries: WeakKeyDictionary[Exchange, Summary] = WeakKeyDictionary()
        self._texts: WeakKeyDictionary[Exchange, str] = WeakKeyDictionary()
        self._forgotten = 0

    def expect_trust(self) -> None:
        """Raise AccessDeniedError where visitors are not trusted."""
        if not self._trusted:
            raise AccessDeniedError(
                "Callers of this proxy need a key or the right to its socket, visitors "
                "of this listener nothing: to see personal data, keep content or send "
                "a request again here, set admin.password_file.",
                value="password",
            )

    async def search(self, wanted: Filter, limit: int = sys.maxsize) -> list[Seen]:
        """Return the exchanges that match, newest first, those under way included."""
        running = self.journal.under_way()
        going_on = set(map(id, running))
        recorded = [one.exchange for one in self.journal.recorded()]
        by_start = sorted([*recorded, *running], key=lambda one: -one.number)
        found: list[Seen] = []
        for start in range(0, len(by_start), AT_A_TIME):
            some = by_start[start : start + AT_A_TIME]
            seen = await self.see_all(
                [one for one in some if id(one) not in going_on],
                [one for one in some if id(one) in going_on],
            )
            seen.sort(key=lambda one: -one.exchange.number)
            found += await self.matching(wanted, seen)
            if len(found) >= limit:
                break
        return found[:limit]

    async def see_all(
        self, ended: Iterable[Exchange], running: Iterable[Exchange]
    ) -> list[Seen]:
        """Return all of these with their summaries, and let calls pass in between."""
        seen = []
        for exchanges, goes_on in ((ended, False), (running, True)):
            for exchange in exchanges:
                is_new = goes_on or exchange not in self._summaries
                seen.append(self.see(exchange, running=goes_on))
                if is_new and not len(seen) % _AT_ONCE:
                    await asyncio.sleep(0)
        await asyncio.sleep(0)
        return seen

    async def matching(self, wanted: Filter, seen: Sequence[Seen]) -> list[Seen]:
        """Return those of `seen` that are wanted."""
        texts: Mapping[Exchange, str] = {}
        if wanted.looks_inside:
            texts = await self._texts_of(seen)
        return [
            one
            for one in seen
            if wanted.matches(one.summary, lambda one=one: texts[one.exchange])  # type: ignore[misc]
        ]

    async def _texts_of(self, seen: Sequence[Seen]) -> Mapping[Exchange, str]:
        """Return what is looked through for a word, of each of `seen`.

        Only what a visitor could have shown is looked through, or a word would tell
        more than the page does. That takes its time: once for each, in a thread.
        """
        if self._forgotten != self.journal.contents_forgotten:
            self._texts.clear()  # it would stand in them
            self._forgotten = self.journal.contents_forgotten
        texts = {one.exchange: self._texts.get(one.exchange) for one in seen}
        missing = [one for one in seen if texts[one.exchange] is None or one.running]
        entries = [self.entry(one.exchange, running=one.running) for one in missing]
        made = await asyncio.to_thread(self._read, entries)
        read = {one.exchange: text for one, text in zip(missing, made, strict=True)}
        self._texts.update(read)
        return {
            **{one: text for one, text in texts.items() if text is not None},
            **read,
        }

    def _read(self, entries: Sequence[Entry]) -> list[str]:
        return [searched_text(entry, unmasked=self._trusted) for entry in entries]

    def see(self, exchange: Exchange, *, running: bool) -> Seen:
        """Return `exchange` with its summary, which is made once when it has ended."""
        summary = None if running else self._summaries.get(exchange)
        if summary is None:
            try:
                summary = summary_of(self.entry(exchange, running=running))
            except Exception:
                # Whatever is odd about one must not hide the others.
                logger.exception("exchange %s could not be shown", exchange.id)
                summary = summary_of(nothing_of(exchange, running=running))
            if not running:
                self._summaries[exchange] = summary
        return Seen(exchange, summary, running)

    def entry(self, exchange: Exchange, *, running: bool) -> Entry:
        """Return `exchange` with all that there is of it, not masked."""
        return entry_of(exchange, self.place(), running=running)

    def find(self, exchange_id: str) -> Entry:
        """Return the exchange called `exchange_id`. Raises NotFoundError."""
        return self.as_it_is(self.exchange(exchange_id))

    def as_it_is(self, exchange: Exchange) -> Entry:
        """Return `exchange` with all that there is of it, over or not."""
        running = any(one is exchange for one in self.journal.under_way())
        return self.entry(exchange, running=running)

    def exchange(self, exchange_id: str) -> Exchange:
        """Return what the journal has by this id. Raises NotFoundError."""
        found = self.journal.find(exchange_id)
        if found is None:
            raise NotFoundError(
                "There is no such exchange, or it is forgotten already.",
                value="exchange",
            )
        return found
