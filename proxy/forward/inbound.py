"""The inbound side: one client connection, and the requests that come on it in turn.

A head is read whole, then its content as it comes, and whoever answers the request
says when it has. What the client sends meanwhile waits for its turn. Requests that are
not valid, or that could be read in two ways, are answered here and go no further.
"""

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from enum import Enum
from typing import Final, Protocol, cast

from proxy.errors import ProxyError
from proxy.forward.content import InboundContent
from proxy.forward.downlink import Downlink
from proxy.forward.exchange import Exchange
from proxy.forward.fields import keeps_alive
from proxy.forward.limits import Budget, InboundLimits
from proxy.forward.peer import has_left
from proxy.http1.errors import MalformedError
from proxy.http1.framing import UntilClose, request_reader
from proxy.http1.head import (
    FieldSection,
    RequestHead,
    after_blank_lines,
    check_beginning,
    check_host,
    check_target,
    parse_request,
)

PIPELINED: Final = 64 * 1024
"""Bytes of requests that wait for their turn before the client is stopped."""

HIGH_WATER: Final = 1024
"""Bytes that may wait for the client to read before the upstream is stopped."""

QUICK_HIGH_WATER: Final = 256 * 1024
"""The same, for a client that has taken them within `QUICK` seconds before."""

QUICK: Final = 0.05

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

# Bytes of a request's fields that are kept for the next, which may have the same.
_SMALL = 4096

# Linger for no time: what makes a close a reset (struct linger: two shorts on Windows).
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class _State(Enum):
    HEAD = "head"  # waiting for a request's head, or in the middle of one
    EXCHANGE = "exchange"  # a request is being answered
    TUNNEL = "tunnel"  # another protocol, since a 101
    ANSWERED = "answered"  # the client has yet to take in the answer
    LINGER = "linger"  # an answer went out early; what still comes is dropped
    CLOSED = "closed"


# A look-up on the enumeration takes three times as long.
_HEAD, _EXCHANGE, _TUNNEL, _ANSWERED, _LINGER, _CLOSED = _State


class Relaying(Protocol):
    """Whoever writes to the client and can be told to wait."""

    def pause(self) -> None:
        """Write nothing for now."""

    def resume(self) -> None:
        """Go on."""


class Answering(Protocol):
    """Whoever answers a request."""

    def client_left(self) -> None:
        """Stop: nobody is there any more to be answered."""

    def look(self) -> Exchange:
        """Return the exchange as it stands."""


class Server(Protocol):
    """What all connections of a listener have in common."""

    noted: frozenset[bytes]
    replay_limit: int
    limits: InboundLimits
    budget: Budget
    watched: "set[InboundConnection]"
    """Those that are looked at again and again, beside their deadlines."""

    def answer(
        self,
        head: RequestHead,
        content: InboundContent | None,
        client: "InboundConnection",
        /,
    ) -> Answering:
        """Begin to answer a request; `client.answered` is called in the end."""

    def refuse(self, error: MalformedError, client: "InboundConnection", /) -> None:
        """Answer what is no request."""

    def opened(self, client: "InboundConnection") -> bool:
        """Note a new connection, and say whether it may be used."""

    def lost(self, client: "InboundConnection") -> None:
        """Forget a connection, which has ended."""


class InboundConnection(asyncio.Protocol):
    """One inbound connection, on whose `downlink` the answers go out.

    `secure` says that it is one by TLS.
    """

    __slots__ = (
        "_buffer",
        "_content",
        "_ended",
        "_eof_written",
        "_exchange",
        "_loop",
        "_paused_at",
        "_reading_paused",
        "_relaying",
        "_section",
        "_server",
        "_serving",
        "_state",
        "_unsent",
        "_writing_paused",
        "deadline",
        "downlink",
        "secure",
        "transport",
    )

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._state = _HEAD
        self._buffer = b""
        self._content: InboundContent | None = None
        self._exchange: Answering | None = None
        self._serving = False
        self._relaying: Relaying | None = None
        self._section: FieldSection | None = None
        self._reading_paused = False
        self._writing_paused = False
        self._paused_at = 0.0
        self._ended = False  # the client will send nothing more
        self._eof_written = False
        self._unsent = 0
        self.transport: asyncio.Transport | None = None
        self.deadline = 0.0
        self.secure = False
        self.downlink = Downlink(self)

    # -- asyncio.Protocol --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and wait for the first request."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(HIGH_WATER)
        self.secure = transport.get_extra_info("ssl_object") is not None
        if not self._server.opened(self):
            return
        self.deadline = self._loop.time() + self._server.limits.head_time

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._state is _HEAD:
            known = len(self._buffer)
            self._buffer = self._buffer + data if known else data
            self._serve(known)
        elif self._content is not None:
            self._read_content(self._content, data)
        elif self._state is _EXCHANGE or self._state is _ANSWERED:
            self._buffer += data
            if len(self._buffer) > PIPELINED:
                self.pause_reading()

    def eof_received(self) -> bool:
        """Say whether the connection stays open: the client may still read."""
        self._ended = True
        self._server.watched.add(self)
        if self._content is not None:
            self._content.end()
            self._content = None
        if self.secure:
            # Both ways end together: what is under way cannot be answered.
            self.abort()
            return False
        if self._state is _TUNNEL:
            return True
        if not (self._state is _EXCHANGE or self._state is _ANSWERED):
            return False
        self.deadline = self._loop.time() + DOUBT_TIME
        # In the next turn: this transport is in the middle of something.
        self._loop.call_soon(self.check_peer)
        return True

    def connection_lost(self, _: Exception | None) -> None:
        """End the exchange under way: nobody is there to answer."""
        self._state = _CLOSED
        self.transport = None
        self._server.lost(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_left()

    def pause_writing(self) -> None:
        """Stop whoever writes, as the client does not keep up."""
        if not self._writing_paused:
            self._paused_at = self._loop.time()
        self._writing_paused = True
        self._server.watched.add(self)
        if self._relaying is not None:
            self._relaying.pause()

    def resume_writing(self) -> None:
        """Let whoever writes go on, or the next request have its turn."""
        paused_at, self._writing_paused = self._paused_at, False
        if self.transport is not None:
            is_quick = self._loop.time() - paused_at < QUICK
            self.transport.set_write_buffer_limits(
                QUICK_HIGH_WATER if is_quick else HIGH_WATER
            )
            if self._writing_paused:
                # By that, as what waits is more than is allowed now: no new pause.
                self._paused_at = paused_at
                return
        if self._relaying is not None:
            self._relaying.resume()
        if self._state is _ANSWERED:
            # Not in here: asyncio is still in the middle of its writing, and a close
            # would end the transport twice.
            self._loop.call_soon(self._next)

    # -- For the exchange under way ----------------------------------------------

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
        self._state = _TUNNEL
        content = InboundContent(UntilClose(), self, keep=0, budget=self._server.budget)
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
            self._server.watched.add(self)
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the client again, unless too much waits for its turn already."""
        if len(self._buffer) > PIPELINED and self._state is not _HEAD:
            return
        if self._reading_paused and self.transport is not None:
            self._reading_paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def look(self) -> Exchange | None:
        """Return the exchange under way as it stands, if there is one."""
        return None if self._exchange is None else self._exchange.look()

    # -- Requests ----------------------------------------------------------------

    def _serve(self, known: int = 0) -> None:
        """Have the requests in the buffer answered, until one has to be waited for.

        Its first `known` bytes were seen before. A loop and no recursion: a client may
        send a thousand at once that are all answered on the spot.
        """
        self._serving = True
        while True:
            if self._buffer:
                self._read_head(known)
                known = 0
            elif not self._ended:
                self.deadline = self._loop.time() + IDLE_TIME
            if self._state is not _ANSWERED or not self._turn():
                break
        self._serving = False
        if self._state is _HEAD and self._ended:
            self.close()
        elif self._reading_paused:
            self.resume_reading()

    def _read_head(self, known: int) -> None:
        """Read the head in the buffer, whose first `known` bytes were seen before."""
        buffer = self._buffer
        if buffer[:1] == b"\r":  # RFC 9112, section 2.2
            buffer, known = after_blank_lines(buffer), 0
        end = buffer.find(b"\r\n\r\n", max(0, known - 3))
        try:
            limit = self._server.limits.head_size
            if end < 0:
                self._buffer = buffer
                check_beginning(buffer, known, limit)
                if not known and buffer not in (b"", b"\r"):
                    self.deadline = self._loop.time() + self._server.limits.head_time
                return
            head = parse_request(buffer[:end], self._server.noted, self._section, limit)
            check_host(head)
            if head.target[:1] != b"/":  # the usual form, and a valid one
                check_target(head)
            self._buffer = b""
            self._start(head, buffer[end + 4 :])
        except MalformedError as error:
            self._refuse(error)

    def _start(self, head: RequestHead, rest: bytes) -> None:
        """Let the request be answered. Raises MalformedError."""
        seen = head.seen
        # A large one would be kept for as long as the client stays.
        self._section = head.section if len(head.section.raw) < _SMALL else None
        content = None
        # The usual request has neither, and this is asked for each.
        if (b"content-length" in seen or b"transfer-encoding" in seen) and (
            reader := request_reader(head)
        ) is not None:
            server = self._server
            content = InboundContent(
                reader, self, keep=server.replay_limit, budget=server.budget
            )
            rest = content.feed(rest)
            self._content = None if content.whole else content
            if self._ended and self._content is not None:
                content.end()  # what it lacks cannot come any more
                self._content = None
        self._buffer = rest
        http10 = head.http10
        self.downlink.begin(http10=http10, keep_alive=keeps_alive(seen, http10=http10))
        self._state = _EXCHANGE
        exchange = self._server.answer(head, content, self)
        if self._state is _EXCHANGE or self._state is _TUNNEL:  # else it is answered
            self._exchange = exchange

    def _read_content(self, content: InboundContent, data: bytes) -> None:
        try:
            rest = content.feed(data)
        except MalformedError as error:
            content.fail(f"the request's content is malformed: {error}")
            self._content = None
            self._buffer = data  # so that the close waits for the client to read
            self.downlink.keep_alive = False
            return
        if content.whole:
            self._content = None
            self._buffer = rest

    def answered(self) -> None:
        """Go on to the client's next request: all of the answer has been written."""
        self._exchange = None
        self._relaying = None
        if self._state is _CLOSED:
            return
        self._state = _ANSWERED
        if self._serving:
            return  # `_serve` goes on
        if self._is_at_rest():
            self._state = _HEAD
            self.deadline = self._loop.time() + IDLE_TIME
        else:
            self._next()

    def _is_at_rest(self) -> bool:
        """Say whether nothing is left to be done: the usual, after an answer."""
        return (
            not (
                self._buffer
                or self._ended
                or self._writing_paused
                or self._reading_paused
                or self._content is not None
            )
            and self.downlink.keep_alive
        )

    def _next(self) -> None:
        if self._turn():
            self._serve()

    def _turn(self) -> bool:
        """Say whether it is the next request's turn; else see to what is in its way."""
        if self._state is not _ANSWERED:
            return False
        if self._writing_paused:
            self._await_client()
        elif not self.downlink.keep_alive or self._content is not None:
            self.close()
        else:
            self._state = _HEAD
        return self._state is _HEAD

    def turn_away(self, error: ProxyError) -> None:
        """Answer `error` and take nothing from this client."""
        self._state = _LINGER
        self.downlink.begin(http10=False, keep_alive=False)
        self.downlink.answer(error, [], with_content=True)
        self._linger()

    @property
    def is_to_be_watched(self) -> bool:
        """Whether its client reads too slowly, or may not be there any more."""
        return self._writing_paused or self._reading_paused or self._ended

    @property
    def unsent(self) -> int:
        """Bytes that were written and wait for the client to read."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def _refuse(self, error: MalformedError) -> None:
        """Answer what is no request, and take nothing more from this client."""
        self.downlink.keep_alive = False
        self._buffer = b""
        self._content = None
        self._state = _LINGER
        self._server.refuse(error, self)
        self._linger()

    # -- The end -----------------------------------------------------------------

    def close(self) -> None:
        """End the connection in good order: what was written still arrives."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._ended or (self._content is None and not self._buffer):
            self._state = _CLOSED
            self._await_client()
            self.transport.close()
        else:
            self._linger()

    def finish(self) -> None:
        """End the connection after its present exchange, if there is one."""
        self.downlink.keep_alive = False
        if self._state is _HEAD:
            self.close()

    def abort(self) -> None:
        """End the connection at once, and visibly: by a reset, where there is one.

        A plain close would make content look whole whose end is told by the close.
        """
        self._state = _CLOSED
        if self.transport is None:
            return
        if self.can_reset:
            with suppress(OSError):  # it may be closed already
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
        self._unsent = self.unsent
        self.deadline = self._loop.time() + STALL_TIME

    def _linger(self) -> None:
        """Wait for the client to read the answer before the close.

        A close while data comes in is a reset, which would take from the client what
        it has not read yet (RFC 9112, section 9.6).
        """
        self._state = _LINGER
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
        if self._state is _HEAD and self._buffer:
            self._refuse(
                MalformedError("the request's head did not come in time", status=408)
            )
        elif self._state is _HEAD:
            self.close()
        elif self._state is _ANSWERED or self._state is _CLOSED:
            unsent = self._unsent
            self._await_client()
            if self._unsent >= unsent:
                self.abort()
        elif self._state is _LINGER or self._is_in_doubt:
            self.abort()

    @property
    def _is_in_doubt(self) -> bool:
        """Whether an answer is awaited by a client that may not be there any more."""
        return self._ended and (self._state is _EXCHANGE or self._state is _ANSWERED)

    def check_peer(self) -> None:
        """Find out whether a client that has ended its side is there to be answered."""
        # Once both sides have ended, nobody has to be there.
        in_tunnel = self._state is _TUNNEL and not self._eof_written
        # Of a client that is not read from, nothing else is heard.
        is_silent = self._ended or self._reading_paused
        if self.transport is None or not (
            self._is_in_doubt or (in_tunnel and is_silent)
        ):
            return
        left = has_left(self.transport)
        if left:
            self.abort()
        elif left is False:
            self.deadline = self._loop.time() + DOUBT_TIME
