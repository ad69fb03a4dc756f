"""The content of an inbound request: streamed out, and kept for one replay.

It can be sent from the start for as long as all of it that was sent is kept, which
ends when that grows over the limit.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol

from proxy.errors import RequestError
from proxy.forward.keeping import Part
from proxy.forward.limits import Budget
from proxy.http1.chunked import Chunked
from proxy.http1.framing import Counted, Reader, UntilClose

BUFFERED: Final = 64 * 1024
"""Bytes that may wait to be sent before the client is stopped."""

LAST_CHUNK = b"0\r\n\r\n"


class Source(Protocol):
    """Where content comes from, which can be told to wait."""

    def pause_reading(self) -> None:
        """Send nothing for now."""

    def resume_reading(self) -> None:
        """Go on."""


class InboundContent:
    """Content that comes once and may be sent twice.

    `reader` finds its end; `keep` is how many bytes are kept for sending them again, as
    long as the `budget` of all content allows. `received` counts the bytes that came,
    `taken` those handed out to be sent.
    """

    __slots__ = (
        "_arrived",
        "_arrived_bytes",
        "_counted",
        "_error",
        "_forgotten",
        "_keep",
        "_kept",
        "_reader",
        "_source",
        "_waiter",
        "budget",
        "chunked",
        "part",
        "received",
        "taken",
    )

    def __init__(
        self, reader: Reader, source: Source, *, keep: int, budget: Budget
    ) -> None:
        self.budget = budget
        self._counted = 0  # bytes of the budget that this one has
        self._reader = reader
        self._source = source
        self._keep = keep
        # What will not fit is not kept at all.
        is_long = isinstance(reader, Counted) and reader.left > keep
        self._kept: list[bytes] | None = None if is_long else []
        self._arrived: list[bytes] = []  # and not taken yet
        self._arrived_bytes = 0
        self.taken = 0
        self._forgotten = False
        self._error: RequestError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.chunked = isinstance(reader, Chunked)
        self.part: Part | None = None  # what keeps it for others to see
        self.received = 0

    # -- Coming in ---------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        """Take what the client sent; return what follows the content.

        Raises MalformedError.
        """
        piece, rest = self._reader.feed(data)
        if piece:
            self._note(piece)
        self._wake()
        return rest

    def end(self) -> None:
        """Note that the client sends nothing more."""
        if isinstance(self._reader, UntilClose):
            self._reader.done = True
        else:
            self.fail("the request's content broke off")
        self._wake()

    def fail(self, what: str) -> None:
        """Let whoever sends the content raise a RequestError about `what`."""
        if not self.whole:
            self._error = self._error or RequestError(what)
            self._wake()

    @property
    def whole(self) -> bool:
        """Whether all of it has come."""
        return self._reader.done

    async def come_whole(self, most: int) -> bytes | None:
        """Return all of it when it has come, or nothing if it is longer than `most`.

        Nothing is taken. Raises RequestError when the client leaves or breaks the
        framing.
        """
        while not self._reader.done and self._arrived_bytes <= most:
            self._check()
            await self._wait()
        self._check()
        return b"".join(self._arrived) if self._arrived_bytes <= most else None

    # -- Going out ---------------------------------------------------------------

    @property
    def kept(self) -> bool:
        """Whether the content can still be sent from its start."""
        return self._kept is not None

    @property
    def sent(self) -> bool:
        """Whether nothing is left for `pieces`."""
        return self._reader.done and not self._arrived

    def take_arrived(self) -> bytes:
        """Return, framed for sending from the start, what has come so far.

        Raises RequestError when the client left or broke the framing.
        """
        self._check()
        data = self._framed(b"".join((*(self._kept or ()), *self._arrived)))
        self._take()
        return data + LAST_CHUNK if self.chunked and self._reader.done else data

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the rest after `take_arrived`, framed for sending, as it comes.

        Raises RequestError when the client leaves or breaks the framing.
        """
        while not self.sent:
            self._check()
            if self._arrived:
                data = b"".join(self._arrived)
                self._take()
                yield self._framed(data)
            else:
                await self._wait()
        if self.chunked:
            yield LAST_CHUNK

    # ----------------------------------------------------------------------------

    def _framed(self, data: bytes) -> bytes:
        # An empty chunk would be the last one.
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked and data else data

    def keep_in(self, part: Part) -> None:
        """Let `part` have all of the content, of which nothing was taken yet."""
        for piece in self._arrived:
            part.take(piece)
        self.part = part

    def _note(self, piece: bytes) -> None:
        self.received += len(piece)
        if self.part is not None:
            self.part.take(piece)
        if self._forgotten:
            return
        self._arrived.append(piece)
        self._arrived_bytes += len(piece)
        self._count(len(piece))
        if self._arrived_bytes > BUFFERED:
            self._source.pause_reading()

    def _take(self) -> None:
        """Count what has arrived as sent, and keep it as long as all can be kept."""
        if not self._arrived:
            return
        self.taken += self._arrived_bytes
        if self._kept is not None:
            if self.taken > self._keep or self.budget.spent:
                self._kept = None
            else:
                self._kept += self._arrived
        if self._kept is None:
            self._count(-self._counted)
        self._arrived = []
        self._arrived_bytes = 0
        self._source.resume_reading()

    def forget(self) -> None:
        """Keep nothing any more, nor of what still comes: nobody sends it."""
        self._forgotten = True
        self.part = None
        self._kept = None
        self._arrived = []
        self._count(-self._counted)

    def _count(self, more: int) -> None:
        self._counted += more
        self.budget.content += more

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
