import asyncio
import json
import random
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from aiohttp import web

from proxy.clock import system_clock
from proxy.errors import ConfigError, StoreError
from proxy.oauth import changes
from proxy.oauth.messages import TokenPair
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores import (
    LOCK_LOST,
    UNREACHABLE,
    redis as redis_store,
    redis_client,
)
from proxy.oauth.stores.record import DEFAULT_ACCOUNT, AccountRecord
from proxy.oauth.stores.redis import RedisStore
from proxy.oauth.stores.redis_address import RedisAddress
from tests.clocks import MovedClock
from tests.oauth.fakes import HOUR, PHONE, FakeAuthorizationServer
from tests.oauth.stores.records import EMPTY, RECORD, save
from tests.oauth.stores.worker import counted
from tests.redis_server import RedisServer, free_port

SHORT = 0.4
"""A lease that tests can wait for."""

OpenStore = Callable[..., RedisStore]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed and paused."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return re.sub(r"\W", "_", request.node.name)


@pytest.fixture
async def open_redis(redis: RedisServer, prefix: str) -> AsyncIterator[OpenStore]:
    """Open one more process's store, on the shared Redis or at a URL."""
    opened = []

    def open_redis(
        url: str | None = None, lease: float = redis_store.LEASE
    ) -> RedisStore:
        opened.append(RedisStore(url or redis.url(prefix), lease=lease))
        return opened[-1]

    yield open_redis
    for store in opened:
        await store.close()


@pytest.fixture
def store(open_redis: OpenStore) -> RedisStore:
    return open_redis()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


# -- the document ------------------------------------------------------------------


async def test_it_is_one_json_document_and_members_unknown_here_are_kept(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    key = f"{prefix}:{{default}}:record"
    with redis.client() as client:
        client.set(key, '{"version": 1, "generation": 2, "refreshing": {"y": [2]}}')

        await save(store)

        written = json.loads(client.get(key) or "")
        assert client.ttl(key) == -1
    assert written["version"] == 1
    assert written["refreshing"] == {"y": [2]}
    assert await store.load("default") == RECORD


async def test_a_change_is_made_again_on_what_another_process_has_stored(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    seen = []

    def change(record: AccountRecord) -> AccountRecord:
        seen.append(record.generation)
        if len(seen) == 1:
            with redis.client() as other:
                other.set(
                    f"{prefix}:{{default}}:record", '{"version":1,"generation":9}'
                )
        return replace(record, generation=record.generation + 1)

    record = await store.update("default", change)

    assert seen == [0, 9]
    assert record.generation == 10
    assert await store.load("default") == record


async def test_who_never_gets_his_change_in_is_told(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    numbers = iter(range(1000))

    def overtaken(record: AccountRecord) -> AccountRecord:
        with redis.client() as other:
            told = f'{{"version":1,"generation":{next(numbers)}}}'
            other.set(f"{prefix}:{{default}}:record", told)
        return counted(record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_store, "MOST_TRIES", 3)
        with pytest.raises(StoreError) as caught:
            await store.update("default", overtaken)

    assert caught.value.value == "store_busy"


async def test_accounts_and_prefixes_are_kept_apart(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    other = open_redis(redis.url(f"{prefix}2"))
    name = "../мама {2}*"

    await save(store)
    async with store.lock(name):
        await store.update(name, lambda _: replace(RECORD, generation=7))

    assert await store.load("default") == RECORD
    assert await store.accounts() == sorted(["default", name])
    assert await other.accounts() == []
    assert await other.load("default") == EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": true}',
        b'{"version": 1, "tokens": {"access_token": 7}}',
        b"[" * 100_000,
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
async def test_a_damaged_document_is_reported_and_set_aside_untouched(
    store: RedisStore,
    redis: RedisServer,
    content: bytes,
    prefix: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis.client() as client:
        client.set(f"{prefix}:{{default}}:record", content)

        record = await store.load("default")

        [aside] = client.keys(f"{prefix}:*damaged*")
        assert client.get(aside) == content
    assert aside.decode() in str(record.last_error)
    assert record == replace(EMPTY, last_error=record.last_error)
    assert caplog.text.count("log in again") == 1
    await save(store)
    assert await store.load("default") == RECORD


async def test_a_save_over_a_damaged_document_sets_it_aside_first(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    with redis.client() as client:
        client.set(f"{prefix}:{{default}}:record", "damaged")

        await save(store)

        [aside] = client.keys(f"{prefix}:*damaged*")
        assert client.get(aside) == b"damaged"


async def test_a_document_of_a_newer_form_is_left_untouched(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    key = f"{prefix}:{{default}}:record"
    with redis.client() as client:
        client.set(key, '{"version": 2}')

        with pytest.raises(StoreError, match="newer telemed-proxy"):
            await store.load("default")
        with pytest.raises(StoreError, match="newer telemed-proxy"):
            await save(store)

        assert client.get(key) == b'{"version": 2}'


# -- the lock ----------------------------------------------------------------------


async def test_a_waiter_gets_the_lock_when_it_is_let_go(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    other = open_redis()

    async def wait() -> None:
        async with other.lock("default", patience=5):
            pass

    async with store.lock("default"), store.lock("another"):
        waiting = asyncio.ensure_future(wait())
        with pytest.raises(StoreError, match="another process") as caught:
            async with other.lock("default", patience=0):
                pass
    await waiting

    assert caught.value.value == "store_busy"
    with redis.client() as client:
        assert client.keys(f"{prefix}:*") == []


async def test_a_waiter_that_goes_away_does_not_keep_the_lock(
    store: RedisStore, open_redis: OpenStore
) -> None:
    other = open_redis()

    async def wait() -> None:
        async with other.lock("default"):
            pass

    for steps in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        waiting = asyncio.ensure_future(wait())
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await other.close()  # waits for what is under way

        async with store.lock("default", patience=0):
            pass


async def test_an_owner_that_goes_away_lets_go(
    store: RedisStore, open_redis: OpenStore
) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        async with store.lock("default"):
            held.set()
            await asyncio.Event().wait()

    holding = asyncio.ensure_future(hold())
    await held.wait()
    holding.cancel()
    await asyncio.sleep(0)
    holding.cancel()
    await asyncio.wait([holding])

    async with open_redis().lock("default", patience=1):
        pass


async def test_the_lease_is_renewed_while_the_lock_is_held(
    open_redis: OpenStore,
) -> None:
    store, other = open_redis(lease=SHORT), open_redis(lease=SHORT)

    async with store.lock("default"):
        with pytest.raises(StoreError):
            async with other.lock("default", patience=3 * SHORT):
                pass
        await save(store)


async def test_a_lock_that_ended_and_that_nobody_took_is_held_again(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    other = open_redis()
    async with store.lock("default"):
        end_lease(redis, prefix)

        await save(store)

        with pytest.raises(StoreError):
            async with other.lock("default", patience=0):
                pass


async def test_under_a_lost_lock_nothing_is_changed_while_another_refreshes(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    other = open_redis()
    await save(store)
    async with store.lock("default"):
        end_lease(redis, prefix)
        async with other.lock("default"):
            for record in (
                replace(RECORD, last_error="same generation"),
                replace(RECORD, generation=6),
            ):
                with pytest.raises(StoreError, match="was lost") as caught:
                    await save(store, record)
                assert caught.value.value == LOCK_LOST
            await save(other, replace(RECORD, last_error="the present owner's"))

    assert (await store.load("default")).last_error == "the present owner's"


async def test_under_a_lost_lock_only_a_greater_generation_is_saved(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    await save(store)
    async with store.lock("default"):
        end_lease(redis, prefix)
        async with open_redis().lock("default"):
            pass
        with pytest.raises(StoreError, match="was lost"):
            await save(store, replace(RECORD, last_error="same generation"))

        await save(store, replace(RECORD, generation=6))

    assert (await store.load("default")).generation == 6


async def test_a_redis_that_forgot_everything_takes_the_answer_to_a_refresh(
    store: RedisStore, redis: RedisServer, prefix: str
) -> None:
    async with store.lock("default"):
        with redis.client() as client:
            client.delete(*client.keys(f"{prefix}:*"))
        with pytest.raises(StoreError, match="was lost"):
            await save(store, replace(EMPTY, last_error="not a refresh"))

        await save(store)

    assert await store.load("default") == RECORD


async def test_what_comes_after_a_refresh_is_not_under_its_lock(
    store: RedisStore,
) -> None:
    async with store.lock("default"):
        await save(store)

    await save(store, replace(RECORD, last_error="told later"))

    assert (await store.load("default")).last_error == "told later"


async def test_what_runs_beside_a_refresh_is_not_under_its_lock(
    store: RedisStore, open_redis: OpenStore, redis: RedisServer, prefix: str
) -> None:
    login_may_come, logged_in = asyncio.Event(), asyncio.Event()

    async def login() -> None:
        await login_may_come.wait()
        await save(store)
        logged_in.set()

    logging_in = asyncio.ensure_future(login())
    async with store.lock("default"):
        end_lease(redis, prefix)
        async with open_redis().lock("default"):
            login_may_come.set()
            async with asyncio.timeout(5):
                await logged_in.wait()
    await logging_in

    assert await store.load("default") == RECORD


async def test_a_lost_lock_is_told_in_the_log_and_left_to_who_has_it(
    open_redis: OpenStore,
    redis: RedisServer,
    prefix: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, other = open_redis(lease=SHORT), open_redis()
    async with AsyncExitStack() as stack:
        async with store.lock("default"):
            end_lease(redis, prefix)
            await stack.enter_async_context(other.lock("default"))
            await until(lambda: "is lost" in caplog.text)
        with pytest.raises(StoreError):
            async with store.lock("default", patience=0):
                pass


def end_lease(redis: RedisServer, prefix: str) -> None:
    """Do what time does to an owner that does not renew."""
    with redis.client() as client:
        assert client.delete(f"{prefix}:{{default}}:lock") == 1


# -- several processes -------------------------------------------------------------


@dataclass
class Worker:
    """Another process on the store; see `redis_worker`."""

    process: asyncio.subprocess.Process

    async def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def answer(self) -> object:
        assert self.process.stdout is not None
        async with asyncio.timeout(15):
            return json.loads(await self.process.stdout.readline())


@dataclass
class TokenServer:
    """Rotates the refresh token on every use, and refuses a spent one."""

    lifetime: float = HOUR
    presented: list[str] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        token = str((await request.post())["refresh_token"])
        self.presented.append(token)
        self.reached.set()
        if token != f"refresh-{len(self.presented) - 1}":
            return web.json_response({"error": "invalid_grant"}, status=400)
        number = len(self.presented)
        await self.gate.wait()
        return web.json_response(
            {
                "access_token": f"access-{number}",
                "refresh_token": f"refresh-{number}",
                "token_type": "bearer",
                "expires_in": self.lifetime,
            }
        )

    async def log_in(self, store: RedisStore, number: int = 0) -> None:
        now = system_clock()
        pair = TokenPair(
            f"access-{number}", f"refresh-{number}", now, now + self.lifetime
        )
        await store.update(
            DEFAULT_ACCOUNT,
            lambda record: changes.logged_in(record, pair, PHONE, now),
        )


@pytest.fixture
async def token_server() -> AsyncIterator[TokenServer]:
    server = TokenServer()
    server.gate.set()
    app = web.Application()
    app.router.add_post("/token", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{port}"
    yield server
    server.gate.set()
    await runner.cleanup()


StartWorker = Callable[..., Awaitable[Worker]]


@pytest.fixture
async def start_worker(
    redis: RedisServer, token_server: TokenServer, prefix: str
) -> AsyncIterator[StartWorker]:
    workers = []

    async def start_worker(lease: float = redis_store.LEASE) -> Worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.oauth.stores.redis_worker"),
            *(redis.url(prefix), token_server.url, str(lease)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        workers.append(Worker(process))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.kill()
        await worker.process.communicate()


@asynccontextmanager
async def paused(worker: Worker) -> AsyncIterator[None]:
    worker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


async def test_the_lock_dies_with_its_owner_when_its_lease_ends(
    store: RedisStore, token_server: TokenServer, start_worker: StartWorker
) -> None:
    worker = await start_worker(SHORT)
    assert await worker.answer() == "ready"
    await worker.tell("hold")
    assert await worker.answer() == "held"
    with pytest.raises(StoreError):
        async with store.lock("default", patience=0):
            pass

    worker.process.kill()

    async with store.lock("default", patience=3 * SHORT):
        pass


async def test_an_owner_paused_past_its_lease_cannot_change_what_came_after(
    store: RedisStore, token_server: TokenServer, start_worker: StartWorker
) -> None:
    await token_server.log_in(store)
    worker = await start_worker(SHORT)
    assert await worker.answer() == "ready"
    await worker.tell("hold")
    assert await worker.answer() == "held"

    async with paused(worker), store.lock("default", patience=5):
        await save(store)
    await worker.tell("now change it")

    assert await worker.answer() == LOCK_LOST
    assert await store.load("default") == RECORD


async def test_an_owner_paused_in_a_refresh_adopts_the_login_made_meanwhile(
    store: RedisStore, token_server: TokenServer, start_worker: StartWorker
) -> None:
    await token_server.log_in(store)
    worker = await start_worker(SHORT)
    assert await worker.answer() == "ready"
    token_server.gate.clear()
    await worker.tell("refresh")
    async with asyncio.timeout(5):
        await token_server.reached.wait()

    async with paused(worker), store.lock("default", patience=5):
        await token_server.log_in(store, number=7)
        newer = await store.load("default")
    token_server.gate.set()

    assert await worker.answer() == "access-7"
    assert await store.load("default") == newer


async def test_an_owner_paused_in_a_refresh_saves_what_nobody_else_got(
    store: RedisStore, token_server: TokenServer, start_worker: StartWorker
) -> None:
    await token_server.log_in(store)
    worker = await start_worker(SHORT)
    assert await worker.answer() == "ready"
    token_server.gate.clear()
    await worker.tell("refresh")
    async with asyncio.timeout(5):
        await token_server.reached.wait()

    async with paused(worker), store.lock("default", patience=5):
        pass
    token_server.gate.set()

    assert await worker.answer() == "access-1"
    tokens = (await store.load("default")).tokens
    assert tokens is not None
    assert tokens.refresh_token == "refresh-1"


async def test_processes_with_one_login_refresh_each_generation_once(
    store: RedisStore, token_server: TokenServer, start_worker: StartWorker
) -> None:
    token_server.lifetime = 1
    workers = [await start_worker() for _ in range(3)]
    await token_server.log_in(store)
    for worker in workers:
        assert await worker.answer() == "ready"
        await worker.tell("serve 2.5")

    for worker in workers:
        seen = await worker.answer()
        assert isinstance(seen, int), seen
        assert seen >= 3

    sent = len(token_server.presented)
    assert token_server.presented == [f"refresh-{n}" for n in range(sent)]
    assert (await store.load("default")).refused == ()


# -- a Redis that is away ----------------------------------------------------------


async def every_call(store: RedisStore) -> AsyncIterator[StoreError]:
    async def take_lock() -> None:
        async with store.lock("default"):
            pass

    for call in (store.load("default"), save(store), store.accounts(), take_lock()):
        with pytest.raises(StoreError) as caught:
            await call
        yield caught.value


async def test_an_unreachable_redis_is_told_at_once_and_is_not_a_busy_one(
    open_redis: OpenStore,
) -> None:
    store = open_redis(f"redis://:secret-1@127.0.0.1:{free_port()}/2")
    started = time.monotonic()
    async for error in every_call(store):
        assert error.value == UNREACHABLE
        assert error.description == (
            f"the token store {store.url} cannot be reached (Connection refused); "
            "see that Redis runs there, or mend store.url"
        )
        assert "secret-1" not in error.description
    assert time.monotonic() - started < 1


async def test_a_redis_that_hangs_is_not_waited_for(
    mortal: RedisServer, open_redis: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "COMMAND_TIMEOUT", 0.1)
    store = open_redis(mortal.url())
    await save(store)
    mortal.pause()

    async for error in every_call(store):
        assert error.value == UNREACHABLE
        assert "does not answer in time" in error.description

    mortal.resume()
    assert await store.load("default") == RECORD


async def test_no_call_takes_longer_than_the_limit_for_all_of_it(
    mortal: RedisServer, open_redis: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "CALL_TIMEOUT", 0.1)
    store = open_redis(mortal.url())
    mortal.pause()

    started = time.monotonic()
    async for error in every_call(store):
        assert error.value == UNREACHABLE
    assert time.monotonic() - started < 2
    mortal.resume()


@pytest.mark.parametrize("user", ["", ":wrong-secret@", "nobody:wrong-secret@"])
async def test_a_wrong_password_is_told_without_it(
    tmp_path: Path, open_redis: OpenStore, user: str
) -> None:
    with RedisServer(tmp_path, "--requirepass", "right-secret") as server:
        store = open_redis(f"redis://{user}127.0.0.1:{server.port}")
        async for error in every_call(store):
            assert error.value == UNREACHABLE
            assert "does not accept the user and password" in error.description
            assert "secret" not in error.description

        right = open_redis(f"redis://:right-secret@127.0.0.1:{server.port}")
        await save(right)
        assert await right.load("default") == RECORD


async def test_something_else_at_the_address_is_told(open_redis: OpenStore) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(StoreError, match="as Redis does") as caught:
            await open_redis(f"redis://127.0.0.1:{port}").load("default")
    assert caught.value.value == UNREACHABLE


async def test_a_redis_that_refuses_is_told_by_its_code(
    mortal: RedisServer, open_redis: OpenStore
) -> None:
    store = open_redis(mortal.url())
    with mortal.client() as client:
        client.hset("telemed-proxy:{default}:record", "a", "b")
        with pytest.raises(StoreError, match=r"refuses \(WRONGTYPE\)"):
            await store.load("default")
        client.flushall()

        client.config_set("maxmemory", "1")
        with pytest.raises(StoreError, match=r"refuses \(OutOfMemoryError\)") as caught:
            await save(store)
    assert caught.value.value != UNREACHABLE
    assert "access-1" not in caught.value.description


async def test_a_restarted_redis_has_kept_everything_and_is_used_at_once(
    mortal: RedisServer, open_redis: OpenStore
) -> None:
    store = open_redis(mortal.url())
    await save(store)

    mortal.kill()
    with pytest.raises(StoreError):
        await store.load("default")
    mortal.start()
    assert await store.load("default") == RECORD

    mortal.kill()
    mortal.start()
    await asyncio.sleep(0.01)  # time to see that the connection has ended
    assert await store.load("default") == RECORD


@pytest.fixture
async def refresher(
    mortal: RedisServer,
    open_redis: OpenStore,
    server: FakeAuthorizationServer,
    clock: MovedClock,
) -> AsyncIterator[Refresher]:
    """A refresher with a fresh login on a Redis that may be killed."""
    refresher = Refresher(
        open_redis(mortal.url()), server, clock, 0.5, jitter=random.Random(1)
    )
    await refresher.start(timer=False)
    await refresher.adopt(server.pair(0, "refresh-0"), PHONE)
    yield refresher
    await refresher.close()


async def test_without_redis_the_token_in_memory_serves_and_is_not_refreshed(
    mortal: RedisServer,
    refresher: Refresher,
    server: FakeAuthorizationServer,
    clock: MovedClock,
) -> None:
    mortal.kill()
    clock.advance(HOUR / 2 + 300)

    for _ in range(3):
        assert await refresher.access_token() == "access-0"
        await refresher.tick()
        await refresher.settled()
    assert refresher.status().state == "active"
    assert "cannot be reached" in str(refresher.status().last_error)

    clock.advance(HOUR / 2)
    with pytest.raises(StoreError, match="cannot be reached"):
        await refresher.access_token()
    assert server.calls == 0

    mortal.start()
    clock.advance(300)
    assert await refresher.access_token() == "access-1"
    assert server.calls == 1
    assert refresher.status().last_error is None


async def test_a_pair_that_came_while_redis_died_is_saved_when_it_returns(
    mortal: RedisServer,
    refresher: Refresher,
    server: FakeAuthorizationServer,
    open_redis: OpenStore,
) -> None:
    server.gate = asyncio.Event()
    server.started.clear()
    refreshing = asyncio.ensure_future(refresher.refresh())
    await server.started.wait()
    mortal.kill()
    server.gate.set()
    with pytest.raises(StoreError, match="not saved"):
        await refreshing
    assert await refresher.access_token() == "access-1"

    mortal.start()
    await refresher.tick()

    stored = await open_redis(mortal.url()).load("default")
    assert stored == refresher.record
    assert stored.tokens is not None
    assert stored.tokens.refresh_token == "refresh-1"


async def test_a_renewal_that_fails_is_told_in_the_log(
    mortal: RedisServer, open_redis: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_redis(mortal.url(), lease=SHORT)
    async with store.lock("default"):
        mortal.kill()
        await until(lambda: "is not renewed" in caplog.text)

        mortal.start()
        await until(lambda: still_locked(mortal))
        await save(store)


def still_locked(server: RedisServer) -> bool:
    with server.client() as client:
        return int(client.pttl("telemed-proxy:{default}:lock")) > SHORT * 600


# -- the address -------------------------------------------------------------------


async def test_over_tls_the_server_is_verified(
    tmp_path: Path, open_redis: OpenStore
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    port = free_port()
    options = {"tls-port": str(port), "tls-auth-clients": "no"}
    files = {"tls-cert-file": "cert.pem", "tls-key-file": "key.pem"}
    files["tls-ca-cert-file"] = "ca.pem"
    options |= {name: str(tmp_path / file) for name, file in files.items()}

    with RedisServer(
        tmp_path, *(word for k, v in options.items() for word in (f"--{k}", v))
    ):
        trusted = f"ca_file={quote(str(tmp_path / 'ca.pem'))}"
        store = open_redis(f"rediss://localhost:{port}?{trusted}")
        await save(store)
        assert await store.load("default") == RECORD

        for url in (
            f"rediss://localhost:{port}",
            f"rediss://127.0.0.1:{port}?{trusted}",
        ):
            with pytest.raises(StoreError, match=r"\(.*(certif|mismatch)") as caught:
                await open_redis(url).load("default")
            assert caught.value.value == UNREACHABLE
        async for error in every_call(open_redis(f"redis://localhost:{port}")):
            assert error.value == UNREACHABLE


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://cache", "redis://cache:6379/0"),
        ("rediss://cache:1/3?prefix=a.b-c", "rediss://cache:1/3?prefix=a.b-c"),
        ("redis://[::1]/", "redis://[::1]:6379/0"),
        ("redis://:pa%2Fss@cache", "redis://***@cache:6379/0"),
        ("redis://me:pass@cache/1", "redis://***@cache:6379/1"),
        ("redis://me@cache/1", "redis://***@cache:6379/1"),
    ],
)
def test_what_is_shown_has_no_password_and_opens_the_same(url: str, shown: str) -> None:
    address = RedisAddress.parse(url)

    assert address.shown == shown
    assert "pa" not in repr(address).replace("password=", "").lower()
    if "@" not in url:
        assert RedisAddress.parse(shown) == address


def test_user_and_password_may_have_any_characters() -> None:
    address = RedisAddress.parse("redis://m%40e:p%2Fa%3As%23s@cache")

    assert (address.user, address.password) == ("m@e", "p/a:s#s")


@pytest.mark.parametrize(
    "url",
    [
        "redis:",
        "redis://",
        "redis://:secret@",
        "redis://:sec/ret@cache",
        "redis://:sec#ret@cache",
        "redis://:1/secret@cache",
        "redis://:12#secret@cache",
        "redis://cache:secret",
        "redis://cache/secret",
        "redis://cache?password=secret",
        "redis://cache?secret",
        "redis://cache?prefix=",
        "redis://cache?prefix={secret}*",
        "redis://cache?ca_file=/etc/secret",
        "redis://cache#secret",
        "redis://[secret",
        "http://secret",
    ],
)
def test_an_address_that_is_not_one_is_told_without_it(url: str) -> None:
    with pytest.raises(ConfigError, match="store.url must be redis://") as caught:
        RedisStore(url)

    assert "sec" not in caught.value.description
    assert caught.value.__cause__ is None


def test_a_ca_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="/no/such"):
        RedisStore("rediss://cache?ca_file=/no/such")


def test_without_the_package_it_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)

    with pytest.raises(ConfigError, match="-m pip install redis"):
        RedisStore("redis://cache")
