"""One upstream HTTP/1.1 connection: an asyncio protocol over a C parser.

An exchange on it goes `start` → `write` … → `await head()` → content. Content is kept
in a small buffer until someone says where it goes (`relay_to`), and from then on is
handed over as it comes; whoever receives it stops the upstream with `pause` and
`resume`. After `await ended()` the connection is free for the next exchange if
`reusable` says so. Whatever goes wrong ends the connection and is raised, as one of
the errors of `proxy.errors`, by whichever call waits.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Final, Literal, cast

import httptools

from proxy.errors import (
    ProxyError,
    UpstreamError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
)
from proxy.forward.response import Framing, ResponseHead, framing

MAX_HEAD: Final = 256 * 1024
"""Bytes of a response's head; more is an error."""

BUFFERED: Final = 64 * 1024
"""Bytes of content that may wait before the upstream is stopped."""

Sink = Callable[[bytes], None]
Address = tuple[object, ...]


class _State(Enum):
    IDLE = "idle"  # between exchanges
    HEAD = "head"  # a request went out; its final response's head has not come
    CONTENT = "content"
    CLOSED = "closed"


class UpstreamConnection(asyncio.Protocol):
    """One connection to the upstream, used for one exchange at a time."""

    __slots__ = (
        "_buffer",
        "_buffered",
        "_drain_waiter",
        "_error",
        "_head",
        "_head_bytes",
        "_loop",
        "_method",
        "_on_interim",
        "_parser",
        "_paused",
        "_sink",
        "_state",
        "_transport",
        "_waiter",
        "_writing_paused",
        "answer_begun",
        "idle_since",
        "last_activity",
        "reused",
        "time_limit",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._state = _State.IDLE
        self._method = ""
        self._head = ResponseHead()
        self._head_bytes = 0
        self._on_interim: Callable[[ResponseHead], None] | None = None
        self._sink: Sink | None = None
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._writing_paused = False
        self._drain_waiter: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: ProxyError | None = None
        self.answer_begun = False
        self.reused = False
        self.idle_since = loop.time()
        self.last_activity = self.idle_since
        self.time_limit = 0.0

    # -- One exchange ------------------------------------------------------------

    def start(
        self, method: str, on_interim: Callable[[ResponseHead], None] | None = None
    ) -> None:
        """Make ready for the request that `write` sends next.

        `on_interim` receives the head of each 1xx response but 101.
        """
        if self._method == "HEAD":
            # llhttp would take the next head for the content that HEAD announced.
            self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self._on_interim = on_interim
        self._head = ResponseHead()
        self._head_bytes = 0
        self._sink = None
        self._buffer = []
        self._buffered = 0
        self.answer_begun = False
        if self._state is _State.CLOSED:
            self._error = self._error or _broken_off()
        else:
            self._state = _State.HEAD
        self.touch()

    def write(self, data: bytes) -> None:
        """Send `data`; after a fault this does nothing, as `head` raises it."""
        if self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the upstream takes more; returns after a fault too."""
        if self._writing_paused and self._transport is not None:
            self._drain_waiter = self._loop.create_future()
            await self._drain_waiter
        self.touch()

    async def head(self) -> ResponseHead:
        """Wait for the final response's head. Raises UpstreamError."""
        while self._state is _State.HEAD:
            await self._wait()
        self._check()
        return self._head

    async def content(self, limit: int) -> bytes | None:
        """Return the whole content, or nothing if it is longer than `limit` bytes.

        What was read stays in the buffer. Raises UpstreamError when it breaks off.
        """
        while self._state is _State.CONTENT and self._buffered <= limit:
            self.resume()
            await self._wait()
        self._check()
        return b"".join(self._buffer) if self._buffered <= limit else None

    def take_buffered(self) -> bytes:
        """Return and forget the content that has come so far."""
        data = b"".join(self._buffer)
        self._buffer.clear()
        self._buffered = 0
        return data

    def relay_to(self, sink: Sink) -> None:
        """Hand content to `sink` from now on, as it comes."""
        self._sink = sink
        self.resume()

    async def ended(self) -> None:
        """Wait for the end of the content. Raises UpstreamError when it breaks off."""
        while self._state is _State.CONTENT:
            await self._wait()
        self._check()

    @property
    def complete(self) -> bool:
        """Whether the response has come to its end, without a fault."""
        return self._error is None and self._state in {_State.IDLE, _State.CLOSED}

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow on this connection."""
        return (
            self._state is _State.IDLE
            and self._transport is not None
            and not self._transport.is_closing()
        )

    @property
    def writing_paused(self) -> bool:
        """Whether the upstream takes no more for now."""
        return self._writing_paused

    def pause(self) -> None:
        """Stop reading from the upstream, because the client does not keep up.

        Only while there is content to come: between exchanges nobody would resume.
        """
        if (
            self._state is _State.CONTENT
            and not self._paused
            and self._transport is not None
        ):
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read from the upstream again."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
            self.touch()

    # -- Life --------------------------------------------------------------------

    def address(self, end: Literal["peername", "sockname"]) -> Address:
        """Return the address of the other end, or of ours: host and port first."""
        if self._transport is None:
            return ()
        return cast("Address", self._transport.get_extra_info(end) or ())

    def touch(self) -> None:
        """Begin the running time limit anew."""
        self.last_activity = self._loop.time()

    def expire(self) -> None:
        """End an exchange that was too slow."""
        if self._state is _State.HEAD and self._writing_paused:
            self._fail(
                UpstreamTimeoutError(
                    "the upstream stopped taking the request's content",
                    proxy_error="connection_write_timeout",
                )
            )
        elif self._state is _State.HEAD:
            self._fail(
                UpstreamTimeoutError("the upstream did not answer in time; try again")
            )
        elif self._state is _State.CONTENT:
            whose = "client" if self._paused else "upstream"
            self._fail(
                UpstreamTimeoutError(
                    f"the {whose} stopped in the middle of the answer",
                    proxy_error="connection_read_timeout",
                )
            )

    def abort(self) -> None:
        """Drop the connection at once, with whatever is under way on it.

        Not `close`: an abandoned TLS response may keep downloading under uvloop
        (MagicStack/uvloop#471).
        """
        if self._state in {_State.HEAD, _State.CONTENT}:
            self._error = self._error or _broken_off()
        self._state = _State.CLOSED
        self._wake()
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close an idle connection in good order."""
        self._state = _State.CLOSED
        if self._transport is not None:
            self._transport.close()

    # -- asyncio.Protocol --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what the upstream sent."""
        state = self._state
        if state is _State.IDLE:
            # An answer to nothing, such as a 408 before an idle close.
            self.abort()
            return
        if state is _State.CLOSED:
            return
        self.answer_begun = True
        if state is _State.CONTENT:  # the time for the head runs on, whatever drips in
            self.touch()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._on_nonsense()
            return
        if self._state is _State.HEAD:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._fail(
                    UpstreamIncompleteError(
                        "the head of the upstream's answer is too large",
                        proxy_error="http_response_header_section_size",
                    )
                )
        elif self._buffered > BUFFERED:
            self.pause()

    def eof_received(self) -> None:
        """Let the transport close itself; `connection_lost` says what it means."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange: in good order only if its end was told by the close."""
        if self._state is _State.CONTENT and (
            exc is None and self._head.framing is Framing.CLOSE
        ):
            self._state = _State.CLOSED
        elif self._state in {_State.HEAD, _State.CONTENT}:
            self._fail(_broken_off())
        self._state = _State.CLOSED
        self._transport = None
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        """Note that the upstream does not keep up."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Let the sender go on."""
        self._writing_paused = False
        waiter, self._drain_waiter = self._drain_waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # -- httptools callbacks -----------------------------------------------------

    def on_message_begin(self) -> None:
        """Refuse a second response to one request."""
        if self._state is not _State.HEAD:
            raise UpstreamError("the upstream sent more than one answer")

    def on_status(self, reason: bytes) -> None:
        """Collect the reason phrase."""
        self._head.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field; trailer fields, which come after the head, are dropped."""
        if self._state is _State.HEAD:
            self._head.fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head: an interim one is passed on, the final one ends the wait."""
        head = self._head
        head.status = self._parser.get_status_code()
        if head.status == 101:
            raise UpstreamError("the upstream switched protocols unasked")
        if head.status < 200:
            self._head = ResponseHead()
            if self._on_interim is not None:
                self._on_interim(head)
            return
        head.framing = framing(self._method, head)
        head.keep_alive = self._parser.should_keep_alive()
        self._state = _State.CONTENT
        if head.framing is Framing.NONE and self._method == "HEAD":
            self.on_message_complete()
        self._wake()

    def on_body(self, piece: bytes) -> None:
        """Hand a piece of content over, or keep it until someone takes it."""
        if self._sink is not None:
            self._sink(piece)
        elif self._state is _State.CONTENT:
            self._buffer.append(piece)
            self._buffered += len(piece)
            self._wake()

    def on_message_complete(self) -> None:
        """End the exchange; the end of an interim response is not that."""
        if self._state is not _State.CONTENT:
            return
        self._state = _State.IDLE
        self.resume()
        if not self._head.keep_alive:
            self.close()
        self.idle_since = self._loop.time()
        self._wake()

    # ----------------------------------------------------------------------------

    def _on_nonsense(self) -> None:
        if self.complete:
            self.abort()  # it came after the answer, which stands
            return
        self._fail(
            UpstreamIncompleteError(
                "the upstream's answer is not valid HTTP/1.1",
                proxy_error="http_protocol_error",
            )
        )

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: ProxyError) -> None:
        self._error = self._error or error
        self.abort()


def _broken_off() -> UpstreamIncompleteError:
    return UpstreamIncompleteError(
        "the upstream closed the connection before its answer was complete"
    )
