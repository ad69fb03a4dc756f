"""Sends a request to this proxy as a client would, and knows what becomes of it.

It takes the way of every request, through a connection that never leaves the process:
the same rules, the same guard of paid calls, the same line in the log.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from proxy.errors import OverLimitError, RequestError
from proxy.forward.content import InboundContent
from proxy.forward.exchange import Exchange
from proxy.forward.inbound import Answering, InboundConnection
from proxy.forward.inbound_server import InboundServer
from proxy.http1.errors import MalformedError
from proxy.http1.head import RequestHead
from proxy.tasks import cancel, spawn

MOST: Final = 16
"""Requests that are sent again at the same time."""

PATIENCE: Final = 30.0
"""Seconds after which an exchange is shown as it stands, while it goes on."""

_READ = 64 * 1024


class Replays:
    """Sends requests to `inbound`; `is_paid` says which of them cost money."""

    def __init__(
        self, inbound: InboundServer, is_paid: Callable[[str, str], bool]
    ) -> None:
        self._inbound = inbound
        self.is_paid = is_paid
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, request: bytes, replay_of: str) -> Exchange:
        """Send `request`, and return the exchange when it is over, or takes too long.

        Raises RequestError for what is no request, OverLimitError where many are under
        way.
        """
        if len(self._tasks) >= MOST:
            raise OverLimitError("Too much is being sent again already; wait for it.")
        watched = _Watched(self._inbound, replay_of)
        task = spawn(_converse(watched, request), name="replay")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait([task], timeout=PATIENCE)
        if watched.error is not None:
            raise RequestError(f"This cannot be sent: {watched.error}.")
        if watched.answering is None:
            raise RequestError("The proxy takes no further connection now; try again.")
        return watched.answering.look()

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._tasks):
            await cancel(task)


class _Watched:
    """What a connection of ours has in common with others, with an eye on what comes.

    `answering` and `error` tell of its one request.
    """

    def __init__(self, inbound: InboundServer, replay_of: str) -> None:
        self.noted = inbound.noted
        self.replay_limit = inbound.replay_limit
        self.limits = inbound.limits
        self.budget = inbound.budget
        self.watched = inbound.watched
        self.opened = inbound.opened
        self.lost = inbound.lost
        self._inbound = inbound
        self._replay_of = replay_of
        self.answering: Answering | None = None
        self.error: MalformedError | None = None

    def answer(
        self,
        head: RequestHead,
        content: InboundContent | None,
        client: InboundConnection,
    ) -> Answering:
        """Have the request answered as any other."""
        self.answering = self._inbound.answer(head, content, client)
        self.answering.look().replay_of = self._replay_of
        return self.answering

    def refuse(self, error: MalformedError, client: InboundConnection) -> None:
        """Note that it was no request."""
        self.error = error
        self._inbound.refuse(error, client)


async def _converse(watched: _Watched, request: bytes) -> None:
    """Send `request` on a new connection, and read until that ends."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    await loop.connect_accepted_socket(lambda: InboundConnection(watched), theirs)
    try:
        await loop.sock_sendall(ours, request)
        while await loop.sock_recv(ours, _READ):
            pass
    except ConnectionError:
        pass  # a cut answer, of which the exchange tells
    finally:
        ours.close()
