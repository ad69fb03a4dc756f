"""The way back: a response is relayed as it comes, a tunnel in both directions."""

from collections.abc import Callable
from dataclasses import dataclass

from proxy.access.rules import Caller
from proxy.errors import UpstreamError, UpstreamIncompleteError
from proxy.forward.connection import UpstreamConnection
from proxy.forward.downlink import Downlink, status_line
from proxy.forward.exchange import Exchange
from proxy.forward.fields import (
    field_lines,
    relayed_lines,
    relayed_trailers,
    wants_trailers,
)
from proxy.forward.inbound import InboundRequest
from proxy.forward.sending import Sending
from proxy.forward.target import Rewrite
from proxy.http1.head import ResponseHead

_CORS = b"access-control-"
_CODING = b"transfer-encoding"


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """What the config says about forwarding."""

    rewrite: Rewrite | None = None
    server_timing: bool = False
    via: bool = True


class Relay:
    """Relays the response that `sending` got to the client of `inbound`."""

    __slots__ = (
        "_caller",
        "_connection",
        "_downlink",
        "_inbound",
        "_options",
        "_sending",
    )

    def __init__(
        self,
        sending: Sending,
        inbound: InboundRequest,
        downlink: Downlink,
        caller: Caller,
        options: ForwardOptions,
    ) -> None:
        self._sending = sending
        self._connection = sending.connection
        self._inbound = inbound
        self._downlink = downlink
        self._caller = caller
        self._options = options

    async def response(self, head: ResponseHead) -> None:
        """Relay the response that begins with `head`, in one write if it is short."""
        connection, downlink = self._connection, self._downlink
        self._sending.exchange.status = head.status
        chunked, by_close = self._framing()
        if by_close:
            downlink.keep_alive = False
        lines = [status_line(head), *self._field_lines(head, chunked=chunked)]
        if self._options.server_timing:
            lines.append(_server_timing(self._sending.exchange))
        # The content that came along with the head goes out in the same write.
        first = connection.take_buffered()
        if chunked and first:
            first = b"%x\r\n%b\r\n" % (len(first), first)
        if connection.complete:
            downlink.write_head(lines, first + self._end() if chunked else first)
            return
        downlink.write_head(lines, first)
        try:
            await self._rest(downlink.write_chunk if chunked else downlink.write)
        except UpstreamError as error:
            # The status line has gone out: the only honest error is to cut.
            self._sending.exchange.error = error.proxy_error
            downlink.cut(visibly=by_close)
        else:
            if chunked:
                downlink.write(self._end())

    async def tunnel(self, head: ResponseHead) -> None:
        """Hand bytes both ways until both ends have said all, or one has left."""
        connection, downlink = self._connection, self._downlink
        if self._sending.uploading:
            raise UpstreamIncompleteError(
                "the upstream switched protocols in the middle of the request",
                proxy_error="http_protocol_error",
            )
        self._sending.exchange.status = head.status
        upgrade = b"Upgrade: " + head.seen[b"upgrade"]
        downlink.write_switch([status_line(head), *relayed_lines(head), upgrade])
        upload = self._sending.upload(self._inbound.connection.tunnel())
        ended: set[Downlink | UpstreamConnection] = set()

        def end(way: Downlink | UpstreamConnection) -> None:
            ended.add(way)
            way.write_eof()
            if len(ended) == 2:
                connection.close()

        upload.add_done_callback(lambda _: end(connection))
        if first := connection.take_buffered():
            downlink.write(first)
        await self._rest(downlink.write, on_end=lambda: end(downlink))

    def _framing(self) -> tuple[bool, bool]:
        """Say whether chunks tell the client the content's end, or the close does.

        HTTP/1.0 knows no chunks. Where a close cannot be told from a cut, as on a Unix
        socket, chunks take its place.
        """
        connection, downlink = self._connection, self._downlink
        if not connection.chunked and not connection.until_close:
            return False, False
        chunked = connection.chunked or not downlink.can_cut
        return chunked and not downlink.http10, not chunked or downlink.http10

    async def _rest(
        self, sink: Callable[[bytes], None], on_end: Callable[[], None] | None = None
    ) -> None:
        """Hand content to `sink` as it comes, until its end. Raises UpstreamError."""
        self._sending.begin_content()
        try:
            self._connection.relay_to(sink, on_end)
            self._downlink.attach(self._connection)
            await self._connection.ended()
        finally:
            self._downlink.detach()

    def _end(self) -> bytes:
        """Return what ends chunked content: the last chunk, and trailers if wanted."""
        lines: list[bytes] = []
        if self._connection.trailers and wants_trailers(self._inbound.head):
            lines = relayed_trailers(self._connection.trailers)
        return b"\r\n".join((b"0", *lines, b"", b""))

    def _field_lines(self, head: ResponseHead, *, chunked: bool) -> list[bytes]:
        caller, asked = self._caller, self._inbound.head
        without: frozenset[bytes] = frozenset()
        if asked.http10:
            without |= {_CODING}
        present: list[str] = []
        if caller.origin is not None:
            # Two of a kind are none, so the page gets our CORS fields only.
            names = {lower for lower, _ in head.fields}
            without |= {name for name in names if name.startswith(_CORS)}
            present = [name.decode("latin-1") for name in names - without]
        lines = relayed_lines(
            head,
            self._options.rewrite,
            b"http://" + asked.seen[b"host"],
            without=without,
            announced=chunked and wants_trailers(asked),
        )
        if chunked and not self._connection.chunked:
            lines.append(b"Transfer-Encoding: chunked")
        if extra := caller.answer_fields(present):
            lines += field_lines(extra)
        return lines


def _server_timing(exchange: Exchange) -> bytes:
    milliseconds = exchange.upstream_seconds * 1000
    return b"Server-Timing: upstream;dur=%.1f" % milliseconds
