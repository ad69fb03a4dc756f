"""A way through an egress proxy: CONNECT (RFC 9110, section 9.3.6)."""

import asyncio
from typing import Final

from proxy.errors import UpstreamUnreachableError

MAX_REPLY: Final = 16 * 1024


async def open_tunnel(proxy: tuple[str, int], authority: str) -> asyncio.Transport:
    """Return a transport that reaches `authority` (host:port) through `proxy`.

    Raises UpstreamUnreachableError when the proxy refuses, OSError when it cannot be
    reached.
    """
    # Not asyncio's streams: a StreamWriter closes its transport when it is collected,
    # even after TLS has taken it over.
    loop = asyncio.get_running_loop()
    transport, reply = await loop.create_connection(_Reply, *proxy)
    try:
        transport.write(
            f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()
        )
        status_line = await reply.status_line
    except BaseException:
        transport.abort()
        raise
    if status_line.split(b" ", 2)[1:2] != [b"200"]:
        transport.abort()
        raise UpstreamUnreachableError(
            "the egress proxy did not open the way; it said: "
            + (status_line[:80].decode("ascii", "replace") or "nothing"),
            value="egress_proxy",
        )
    return transport


class _Reply(asyncio.Protocol):
    """Reads the head of the answer to CONNECT; nothing may follow it unasked."""

    def __init__(self) -> None:
        self._head = b""
        self.status_line: asyncio.Future[bytes] = (
            asyncio.get_running_loop().create_future()
        )

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._head.endswith(b"\r\n\r\n") or len(self._head) > MAX_REPLY:
            self._end()

    def connection_lost(self, _: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.status_line.done():
            whole = self._head.endswith(b"\r\n\r\n")
            self.status_line.set_result(
                self._head.split(b"\r\n", 1)[0] if whole else b""
            )
