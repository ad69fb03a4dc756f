"""Takes every request of the forwarding listeners, and counts and records them."""

import asyncio
import itertools
import logging

from proxy.access.rules import OF_INTEREST
from proxy.clock import Clock, system_clock
from proxy.errors import OverLimitError, RequestError
from proxy.forward.content import InboundContent
from proxy.forward.exchange import REQUEST_ID, Exchange, Recorder
from proxy.forward.fields import REQUEST_NOTED
from proxy.forward.forwarding import Forwarding, Parts
from proxy.forward.inbound import InboundConnection
from proxy.forward.limits import Budget
from proxy.http1.errors import MalformedError
from proxy.http1.head import RequestHead

logger = logging.getLogger(__name__)

NOTED = REQUEST_NOTED | OF_INTEREST | {REQUEST_ID}
"""The fields of a request whose values are looked at."""


class ForwardHandler:
    """Has each request forwarded with the bearer token, and `record` hear of it.

    `most_in_flight` is how many a caller may have under way at the same time, `budget`
    what all of them may keep in memory.
    """

    def __init__(
        self,
        parts: Parts,
        record: Recorder,
        clock: Clock = system_clock,
        *,
        most_in_flight: int,
        budget: Budget,
    ) -> None:
        self._parts = parts
        self._record = record
        self._clock = clock
        self._numbers = itertools.count(1)
        self._run = f"{int(clock()) & 0xFFFFFF:06x}"
        self._drained = asyncio.Event()
        self._most_in_flight = most_in_flight
        self._budget = budget
        self._by_caller: dict[str | None, int] = {}
        self.in_flight = 0
        self.draining = False

    def answer(
        self,
        head: RequestHead,
        content: InboundContent | None,
        client: InboundConnection,
    ) -> Forwarding:
        """Begin to forward a request."""
        self.in_flight += 1
        exchange = Exchange(
            self._run, next(self._numbers), head.method, head.target.decode()
        )
        exchange.started = self._clock()
        exchange.section = head.section
        if head.http10:
            exchange.http10 = True
        forwarding = Forwarding(self._parts, self, exchange, head, content, client)
        forwarding.begin()
        return forwarding

    def refuse(self, malformed: MalformedError, client: InboundConnection) -> None:
        """Answer and record what could not even be read as a request."""
        error = RequestError(malformed.what, value="http", status=malformed.status)
        exchange = Exchange(self._run, next(self._numbers), "-", "-")
        exchange.started = self._clock()
        exchange.status, exchange.answered_by = error.status, "proxy"
        exchange.fail(error)
        downlink = client.downlink
        downlink.begin(http10=False, keep_alive=False)
        about = [("X-Request-Id", exchange.request_id)]
        downlink.answer(error, about, with_content=True)
        exchange.sent = downlink.sent
        self._record(exchange)

    def enter(self, caller: str | None, *, has_content: bool) -> None:
        """Count a request of `caller` as under way. Raises OverLimitError."""
        if has_content or self._budget.unsent:
            self._budget.check(has_content=has_content)
        count = self._by_caller.get(caller, 0)
        if count >= self._most_in_flight:
            raise OverLimitError(
                f"this caller has {count} calls under way (limits.in_flight); "
                "try again when some of them are answered"
            )
        self._by_caller[caller] = count + 1

    def ended(self, exchange: Exchange, *, entered: bool) -> None:
        """Record `exchange`, which is over; `entered` says that it was counted."""
        if entered:
            self._by_caller[exchange.caller] -= 1
        self.in_flight -= 1
        if self.draining and not self.in_flight:
            self._drained.set()
        self._record(exchange)

    async def drain(self) -> None:
        """Make each response its connection's last; return when none is under way."""
        self.draining = True
        if self.in_flight:
            await self._drained.wait()
