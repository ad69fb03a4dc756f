"""One request on its way upstream: sent, where allowed sent again, cleaned up."""

import asyncio
from collections.abc import Callable

from proxy.errors import RequestError, UpstreamError, UpstreamTimeoutError
from proxy.forward.connection import UpstreamConnection
from proxy.forward.content import InboundContent
from proxy.forward.fields import outbound_head
from proxy.forward.pool import Pool
from proxy.forward.rejection import MAX_CONTENT, is_rejection
from proxy.forward.replay import IDEMPOTENT, may_resend_after_fault
from proxy.http1.head import ResponseHead
from proxy.tasks import cancel, spawn


class Sending:
    """All that is needed to send one request, once or twice.

    `lines` are its field lines less the credential; `upgrade` the protocols that the
    client wants to go over to; `once` says that it is never sent a second time. From
    `take` or `acquire` to `give_up` it is `connected`, and owns a connection.
    """

    __slots__ = (
        "_cut_short",
        "_expects",
        "_continued",
        "_lines",
        "_method",
        "_pool",
        "_target",
        "_upgrade",
        "_upload",
        "_upload_error",
        "connected",
        "connection",
        "content",
        "once",
    )

    connection: UpstreamConnection

    def __init__(
        self,
        pool: Pool,
        method: str,
        target: bytes,
        lines: list[bytes],
        content: InboundContent | None,
        *,
        upgrade: bytes = b"",
        expects_continue: bool = False,
        once: bool = False,
    ) -> None:
        self._pool = pool
        self._method = method
        self._target = target
        self._lines = lines
        self._upgrade = upgrade
        self._expects = expects_continue and content is not None
        self._continued = False
        self._upload: asyncio.Task[None] | None = None
        self._cut_short = False
        self._upload_error: RequestError | None = None
        self.connected = False
        self.content = content
        self.once = once

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent again without doing anything twice."""
        return (
            self._method in IDEMPOTENT
            and not self.once
            and (self.content is None or self.content.kept)
        )

    @property
    def content_kept(self) -> bool:
        """Whether the content can be sent from its start."""
        return self.content is None or self.content.kept

    @property
    def uploading(self) -> bool:
        """Whether some of the request's content has not been sent."""
        return self._cut_short or (self._upload is not None and not self._upload.done())

    # -- There -------------------------------------------------------------------

    def take(self) -> bool:
        """Get a connection, if that can be had without waiting."""
        connection = self._pool.take(repeatable=self.repeatable)
        if connection is not None:
            self.connection = connection
            self.connected = True
        return self.connected

    async def acquire(self, *, new: bool = False) -> None:
        """Get a connection; a `new` one, if so asked. Raises UpstreamError."""
        self.connection = await self._pool.acquire(repeatable=self.repeatable, new=new)
        self.connected = True

    def send(
        self,
        access_token: str,
        on_interim: Callable[[ResponseHead], None],
        on_change: Callable[[], None],
    ) -> None:
        """Send the request; `on_change` is called when there is news of its response.

        Raises RequestError when the content cannot be read.
        """
        connection, content = self.connection, self.content
        connection.start(
            self._method, on_interim, upgrade=self._upgrade, on_change=on_change
        )
        lines = self._lines
        if self._expects and content is not None and (content.taken or self._continued):
            # The client's Expect stays here once its content has begun to come.
            lines = [line for line in lines if not line.lower().startswith(b"expect:")]
        data = outbound_head(
            self._method, self._target, self._pool.authority, lines, access_token
        )
        if content is None:
            connection.write(data)
            return
        connection.write(data + content.take_arrived())
        if not content.sent:
            _ = self.upload(content)

    def upload(self, content: InboundContent) -> asyncio.Task[None]:
        """Send the rest of `content` as it comes, in a task that `give_up` ends."""
        self._upload = spawn(self._send_rest(self.connection, content), name="upload")
        return self._upload

    def drop_expect(self) -> None:
        """Keep the client's Expect here: it has been told to go on."""
        self._continued = True

    async def stop_upload(self) -> None:
        """Take no more of the content from the client, whose rest may be sent later."""
        self._cut_short = self.uploading
        await cancel(self._upload)

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

    # -- And back ----------------------------------------------------------------

    def received_head(self) -> ResponseHead | None:
        """Return the head of the final response, once it has come.

        Raises UpstreamError, or RequestError when the client's content broke off.
        """
        try:
            return self.connection.received_head()
        except UpstreamError as error:
            if (fault := self._clients_fault(error)) is not None:
                raise fault from error
            raise

    def may_resend(self) -> bool:
        """Say whether the request may go out again, now that its connection broke."""
        return may_resend_after_fault(
            repeatable=self.repeatable,
            answer_begun=self.connection.answer_begun,
            connection_reused=self.connection.reused,
        )

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

    def begin_content(self) -> None:
        """Time the pieces of the answer's content from now on."""
        self._pool.begin_content(self.connection)

    def give_up(self) -> asyncio.Task[None] | None:
        """End the sending under way and give the connection back.

        It is kept if the exchange on it came to its end, and cut if not. What is
        returned, if anything, is the upload that is about to end.
        """
        connection = self.connection
        self.connected = False
        connection.watch(None)
        upload, self._upload = self._upload, None
        if upload is not None and not upload.done():
            upload.cancel()
            self._cut_short = True
        if self._cut_short:
            # What the upstream reads next on it would be the rest of this content.
            connection.abort()
            self._cut_short = False
        self._pool.release(connection)
        return upload

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
