"""One request on its way through: sent, answered, recorded.

Whoever makes the next step possible takes it: the client that sends the request, the
upstream whose answer comes. An ordinary request waits for nothing else, and has neither
a task nor a future of its own. What has to be waited for, such as a token that is being
refreshed or a connection that is being opened, is waited for in a task.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, Protocol

from proxy.access.repeats import (
    ALLOW_REPEAT,
    PaidCalls,
    Submission,
    may_have_cost,
    means_it,
)
from proxy.access.rules import AccessRules, Caller
from proxy.errors import (
    LoopError,
    ProxyError,
    RequestError,
    UpstreamError,
    UpstreamIncompleteError,
)
from proxy.forward.connection import UpstreamConnection
from proxy.forward.content import InboundContent
from proxy.forward.downlink import ALLOWED, Downlink
from proxy.forward.exchange import Exchange
from proxy.forward.fields import (
    came_through_us,
    forwards_left,
    outbound_lines,
    relayed_lines,
    upgrades,
)
from proxy.forward.inbound import InboundConnection
from proxy.forward.keeping import Keeping
from proxy.forward.pool import Pool
from proxy.forward.rejection import SUSPECT
from proxy.forward.relay import (
    COUNTED,
    ForwardOptions,
    framing,
    last_chunk,
    response_lines,
    status_line,
)
from proxy.forward.replay import costs_an_sms, may_replay_after_rejection
from proxy.forward.sending import Sending
from proxy.forward.target import ORDINARY, named_host, outbound_target
from proxy.forward.timing import told_lines
from proxy.http1.head import RequestHead, ResponseHead
from proxy.log import request_id
from proxy.tasks import cancel, spawn

logger = logging.getLogger(__name__)

PAID_CONTENT: Final = 64 * 1024
"""Bytes of a paid call's content that are compared; longer ones are sent unseen."""

TextFields = list[tuple[str, str]]


class Credential(Protocol):
    """Where the bearer token comes from; all that forwarding needs of OAuth."""

    def current(self) -> str | None:
        """Return a token that is usable now, or nothing if it has to be waited for."""

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return a token that is usable now.

        It is the `rejected` one only if no better can be had: then the rejection is
        to be passed on.
        """
        ...


class Recording(Protocol):
    """Hears of each request that has been dealt with."""

    draining: bool

    def enter(self, caller: str | None, *, has_content: bool) -> None:
        """Count a request of `caller` as under way. Raises OverLimitError."""

    def ended(self, exchange: Exchange, *, entered: bool) -> None:
        """Record `exchange`; `entered` says that it was counted."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What all requests are forwarded with."""

    pool: Pool
    credential: Credential
    access: AccessRules
    paid: PaidCalls
    options: ForwardOptions
    keeping: Keeping


class Forwarding:
    """Forwards one request and relays the response to `client`.

    The steps are `begin`, `_send`, `_respond` and `_finish`, in this order, with
    `_reconsider` in between where the token may not have been accepted.
    """

    __slots__ = (
        "_caller",
        "_client",
        "_content",
        "_downlink",
        "_entered",
        "_exchange",
        "_finished",
        "_framing",
        "_goes_on",
        "_head",
        "_parts",
        "_recording",
        "_sending",
        "_submission",
        "_task",
        "_token",
        "_tunnelled",
        "_upstream_status",
        "_went_out",
    )

    _caller: Caller
    _sending: Sending
    _token: str

    def __init__(
        self,
        parts: Parts,
        recording: Recording,
        exchange: Exchange,
        head: RequestHead,
        content: InboundContent | None,
        client: InboundConnection,
    ) -> None:
        exchange.begun = time.perf_counter()
        self._exchange = exchange
        self._parts = parts
        self._recording = recording
        self._head = head
        self._content = content
        self._client = client
        self._downlink = client.downlink
        self._framing = COUNTED
        self._goes_on = False
        self._task: asyncio.Task[None] | None = None
        self._tunnelled: InboundContent | None = None
        self._submission: Submission | None = None
        self._went_out = False
        self._upstream_status: int | None = None
        self._entered = False
        self._finished = False

    # -- Steps -------------------------------------------------------------------

    def begin(self) -> None:
        """Check who calls and what for, and send it if nothing is to be waited for."""
        try:
            if self._parts.keeping.wanted:
                self._keep_content()
            target = self._checked_target()
            if target is None:
                self._finish()
                return
            sending = self._sending = self._outbound(target)
            self._goes_on = True
            token = self._parts.credential.current()
            if self._parts.paid.concerns(self._head.method, self._exchange.target):
                self._wait(self._send_paid())
            elif token is not None and sending.take():
                self._send(token)
            else:
                self._wait(self._send_patiently(token))
        except Exception as error:  # noqa: BLE001  told to the client, and logged
            self._fail(error)

    def _checked_target(self) -> bytes | None:
        """Return the target to send upstream, or nothing if it was answered here.

        Raises a ProxyError about what may not pass.
        """
        head, exchange, access = self._head, self._exchange, self._parts.access
        target, local = head.target, None
        is_usual = target[:1] == b"/" and b"host" in head.seen
        if not is_usual or not access.knows(head.seen[b"host"]):
            local = self._settle_host()
        seen = head.seen
        caller = self._caller = access.check(
            head.method, exchange.target, seen, local, secure=self._client.secure
        )
        if caller.name is not None:
            exchange.caller = caller.name
        self._recording.enter(caller.name, has_content=self._content is not None)
        self._entered = True
        if caller.preflight is not None:
            self._answer(204, caller.preflight)
            return None
        if not is_usual or head.method not in ORDINARY:
            target = outbound_target(head.method, target, seen[b"host"])
        if b"via" in seen and came_through_us(seen[b"via"]):
            raise LoopError("this request has already passed through this proxy")
        if b"max-forwards" in seen and forwards_left(head) == 0:
            self._answer(200, [("Allow", ALLOWED)])
            return None
        return target

    def _settle_host(self) -> str | None:
        """See to it that the head names a host; return the one that was connected to.

        That costs a system call. HTTP/1.0 knows no Host: the address stands for it.
        """
        head = self._head
        local, port = self._client.local_address()
        host = named_host(head.target, head.seen.get(b"host"), port)
        if host is None:
            host = (local or "localhost").encode()
        head.seen = {**head.seen, b"host": host}
        return local

    def _outbound(self, target: bytes) -> Sending:
        head, parts = self._head, self._parts
        seen = head.seen
        return Sending(
            parts.pool,
            head.method,
            target,
            outbound_lines(head, via=parts.options.via),
            self._content,
            upgrade=upgrades(head) if b"upgrade" in seen else b"",
            expects_continue=b"expect" in seen,
            once=costs_an_sms(target),
        )

    async def _send_patiently(
        self, token: str | None = None, *, on_new: bool = False
    ) -> None:
        exchange, before = self._exchange, time.perf_counter()
        if token is None:
            token = await self._parts.credential.access_token()
            since, before = before, time.perf_counter()
            exchange.token_seconds += before - since
        await self._sending.acquire(new=on_new)
        exchange.connection_seconds += time.perf_counter() - before
        if not self._sending.connection.reused:
            exchange.opening = self._sending.connection.opening
        self._send(token)

    async def _send_paid(self) -> None:
        """Send a call that costs the patient money, unless it went out just before."""
        head, content = self._head, self._content
        whole: bytes | None = b""
        if content is not None:
            if b"expect" in head.seen and not head.http10:
                self._downlink.write_continue()
                self._sending.drop_expect()
            try:
                async with asyncio.timeout(self._parts.pool.response_timeout):
                    whole = await content.come_whole(PAID_CONTENT)
            except TimeoutError as exc:
                raise RequestError(
                    "the request's content did not come in time", status=408
                ) from exc
        paid, caller = self._parts.paid, self._exchange.caller
        key = paid.key(head.method, self._exchange.target, whole, caller)
        repeat = means_it(head.seen.get(ALLOW_REPEAT))
        self._submission = paid.begin(key, repeat=repeat)
        self._exchange.paid = True  # until it is known to have cost nothing
        await self._send_patiently()

    def _send(self, token: str) -> None:
        sending = self._sending
        self._went_out = self._went_out or sending.connection.reusable
        self._upstream_status = None
        self._token = token
        self._exchange.reused = sending.connection.reused
        self._exchange.sent_at = time.perf_counter()
        sending.send(token, self._downlink.interim, self._on_head)

    def _on_head(self) -> None:
        """Go on when the head of the response has come, or the connection broke."""
        try:
            try:
                head = self._sending.received_head()
            except UpstreamIncompleteError:  # silence is no sign of a stale connection
                if not self._sending.may_resend():
                    raise
                self._wait(self._resend())
                return
            if head is None:
                return
            exchange = self._exchange
            exchange.upstream_seconds = time.perf_counter() - exchange.sent_at
            self._upstream_status = head.status
            if head.status in SUSPECT and not self._exchange.replayed:
                self._wait(self._reconsider(head))
            else:
                self._respond(head)
        except Exception as error:  # noqa: BLE001  told to the client, and logged
            self._fail(error)

    async def _resend(self) -> None:
        """Send once more, and on a new connection.

        Another kept one may be as stale, and what kills its connection must not take
        them all along.
        """
        self._exchange.resent = True
        self._exchange.begin_anew(time.perf_counter())
        await cancel(self._sending.give_up())
        await self._send_patiently(self._token, on_new=True)

    async def _reconsider(self, head: ResponseHead) -> None:
        """Refresh once and send once more, or let the rejection through."""
        sending, credential = self._sending, self._parts.credential
        if not await sending.rejected(head):
            self._respond(head)
            return
        if not may_replay_after_rejection(
            content_kept=sending.content_kept, once=sending.once
        ):
            _ = spawn(
                credential.access_token(rejected=self._token),
                name="refresh after a rejection that is passed on",
            )
            self._respond(head)
            return
        # Else it would go on while we wait, and grow out of what is kept.
        await sending.stop_upload()
        since = time.perf_counter()
        replacement = await credential.access_token(rejected=self._token)
        if replacement == self._token:
            self._respond(head)
            return
        self._exchange.begin_anew(time.perf_counter())
        self._exchange.token_seconds = time.perf_counter() - since
        self._exchange.earlier_seconds -= self._exchange.token_seconds
        await cancel(sending.give_up())
        self._exchange.replayed = True
        self._went_out = False  # a rejection means that nothing was done
        await self._send_patiently(replacement)

    def _respond(self, head: ResponseHead) -> None:
        """Relay the response that begins with `head`, in one write if it is short."""
        sending, downlink, exchange = self._sending, self._downlink, self._exchange
        connection = sending.connection
        if sending.uploading or self._recording.draining:
            # Where an upload is cut, what comes next on the connection is its rest.
            downlink.keep_alive = False
        if head.status == 101:
            self._wait(self._tunnel(head))
            return
        exchange.status = head.status
        exchange.answer = head.raw
        if connection.unsized:
            self._frame(connection)
        lines = self._response_lines(head)
        chunked = self._framing.chunked
        # The content that came along with the head goes out in the same write.
        first = connection.take_buffered()
        if exchange.kept is not None:
            exchange.kept.response.take(first)
        if chunked and first:
            first = b"%x\r\n%b\r\n" % (len(first), first)
        if connection.complete:
            if chunked:
                first += last_chunk(connection.trailers, self._head)
            downlink.write_head(lines, first)
            self._finish()
            return
        downlink.write_head(lines, first)
        self._relay_rest(
            connection, downlink.write_chunk if chunked else downlink.write
        )

    def _response_lines(self, head: ResponseHead) -> list[bytes]:
        options = self._parts.options
        own = b"https://" if self._client.secure else b"http://"
        lines = response_lines(
            head, self._head, self._caller, self._framing, options, own
        )
        if options.server_timing:
            lines += told_lines(self._exchange, head)
        return lines

    def _relay_rest(
        self, connection: UpstreamConnection, sink: Callable[[bytes], None]
    ) -> None:
        """Hand what is still to come of the content to `sink`."""
        kept = self._exchange.kept
        self._relay(
            connection, sink if kept is None else _both(kept.response.take, sink)
        )
        connection.watch(self._on_content)
        self._on_content()  # it may have broken off before

    def _frame(self, connection: UpstreamConnection) -> None:
        """Settle how content of unknown length reaches the client."""
        self._framing = framing(
            chunked=connection.chunked,
            http10=self._head.http10,
            can_cut=self._downlink.can_cut,
        )
        if self._framing.by_close:
            self._downlink.keep_alive = False

    def _on_content(self) -> None:
        """Go on when the content has come to its end."""
        connection, downlink = self._sending.connection, self._downlink
        try:
            if not connection.over():
                return
        except UpstreamError as error:
            # The status line has gone out: the only honest error is to cut.
            self._exchange.fail(error)
            downlink.cut(visibly=self._framing.by_close)
        else:
            if self._framing.chunked:
                downlink.write(last_chunk(connection.trailers, self._head))
        self._finish()

    def _relay(
        self,
        connection: UpstreamConnection,
        sink: Callable[[bytes], None],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        """Hand content to `sink` as it comes, and the client's back-pressure back."""
        self._sending.begin_content()
        connection.relay_to(sink, on_end)
        self._client.relay_from(connection)

    async def _tunnel(self, head: ResponseHead) -> None:
        """Hand bytes both ways until both ends have said all, or one has left."""
        sending, downlink = self._sending, self._downlink
        connection = sending.connection
        if sending.uploading:
            raise UpstreamIncompleteError(
                "the upstream switched protocols in the middle of the request",
                proxy_error="http_protocol_error",
            )
        self._exchange.status = head.status
        self._exchange.answer = head.raw
        upgrade = b"Upgrade: " + head.seen[b"upgrade"]
        downlink.write_switch([status_line(head), *relayed_lines(head), upgrade])
        content = self._tunnelled = self._client.tunnel()
        upload = sending.upload(content)
        ended: set[Downlink | UpstreamConnection] = set()

        def end(way: Downlink | UpstreamConnection) -> None:
            ended.add(way)
            way.write_eof()
            if len(ended) == 2:
                connection.close()

        upload.add_done_callback(lambda _: end(connection))
        if first := connection.take_buffered():
            downlink.write(first)
        self._relay(connection, downlink.write, on_end=lambda: end(downlink))
        await connection.ended()
        self._finish()

    def _keep_content(self) -> None:
        """Have the contents of request and response kept, for who wants to see them."""
        kept = self._exchange.kept = self._parts.keeping.begin()
        if self._content is not None:
            self._content.keep_in(kept.request)

    def look(self) -> Exchange:
        """Return the exchange as it stands."""
        exchange = self._exchange
        if self._finished:
            return exchange
        exchange.seconds = time.perf_counter() - exchange.begun
        exchange.sent = self._downlink.sent
        contents = (self._content, self._tunnelled)
        exchange.received = sum(one.received for one in contents if one is not None)
        return exchange

    # -- Waiting -----------------------------------------------------------------

    def _wait(self, steps: Coroutine[object, object, None]) -> None:
        """Take the next steps in a task; what waits in it watches the connection."""
        if self._sending.connected:
            self._sending.connection.watch(None)
        before = request_id.set(self._exchange.request_id)
        self._task = spawn(self._patiently(steps), name="forwarding")
        # One that is cancelled in the same moment never gets to its steps.
        self._task.add_done_callback(lambda _: steps.close())
        request_id.reset(before)

    async def _patiently(self, steps: Coroutine[object, object, None]) -> None:
        try:
            await steps
        except Exception as error:  # noqa: BLE001  told to the client, and logged
            self._fail(error)

    # -- The end -----------------------------------------------------------------

    def client_left(self) -> None:
        """Stop: there is nobody any more to be answered."""
        if self._task is not None:
            self._task.cancel()
        self._exchange.error = "client_left"
        self._finish()

    def _answer(self, status: int, fields: TextFields) -> None:
        exchange = self._exchange
        exchange.answered_by, exchange.status = "proxy", status
        named = [*fields, ("X-Request-Id", exchange.request_id)]
        self._downlink.respond(status, named)

    def _fail(self, error: Exception) -> None:
        """Answer `error`; once the head has gone out, all that is left is to cut."""
        if self._finished:
            return
        exchange, downlink, head = self._exchange, self._downlink, self._head
        extra: TextFields = []
        if isinstance(error, ProxyError):
            extra = self._parts.access.answer_fields(head.seen)
        else:
            # The last place where a fault of ours can be told to anyone.
            about = {"request_id": exchange.request_id}
            logger.error("a fault of the proxy", exc_info=error, extra=about)
            error = ProxyError("a fault of the proxy; its log says more")
        exchange.fail(error)
        extra.append(("X-Request-Id", exchange.request_id))
        if downlink.head_sent:
            downlink.cut(visibly=True)
        else:
            exchange.answered_by, exchange.status = "proxy", error.status
            # What follows a CONNECT was meant for a tunnel, and is no request.
            is_tunnel = head.method.upper() == "CONNECT"
            is_whole = self._content is None or self._content.whole
            if not is_whole or is_tunnel or _is_malformed(error):
                downlink.keep_alive = False
            downlink.answer(error, extra, with_content=head.method != "HEAD")
        self._finish()

    def _finish(self) -> None:
        """Give everything back, record what happened, and let the client go on."""
        if self._finished:
            return
        self._finished = True
        exchange = self._exchange
        if self._goes_on and self._sending.connected:
            _ = self._sending.give_up()
        if self._content is not None:
            exchange.received = self._content.received
            self._content.forget()
        if self._tunnelled is not None:
            exchange.received += self._tunnelled.received
            self._tunnelled.forget()
        if self._submission is not None:
            sent, status = self._went_out, self._upstream_status
            self._submission.settle(sent=sent, status=status)
            exchange.paid = may_have_cost(sent=sent, status=status)
        exchange.seconds = time.perf_counter() - exchange.begun
        exchange.sent = self._downlink.sent
        if exchange.kept is not None:
            exchange.kept.ended()
        self._recording.ended(exchange, entered=self._entered)
        self._client.answered()


def _both(
    first: Callable[[bytes], None], second: Callable[[bytes], None]
) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        first(piece)
        second(piece)

    return take


def _is_malformed(error: ProxyError) -> bool:
    """Say whether the client speaks so oddly that it had better begin anew."""
    return isinstance(error, RequestError) and error.proxy_error == "http_request_error"
