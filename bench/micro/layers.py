"""The layers, each as a call that does its part of one ordinary request.

A JSON call of a Python program, and the answer of nginx to it.
"""

import asyncio
import io
from collections.abc import Callable
from typing import Any
from unittest import mock

from proxy.access.repeats import PaidCalls
from proxy.access.rules import AccessRules
from proxy.config import AccessConfig, ForwardConfig, LogConfig
from proxy.forward.connection import UpstreamConnection
from proxy.forward.dial import Origin
from proxy.forward.exchange import Exchange
from proxy.forward.fields import (
    RESPONSE_NOTED,
    outbound_head,
    outbound_lines,
    relayed_lines,
)
from proxy.forward.forwarding import Parts
from proxy.forward.handler import NOTED, ForwardHandler
from proxy.forward.inbound_server import InboundServer
from proxy.forward.keeping import Keeping
from proxy.forward.limits import Budget, InboundLimits
from proxy.forward.pool import Pool, PoolLimits
from proxy.forward.relay import ForwardOptions
from proxy.http1.head import parse_request, parse_response
from proxy.log import AccessLog
from proxy.metrics import Metrics

Layer = Callable[[], object]

REQUEST = (
    b"GET /api/v1/profile/get HTTP/1.1\r\n"
    b"Host: 127.0.0.1:8080\r\n"
    b"User-Agent: python-requests/2.32.3\r\n"
    b"Accept-Encoding: gzip, deflate\r\n"
    b"Accept: */*\r\n"
    b"Connection: keep-alive"
)
CONTENT = b'{"item":{"id":"0123456789abcdef","firstName":"Anna","balance":100}}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: nginx\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n"
    b"Connection: keep-alive\r\n"
    b"X-Request-Id: 4f9d2a1c" % len(CONTENT)
)
END = b"\r\n\r\n"
ADDRESS = ("127.0.0.1", 8080)
TOKEN = "a" * 40


class Line(asyncio.Transport):
    """A transport that keeps what was written last."""

    def __init__(self) -> None:
        super().__init__({"sockname": ADDRESS, "peername": ("127.0.0.1", 50000)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Nothing waits."""

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class Token:
    """A credential that is there."""

    def current(self) -> str | None:
        return TOKEN

    async def access_token(self, *, rejected: str | None = None) -> str:
        return TOKEN


def layers(runner: asyncio.Runner) -> dict[str, Layer]:
    """Return each layer by its name; those that need a loop take it from `runner`."""
    return {**_pure(), **_recording(), **runner.run(_with_loop())}


def _pure() -> dict[str, Layer]:
    request = parse_request(REQUEST, NOTED)
    response = parse_response(ANSWER, RESPONSE_NOTED)
    rules = AccessRules(AccessConfig(), ["127.0.0.1"])
    target, authority = request.target, b"api.example"

    def outbound() -> bytes:
        lines = outbound_lines(request)
        return outbound_head(request.method, target, authority, lines, TOKEN)

    return {
        "request head": lambda: parse_request(REQUEST, NOTED),
        "request head, fields as before": lambda: parse_request(
            REQUEST, NOTED, request.section
        ),
        "response head": lambda: parse_response(ANSWER, RESPONSE_NOTED),
        "access rules": lambda: rules.check(
            request.method, target.decode(), request.seen, ADDRESS[0]
        ),
        "outbound head": outbound,
        "relayed lines": lambda: b"\r\n".join(relayed_lines(response)),
    }


def _recording() -> dict[str, Layer]:
    exchange = Exchange("4f9d2a", 1, "GET", "/api/v1/profile/get")
    exchange.status, exchange.started, exchange.seconds = 200, 1.8e9, 0.004
    ended, metrics = [exchange], Metrics()
    stream = io.StringIO()
    log = AccessLog(LogConfig(), stream)

    def access_line() -> None:
        stream.seek(0)
        log.write(ended)

    return {
        "access log line": access_line,
        "metrics": lambda: metrics.record(ended),
    }


async def _with_loop() -> dict[str, Layer]:
    """Return the layers with connections, whose other ends are in memory."""
    loop = asyncio.get_running_loop()
    upstream, client = Line(), Line()
    connection = UpstreamConnection(loop)
    connection.connection_made(upstream)
    pool = Pool(Origin("api.example", 443), PoolLimits())
    # The only way in, for a connection that was opened elsewhere.
    with mock.patch("proxy.forward.pool.dial", mock.AsyncMock(return_value=connection)):
        pool.release(await pool.acquire(repeatable=True))

    ended: list[Any] = []
    rules = AccessRules(AccessConfig(), ["127.0.0.1"])
    paid = PaidCalls(ForwardConfig().paid_calls, 60, loop.time)
    budget = Budget(2**28)
    handler = ForwardHandler(
        Parts(pool, Token(), rules, paid, ForwardOptions(), Keeping(0)),
        ended.append,
        most_in_flight=1024,
        budget=budget,
    )
    server = InboundServer(
        handler.answer,
        handler.refuse,
        noted=NOTED,
        replay_limit=2**20,
        limits=InboundLimits(),
        budget=budget,
    )
    inbound = server()
    inbound.connection_made(client)
    request, answer = REQUEST + END, ANSWER + END + CONTENT

    def borrow() -> None:
        # One that was idle for longer is asked about, and this one has no socket.
        connection.idle_since = loop.time()
        lent = pool.take(repeatable=True)
        assert lent is connection
        pool.release(lent)

    def exchange() -> None:
        connection.idle_since = loop.time()
        inbound.data_received(request)
        connection.data_received(answer)
        ended.clear()

    borrow()
    exchange()
    assert TOKEN.encode() in upstream.written
    assert client.written.endswith(CONTENT)
    return {"pool": borrow, "whole exchange": exchange}
