"""The path of one request, from the inbound request to the recorded exchange."""

import asyncio
import itertools
import logging
import time
from typing import Protocol

from proxy.access.rules import OF_INTEREST, AccessRules, Caller
from proxy.clock import Clock, system_clock
from proxy.errors import AccessDeniedError, LoopError, ProxyError, RequestError
from proxy.forward.downlink import ALLOWED, Downlink
from proxy.forward.exchange import Exchange, Recorder
from proxy.forward.fields import (
    REQUEST_NOTED,
    came_through_us,
    forwards_left,
    outbound_lines,
    upgrades,
)
from proxy.forward.inbound import InboundConnection, InboundRequest
from proxy.forward.pool import Pool
from proxy.forward.rejection import SUSPECT
from proxy.forward.relay import ForwardOptions, Relay
from proxy.forward.replay import costs_an_sms, may_replay_after_rejection
from proxy.forward.sending import OutboundRequest, Sending
from proxy.forward.target import named_host, outbound_target
from proxy.http1.errors import MalformedError
from proxy.http1.head import ResponseHead
from proxy.log import request_id
from proxy.tasks import spawn

logger = logging.getLogger(__name__)

NOTED = REQUEST_NOTED | OF_INTEREST
"""The fields of a request whose values the handler looks at."""

TextFields = list[tuple[str, str]]


class Credential(Protocol):
    """Where the bearer token comes from; all that forwarding needs of OAuth."""

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return a token that is usable now.

        It is the `rejected` one only if no better can be had: then the rejection is
        to be passed on.
        """
        ...


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

    async def __call__(self, inbound: InboundRequest) -> None:
        """Forward `inbound` and relay the response."""
        head = inbound.head
        exchange = self._exchange(head.method, head.target.decode())
        request_id.set(exchange.request_id)
        downlink = Downlink(inbound.connection, http10=head.http10)
        begun = time.perf_counter()
        self.in_flight += 1
        try:
            await self._forward(inbound, downlink, exchange)
        except ProxyError as error:
            extra = self._access.answer_fields(head.seen)
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

    def refuse(self, malformed: MalformedError, connection: InboundConnection) -> None:
        """Answer and record what could not even be read as a request."""
        error = RequestError(malformed.what, value="http", status=malformed.status)
        exchange = self._exchange("-", "-")
        exchange.status, exchange.answered_by = error.status, "proxy"
        exchange.error = error.proxy_error
        downlink = Downlink(connection)
        downlink.answer(error, [], with_content=True)
        exchange.sent = downlink.sent
        self._record(exchange)

    def _exchange(self, method: str, target: str) -> Exchange:
        return Exchange(
            request_id=f"{self._run}-{next(self._numbers):x}",
            method=method,
            target=target,
            started=self._clock(),
        )

    async def drain(self) -> None:
        """Make each response its connection's last; return when none is under way."""
        self._drained = asyncio.Event()
        if self.in_flight:
            await self._drained.wait()

    async def _forward(
        self, inbound: InboundRequest, downlink: Downlink, exchange: Exchange
    ) -> None:
        head = inbound.head
        local, port = inbound.connection.local_address()
        # HTTP/1.0 knows no Host: the address that it came to stands for it.
        host = named_host(head.target, head.seen.get(b"host"), port)
        if host is None:
            host = (local or "localhost").encode()
        head.seen[b"host"] = host
        caller = self._access.check(head.method, head.target.decode(), head.seen, local)
        exchange.caller = caller.name
        if caller.preflight is not None:
            exchange.answered_by, exchange.status = "proxy", 204
            downlink.respond(204, caller.preflight)
            return
        target = outbound_target(head.method, head.target, host)
        if b"via" in head.seen and came_through_us(head.seen[b"via"]):
            raise LoopError("this request has already passed through this proxy")
        if forwards_left(head) == 0:
            exchange.answered_by, exchange.status = "proxy", 200
            downlink.respond(200, [("Allow", ALLOWED)])
            return
        sending = Sending(
            self._pool, self._outbound(inbound, target), downlink, exchange
        )
        try:
            await self._send_and_relay(sending, inbound, downlink, caller)
        finally:
            await sending.give_up()
            if inbound.content is not None:
                exchange.received = inbound.content.received

    def _outbound(self, inbound: InboundRequest, target: bytes) -> OutboundRequest:
        head = inbound.head
        return OutboundRequest(
            method=head.method,
            target=target,
            lines=outbound_lines(head, via=self._options.via),
            content=inbound.content,
            upgrade=upgrades(head),
            expects_continue=b"expect" in head.seen,
            once=costs_an_sms(target),
        )

    async def _send_and_relay(
        self,
        sending: Sending,
        inbound: InboundRequest,
        downlink: Downlink,
        caller: Caller,
    ) -> None:
        token = await self._credential.access_token()
        head = await sending.send(token)
        if head.status in SUSPECT and await sending.rejected(head):
            head = await self._after_rejection(sending, token, head)
        if sending.uploading or self._drained is not None:
            # Where an upload is cut, what comes next on the connection is its rest.
            downlink.keep_alive = False
        relay = Relay(sending, inbound, downlink, caller, self._options)
        if head.status == 101:
            await relay.tunnel(head)
        else:
            await relay.response(head)

    async def _after_rejection(
        self, sending: Sending, token: str, head: ResponseHead
    ) -> ResponseHead:
        """Refresh once and send once more, or let the rejection through."""
        outbound = sending.outbound
        if not may_replay_after_rejection(
            content_kept=outbound.content_kept,
            replayed=sending.exchange.replayed,
            once=outbound.once,
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


def _answer(
    error: ProxyError,
    inbound: InboundRequest,
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
    # What follows a CONNECT was meant for a tunnel, and is no request.
    is_tunnel = inbound.head.method.upper() == "CONNECT"
    if not inbound.whole or _is_malformed(error) or is_tunnel:
        downlink.keep_alive = False
    downlink.answer(error, extra, with_content=inbound.head.method != "HEAD")


def _is_malformed(error: ProxyError) -> bool:
    """Say whether the client speaks so oddly that it had better begin anew."""
    return isinstance(error, RequestError) and not isinstance(error, AccessDeniedError)
