"""The connections to the upstream: kept alive, kept warm, limited, and timed."""

import asyncio
import logging
import select
from collections.abc import Callable
from dataclasses import dataclass

from proxy.errors import LoopError, UpstreamError, UpstreamTimeoutError
from proxy.forward.connection import Address, UpstreamConnection
from proxy.forward.dial import Origin, dial
from proxy.forward.slots import Slots
from proxy.forward.tls import Shared
from proxy.tasks import cancel, spawn

logger = logging.getLogger(__name__)

_WARM_RETRY_MAX = 60.0

# No server sends a 408, and few close, that soon after an answer; what can be repeated
# is worth no system call on the way.
_SURELY_QUIET = 0.5

_CAN_POLL = hasattr(select, "poll")  # Windows has none


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Times in seconds, and counts.

    `fresh` is how long a connection may have been idle to carry what cannot be
    repeated: no server in use closes idle connections that early, so its close does
    not cross our request on the way (RFC 9112, section 9.3.1).
    """

    connect_timeout: float = 10.0
    response_timeout: float = 100.0
    idle_timeout: float = 100.0
    keepalive: float = 60.0
    max_connections: int = 256
    warm_connections: int = 0
    fresh: float = 2.0


def _is_quiet(descriptor: int) -> bool:
    """Say whether nothing has come on an idle connection, its end included.

    The event loop may not have looked yet. A request that crosses with the close may
    not be sent again, and a 408 that waits would be taken for its answer.
    """
    if not _CAN_POLL:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


@dataclass(slots=True)
class _Warmth:
    task: asyncio.Task[None] | None = None
    not_before: float = 0.0
    pause: float = 1.0


class Pool:
    """Lends connections to one origin, one exchange at a time.

    `is_own` says, from the addresses of its other end and of ours, whether a
    connection leads to one of our listeners: a request must not come back to us,
    whatever DNS says.
    """

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits,
        *,
        is_own: Callable[[Address, Address], bool] = lambda _peer, _local: False,
    ) -> None:
        self._origin = origin
        self._limits = limits
        self._is_own = is_own
        self._loop = asyncio.get_running_loop()
        self._idle: list[UpstreamConnection] = []  # the one used last is at the end
        self._shared = Shared(self._loop)
        self._busy: set[UpstreamConnection] = set()
        self._slots = Slots(limits.max_connections)
        self._warmth = _Warmth()
        shortest = min(
            limits.response_timeout / 4, limits.idle_timeout / 4, limits.keepalive
        )
        self._tick = min(1.0, max(0.02, shortest))
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._opening = 0
        self.opened = 0
        self.response_timeout = limits.response_timeout
        self.authority = origin.authority

    def start(self) -> None:
        """Begin to keep time, and connections warm."""
        self._sweep()

    async def close(self) -> None:
        """Close every connection; what is under way is cut."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await cancel(self._warmth.task)
        for connection in (*self._idle, *self._busy):
            connection.abort()
        self._idle.clear()
        # Transports report their end in the next turn of the loop.
        await asyncio.sleep(0)

    async def acquire(
        self, *, repeatable: bool, new: bool = False
    ) -> UpstreamConnection:
        """Return a connection for one exchange; give it back with `release`.

        What is not `repeatable` gets a connection that is new or was in use a moment
        ago; on request it is `new`. Raises UpstreamError.
        """
        if not self._slots.take():
            await self._wait_for_slot()
        try:
            kept = None if new else self._reuse(repeatable=repeatable)
            connection = kept or await self.open()
        except BaseException:
            self._slots.give_back()
            raise
        self._busy.add(connection)
        connection.time_limit = self._limits.response_timeout
        return connection

    def take(self, *, repeatable: bool) -> UpstreamConnection | None:
        """Return what `acquire` would without waiting, or nothing."""
        if not self._idle or not self._slots.take():
            return None
        connection = self._reuse(repeatable=repeatable)
        if connection is None:
            self._slots.give_back()
            return None
        self._busy.add(connection)
        connection.time_limit = self._limits.response_timeout
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Take `connection` back: keep it, or drop it if its exchange is not over."""
        self._busy.discard(connection)
        self._slots.give_back()
        if self._closed or not connection.reusable:
            connection.abort()
        else:
            connection.reused = True
            self._idle.append(connection)

    def begin_content(self, connection: UpstreamConnection) -> None:
        """Time the pieces of content from now on, not the wait for the head."""
        connection.time_limit = self._limits.idle_timeout

    async def open(self) -> UpstreamConnection:
        """Open a connection within the time for it. Raises UpstreamError."""
        if self._idle and self._in_all >= self._limits.max_connections:
            self._idle.pop(0).close()
        self._opening += 1
        try:
            async with asyncio.timeout(self._limits.connect_timeout):
                connection = await dial(self._origin, self._shared)
        except TimeoutError as exc:
            raise UpstreamTimeoutError(
                f"no connection to {self._origin.host} in time; "
                "run: telemed-proxy check",
                proxy_error="connection_timeout",
            ) from exc
        finally:
            self._opening -= 1
        self._refuse_own(connection)
        self.opened += 1
        return connection

    @property
    def _in_all(self) -> int:
        return len(self._idle) + len(self._busy) + self._opening

    def _refuse_own(self, connection: UpstreamConnection) -> None:
        peer, local = connection.address("peername"), connection.address("sockname")
        if self._is_own(peer, local):
            connection.abort()
            raise LoopError(
                "upstream.api_url leads back to this proxy; set it to the API's address"
            )

    def _reuse(self, *, repeatable: bool) -> UpstreamConnection | None:
        now = self._loop.time()
        oldest = self._limits.keepalive if repeatable else self._limits.fresh
        while self._idle:
            connection = self._idle[-1]
            reusable, idle = connection.reusable, now - connection.idle_since
            if reusable and idle > oldest:
                return None  # those before it have been idle for longer
            self._idle.pop()
            if reusable and (
                (repeatable and idle < _SURELY_QUIET) or _is_quiet(connection.fileno())
            ):
                return connection
            connection.abort()
        return None

    async def _wait_for_slot(self) -> None:
        try:
            async with asyncio.timeout(self._limits.connect_timeout):
                await self._slots.wait()
        except TimeoutError as exc:
            raise UpstreamTimeoutError(
                "every connection to the upstream is in use; try again, or raise "
                "upstream.max_connections",
                proxy_error="connection_limit_reached",
            ) from exc

    # -- Keeping time ------------------------------------------------------------

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._busy):
            if now - connection.last_activity > connection.time_limit:
                connection.expire()
        self._idle = [one for one in self._idle if self._still_good(one, now)]
        self._keep_warm(now)
        self._timer = self._loop.call_later(self._tick, self._sweep)

    def _still_good(self, connection: UpstreamConnection, now: float) -> bool:
        if now - connection.idle_since > self._limits.keepalive:
            connection.close()
        return connection.reusable

    def _keep_warm(self, now: float) -> None:
        warmth = self._warmth
        if (
            self._in_all < self._limits.warm_connections
            and (warmth.task is None or warmth.task.done())
            and now >= warmth.not_before
        ):
            warmth.task = spawn(self._warm(now), name="warm connection")

    async def _warm(self, now: float) -> None:
        try:
            connection = await self.open()
        except UpstreamError as error:
            logger.debug("no warm connection: %s", error)
            self._warmth.not_before = now + self._warmth.pause
            self._warmth.pause = min(self._warmth.pause * 2, _WARM_RETRY_MAX)
        else:
            self._warmth.pause = 1.0
            connection.reused = True  # to the upstream it may look idle for long
            self._idle.insert(0, connection)
