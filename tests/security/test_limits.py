"""What one caller may take from the others, and a call that would cost money twice."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.reliability.program import until
from tests.security.house import House, house, raw
from tests.security.test_load import MEBIBYTE, Crowd, files_of, peak, serves

PAID = "/api/v1/voiprequest/start"
SLOW = "/odd/slow"


async def test_connections_over_the_limit_are_closed(tmp_path: Path) -> None:
    """At once; those within it are served, and room that is made is used."""
    most = 20
    async with house(tmp_path, limits={"connections": most}) as it:
        await serves(it)
        # One of them is the ordinary caller's, which is kept open.
        with Crowd(it.url, most - 1) as members:
            await serves(it)
            with Crowd(it.url, 30) as late:
                async with asyncio.timeout(20):
                    assert [await _received(one) for one in late] == [b""] * 30
                await serves(it)
            members.pop().close()
            await until(lambda: len(files_of(it.program.pid)) < most + 30)
            await serves(it)


async def _received(one: socket.socket) -> bytes:
    try:
        return await asyncio.get_running_loop().sock_recv(one, 1)
    except ConnectionResetError:
        return b""


@asynccontextmanager
async def busy(it: House, count: int, key: str = "") -> AsyncIterator[None]:
    """Have `count` calls under way, which the upstream does not answer soon."""
    fields = {"X-Proxy-Key": key} if key else {}
    calls = [asyncio.ensure_future(it.call(SLOW, headers=fields)) for _ in range(count)]
    try:
        await until(lambda: len(it.upstream.requests) == count)
        yield
    finally:
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)


async def test_calls_over_the_limit_are_refused_at_once(tmp_path: Path) -> None:
    """Those of one caller; another, by the local key, goes on."""
    file = tmp_path / "keys"
    file.write_text("app key-of-the-app\nother key-of-the-other\n")
    access = {"local_key_file": str(file)}
    async with house(tmp_path, access=access, limits={"in_flight": 3}) as it:
        async with busy(it, 3, "key-of-the-app"):
            fields = {"X-Proxy-Key": "key-of-the-app"}
            refusal = await it.refusal("/x", headers=fields)
            assert refusal.startswith("503 ")
            status, _ = await it.call("/x", headers={"X-Proxy-Key": "key-of-the-other"})
            assert status == 200
        async with asyncio.timeout(20):
            while (await it.call("/x", headers=fields))[0] != 200:
                await asyncio.sleep(0.05)


async def test_heads_over_the_limits_are_refused(tmp_path: Path) -> None:
    limits = {"head_size": "8KiB", "head_time": "500ms"}
    async with house(tmp_path, limits=limits) as it:
        begun = b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: "
        answer = await raw(it.url, begun + b"a" * 7000 + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        for long in (
            begun + b"a" * 9000 + b"\r\n\r\n",
            begun + b"a\r\nX-More: b" * 900 + b"\r\n\r\n",
        ):
            assert (await raw(it.url, long)).startswith(b"HTTP/1.1 431")
        target = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 9000)
        assert (await raw(it.url, target))[9:12] in {b"414", b"431"}
        assert (await raw(it.url, begun)).startswith(b"HTTP/1.1 408")
        assert len(it.upstream.requests) == 1


async def test_content_over_the_limit_is_not_kept(tmp_path: Path) -> None:
    """Uploads that are kept for a replay, all at once, share one allowance."""
    size, count = 4 * MEBIBYTE, 30
    limits = {"buffered": "16MiB"}
    async with house(tmp_path, limits=limits) as it:
        await serves(it)
        before = peak(it.program.pid)
        it.upstream.keeps_content = False

        async def upload() -> int:
            status, _ = await it.call("/kept", "POST", data=io.BytesIO(bytes(size)))
            return status

        statuses = await asyncio.gather(*(upload() for _ in range(count)))
        assert set(statuses) <= {200, 503}
        arrived = [one for one in it.upstream.requests if one.target == "/kept"]
        whole = [one for one in arrived if one.content == b"%d" % size]
        assert len(whole) == statuses.count(200) > 0
        assert peak(it.program.pid) - before < 64 * MEBIBYTE
        await serves(it)


async def test_a_paid_call_is_not_repeated(tmp_path: Path) -> None:
    """However its path is spelled; other content, and who means it, pass."""
    async with house(tmp_path) as it:
        first = b'{"doctorId": 1}'
        assert (await it.call(PAID, "POST", data=first))[0] == 200
        for again in (
            PAID,
            "/API/v1/VoipRequest/Start",
            "/api/v1/voiprequest/%73tart",
            "/api/v1//voiprequest/./start/",
            "/api/v2/../v1/voiprequest/start",
        ):
            assert (await it.refusal(again, "POST", data=first)).startswith("409 "), (
                again
            )
        status, text = await it.call(PAID, "POST", data=first)
        assert status == 409
        assert "X-Proxy-Allow-Repeat" in json.loads(text)["description"]

        assert (await it.call(PAID, "POST", data=b'{"doctorId": 2}'))[0] == 200
        assert (await it.call(PAID))[0] == 200
        meant = {"X-Proxy-Allow-Repeat": "1"}
        assert (await it.call(PAID, "POST", headers=meant, data=first))[0] == 200
        assert not any(one.get("x-proxy-allow-repeat") for one in it.upstream.requests)
        posts = [one for one in it.upstream.requests if one.method == "POST"]
        assert len(posts) == 3


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/callbackrequest/start-callback",
        PAID,
        "/api/v1/writingrequest/start-writing",
    ],
)
async def test_a_double_click_is_one_call(tmp_path: Path, path: str) -> None:
    async with house(tmp_path) as it:
        clicks = await asyncio.gather(
            *(it.call(path, "POST", data=b"{}") for _ in range(5))
        )
        assert sorted(status for status, _ in clicks) == [200, 409, 409, 409, 409]
        assert len(it.upstream.requests) == 1


async def test_a_paid_call_that_reached_nobody_may_be_repeated(tmp_path: Path) -> None:
    upstream = {"api_url": "http://127.0.0.1:9"}
    async with house(tmp_path, upstream=upstream) as it:
        for _ in range(2):
            assert (await it.call(PAID, "POST", data=b"{}"))[0] == 502


async def test_paid_calls_are_a_setting(tmp_path: Path) -> None:
    forward = {"paid_calls": ["POST /api/*/other/*"], "paid_window": "400ms"}
    async with house(tmp_path, forward=forward) as it:
        for _ in range(2):
            assert (await it.call(PAID, "POST", data=b"{}"))[0] == 200
        other = "/api/v1/other/thing"
        assert (await it.call(other, "POST", data=b"{}"))[0] == 200
        assert (await it.call(other, "POST", data=b"{}"))[0] == 409
        async with asyncio.timeout(20):
            while (await it.call(other, "POST", data=b"{}"))[0] != 200:
                await asyncio.sleep(0.1)
