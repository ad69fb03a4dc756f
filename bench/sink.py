"""Where uploads end: reads a request's whole content, then answers 200.

`python -m bench.sink SOCKET`, behind the upstream's nginx, which takes the TLS off.
nginx alone will not do: `return 200` answers before the content is here, and everything
else that it has writes the content to a disk first.
"""

import asyncio
import re
import sys
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


class Sink(asyncio.BufferedProtocol):
    """One connection: heads with a Content-Length, and content that is only counted."""

    def __init__(self) -> None:
        self._buffer = bytearray(256 * 1024)
        self._head = b""
        self._left = 0
        self._total = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        if self._left == 0:
            self._head += self._buffer[:size]
            head, end, content = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = _LENGTH.search(head)
            self._total = self._left = int(length[1]) if length else 0
            self._head, size = b"", len(content)
        self._left -= size
        if self._left == 0:
            content = b'{"received": %d}' % self._total
            self._transport.write(_ANSWER % (len(content), content))


async def main(path: str) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(Sink, path, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
