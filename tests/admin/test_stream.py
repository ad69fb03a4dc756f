"""The stream of exchanges, and a page that does not keep up with it."""

import asyncio
import socket
from typing import Any

import pytest

from tests.admin.conftest import Admin
from tests.journal.exchanges import exchange

BUFFER = 4096


async def small_page(admin: Admin) -> socket.socket:
    """Connect for the stream; kernel buffers on both sides hold a few kilobytes."""
    server: Any = admin.client.server
    [site] = server.runner.sites
    site._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    page.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(page, ("127.0.0.1", admin.client.port))
    host = f"127.0.0.1:{admin.client.port}"
    head = f"GET /api/exchanges/stream HTTP/1.1\r\nHost: {host}\r\n\r\n"
    await loop.sock_sendall(page, head.encode())
    assert (await loop.sock_recv(page, 12)) == b"HTTP/1.1 200"
    return page


async def test_a_page_that_takes_nothing_is_dropped(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.admin.stream.SLOW", 0.3)
    monkeypatch.setattr("proxy.admin.stream.PAUSE", 0.01)
    with await small_page(admin):
        assert admin.journal.watchers == 1
        async with asyncio.timeout(30):
            while admin.journal.watchers:
                admin.journal.record([exchange() for _ in range(50)])
                await asyncio.sleep(0.02)


async def test_a_page_that_leaves_is_forgotten(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.admin.stream.TICK", 0.05)
    with await small_page(admin):
        assert admin.journal.watchers == 1
    async with asyncio.timeout(30):
        while admin.journal.watchers:
            await asyncio.sleep(0.02)
