"""Hostile clients in numbers, while an ordinary one goes on and the memory stays.

Nothing here is judged by its speed: the ordinary caller has to be answered, and
rightly, while the others have the program by the sleeve.
"""

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.reliability.program import until
from tests.security.house import House, house, raw
from tests.security.upstream import BOMB, SECRET, SMALL_BOMB

PROFILE = "/api/v1/profile/get"

CROWD = 9_900
"""Connections of the largest crowd, where the system allows so many open files."""

SPARE_FILES = 200
MEBIBYTE = 2**20

# What one connection may take of the program's memory, generously, and what everything
# together may take besides.
PER_CONNECTION = 32 * 1024
SLACK = 64 * MEBIBYTE


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Allow as many open files as can be; the program inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def crowd_size() -> int:
    """Return how many connections can be had; fewer than CROWD on small systems."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    size = min(CROWD, allowed - SPARE_FILES)
    print(f"{size} connections, as {allowed} files may be open")
    return size


def peak(pid: int) -> int:
    """Return the most memory that the process has had, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system tells no memory")


def files_of(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/fd").iterdir())


@asynccontextmanager
async def steady(it: House, allowed: int) -> AsyncIterator[None]:
    """Fail if within the block the program takes more memory than `allowed`, or stops.

    Ordinary calls are made before, all the time, and after.
    """
    await serves(it)
    before = peak(it.program.pid)
    calling = asyncio.ensure_future(_go_on(it))
    try:
        yield
        await serves(it)
        assert not calling.done(), calling.exception()
    finally:
        calling.cancel()
        await asyncio.wait([calling])
    grown = peak(it.program.pid) - before
    assert grown < allowed, f"it grew by {grown / MEBIBYTE:.0f} MiB"
    assert it.program.process.returncode is None


async def _go_on(it: House) -> None:
    while True:
        await serves(it)
        await asyncio.sleep(0.02)


async def serves(it: House) -> None:
    """Make an ordinary call, and look at its answer."""
    status, text = await it.call(PROFILE)
    assert (status, json.loads(text)) == (200, {"item": SECRET})


class Crowd:
    """Connections that each say the same, and no more.

    Made in a thread, as connecting waits for the program when they are many.
    """

    def __init__(self, url: str, size: int, says: bytes = b"") -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        with ExitStack() as stack:
            self._members = []
            for _ in range(size):
                one = stack.enter_context(socket.socket())
                # What the kernel keeps for a reader is not the program's doing.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
                one.connect((host, int(port)))
                one.setblocking(False)
                if says:
                    one.send(says)
                self._members.append(one)
            self._stack = stack.pop_all()

    def __enter__(self) -> list[socket.socket]:
        return self._members

    def __exit__(self, *_why: object) -> None:
        self._stack.close()


class Client:
    """One hostile connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def pour(self, first: bytes, piece: bytes, most: int) -> bytes:
        """Send `piece` after `piece` until answered; return the answer.

        It may be lost to the reset that ends such a client.
        """
        answer = asyncio.ensure_future(self.read())
        try:
            self.writer.write(first)
            for _ in range(most // len(piece)):
                self.writer.write(piece)
                await self.writer.drain()
                await asyncio.sleep(0)
                if answer.done():
                    break
        except ConnectionError:
            pass
        async with asyncio.timeout(30):
            return await answer

    async def read(self) -> bytes:
        """Return all that comes until the end."""
        read = bytearray()
        try:
            while piece := await self.reader.read(65536):
                read += piece
        except ConnectionError:
            pass
        return bytes(read)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Client]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def all_of(count: int, act: Callable[[], Awaitable[bytes]]) -> list[bytes]:
    """Let `count` of them do the same at once; return what each was answered."""
    return await asyncio.gather(*(act() for _ in range(count)))


_BEGUN = b"GET / HTTP/1.1\r\nHost: localhost\r\n"

ENDLESS_HEADS = (
    (_BEGUN, b"X-More: %b\r\n" % (b"a" * 4096)),
    (_BEGUN + b"X-Long: ", b"a" * 4096),
    (b"GET /", b"a" * 4096),
    (b"a", b"a" * 4096),
)


async def refuses(url: str, first: bytes, piece: bytes, count: int = 8) -> None:
    """Fail unless what goes on for ever is refused, to each of those who try it."""

    async def pour() -> bytes:
        async with client(url) as hostile:
            return await hostile.pour(first, piece, 64 * MEBIBYTE)

    answers = [answer for answer in await all_of(count, pour) if answer]
    assert answers
    assert {answer[8:10] for answer in answers} == {b" 4"}


async def test_a_crowd_that_says_nothing(tmp_path: Path) -> None:
    size = crowd_size()
    async with house(tmp_path) as it, steady(it, size * PER_CONNECTION + SLACK):
        with await asyncio.to_thread(Crowd, it.url, size) as members:
            await until(lambda: len(files_of(it.program.pid)) > len(members))
            for _ in range(20):
                await serves(it)


async def test_heads_that_drip(tmp_path: Path) -> None:
    size = min(1000, crowd_size())
    begun = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    async with house(tmp_path) as it, steady(it, size * PER_CONNECTION + SLACK):
        with await asyncio.to_thread(Crowd, it.url, size, begun) as members:
            for _ in range(8):
                for member in members:
                    member.send(b"a")
                await serves(it)
        assert "/slow" not in {one.target for one in it.upstream.requests}


async def test_heads_without_end(tmp_path: Path) -> None:
    """Refused, and not kept."""
    async with house(tmp_path) as it, steady(it, SLACK):
        for first, piece in ENDLESS_HEADS:
            await refuses(it.url, first, piece)
        assert {one.target for one in it.upstream.requests} == {PROFILE}


async def test_heads_without_end_at_the_admin_listener(tmp_path: Path) -> None:
    """Refused, and not kept either, however much comes at once."""
    async with house(tmp_path) as it, steady(it, SLACK):
        for first, piece in ENDLESS_HEADS:
            await refuses(it.admin, first, piece * 16, count=32)


async def test_content_without_end(tmp_path: Path) -> None:
    """Chunk sizes, extensions and trailers that do not end are refused, not kept."""
    begun = (
        b"POST /endless HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    async with house(tmp_path) as it, steady(it, SLACK):
        await refuses(it.url, begun + b"1;", b"a" * 4096)
        await refuses(it.url, begun + b'1;a="', b"a" * 4096)
        await refuses(it.url, begun, b"0" * 4096)
        await refuses(it.url, begun + b"0\r\n", b"X-More: %b\r\n" % (b"a" * 4096))
        await refuses(it.url, begun + b"0\r\nX-Long: ", b"a" * 4096)
        assert "/endless" not in {one.target for one in it.upstream.requests}


async def test_content_in_the_smallest_pieces(tmp_path: Path) -> None:
    """Chunks of one byte, with extensions: all arrives, and nothing piles up."""
    head = (
        b"POST /crumbs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    crumbs = 20_000

    async def feed() -> bytes:
        async with client(it.url) as hostile:
            hostile.writer.write(head)
            for _ in range(crumbs // 1000):
                hostile.writer.write(b"1;ext=value\r\nx\r\n" * 1000)
                await hostile.writer.drain()
            hostile.writer.write(b"0\r\n\r\n")
            return await hostile.reader.read()

    async with house(tmp_path) as it, steady(it, SLACK):
        for answer in await all_of(8, feed):
            assert answer.startswith(b"HTTP/1.1 200")
        arrived = [one for one in it.upstream.requests if one.target == "/crumbs"]
        assert [one.content for one in arrived] == [b"x" * crumbs] * 8


async def test_bombs(tmp_path: Path) -> None:
    """No compressed upload is inflated."""

    async def upload() -> bytes:
        fields = {"Content-Encoding": "gzip"}
        status, _ = await it.call("/bomb", "POST", data=BOMB, headers=fields)
        return b"%d" % status

    # Uploads are kept for the case that they have to be sent again.
    async with house(tmp_path) as it, steady(it, SLACK + 16 * len(BOMB)):
        assert await all_of(16, upload) == [b"200"] * 16
        arrived = [one for one in it.upstream.requests if one.target == "/bomb"]
        assert [one.content for one in arrived] == [BOMB] * 16
        assert {tuple(one.get("content-encoding")) for one in arrived} == {("gzip",)}


async def test_an_answer_that_is_a_bomb(tmp_path: Path) -> None:
    """It has to be looked into, as it may say that the token was rejected."""
    async with house(tmp_path) as it, steady(it, SLACK // 2):
        asked = (
            b"GET /odd/bomb HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        head, _, content = (await raw(it.url, asked)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 403")
        assert content == SMALL_BOMB


async def test_an_admin_listener_that_is_fed_a_bomb(tmp_path: Path) -> None:
    fields = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with house(tmp_path) as it, steady(it, SLACK):
        status, _ = await it.call(
            "/api/logout", "POST", base=it.admin, data=BOMB, headers=fields
        )
        assert 400 <= status < 500
        assert (await it.program.status())["state"] == "active"


async def test_requests_that_do_not_wait_for_answers(tmp_path: Path) -> None:
    """Each is answered, in turn."""
    count = 500

    async def hurry() -> bytes:
        async with client(it.url) as hostile:
            for number in range(count):
                last = b"Connection: close\r\n" if number == count - 1 else b""
                hostile.writer.write(
                    b"GET /hurry/%d HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
                    % (number, last)
                )
            return await hostile.reader.read()

    async with house(tmp_path) as it, steady(it, SLACK):
        for answer in await all_of(8, hurry):
            assert answer.count(b"HTTP/1.1 200 OK\r\n") == count
            assert answer.count(SECRET.encode()) == count


async def test_readers_that_do_not_read(tmp_path: Path) -> None:
    """What they asked for is not fetched and kept for them."""
    size = 50
    asked = b"GET /odd/endless HTTP/1.1\r\nHost: localhost\r\n\r\n"
    many = b"GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000
    async with house(tmp_path) as it, steady(it, size * MEBIBYTE // 2 + SLACK):
        for says in (asked, many):
            with await asyncio.to_thread(Crowd, it.url, size, says) as members:
                for _ in range(50):
                    await serves(it)
                    await asyncio.sleep(0.01)
                assert len(members) == size
