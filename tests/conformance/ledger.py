"""What has happened in a case so far, on both sides of the subject."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.conformance.wire import Message, Reading, read_requests, read_responses

Holds = Callable[["Ledger"], bool]


@dataclass
class Link:
    """One connection, seen from our end."""

    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    ended: str = ""
    """How the subject ended it: "eof" or "reset"."""
    left: bool = False
    """Whether we ended it."""
    reader: "asyncio.Task[None] | None" = None
    answered: int = 0
    """Upstream only: how many of its requests have had their turn."""
    tunnel_after: int | None = None
    """Upstream only: the request that was answered with 101."""

    @property
    def closed(self) -> bool:
        """Whether we have ended it, and are not only about to."""
        return self.socket.fileno() < 0


@dataclass
class Ledger:
    """The client's connection, those to the upstream, and who may be waiting."""

    client: Link
    methods: list[bytes]
    upstream: list[Link] = field(default_factory=list)
    aside: set[tuple[int, int]] = field(default_factory=set)
    """Connection and number of the harness's own requests, which do not count."""
    stalls: list[str] = field(default_factory=list)
    """What was awaited in vain."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self) -> None:
        """Let everyone who waits look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, holds: Holds, patience: float) -> bool:
        """Wait until `holds` is true, for `patience` seconds at most; say whether."""
        try:
            async with asyncio.timeout(patience):
                while not holds(self):
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def read_client(self) -> Reading:
        return read_responses(
            bytes(self.client.received), self.methods, ended=self.client.ended
        )

    def responses(self) -> list[Message]:
        return self.read_client().messages

    def finals(self) -> list[Message]:
        return [message for message in self.responses() if not message.interim]

    def read_upstream(self) -> list[Reading]:
        """Read each connection to the upstream, without the harness's own requests."""
        readings = [read_link(link) for link in self.upstream]
        for number, reading in enumerate(readings):
            reading.messages = [
                message
                for index, message in enumerate(reading.messages)
                if (number, index) not in self.aside
            ]
        return readings

    def probes(self) -> list[Message]:
        """Return the harness's own requests."""
        readings = [read_link(link) for link in self.upstream]
        return [readings[number].messages[index] for number, index in self.aside]

    def requests(self) -> list[Message]:
        return [one for reading in self.read_upstream() for one in reading.messages]


def read_link(link: Link) -> Reading:
    """Read the requests on one connection to the upstream."""
    return read_requests(bytes(link.received), tunnel_after=link.tunnel_after)
