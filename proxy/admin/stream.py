"""The journal as it happens: server-sent events (HTML standard, section 9.2).

Nothing is buffered for a page: it reads the journal when it is ready for more, and
what the journal has forgotten by then is counted and skipped. One that takes nothing at
all is dropped, and may come back and go on where it was.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from proxy.admin.exchanges import content_state, wanted_filter
from proxy.admin.viewer import Seen, Viewer
from proxy.clock import Clock
from proxy.errors import OverLimitError
from proxy.journal.filters import Filter

MOST: Final = 32
"""Streams at a time: each takes one of the admin listener's places."""

PAUSE: Final = 0.2
"""Seconds between two looks, so that much is told at a time."""

TICK: Final = 1.0
"""Seconds after which exchanges that go on are told of again."""

AT_A_TIME: Final = 100
"""Exchanges that are told of in one look; more of them are skipped."""

LIFE: Final = 1800.0
"""Seconds after which a page has to ask again, and show that it still may."""

SLOW: Final = 10.0
"""Seconds for a page to take what is written to it."""

_SHOWN_FROM: Final = 0.3  # seconds; most are over before
_RUNNING_AT_A_TIME: Final = 50
_QUIET_LOOKS: Final = 15


@dataclass
class _Told:
    """What one page has been told."""

    sequence: int
    cleared: int
    content: tuple[bool, float | None] | None = None
    running: set[str] = field(default_factory=set)


class Streams:
    """Handler of the stream, for a bounded number of pages at the same time."""

    def __init__(self, viewer: Viewer, clock: Clock) -> None:
        self._viewer = viewer
        self._clock = clock
        self._events: set[asyncio.Event] = set()
        self._closing = False

    def routes(self) -> list[web.RouteDef]:
        """Return the call."""
        return [web.get("/api/exchanges/stream", self.follow)]

    async def close(self, _: web.Application) -> None:
        """Let all streams end, so that nobody waits for them."""
        self._closing = True
        for event in self._events:
            event.set()

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Tell of exchanges, from that on which `Last-Event-ID` names."""
        wanted = wanted_filter(request)
        if len(self._events) >= MOST:
            raise OverLimitError("Too many pages watch already.", value="streams")
        journal = self._viewer.journal
        told = _Told(self._begin_at(request), journal.cleared)
        event = journal.watch()
        self._events.add(event)
        try:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            # A reader that left is no error, nor one that takes nothing any more.
            with suppress(ConnectionError, TimeoutError):
                await self._tell(request, response, wanted, told, event)
            if request.transport is not None and not self._closing:
                request.transport.abort()
        finally:
            self._events.discard(event)
            journal.unwatch(event)
        return response

    def _begin_at(self, request: web.Request) -> int:
        """Return the sequence after which to begin: what is new, or was missed."""
        journal = self._viewer.journal
        journal.hand_on()
        run, _, sequence = request.headers.get("Last-Event-ID", "").partition(".")
        if not run or not sequence.isascii() or not sequence.isdecimal():
            return journal.sequence
        if run != journal.run:
            return 0  # of another life of this program: all of this one is new
        return min(journal.sequence, int(sequence[:15]))

    async def _tell(
        self,
        request: web.Request,
        response: web.StreamResponse,
        wanted: Filter,
        told: _Told,
        event: asyncio.Event,
    ) -> None:
        loop = asyncio.get_running_loop()
        until, quiet = loop.time() + LIFE, 0
        text = "retry: 1000\n\n"
        while not self._closing and loop.time() < until:
            event.clear()
            text += await self._news(wanted, told)
            quiet = 0 if text else quiet + 1
            if quiet >= _QUIET_LOOKS:
                text, quiet = ":\n\n", 0  # keeps what is in between from giving up
            if text:
                async with asyncio.timeout(SLOW):
                    await response.write(text.encode("utf-8", "replace"))
            text = ""
            if request.transport is None or request.transport.is_closing():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await event.wait()
            await asyncio.sleep(PAUSE)

    async def _news(self, wanted: Filter, told: _Told) -> str:
        """Return the events that are new to the page, and note that it is told."""
        journal = self._viewer.journal
        events = []
        content = journal.content.is_on, journal.content.ends_at
        if content != told.content:
            told.content = content
            events.append(_event("content", content_state(self._viewer, self._clock)))
        if journal.cleared != told.cleared:
            told.cleared = journal.cleared
            events.append(_event("cleared", {}))
        new = journal.after(told.sequence)
        shown = new[-AT_A_TIME:]
        skipped = journal.sequence - told.sequence - len(shown)
        told.sequence = journal.sequence
        if skipped and journal.most:
            events.append(_event("skipped", {"count": skipped}))
        names = {one.exchange: f"{journal.run}.{one.sequence}" for one in shown}
        running = [
            exchange
            for exchange in journal.under_way()[:_RUNNING_AT_A_TIME]
            if exchange.seconds > _SHOWN_FROM
        ]
        seen = await self._viewer.see_all(names, running)
        matching = await self._viewer.matching(wanted, seen)
        events += [
            _event("exchange", one.summary, names.get(one.exchange))
            for one in _to_tell(seen, matching, told)
        ]
        return "".join(events)


def _to_tell(seen: list[Seen], matching: list[Seen], told: _Told) -> Iterator[Seen]:
    """Yield those that match, and the end of each that was told of as running.

    Where a page shows one as running, it has to learn of its end, whatever the filter
    says then.
    """
    wanted = {one.exchange for one in matching}
    for one in seen:
        is_known = one.exchange.id in told.running
        if one.running and one.exchange in wanted:
            told.running.add(one.exchange.id)
            yield one
        elif not one.running and (is_known or one.exchange in wanted):
            told.running.discard(one.exchange.id)
            yield one


def _event(kind: str, members: dict[str, Any], name: str | None = None) -> str:
    """Return one event; JSON has no line ends in it."""
    told = "" if name is None else f"id: {name}\n"
    return f"event: {kind}\n{told}data: {json.dumps(members, ensure_ascii=False)}\n\n"
