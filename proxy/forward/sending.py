"""One request on its way upstream: sent, where allowed sent again, cleaned up."""

import asyncio
import time
from dataclasses import dataclass

from proxy.errors import (
    RequestError,
    UpstreamError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
)
from proxy.forward.connection import UpstreamConnection
from proxy.forward.content import InboundContent
from proxy.forward.downlink import Downlink
from proxy.forward.exchange import Exchange
from proxy.forward.fields import outbound_head
from proxy.forward.pool import Pool
from proxy.forward.rejection import MAX_CONTENT, is_rejection
from proxy.forward.replay import IDEMPOTENT, may_resend_after_fault
from proxy.http1.head import ResponseHead
from proxy.tasks import cancel, spawn


@dataclass(slots=True)
class OutboundRequest:
    """All that is needed to send one request, once or twice.

    `lines` are its field lines less the credential; `upgrade` the protocols that the
    client wants to go over to; `once` says that it is never sent a second time.
    """

    method: str
    target: bytes
    lines: list[bytes]
    content: InboundContent | None
    upgrade: bytes = b""
    expects_continue: bool = False
    once: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again without doing anything twice."""
        return self.method in IDEMPOTENT and self.content_kept and not self.once

    @property
    def content_kept(self) -> bool:
        """Whether the content can be sent from its start."""
        return self.content is None or self.content.kept

    def head(self, authority: bytes, access_token: str) -> bytes:
        """Return the head to send.

        The client's `Expect` stays here once its content has begun to be sent.
        """
        lines = self.lines
        if self.expects_continue and self.content is not None and self.content.taken:
            lines = [line for line in lines if not line.lower().startswith(b"expect:")]
        return outbound_head(self.method, self.target, authority, lines, access_token)


class Sending:
    """Sends one request and owns its connection until `give_up`."""

    def __init__(
        self,
        pool: Pool,
        outbound: OutboundRequest,
        downlink: Downlink,
        exchange: Exchange,
    ) -> None:
        self._pool = pool
        self._downlink = downlink
        self._connection: UpstreamConnection | None = None
        self._upload: asyncio.Task[None] | None = None
        self._cut_short = False
        self._upload_error: RequestError | None = None
        self.outbound = outbound
        self.exchange = exchange

    @property
    def connection(self) -> UpstreamConnection:
        """The connection of the sending under way."""
        assert self._connection is not None  # noqa: S101  `send` was called
        return self._connection

    @property
    def uploading(self) -> bool:
        """Whether some of the request's content has not been sent."""
        return self._cut_short or (self._upload is not None and not self._upload.done())

    async def send(self, access_token: str) -> ResponseHead:
        """Send the request and return the head of the final response.

        Raises UpstreamError, or RequestError when the content cannot be read.
        """
        try:
            return await self._send_once(access_token)
        except UpstreamIncompleteError:  # silence is no sign of a stale connection
            if not self._may_resend():
                raise
        # Once, and on a new connection: another kept one may be as stale, and what
        # kills its connection must not take them all along.
        self.exchange.resent = True
        await self.give_up()
        return await self._send_once(access_token, on_new=True)

    def upload(self, content: InboundContent) -> asyncio.Task[None]:
        """Send the rest of `content` as it comes, in a task that `give_up` ends."""
        self._upload = spawn(self._send_rest(self.connection, content), name="upload")
        return self._upload

    def begin_content(self) -> None:
        """Time the pieces of the answer's content from now on."""
        self._pool.begin_content(self.connection)

    async def rejected(self, head: ResponseHead) -> bool:
        """Say whether the response means that the token was not accepted.

        Content that was read to tell stays with the connection.
        """
        content: bytes | None = b""
        if head.status != 401:
            content = await self.connection.content(MAX_CONTENT)
        return content is not None and is_rejection(
            head.status, content, head.seen.get(b"content-encoding", b"")
        )

    async def stop_upload(self) -> None:
        """Take no more of the content from the client, whose rest may be sent later."""
        self._cut_short = self.uploading
        await cancel(self._upload)

    async def give_up(self) -> None:
        """End the sending under way and give the connection back.

        It is kept if the exchange on it came to its end, and cut if not.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.uploading:
            # What the upstream reads next on it would be the rest of this content.
            connection.abort()
        upload, self._upload, self._cut_short = self._upload, None, False
        # Before the wait, which a client that leaves may end.
        self._pool.release(connection)
        await cancel(upload)

    async def _send_once(
        self, access_token: str, *, on_new: bool = False
    ) -> ResponseHead:
        outbound = self.outbound
        connection = await self._pool.acquire(
            repeatable=outbound.repeatable, new=on_new
        )
        self._connection = connection
        self.exchange.reused = connection.reused
        begun = time.perf_counter()
        connection.start(
            outbound.method, self._downlink.interim, upgrade=outbound.upgrade
        )
        content = outbound.content
        data = outbound.head(self._pool.authority, access_token)
        if content is None:
            connection.write(data)
        else:
            connection.write(data + content.take_arrived())
            if not content.sent:
                _ = self.upload(content)
        try:
            head = await connection.head()
        except UpstreamError as error:
            if (fault := self._clients_fault(error)) is not None:
                raise fault from error
            raise
        self.exchange.upstream_seconds = time.perf_counter() - begun
        return head

    async def _send_rest(
        self, connection: UpstreamConnection, content: InboundContent
    ) -> None:
        try:
            async for piece in content.pieces():
                connection.write(piece)
                await connection.drain()
        except RequestError as error:
            self._upload_error = error
            connection.abort()

    def _clients_fault(self, error: UpstreamError) -> RequestError | None:
        if self._upload_error is not None:
            return self._upload_error
        if (
            self.uploading
            and isinstance(error, UpstreamTimeoutError)
            and error.proxy_error == "http_response_timeout"
        ):
            return RequestError(
                "the rest of the request's content did not come in time", status=408
            )
        return None

    def _may_resend(self) -> bool:
        connection = self._connection
        return connection is not None and may_resend_after_fault(
            repeatable=self.outbound.repeatable,
            answer_begun=connection.answer_begun,
            connection_reused=connection.reused,
        )
