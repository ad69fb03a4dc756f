"""All connections of the forwarding listeners: kept, timed, and ended in good order."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from proxy.errors import ProxyError
from proxy.forward.content import InboundContent
from proxy.forward.exchange import Exchange
from proxy.forward.inbound import Answering, InboundConnection
from proxy.forward.limits import Budget, InboundLimits
from proxy.http1.errors import MalformedError
from proxy.http1.head import RequestHead

logger = logging.getLogger(__name__)

_TICK = 1.0
_MINUTE = 60.0


class Callers(Protocol):
    """Knows whose connections may be used."""

    def refusal(self, transport: asyncio.BaseTransport) -> ProxyError | None:
        """Return why the connection may not be used, None if it may."""


class InboundServer:
    """Makes an `InboundConnection` of every connection, and keeps time for all.

    `answer` begins to answer a request and raises nothing; `refuse` answers what is
    none. `noted` names the fields whose values are looked at, `replay_limit` is in
    bytes. `callers` says which connections may be used; without it, all may.
    """

    def __init__(
        self,
        answer: Callable[
            [RequestHead, InboundContent | None, InboundConnection], Answering
        ],
        refuse: Callable[[MalformedError, InboundConnection], None],
        *,
        noted: frozenset[bytes],
        replay_limit: int,
        limits: InboundLimits,
        budget: Budget,
        callers: Callers | None = None,
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.noted = noted
        self.replay_limit = replay_limit
        self.limits = limits
        self.budget = budget
        self._callers = callers
        self._silent_until = 0.0
        self.connections: set[InboundConnection] = set()
        self.watched: set[InboundConnection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    def __call__(self) -> InboundConnection:
        """Return the protocol of a new connection."""
        return InboundConnection(self)

    def opened(self, connection: InboundConnection) -> bool:
        """Note a new connection, and say whether it may be used.

        Deadlines are looked at once a second. Where there are too many connections, a
        new one is closed: what an answer takes is what there is too little of.
        """
        assert connection.transport is not None  # noqa: S101  it was just made
        if len(self.connections) >= self.limits.connections:
            self._warn_of_crowd()
            connection.abort()
            return False
        self.connections.add(connection)
        self._keep_time()
        if self._callers is not None:
            refusal = self._callers.refusal(connection.transport)
            if refusal is not None:
                connection.turn_away(refusal)
                return False
        return True

    def under_way(self) -> list[Exchange]:
        """Return the exchanges that have not ended, as they stand."""
        looks = [connection.look() for connection in self.connections]
        return [exchange for exchange in looks if exchange is not None]

    def _warn_of_crowd(self) -> None:
        """Say that connections are closed, once a minute at most."""
        now = asyncio.get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + _MINUTE
            logger.warning(
                "there are %d connections, and further ones are closed; if all of them "
                "are wanted, raise limits.connections",
                len(self.connections),
            )

    def _keep_time(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._sweep)

    async def shutdown(self, patience: float) -> None:
        """End the connections: at rest at once, others within `patience` seconds.

        What was written by then still arrives, if the client takes it in that time.
        """
        for connection in tuple(self.connections):
            connection.finish()
        self._empty = asyncio.Event()
        if self.connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._empty.wait()
        for connection in tuple(self.connections):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()
        # Transports report their end, and tasks theirs, in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)

    def lost(self, connection: InboundConnection) -> None:
        """Forget `connection`, which has ended."""
        self.connections.discard(connection)
        self.watched.discard(connection)
        if self._empty is not None and not self.connections:
            self._empty.set()

    def _sweep(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self.budget.unsent = 0
        for connection in tuple(self.watched):
            if not connection.is_to_be_watched:
                self.watched.discard(connection)
            self.budget.unsent += connection.unsent
            connection.check_peer()
        # Thousands may be at rest, and others wait while they are looked at.
        for connection in [each for each in self.connections if now > each.deadline]:
            connection.expire()
        if self.connections:
            self._keep_time()
