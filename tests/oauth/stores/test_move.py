"""Moving logins between stores: at any moment one of the two has a whole copy."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from proxy.config import StoreKeys
from proxy.errors import LoginRequiredError, StoreError
from proxy.oauth.changes import newer
from proxy.oauth.stores import Change, TokenStore
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.move import move, remove_copies
from proxy.oauth.stores.record import AccountRecord, LoginRecord
from tests.oauth.stores.places import Place
from tests.oauth.stores.records import EMPTY, PAIR, RECORD, save

NOW = 1_790_000_000.0
WHOLE = replace(
    RECORD, refused=("f1",), last_refresh=5.0, login=LoginRecord(sends=2, attempts=1)
)


class CrashError(BaseException):
    """The end of the process."""


@dataclass
class Mortal(TokenStore):
    """A store in a process that ends before or after one of its steps."""

    pace = 1.0
    doubt = 0.0

    store: TokenStore
    steps: list[int]
    """The steps left, shared by the stores of the process."""

    @property
    def url(self) -> str:
        return self.store.url

    async def load(self, account: str) -> AccountRecord:
        self._step()
        return await self.store.load(account)

    async def update(self, account: str, change: Change) -> AccountRecord:
        self._step()
        record = await self.store.update(account, change)
        self._step()
        return record

    async def accounts(self) -> list[str]:
        return await self.store.accounts()

    def lock(
        self, account: str, *, patience: float = 1
    ) -> AbstractAsyncContextManager[None]:
        return self.store.lock(account, patience=patience)

    async def close(self) -> None:
        await self.store.close()

    def _step(self) -> None:
        if self.steps[0] == 0:
            raise CrashError
        self.steps[0] -= 1


@pytest.fixture
def source(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "source" / "tokens.json")


@pytest.fixture
def target(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "target" / "tokens.json")


async def moved(source: TokenStore, target: FileStore, *, force: bool = False) -> None:
    await move(source, lambda: FileStore(target._path), now=NOW, force=force)


async def test_a_login_moves_whole_to_every_kind_of_store_and_back(
    any_store: Place, source: FileStore
) -> None:
    await save(source, WHOLE)

    await move(source, any_store.open, now=NOW)

    there = any_store.open()
    assert await there.load("default") == WHOLE
    left = await source.load("default")
    assert left == replace(left, tokens=None, previous=None, phone=None, issuer=None)
    assert "access-1" not in source._path.read_text()
    assert there.url in str(left.last_error)
    assert left.moved == left.last_error

    await move(there, lambda: FileStore(source._path), now=NOW + 1)
    back = await source.load("default")
    assert back.tokens is not None
    assert back.tokens.access_token == "access-1"
    assert (await there.load("default")).tokens is None
    await there.close()


async def test_all_accounts_move(source: FileStore, target: FileStore) -> None:
    await save(source, account="one")
    await save(source, WHOLE, account="two")
    await save(source, EMPTY, account="nobody")

    await moved(source, target)

    assert await target.load("one") == RECORD
    assert await target.load("two") == WHOLE
    assert (await source.load("two")).tokens is None


async def test_at_whatever_step_it_ends_a_whole_copy_is_left_and_it_can_be_repeated(
    source: FileStore, target: FileStore
) -> None:
    count = 0
    while True:
        for store in (source, target):
            store._path.unlink(missing_ok=True)
        await save(source, WHOLE)
        steps = [count]
        mortal = partial(Mortal, target, steps)
        try:
            await move(Mortal(source, steps), mortal, now=NOW)
            break
        except CrashError:
            pass
        copies = [await store.load("default") for store in (source, target)]
        assert WHOLE in copies
        if copies[0] == WHOLE:
            await moved(source, target)
        assert await target.load("default") == WHOLE
        count += 1
    assert count == 7


async def test_a_process_that_works_on_the_old_store_takes_it_for_a_logout(
    source: FileStore, target: FileStore
) -> None:
    await save(source)
    in_memory = await source.load("default")

    await moved(source, target)

    seen = newer(await source.load("default"), in_memory)
    assert seen.tokens is None
    # And it keeps nobody who comes back from being taken for newer than that.
    await moved(target, source)
    assert newer(await source.load("default"), seen).tokens is not None


async def test_a_login_in_the_target_stays_unless_it_is_forced(
    source: FileStore, target: FileStore
) -> None:
    await save(source)
    other = replace(PAIR, access_token="other", generation=9)
    await save(target, AccountRecord(tokens=other, generation=9))

    with pytest.raises(StoreError, match="already holds a login; --force"):
        await moved(source, target)
    assert await source.load("default") == RECORD
    assert (await target.load("default")).tokens == other

    await moved(source, target, force=True)
    arrived = await target.load("default")
    assert arrived.tokens == replace(PAIR, generation=10)
    assert arrived.generation == 10


async def test_where_nobody_is_logged_in_nothing_moves(
    source: FileStore, target: FileStore
) -> None:
    await save(source, replace(EMPTY, generation=3))

    with pytest.raises(LoginRequiredError, match="no login is in"):
        await moved(source, target)

    assert await target.accounts() == []


async def test_the_same_store_under_another_name_is_refused(source: FileStore) -> None:
    await save(source)

    with pytest.raises(StoreError, match="is the same store under another name"):
        await moved(source, source, force=True)

    assert await source.load("default") == RECORD


@pytest.mark.parametrize("which", ["source", "target"])
async def test_it_waits_for_whoever_is_refreshing(
    source: FileStore, target: FileStore, which: str
) -> None:
    await save(source)
    at_work = FileStore((source if which == "source" else target)._path)
    async with at_work.lock("default"):
        moving = asyncio.ensure_future(moved(source, target))
        done, _ = await asyncio.wait([moving], timeout=0.1)
        assert not done
        refreshed = replace(RECORD, generation=6, tokens=replace(PAIR, generation=6))
        await save(source, refreshed)

    await moving

    assert await target.load("default") == refreshed


@pytest.mark.parametrize("which", ["source", "target"])
async def test_a_change_in_the_middle_is_not_overwritten(
    source: FileStore, target: FileStore, which: str
) -> None:
    await save(source)
    disturbed = source if which == "source" else target
    changed = replace(RECORD, generation=8)

    class Disturbed(FileStore):
        async def update(self, account: str, change: Change) -> AccountRecord:
            await save(FileStore(disturbed._path), changed)
            return await super().update(account, change)

    with pytest.raises(StoreError, match="was changed meanwhile"):
        await move(source, lambda: Disturbed(target._path), now=NOW)

    assert await disturbed.load("default") == changed
    assert (await source.load("default")).tokens is not None


async def test_a_target_that_does_not_keep_it_costs_nothing(
    source: FileStore, target: FileStore
) -> None:
    await save(source)

    class Forgetful(FileStore):
        async def update(self, account: str, change: Change) -> AccountRecord:
            return change(await self.load(account))

    with pytest.raises(StoreError, match="does not keep what was written"):
        await move(source, lambda: Forgetful(target._path), now=NOW)

    assert await source.load("default") == RECORD


async def test_copies_of_earlier_tokens_go_too(source: FileStore) -> None:
    source._path.parent.mkdir()
    source._path.write_text("damaged access-0")
    await source.load("default")
    other = source._path.with_name("other.json.damaged-1")
    other.touch()
    await save(source)

    deleted = await remove_copies(source)

    assert [file.name.partition("-")[0] for file in deleted] == ["tokens.json.damaged"]
    assert not deleted[0].exists()
    assert other.exists()
    assert await source.load("default") == RECORD


async def test_a_plain_file_becomes_an_encrypted_one(
    source: FileStore, target: FileStore
) -> None:
    key = "mD6Zl5pRKrDo3cZcMaMR3v1DSzvOUUqn3hE0CdpUnhw="
    await save(source)

    keys = StoreKeys(text=key)
    await move(source, lambda: FileStore(target._path, keys=keys), now=NOW)

    assert "access-1" not in target._path.read_text()
    assert await FileStore(target._path, keys=keys).load("default") == RECORD
