"""TLS to the upstream on a socket of its own, without asyncio's layer in between.

That layer, asyncio's as well as uvloop's, reads ahead while its protocol has paused
it, and keeps the better part of a megabyte for a connection whose reader is slow. Here
nothing is read that nobody takes: what waits does so in the kernel, and slows down the
sender.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, cast

FEW: Final = 16 * 1024
"""Bytes that are read at a time from the start, and whenever the reader was slow."""

MANY: Final = 128 * 1024
"""Bytes that are read at a time when a long answer goes to a reader that keeps up."""

HIGH_WATER: Final = 64 * 1024
"""Bytes that may wait to be sent before the protocol is told to stop."""

_LOW_WATER = HIGH_WATER // 4
_SLOW = 0.05  # seconds of a pause after which a reader is no quick one
_AT_A_TIME = 2
_SO_MANY = 64  # full reads after which much is read at a time


class Shared:
    """What all connections of one event loop share.

    That is what they read into, as they copy from it at once, and the turns in which
    they go on after a pause: a thousand readers may all have taken something in the
    same moment, and nobody else should have to wait for all of them.
    """

    __slots__ = ("_begun", "_loop", "_turning", "_waiting", "opened", "sealed")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._begun = 0  # steps in this turn of the loop
        self._turning = False
        self._waiting: deque[Callable[[], None]] = deque()
        self.sealed = memoryview(bytearray(MANY))
        self.opened = memoryview(bytearray(MANY))

    def in_turn(self, step: Callable[[], None]) -> None:
        """Take `step` in the loop's next turn, or in a later one if there are many."""
        if self._begun < _AT_A_TIME:
            self._begun += 1
            self._loop.call_soon(step)
        else:
            self._waiting.append(step)
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._begun = min(_AT_A_TIME, len(self._waiting))
        for _ in range(self._begun):
            self._loop.call_soon(self._waiting.popleft())
        self._turning = self._begun > 0
        if self._turning:
            self._loop.call_soon(self._turn)


async def open_tls(
    connected: socket.socket,
    context: ssl.SSLContext,
    host: str,
    protocol: asyncio.Protocol,
    shared: Shared,
) -> "TlsTransport":
    """Return a transport over the non-blocking socket `connected`, which it then owns.

    Raises what the handshake raises: ssl.SSLError, OSError. The event loop has to be
    able to watch sockets (`add_reader`), which that of Windows is not.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    loop = asyncio.get_running_loop()
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await loop.sock_sendall(connected, outgoing.read())
        except ssl.SSLError:
            with suppress(OSError):  # the other end may want to know, too
                await loop.sock_sendall(connected, outgoing.read())
            raise
        else:
            await loop.sock_sendall(connected, outgoing.read())
            break
        data = await loop.sock_recv(connected, FEW)
        if data:
            incoming.write(data)
        else:
            incoming.write_eof()
    return TlsTransport(loop, connected, tls, incoming, outgoing, protocol, shared)


class TlsTransport(asyncio.Transport):
    """Reads and writes through `tls`, after its handshake."""

    __slots__ = (
        "_amount",
        "_closing",
        "_descriptor",
        "_ended",
        "_incoming",
        "_loop",
        "_lost",
        "_opened",
        "_outgoing",
        "_paused_at",
        "_protocol",
        "_reading",
        "_sealed",
        "_shared",
        "_socket",
        "_full_reads",
        "_tls",
        "_unsent",
        "_watched",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        tls: ssl.SSLObject,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        protocol: asyncio.Protocol,
        shared: Shared,
    ) -> None:
        super().__init__()
        self._loop = loop
        self._socket = connected
        self._descriptor = connected.fileno()
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self._protocol = protocol
        self._shared = shared
        self._sealed = shared.sealed
        self._opened = shared.opened
        self._unsent = b""
        self._amount = FEW
        self._full_reads = 0
        self._paused_at = loop.time()
        self._reading = False
        self._watched = False
        self._ended = False  # by the other end, in good order
        self._closing = False
        self._lost = False
        protocol.connection_made(self)
        self.resume_reading()

    # -- asyncio.Transport -------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `socket`, `ssl_object`, `peername` or `sockname`."""
        if name == "socket":
            return self._socket
        if name == "ssl_object":
            return self._tls
        if name in {"peername", "sockname"}:
            ask = {
                "peername": self._socket.getpeername,
                "sockname": self._socket.getsockname,
            }
            with suppress(OSError):
                return ask[name]()
        return default

    def is_closing(self) -> bool:
        """Say whether the connection has ended, or is about to."""
        return self._closing

    def can_write_eof(self) -> Literal[False]:
        """Say no: in TLS both ways end together."""
        return False

    def is_reading(self) -> bool:
        """Say whether what comes is handed on."""
        return self._reading

    def pause_reading(self) -> None:
        """Leave what comes to the kernel."""
        self._reading = False
        if self._watched:
            self._watched = False
            self._paused_at = self._loop.time()
            self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Hand on what comes."""
        if self._reading or self._closing:
            return
        self._reading = True
        self._shared.in_turn(self._go_on)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data` now, as far as the kernel takes it, and the rest later."""
        if self._closing or not data:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            self._lose(error)
            return
        self._send()
        if len(self._unsent) > HIGH_WATER:
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait to be sent."""
        return len(self._unsent)

    def close(self) -> None:
        """End the connection when everything that waits has been sent."""
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        # Our end of TLS; nobody waits for the other (RFC 8446, section 6.1).
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._send()
        if not self._unsent:
            self._lose(None)

    def abort(self) -> None:
        """End the connection at once."""
        self._lose(None)

    # -- Coming in ---------------------------------------------------------------

    def _go_on(self) -> None:
        if not self._reading or self._watched:
            return
        self._watched = True
        if self._loop.time() - self._paused_at > _SLOW:
            self._amount, self._full_reads = FEW, 0
        self._loop.add_reader(self._descriptor, self._read)
        self._open()  # of what was read before the pause, the socket knows nothing

    def _read(self) -> None:
        amount = self._amount
        try:
            count = self._socket.recv_into(self._sealed, amount)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if count:
            self._incoming.write(self._sealed[:count])
        else:
            self._incoming.write_eof()
        self._open()
        if count == amount and self._reading and amount != MANY:
            self._full_reads += 1
            if self._full_reads >= _SO_MANY:
                self._amount = MANY

    def _open(self) -> None:
        """Hand on what has come, unsealed, for as long as it is wanted."""
        more = True
        while more and self._reading:
            try:
                filled, more = self._unseal()
            except ssl.SSLError as error:
                self._lose(error)
                return
            if filled:
                self._protocol.data_received(bytes(self._opened[:filled]))
        if self._ended and not self._closing:
            self._protocol.eof_received()
            self.close()
        elif self._outgoing.pending and not self._closing:
            self._send()  # such as the answer to a new key (section 4.6.3)

    def _unseal(self) -> tuple[int, bool]:
        """Fill the buffer; return how far, and whether there may be more."""
        filled = 0
        while filled + FEW <= self._amount:
            try:
                # One record at most; typeshed knows the form without a buffer only.
                count = cast("int", self._tls.read(FEW, self._opened[filled:]))
            except ssl.SSLWantReadError:
                return filled, False
            except ssl.SSLError:
                if filled:
                    return filled, True  # what was good before it goes first
                raise
            if not count:
                self._ended = True
                return filled, False
            filled += count
            if not self._incoming.pending and not self._incoming.eof:
                return filled, False
        return filled, True

    # -- Going out ---------------------------------------------------------------

    def _send(self) -> None:
        data = self._outgoing.read()
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data) if data else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._descriptor, self._on_writable)

    def _on_writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.remove_writer(self._descriptor)
        if len(self._unsent) <= _LOW_WATER:
            self._protocol.resume_writing()
        if self._closing and not self._unsent:
            self._lose(None)

    # ----------------------------------------------------------------------------

    def _lose(self, error: OSError | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._reading = self._watched = False
        self._unsent = b""
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        # Whatever came of our goodbye, the other end had said its own.
        self._loop.call_soon(self._report, None if self._ended else error)

    def _report(self, error: OSError | None) -> None:
        self._socket.close()
        self._protocol.connection_lost(error)
