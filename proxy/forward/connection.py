"""One upstream HTTP/1.1 connection: an asyncio protocol over the grammar of `http1`.

An exchange on it goes `start` → `write` … → `received_head` → content → `over`; who is
told of a change, see `watch`, asks these two. Content is kept in a small buffer until
someone says where it goes (`relay_to`), and from then on is handed over as it comes;
whoever receives it stops the upstream with `pause` and `resume`. When it is over, the
connection is free for the next exchange if `reusable` says so. After a 101 what comes
is no message any more, and ends with the connection. Whatever goes wrong ends the
connection and is raised, as one of the errors of `proxy.errors`, by whoever asks. Where
nobody watches, `head`, `content` and `ended` wait.
"""

import asyncio
import ssl
from collections.abc import Callable
from enum import Enum
from typing import Final, Literal, cast

from proxy.errors import ProxyError, UpstreamIncompleteError, UpstreamTimeoutError
from proxy.forward.fields import RESPONSE_NOTED, keeps_alive, upgraded_as_wanted
from proxy.http1.chunked import Chunked
from proxy.http1.errors import MalformedError
from proxy.http1.framing import Counted, Reader, UntilClose, response_reader
from proxy.http1.head import Field, ResponseHead, is_hopeless, parse_response

MAX_HEAD: Final = 256 * 1024
"""Bytes of a response's head, interim ones before it included; more is an error."""

BUFFERED: Final = 64 * 1024
"""Bytes of content that may wait before the upstream is stopped."""

_BEGINNING: Final = b"HTTP/1."

Sink = Callable[[bytes], None]
Address = tuple[object, ...]


class _State(Enum):
    IDLE = "idle"  # between exchanges
    HEAD = "head"  # a request went out; its final response's head has not come
    CONTENT = "content"
    TUNNEL = "tunnel"  # another protocol, since a 101
    CLOSED = "closed"


# A look-up on the enumeration takes three times as long.
_IDLE, _HEAD, _CONTENT, _TUNNEL, _CLOSED = _State


class UpstreamConnection(asyncio.Protocol):
    """One connection to the upstream, used for one exchange at a time."""

    __slots__ = (
        "_buffer",
        "_buffered",
        "_drain_waiter",
        "_end_said",
        "_error",
        "_head",
        "_head_bytes",
        "_held",
        "_loop",
        "_method",
        "_on_change",
        "_on_end",
        "_on_interim",
        "_paused",
        "_reader",
        "_sink",
        "_state",
        "_transport",
        "_upgrade",
        "_waiter",
        "_writing_paused",
        "answer_begun",
        "idle_since",
        "last_activity",
        "opening",
        "reused",
        "time_limit",
        "unsized",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._state = _IDLE
        self._method = ""
        self._upgrade = b""
        self._head: ResponseHead | None = None
        self._head_bytes = 0
        self._held = b""
        self._reader: Reader | None = None
        self._on_change: Callable[[], None] | None = None
        self._on_interim: Callable[[ResponseHead], None] | None = None
        self._on_end: Callable[[], None] | None = None
        self._sink: Sink | None = None
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._end_said = False
        self._writing_paused = False
        self._drain_waiter: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: ProxyError | None = None
        self.answer_begun = False
        self.unsized = False  # whether the content comes without its length
        self.reused = False
        self.opening: dict[str, float] = {}  # seconds that each step of it took
        self.idle_since = loop.time()
        self.last_activity = self.idle_since
        self.time_limit = 0.0

    # -- One exchange ------------------------------------------------------------

    def start(
        self,
        method: str,
        on_interim: Callable[[ResponseHead], None] | None = None,
        *,
        upgrade: bytes = b"",
        on_change: Callable[[], None] | None = None,
    ) -> None:
        """Make ready for the request that `write` sends next.

        `on_interim` receives the head of each 1xx response but 101, which is accepted
        for the protocols in `upgrade` only. For `on_change` see `watch`.
        """
        self._method = method
        self._upgrade = upgrade
        self._on_interim = on_interim
        self._on_change = on_change
        self._on_end = None
        self._head = None
        self._head_bytes = 0
        self._held = b""
        self._reader = None
        self._sink = None
        if self._buffer:
            self._buffer = []
            self._buffered = 0
        self.answer_begun = False
        if self._state is _CLOSED:
            self._error = self._error or _broken_off()
            self._loop.call_soon(self._wake)  # whoever starts it is not ready yet
        else:
            self._state = _HEAD
        self.last_activity = self._loop.time()

    def write(self, data: bytes) -> None:
        """Send `data`; after a fault this does nothing, as `head` raises it."""
        if self._transport is not None:
            self._transport.write(data)

    def write_eof(self) -> None:
        """Say that nothing more will be written; over TLS that ends the connection."""
        if self._transport is None:
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self.close()

    async def drain(self) -> None:
        """Wait until the upstream takes more; returns after a fault too."""
        if self._writing_paused and self._transport is not None:
            self._drain_waiter = self._loop.create_future()
            await self._drain_waiter
        self.touch()

    def watch(self, on_change: Callable[[], None] | None) -> None:
        """Call `on_change` whenever `received_head` or `over` may have news.

        It is the last thing that happens to what has come: another exchange may begin
        in it. Without one, `head`, `content` and `ended` can be awaited.
        """
        self._on_change = on_change

    def received_head(self) -> ResponseHead | None:
        """Return the final response's head, once it has come. Raises UpstreamError."""
        if self._state is _HEAD:
            return None
        if self._error is not None:
            raise self._error
        return self._head

    def over(self) -> bool:
        """Say whether the content has come to its end. Raises UpstreamError."""
        if self._state is _CONTENT or self._state is _TUNNEL:
            return False
        if self._error is not None:
            raise self._error
        return True

    async def head(self) -> ResponseHead:
        """Wait for the final response's head. Raises UpstreamError."""
        while (head := self.received_head()) is None:
            await self._wait()
        return head

    async def content(self, limit: int) -> bytes | None:
        """Return the whole content, or nothing if it is longer than `limit` bytes.

        What was read stays in the buffer. Raises UpstreamError when it breaks off.
        """
        while self._state is _CONTENT and self._buffered <= limit:
            self.resume()
            await self._wait()
        self._check()
        return b"".join(self._buffer) if self._buffered <= limit else None

    def take_buffered(self) -> bytes:
        """Return and forget the content that has come so far."""
        buffer = self._buffer
        if not buffer:
            return b""
        data = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        self._buffer = []
        self._buffered = 0
        return data

    def relay_to(self, sink: Sink, on_end: Callable[[], None] | None = None) -> None:
        """Hand content to `sink` from now on, as it comes.

        In a tunnel `on_end` is told when the upstream will send nothing more, though
        it may still take what is written.
        """
        self._sink = sink
        self._on_end = on_end
        self.resume()

    async def ended(self) -> None:
        """Wait for the end of the content. Raises UpstreamError when it breaks off."""
        while not self.over():
            await self._wait()

    @property
    def complete(self) -> bool:
        """Whether the response has come to its end, without a fault."""
        return self._error is None and (self._state is _IDLE or self._state is _CLOSED)

    @property
    def chunked(self) -> bool:
        """Whether the response's content comes in chunks."""
        return isinstance(self._reader, Chunked)

    @property
    def until_close(self) -> bool:
        """Whether the response's content ends with the connection."""
        return isinstance(self._reader, UntilClose)

    @property
    def trailers(self) -> list[Field]:
        """The response's trailer fields, once it is complete."""
        return self._reader.trailers if isinstance(self._reader, Chunked) else []

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow on this connection."""
        return (
            self._state is _IDLE
            and self._transport is not None
            and not self._transport.is_closing()
        )

    def pause(self) -> None:
        """Stop reading from the upstream, because the client does not keep up.

        Only while there is content to come: between exchanges nobody would resume.
        """
        if (
            (self._state is _CONTENT or self._state is _TUNNEL)
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

    def fileno(self) -> int:
        """Return the descriptor of the socket, or -1 when it is closed."""
        if self._transport is None:
            return -1
        return int(self._transport.get_extra_info("socket").fileno())

    def touch(self) -> None:
        """Begin the running time limit anew."""
        self.last_activity = self._loop.time()

    def expire(self) -> None:
        """End an exchange that was too slow."""
        if self._state is _HEAD and self._writing_paused:
            self._fail(
                UpstreamTimeoutError(
                    "the upstream stopped taking the request's content",
                    proxy_error="connection_write_timeout",
                )
            )
        elif self._state is _HEAD:
            self._fail(
                UpstreamTimeoutError("the upstream did not answer in time; try again")
            )
        elif self._state is _CONTENT:
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
        if self._state is _HEAD or self._state is _CONTENT:
            self._error = self._error or _broken_off()
        self._drop()
        self._wake()

    def _drop(self) -> None:
        self._state = _CLOSED
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close an idle connection in good order."""
        self._state = _CLOSED
        if self._transport is not None:
            self._transport.close()

    # -- asyncio.Protocol --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what the upstream sent."""
        state = self._state
        if state is _HEAD:
            # The time for the head runs on, whatever drips in.
            self._read_head(data)
        elif state is _CONTENT:
            self.touch()
            self._read_content(data)
        elif state is _TUNNEL:
            self._deliver(data)
        elif state is _IDLE:
            # An answer to nothing, such as a 408 before an idle close.
            self.abort()

    def eof_received(self) -> bool:
        """Let the transport close itself, unless a tunnel's other way may go on."""
        if self._state is _TUNNEL and self._on_end is not None:
            self._on_end()
            return self._transport is not None and self._transport.can_write_eof()
        self._end_said = self._says_end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange: in good order only if its end was told by the close."""
        state = self._state
        if (
            state is _HEAD
            or (state is _TUNNEL and exc is not None)
            or (
                state is _CONTENT
                and not (self.until_close and self._end_said and exc is None)
            )
        ):
            self._fail(_broken_off())
        self._state = _CLOSED
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

    def _says_end(self) -> bool:
        """Say whether the upstream itself ended TLS, where there is some.

        Else somebody on the way may have cut content that ends with the connection
        (RFC 9112, section 9.8). uvloop does not even call `eof_received` then.
        """
        assert self._transport is not None  # noqa: S101  it calls us
        tls = self._transport.get_extra_info("ssl_object")
        try:
            # Nothing after the alert that ends TLS; without one, more is waited for.
            return tls is None or not tls.read(1)
        except ssl.SSLError:
            return False

    # -- What came ---------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        self.answer_begun = True
        if self._held:
            data = self._held + data
        while self._state is _HEAD:
            end = data.find(b"\r\n\r\n")
            if self._head_bytes + (len(data) - 3 if end < 0 else end) > MAX_HEAD:
                self._fail(_too_large())
                return
            if end < 0:
                self._held = data
                if _is_no_head(data):
                    self._fail(_nonsense())
                return
            self._head_bytes += end + 4
            try:
                self._take_head(parse_response(data[:end], RESPONSE_NOTED))
            except MalformedError:
                self._fail(_nonsense())
                return
            data = data[end + 4 :]
        self._held = b""
        self._after_head(data)

    def _take_head(self, head: ResponseHead) -> None:
        """Pass an interim head on; the final one, or a 101, ends the state HEAD."""
        if head.status == 101:
            if not upgraded_as_wanted(self._upgrade, head):
                raise MalformedError("the protocol was switched unasked")
            self._state = _TUNNEL
        elif head.status < 200:
            if self._on_interim is not None:
                self._on_interim(head)
            return
        else:
            reader = self._reader = response_reader(self._method, head)
            self.unsized = reader is not None and not isinstance(reader, Counted)
            self._state = _CONTENT
        self._head = head

    def _after_head(self, data: bytes) -> None:
        """Go on with the `data` that came along with the final head."""
        reader = self._reader
        if self._state is _TUNNEL:
            self._deliver(data)
            self._wake()
        elif reader is None or reader.done:
            self._complete(data)
        elif isinstance(reader, Counted) and reader.left == len(data):
            # The usual: a small response that has come whole.
            reader.done = True
            self._buffer.append(data)
            self._buffered = reader.left
            self._complete(b"")
        elif data:
            self._read_content(data)
        else:
            self._wake()

    def _read_content(self, data: bytes) -> None:
        reader = self._reader
        assert reader is not None  # noqa: S101  the state says so
        try:
            piece, rest = reader.feed(data)
        except MalformedError:
            self._fail(_nonsense())
            return
        self._deliver(piece)
        if reader.done:
            self._complete(rest)
            return
        if self._buffered > BUFFERED:
            self.pause()
        if self._sink is None:
            self._wake()

    def _deliver(self, piece: bytes) -> None:
        """Hand a piece over, or keep it until someone takes it."""
        if not piece:
            return
        if self._sink is not None:
            self._sink(piece)
        else:
            self._buffer.append(piece)
            self._buffered += len(piece)

    def _complete(self, rest: bytes) -> None:
        """End the exchange; what follows it unasked ends the connection, too."""
        head = self._head
        assert head is not None  # noqa: S101  it came before
        if self._paused:
            self.resume()
        if rest:
            self._drop()
        elif keeps_alive(head.seen, http10=head.http10):
            self._state = _IDLE
            self.idle_since = self._loop.time()
        else:
            self.close()
        self._wake()

    # ----------------------------------------------------------------------------

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._on_change is not None:
            self._on_change()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: ProxyError) -> None:
        self._error = self._error or error
        self.abort()


def _is_no_head(data: bytes) -> bool:
    """Say whether no head can begin like this; waiting for its end would be in vain."""
    return data[: len(_BEGINNING)] != _BEGINNING[: len(data)] or is_hopeless(data)


def _broken_off() -> UpstreamIncompleteError:
    return UpstreamIncompleteError(
        "the upstream closed the connection before its answer was complete"
    )


def _nonsense() -> UpstreamIncompleteError:
    return UpstreamIncompleteError(
        "the upstream's answer is not valid HTTP/1.1",
        proxy_error="http_protocol_error",
    )


def _too_large() -> UpstreamIncompleteError:
    return UpstreamIncompleteError(
        "the head of the upstream's answer is too large",
        proxy_error="http_response_header_section_size",
    )
