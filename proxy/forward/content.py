"""The content of an inbound request: streamed out, and kept for one replay.

It can be sent from the start for as long as all of it that was read is kept, which
ends when it grows over the limit.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from aiohttp import ClientError, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from proxy.errors import RequestError

LAST_CHUNK = b"0\r\n\r\n"


class InboundContent:
    """Content that is read once and may be sent twice.

    `length` is what the client announced, or nothing for chunked content; `keep` is
    how many bytes are kept for sending them again.
    """

    __slots__ = ("_keep", "_kept", "_reader", "chunked", "received")

    def __init__(
        self, reader: StreamReader, *, length: int | None, chunked: bool, keep: int
    ) -> None:
        self._reader = reader
        self._keep = keep
        self._kept: list[bytes] | None = None if (length or 0) > keep else []
        self.chunked = chunked
        self.received = 0

    @property
    def kept(self) -> bool:
        """Whether the content can still be sent from its start."""
        return self._kept is not None or self.received == 0

    @property
    def sent(self) -> bool:
        """Whether nothing is left for `pieces`."""
        return self._reader.at_eof()

    def take_arrived(self) -> bytes:
        """Return, framed for sending, what can be sent without waiting.

        Raises RequestError when the client left or broke the framing.
        """
        pieces = [self.framed(piece) for piece in self._kept or ()]
        with _client_errors():
            piece = self._reader.read_nowait()
        if piece:
            self._note(piece)
            pieces.append(self.framed(piece))
        if self.chunked and self._reader.at_eof():
            pieces.append(LAST_CHUNK)
        return b"".join(pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the rest after `take_arrived`, framed for sending, as it comes.

        Raises RequestError when the client leaves or breaks the framing.
        """
        while True:
            with _client_errors():
                piece = await self._reader.readany()
            if not piece:
                break
            self._note(piece)
            yield self.framed(piece)
        if self.chunked:
            yield LAST_CHUNK

    def framed(self, piece: bytes) -> bytes:
        """Return `piece` as the outbound request's framing wants it."""
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece

    def _note(self, piece: bytes) -> None:
        self.received += len(piece)
        if self._kept is not None:
            if self.received > self._keep:
                self._kept = None
            else:
                self._kept.append(piece)


@contextmanager
def _client_errors() -> Iterator[None]:
    """Turn what aiohttp raises while content is read into an error of ours."""
    try:
        yield
    except (ClientError, HttpProcessingError, web.RequestPayloadError, OSError) as exc:
        raise RequestError(
            "the request's content broke off or is not framed as announced"
        ) from exc
