"""The path of one request, from the inbound request to the recorded exchange."""

import asyncio
import itertools
import logging
import time
from dataclasses import dataclass
from typing import Protocol, cast

from aiohttp import web

from proxy.access.rules import AccessRules, Caller
from proxy.clock import Clock, system_clock
from proxy.errors import ProxyError, UpstreamError
from proxy.forward.content import InboundContent
from proxy.forward.exchange import Exchange, Recorder
from proxy.forward.fields import (
    RequestFields,
    field_lines,
    relayed_lines,
    request_fields,
    without,
)
from proxy.forward.inbound import Downlink
from proxy.forward.pool import Pool
from proxy.forward.rejection import SUSPECT
from proxy.forward.replay import may_replay_after_rejection
from proxy.forward.response import Framing, ResponseHead
from proxy.forward.sending import OutboundRequest, Sending
from proxy.forward.target import Rewrite, outbound_target
from proxy.log import request_id
from proxy.tasks import spawn

logger = logging.getLogger(__name__)

TextFields = list[tuple[str, str]]


class Credential(Protocol):
    """Where the bearer token comes from; all that forwarding needs of OAuth."""

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return a token that is usable now.

        It is the `rejected` one only if no better can be had: then the rejection is
        to be passed on.
        """
        ...


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """What the config says about forwarding; `replay_limit` is in bytes."""

    replay_limit: int = 12 * 1024 * 1024
    rewrite: Rewrite | None = None
    server_timing: bool = False


class ForwardHandler:
    """Forwards every request with the bearer token and relays the response.

    The steps are those of one exchange: check who calls, read the target and fields,
    ask the credential for a token, send, replay at most once when the token was not
    accepted, relay, record.
    """

    def __init__(
        self,
        pool: Pool,
        credential: Credential,
        access: AccessRules,
        record: Recorder,
        options: ForwardOptions,
        clock: Clock = system_clock,
    ) -> None:
        self._pool = pool
        self._credential = credential
        self._access = access
        self._record = record
        self._options = options
        self._clock = clock
        self._numbers = itertools.count(1)
        self._run = f"{int(clock()) & 0xFFFFFF:06x}"
        self.in_flight = 0
        self._drained: asyncio.Event | None = None

    async def __call__(self, inbound: web.BaseRequest) -> web.StreamResponse:
        """Forward `inbound` and relay the response."""
        exchange = Exchange(
            request_id=f"{self._run}-{next(self._numbers):x}",
            method=inbound.method,
            target=inbound.raw_path,
            started=self._clock(),
        )
        request_id.set(exchange.request_id)
        downlink = Downlink(inbound)
        begun = time.perf_counter()
        self.in_flight += 1
        try:
            await self._forward(inbound, downlink, exchange)
        except ProxyError as error:
            extra = self._access.answer_fields(inbound.raw_headers)
            _answer(error, inbound, downlink, exchange, extra)
        except asyncio.CancelledError:
            exchange.error = "client_left"
            raise
        except Exception:
            # The last place where a fault of ours can be told to anyone.
            logger.exception("a fault of the proxy")
            fault = ProxyError("a fault of the proxy; its log says more")
            _answer(fault, inbound, downlink, exchange, [])
        finally:
            self.in_flight -= 1
            if self._drained is not None and not self.in_flight:
                self._drained.set()
            exchange.seconds = time.perf_counter() - begun
            exchange.sent = downlink.sent
            self._record(exchange)
        return cast("web.StreamResponse", downlink)

    def refused(self, error: ProxyError) -> None:
        """Record a request that could not even be read as one."""
        self._record(
            Exchange(
                request_id=f"{self._run}-{next(self._numbers):x}",
                method="-",
                target="-",
                started=self._clock(),
                status=error.status,
                answered_by="proxy",
                error=error.proxy_error,
            )
        )

    async def drain(self) -> None:
        """Make each response its connection's last; return when none is under way."""
        self._drained = asyncio.Event()
        if self.in_flight:
            await self._drained.wait()

    async def _forward(
        self, inbound: web.BaseRequest, downlink: Downlink, exchange: Exchange
    ) -> None:
        caller = self._access.check(
            inbound.method, inbound.raw_path, inbound.raw_headers, _local_host(inbound)
        )
        exchange.caller = caller.name
        if caller.preflight is not None:
            exchange.answered_by, exchange.status = "proxy", 204
            downlink.respond(204, caller.preflight)
            return
        fields = request_fields(inbound.raw_headers)
        outbound = OutboundRequest(
            method=inbound.method,
            target=outbound_target(inbound.method, inbound.raw_path, fields.host),
            fields=fields,
            content=self._content(inbound, fields),
        )
        sending = Sending(self._pool, outbound, downlink, exchange)
        try:
            token = await self._credential.access_token()
            head = await sending.send(token)
            if head.status in SUSPECT and await sending.rejected(head):
                head = await self._after_rejection(sending, token, head)
            await self._relay(sending, head, downlink, fields.host, caller)
        finally:
            await sending.give_up()
            if outbound.content is not None:
                exchange.received = outbound.content.received

    def _content(
        self, inbound: web.BaseRequest, fields: RequestFields
    ) -> InboundContent | None:
        if not inbound.body_exists:
            return None
        return InboundContent(
            inbound.content,
            length=fields.content_length,
            chunked=fields.chunked,
            keep=self._options.replay_limit,
        )

    async def _after_rejection(
        self, sending: Sending, token: str, head: ResponseHead
    ) -> ResponseHead:
        """Refresh once and send once more, or let the rejection through."""
        outbound = sending.outbound
        if not may_replay_after_rejection(
            content_kept=outbound.content_kept, replayed=sending.exchange.replayed
        ):
            _ = spawn(
                self._credential.access_token(rejected=token),
                name="refresh after a rejection that is passed on",
            )
            return head
        # Else it would go on while we wait, and grow out of what is kept.
        await sending.stop_upload()
        replacement = await self._credential.access_token(rejected=token)
        if replacement == token:
            return head
        await sending.give_up()
        sending.exchange.replayed = True
        return await sending.send(replacement)

    async def _relay(
        self,
        sending: Sending,
        head: ResponseHead,
        downlink: Downlink,
        host: bytes,
        caller: Caller,
    ) -> None:
        connection = sending.connection
        chunked = head.framing is Framing.CHUNKED and not downlink.http10
        by_close = head.framing is Framing.CLOSE or (
            head.framing is Framing.CHUNKED and not chunked
        )
        sending.exchange.status = head.status
        if sending.uploading or self._drained is not None:
            # Whether the rest of the content will ever come is unknown.
            downlink.keep_alive = False
        if by_close:
            downlink.keep_alive = False
        lines = [b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)]
        lines += self._field_lines(head, host, caller, unchunked=by_close)
        if self._options.server_timing:
            lines.append(_server_timing(sending.exchange))
        lines += (downlink.connection_line(), b"\r\n")
        # The content that came along with the head goes out in the same write.
        if first := connection.take_buffered():
            lines += (b"%x\r\n" % len(first), first, b"\r\n") if chunked else (first,)
        if connection.complete:
            if chunked:
                lines.append(b"0\r\n\r\n")
            downlink.write_head(b"".join(lines))
            return
        downlink.write_head(b"".join(lines))
        await self._relay_rest(sending, downlink, chunked=chunked, by_close=by_close)

    async def _relay_rest(
        self, sending: Sending, downlink: Downlink, *, chunked: bool, by_close: bool
    ) -> None:
        connection = sending.connection
        self._pool.begin_content(connection)
        try:
            connection.relay_to(downlink.write_chunk if chunked else downlink.write)
            downlink.attach(connection)
            await connection.ended()
        except UpstreamError as error:
            # The status line has gone out: the only honest error is to cut.
            sending.exchange.error = error.proxy_error
            downlink.cut(visibly=by_close)
            return
        finally:
            downlink.detach()
        if chunked:
            downlink.write(b"0\r\n\r\n")

    def _field_lines(
        self, head: ResponseHead, host: bytes, caller: Caller, *, unchunked: bool
    ) -> list[bytes]:
        fields = head.fields
        if unchunked and head.framing is Framing.CHUNKED:
            fields = without(fields, b"transfer-encoding")
        present: list[str] = []
        if caller.origin is not None:
            # Two of a kind are none, so the page gets our CORS fields only.
            fields = without(fields, b"access-control-")
            present = [name.decode("latin-1") for name, _ in fields]
        rewrite = self._options.rewrite if host else None
        lines = relayed_lines(fields, rewrite, b"http://" + host)
        if extra := caller.answer_fields(present):
            lines += field_lines(extra)
        return lines


def _server_timing(exchange: Exchange) -> bytes:
    milliseconds = exchange.upstream_seconds * 1000
    return b"Server-Timing: upstream;dur=%.1f\r\n" % milliseconds


def _answer(
    error: ProxyError,
    inbound: web.BaseRequest,
    downlink: Downlink,
    exchange: Exchange,
    extra: TextFields,
) -> None:
    """Answer `error`; once the head has gone out, all that can be done is to cut."""
    exchange.error = error.proxy_error
    if downlink.head_sent:
        downlink.cut(visibly=True)
        return
    exchange.answered_by = "proxy"
    exchange.status = error.status
    if not inbound.content.is_eof():
        downlink.keep_alive = False
    downlink.answer(error, extra, with_content=inbound.method != "HEAD")


def _local_host(inbound: web.BaseRequest) -> str | None:
    sockname = inbound.get_extra_info("sockname")
    return str(sockname[0]) if isinstance(sockname, tuple) else None
