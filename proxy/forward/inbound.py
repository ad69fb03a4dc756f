"""The inbound side: one client connection, and the requests that come on it in turn.

A head is read whole, then its content as it comes, and a task of its own answers the
request. What the client sends meanwhile waits for its turn. Requests that are not
valid, or that could be read in two ways, are answered here and go no further.
"""

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum
from typing import Any, Final, Protocol, cast

from proxy.forward.content import InboundContent
from proxy.forward.fields import keeps_alive
from proxy.forward.peer import has_left
from proxy.http1.errors import MalformedError
from proxy.http1.framing import UntilClose, request_reader
from proxy.http1.head import (
    RequestHead,
    after_blank_lines,
    check_beginning,
    check_host,
    check_target,
    parse_request,
)

logger = logging.getLogger(__name__)

PIPELINED: Final = 64 * 1024
"""Bytes of requests that wait for their turn before the client is stopped."""

HEAD_TIME: Final = 30.0
"""Seconds from a request's first byte to the end of its head, and for the first byte
on a new connection."""

IDLE_TIME: Final = 900.0
"""Seconds that a connection may rest between requests: a program that keeps one for
long should rarely find it closed."""

LINGER_TIME: Final = 2.0
"""Seconds for a client to read an answer that came before it had sent everything."""

STALL_TIME: Final = 100.0
"""Seconds for which a client may take nothing of the end of its answer."""

DOUBT_TIME: Final = 5.0
"""Seconds for which a client that has ended its side is taken to be still reading,
where it cannot be told."""

_TICK = 1.0

# Linger for no time: what makes a close a reset (struct linger: two shorts on Windows).
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class _State(Enum):
    HEAD = "head"  # waiting for a request's head, or in the middle of one
    EXCHANGE = "exchange"  # a request is being answered
    TUNNEL = "tunnel"  # another protocol, since a 101
    ANSWERED = "answered"  # the client has yet to take in the answer
    LINGER = "linger"  # an answer went out early; what still comes is dropped
    CLOSED = "closed"


class Relaying(Protocol):
    """Whoever writes to the client and can be told to wait."""

    def pause(self) -> None:
        """Write nothing for now."""

    def resume(self) -> None:
        """Go on."""


class InboundRequest:
    """One request, and the connection on which it is answered."""

    __slots__ = ("connection", "content", "head")

    def __init__(
        self,
        head: RequestHead,
        content: InboundContent | None,
        connection: "InboundConnection",
    ) -> None:
        self.head = head
        self.content = content
        self.connection = connection

    @property
    def whole(self) -> bool:
        """Whether all of the request has come."""
        return self.content is None or self.content.whole


class InboundConnection(asyncio.Protocol):
    """One inbound connection; `keep_alive` says if it outlives the present answer."""

    __slots__ = (
        "_buffer",
        "_content",
        "_ended",
        "_eof_written",
        "_loop",
        "_reading_paused",
        "_relaying",
        "_server",
        "_state",
        "_task",
        "_unsent",
        "_writing_paused",
        "deadline",
        "keep_alive",
        "transport",
    )

    def __init__(self, server: "InboundServer") -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._state = _State.HEAD
        self._buffer = b""
        self._content: InboundContent | None = None
        self._task: asyncio.Task[None] | None = None
        self._relaying: Relaying | None = None
        self._reading_paused = False
        self._writing_paused = False
        self._ended = False  # the client will send nothing more
        self._eof_written = False
        self._unsent = 0
        self.transport: asyncio.Transport | None = None
        self.deadline = 0.0
        self.keep_alive = True

    # -- asyncio.Protocol --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and wait for the first request."""
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)
        self._server.keep_time()
        self.deadline = self._loop.time() + HEAD_TIME

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._state is _State.HEAD:
            known = len(self._buffer)
            self._buffer = self._buffer + data if known else data
            self._read_head(known)
        elif self._content is not None:
            self._read_content(self._content, data)
        elif self._state in {_State.EXCHANGE, _State.ANSWERED}:
            self._buffer += data
            if len(self._buffer) > PIPELINED:
                self.pause_reading()

    def eof_received(self) -> bool:
        """Say whether the connection stays open: the client may still read."""
        self._ended = True
        if self._content is not None:
            self._content.end()
            self._content = None
        if self._state is _State.TUNNEL:
            return True
        if self._state not in {_State.EXCHANGE, _State.ANSWERED}:
            return False
        self.deadline = self._loop.time() + DOUBT_TIME
        # In the next turn: this transport is in the middle of something.
        self._loop.call_soon(self.check_peer)
        return True

    def connection_lost(self, _: Exception | None) -> None:
        """End the exchange under way: nobody is there to answer."""
        self._state = _State.CLOSED
        self.transport = None
        self._server.lost(self)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Stop whoever writes, as the client does not keep up."""
        self._writing_paused = True
        if self._relaying is not None:
            self._relaying.pause()

    def resume_writing(self) -> None:
        """Let whoever writes go on, or the next request have its turn."""
        self._writing_paused = False
        if self._relaying is not None:
            self._relaying.resume()
        if self._state is _State.ANSWERED:
            # Not in here: asyncio is still in the middle of its writing, and a close
            # would end the transport twice.
            self._loop.call_soon(self._next)

    # -- For the exchange under way ----------------------------------------------

    def write(self, data: bytes) -> None:
        """Send `data`, if the client is still there."""
        if self.transport is not None:
            self.transport.write(data)

    def write_eof(self) -> None:
        """Say that nothing more will be written, where that can be said."""
        self._eof_written = True
        if (
            self.transport is not None
            and not self.transport.is_closing()
            and self.transport.can_write_eof()
        ):
            with suppress(OSError):  # the client has left, which we hear of next
                self.transport.write_eof()

    def relay_from(self, relaying: Relaying | None) -> None:
        """Let this client's back-pressure stop `relaying` from now on."""
        self._relaying = relaying
        if relaying is not None and self._writing_paused:
            relaying.pause()

    def tunnel(self) -> InboundContent:
        """Return what the client sends from now on, which is no request any more."""
        self._state = _State.TUNNEL
        content = InboundContent(UntilClose(), self, keep=0)
        if self._buffer:
            content.feed(self._buffer)
            self._buffer = b""
        if self._ended:
            content.end()
        else:
            self._content = content
            self.resume_reading()
        return content

    def local_address(self) -> tuple[str | None, int | None]:
        """Return host and port that the client connected to; none on a Unix socket."""
        name = self.transport and self.transport.get_extra_info("sockname")
        return (str(name[0]), int(name[1])) if isinstance(name, tuple) else (None, None)

    def pause_reading(self) -> None:
        """Let the client wait."""
        if not self._reading_paused and not self._ended and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the client again, unless too much waits for its turn already."""
        if len(self._buffer) > PIPELINED:
            return
        if self._reading_paused and self.transport is not None:
            self._reading_paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    # -- Requests ----------------------------------------------------------------

    def _read_head(self, known: int = 0) -> None:
        """Read the head in the buffer, whose first `known` bytes were seen before."""
        buffer = self._buffer
        if buffer[:1] == b"\r":  # RFC 9112, section 2.2
            buffer, known = after_blank_lines(buffer), 0
        end = buffer.find(b"\r\n\r\n", max(0, known - 3))
        try:
            if end < 0:
                self._buffer = buffer
                check_beginning(buffer, known)
                if not known and buffer not in (b"", b"\r"):
                    self.deadline = self._loop.time() + HEAD_TIME
                return
            head = parse_request(buffer[:end], self._server.noted)
            check_host(head)
            check_target(head)
            self._buffer = b""
            self._start(head, buffer[end + 4 :])
        except MalformedError as error:
            self._refuse(error)

    def _start(self, head: RequestHead, rest: bytes) -> None:
        """Let the request be answered. Raises MalformedError."""
        reader = request_reader(head)
        content = None
        if reader is not None:
            content = InboundContent(reader, self, keep=self._server.replay_limit)
            rest = content.feed(rest)
            self._content = None if content.whole else content
            if self._ended and self._content is not None:
                content.end()  # what it lacks cannot come any more
                self._content = None
        self._buffer = rest
        self.keep_alive = keeps_alive(head.seen, http10=head.http10)
        self._state = _State.EXCHANGE
        # Not `spawn`: it is held here, and what it raises is heard in `_answered`.
        self._task = self._loop.create_task(
            self._server.handler(InboundRequest(head, content, self))
        )
        self._task.add_done_callback(self._answered)

    def _read_content(self, content: InboundContent, data: bytes) -> None:
        try:
            rest = content.feed(data)
        except MalformedError as error:
            content.fail(f"the request's content is malformed: {error}")
            self._content = None
            self._buffer = data  # so that the close waits for the client to read
            self.keep_alive = False
            return
        if content.whole:
            self._content = None
            self._buffer = rest

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._relaying = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("answering a request failed", exc_info=error)
        if self._state is _State.CLOSED:
            return
        if error is not None or task.cancelled():
            self.abort()
            return
        self._state = _State.ANSWERED
        if not self._writing_paused:
            self._next()
        else:
            self._await_client()

    def _next(self) -> None:
        """Go on to the client's next request, or end the connection."""
        if self._state is not _State.ANSWERED or self._writing_paused:
            return
        if not self.keep_alive or self._content is not None:
            self.close()
            return
        self._state = _State.HEAD
        if self._buffer:
            self._read_head()
        elif not self._ended:
            self.deadline = self._loop.time() + IDLE_TIME
        if self._state is _State.HEAD and self._ended:
            self.close()
        else:
            self.resume_reading()

    def _refuse(self, error: MalformedError) -> None:
        """Answer what is no request, and take nothing more from this client."""
        self.keep_alive = False
        self._buffer = b""
        self._content = None
        self._state = _State.LINGER
        self._server.refuse(error, self)
        self._linger()

    # -- The end -----------------------------------------------------------------

    def close(self) -> None:
        """End the connection in good order: what was written still arrives."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._ended or (self._content is None and not self._buffer):
            self._state = _State.CLOSED
            self._await_client()
            self.transport.close()
        else:
            self._linger()

    def finish(self) -> None:
        """End the connection after its present exchange, if there is one."""
        self.keep_alive = False
        if self._state is _State.HEAD:
            self.close()

    def abort(self) -> None:
        """End the connection at once, and visibly: by a reset, where there is one.

        A plain close would make content look whole whose end is told by the close.
        """
        self._state = _State.CLOSED
        if self.transport is None:
            return
        if self.can_reset:
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET
            )
        self.transport.abort()

    @property
    def can_reset(self) -> bool:
        """Whether the client can be told a cut from an end; not on a Unix socket."""
        return self.transport is not None and isinstance(
            self.transport.get_extra_info("sockname"), tuple
        )

    def _await_client(self) -> None:
        """Give the client time to take what is written, for as long as it takes any."""
        self._unsent = self.transport.get_write_buffer_size() if self.transport else 0
        self.deadline = self._loop.time() + STALL_TIME

    def _linger(self) -> None:
        """Wait for the client to read the answer before the close.

        A close while data comes in is a reset, which would take from the client what
        it has not read yet (RFC 9112, section 9.6).
        """
        self._state = _State.LINGER
        self._content = None
        self._buffer = b""
        if self._ended:  # nothing comes in any more
            self.close()
            return
        self.deadline = self._loop.time() + LINGER_TIME
        self.write_eof()
        self.resume_reading()

    def expire(self) -> None:
        """Do what is due when the deadline has passed."""
        if self._state is _State.HEAD and self._buffer:
            self._refuse(
                MalformedError("the request's head did not come in time", status=408)
            )
        elif self._state is _State.HEAD:
            self.close()
        elif self._state in {_State.ANSWERED, _State.CLOSED}:
            unsent = self._unsent
            self._await_client()
            if self._unsent >= unsent:
                self.abort()
        elif self._state is _State.LINGER or self._is_in_doubt:
            self.abort()

    @property
    def _is_in_doubt(self) -> bool:
        """Whether an answer is awaited by a client that may not be there any more."""
        return self._ended and self._state in {_State.EXCHANGE, _State.ANSWERED}

    def check_peer(self) -> None:
        """Find out whether a client that has ended its side is there to be answered."""
        # Once both sides have ended, nobody has to be there.
        in_tunnel = self._state is _State.TUNNEL and not self._eof_written
        if self.transport is None or not (
            self._is_in_doubt or (in_tunnel and self._ended)
        ):
            return
        left = has_left(self.transport)
        if left:
            self.abort()
        elif left is False:
            self.deadline = self._loop.time() + DOUBT_TIME


class InboundServer:
    """Makes an `InboundConnection` of every connection, and keeps time for all.

    `handler` answers a request and raises nothing; `refuse` answers what is none.
    `noted` names the fields whose values are looked at, `replay_limit` is in bytes.
    """

    def __init__(
        self,
        handler: Callable[[InboundRequest], Awaitable[None]],
        refuse: Callable[[MalformedError, InboundConnection], None],
        *,
        noted: frozenset[bytes],
        replay_limit: int,
    ) -> None:
        self.handler = cast("Callable[[InboundRequest], Any]", handler)
        self.refuse = refuse
        self.noted = noted
        self.replay_limit = replay_limit
        self.connections: set[InboundConnection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    def __call__(self) -> InboundConnection:
        """Return the protocol of a new connection."""
        return InboundConnection(self)

    def keep_time(self) -> None:
        """Look at all deadlines once a second, for as long as there are any."""
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
        if self._empty is not None and not self.connections:
            self._empty.set()

    def _sweep(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for connection in tuple(self.connections):
            connection.check_peer()
            if now > connection.deadline:
                connection.expire()
        if self.connections:
            self.keep_time()
