"""What every kind of store promises."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.config.keys import KEY_VARIABLE
from proxy.errors import LoginError, StoreError
from proxy.oauth.stores import TokenStore, open_store
from proxy.oauth.stores.record import AccountRecord
from tests.oauth.stores.places import Place
from tests.oauth.stores.records import EMPTY, PAIR, RECORD, save
from tests.oauth.stores.worker import COUNTS, counted
from tests.running import own_environ

ROOT = Path(__file__).parents[3]

ODD_NAME = "../мама / 2"


async def another_process(place: Place, command: str, account: str) -> Process:
    environ = own_environ() | place.environ
    environ |= {"TELEMED_PROXY__STORE__URL": place.url, KEY_VARIABLE: place.key}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.oauth.stores.worker", command, account,
        cwd=ROOT, env=environ, stdout=PIPE,
    )  # fmt: skip


# -- what is kept ----------------------------------------------------------------


async def test_at_first_there_is_nothing(any_store: Place) -> None:
    store = any_store.open()

    assert await store.load("default") == EMPTY
    assert await store.accounts() == []

    await store.close()


async def test_what_is_saved_is_loaded_by_others(any_store: Place) -> None:
    store, other = any_store.open(), any_store.open()
    await save(store)

    assert await other.load("default") == RECORD
    process = await another_process(any_store, "show", "default")
    told, _ = await process.communicate()
    assert told.decode().strip() == str(RECORD)

    await store.close()
    assert await other.load("default") == RECORD
    await other.close()


async def test_the_url_that_a_store_tells_opens_it(any_store: Place) -> None:
    store = any_store.open()
    await save(store)

    again = open_store(store.url, any_store.config.keys)

    assert await again.load("default") == RECORD
    assert again.url == store.url
    await again.close()
    await store.close()


async def test_long_tokens_are_kept(any_store: Place) -> None:
    store = any_store.open()
    for length in (2500, 20, 1500):
        pair = replace(PAIR, access_token="a" * length, refresh_token="é" * 200)
        await save(store, AccountRecord(tokens=pair))

        assert (await store.load("default")).tokens == pair
    await store.close()


async def test_accounts_are_kept_apart(any_store: Place) -> None:
    store = any_store.open()
    async with store.lock(ODD_NAME):
        await save(store, account=ODD_NAME)
    assert await store.load("default") == EMPTY

    await save(store, replace(RECORD, generation=6))

    assert await store.load(ODD_NAME) == RECORD
    assert sorted(await store.accounts()) == [ODD_NAME, "default"]
    await store.close()


async def test_members_that_are_not_known_are_kept(any_store: Place) -> None:
    store = any_store.open()
    await save(store)
    any_store.add("default", {"novelty": {"y": [2]}})

    await save(store, replace(RECORD, generation=6))

    assert any_store.members("default")["novelty"] == {"y": [2]}
    assert (await store.load("default")).generation == 6
    await store.close()


async def test_what_a_newer_program_wrote_is_left_untouched(any_store: Place) -> None:
    store = any_store.open()
    await save(store)
    any_store.make_newer("default")
    before = any_store.everything()

    with pytest.raises(StoreError, match="newer telemed-proxy"):
        await store.load("default")
    with pytest.raises(StoreError, match="newer telemed-proxy"):
        await save(store, EMPTY)

    assert any_store.everything() == before
    await store.close()


async def test_a_store_shows_no_secret(
    any_store: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    store = any_store.open()
    await save(store)
    await store.load("default")
    await store.close()

    shown = f"{store!r} {store.url} {any_store.config!r} {vars(store)} {caplog.text}"
    for secret in filter(None, ("access-1", "refresh-1", any_store.key)):
        assert secret not in shown


# -- changes ---------------------------------------------------------------------


async def test_changes_of_several_processes_are_none_lost(any_store: Place) -> None:
    store, other = any_store.open(), any_store.open()
    processes = [await another_process(any_store, "count", "default") for _ in "12"]
    await asyncio.gather(
        *(each.update("default", counted) for each in (store, other) for _ in "12")
    )
    ends = [await process.wait() for process in processes]

    assert ends == [0, 0]
    assert (await store.load("default")).login.sends == 4 + 2 * COUNTS
    await store.close()
    await other.close()


async def test_a_change_that_raises_leaves_all_as_it_was(any_store: Place) -> None:
    store = any_store.open()
    await save(store)
    before = any_store.everything()

    def refuse(_: AccountRecord) -> AccountRecord:
        raise LoginError("no")

    with pytest.raises(LoginError):
        await store.update("default", refuse)

    assert any_store.everything() == before
    assert await store.update("default", lambda record: record) == RECORD
    await store.close()


async def test_a_change_to_the_same_writes_nothing(any_store: Place) -> None:
    store = any_store.open()
    await save(store)
    before = any_store.everything()

    await save(store)

    assert any_store.everything() == before
    await store.close()


# -- the lock of a refresh -------------------------------------------------------


async def test_one_at_a_time_holds_the_lock_of_an_account(any_store: Place) -> None:
    store, other = any_store.open(), any_store.open()
    holders = 0

    async def hold(each: TokenStore) -> None:
        nonlocal holders
        async with each.lock("default"):
            holders += 1
            assert holders == 1
            await asyncio.sleep(0.01)
            holders -= 1

    await asyncio.gather(hold(store), hold(other), hold(store))
    await store.close()
    await other.close()


async def test_the_lock_keeps_nobody_from_loading_saving_or_another_account(
    any_store: Place,
) -> None:
    store, other = any_store.open(), any_store.open()

    async with store.lock("default"), other.lock("other"):
        await save(other)
        assert await other.load("default") == RECORD
    await store.close()
    await other.close()


async def test_who_waits_too_long_for_the_lock_is_told(any_store: Place) -> None:
    store, other = any_store.open(), any_store.open()

    async with store.lock("default"):
        with pytest.raises(StoreError, match="another process") as caught:
            async with other.lock("default", patience=0.05):
                pass

    assert caught.value.value == "store_busy"
    await store.close()
    await other.close()


async def test_a_waiter_that_goes_away_does_not_keep_the_lock(
    any_store: Place,
) -> None:
    store, other = any_store.open(), any_store.open()

    async def wait() -> None:
        async with other.lock("default"):
            pass

    for steps in range(1, 8):
        async with store.lock("default"):
            waiting = asyncio.ensure_future(wait())
            for _ in range(steps):
                await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async with store.lock("default", patience=1):
        pass
    await store.close()
    await other.close()


async def test_the_lock_dies_with_its_owner(any_store: Place) -> None:
    store = any_store.open()
    owner = await another_process(any_store, "hold", "default")
    assert owner.stdout
    assert await owner.stdout.readline() == b"held\n"
    with pytest.raises(StoreError):
        async with store.lock("default", patience=0):
            pass

    owner.kill()
    await owner.wait()
    any_store.let_lease_end("default")

    async with store.lock("default"):
        pass
    await store.close()
