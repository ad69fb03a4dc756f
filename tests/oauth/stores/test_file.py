import asyncio
import errno
import json
import logging
import os
import stat
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.errors import StoreError
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.locks import FileLocks
from tests.oauth.stores.records import EMPTY, RECORD, save


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(store: FileStore) -> Path:
    return store._path


async def test_only_the_owner_can_read_the_file_and_its_folder(
    store: FileStore, path: Path
) -> None:
    before = os.umask(0)
    try:
        await save(store)
        async with store.lock("default"):
            modes = {each.name: mode(each) for each in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert mode(path.parent) == 0o700
    assert set(modes.values()) == {0o600}
    assert len(modes) >= 2


async def test_loading_makes_nothing(store: FileStore, path: Path) -> None:
    await store.load("default")

    assert not path.parent.exists()


async def test_a_folder_that_was_there_is_left_alone(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o755)

    await save(store)

    assert mode(path.parent) == 0o755


async def test_a_file_open_to_others_is_tightened_and_reported(
    store: FileStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await save(store)
    path.chmod(0o644)

    assert await store.load("default") == RECORD

    assert mode(path) == 0o600
    assert "0644" in caplog.text


async def test_other_accounts_and_unknown_members_are_kept(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    path.write_text(
        '{"version": 1, "made_by": "newer", "accounts": '
        '{"other": {"x": 1}, "default": {"generation": 2, "refreshing": {"y": [2]}}}}'
    )

    await save(store)

    written = json.loads(path.read_text())
    assert written["made_by"] == "newer"
    assert written["accounts"]["other"] == {"x": 1}
    assert written["accounts"]["default"]["refreshing"] == {"y": [2]}
    assert await store.load("default") == RECORD


async def test_the_target_of_a_symbolic_link_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)

    await save(FileStore(link))

    assert link.is_symlink()
    assert await FileStore(real).load("default") == RECORD


# -- damage ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\0" * 100,
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version": "1"}',
        b'{"version": true}',
        b'{"version": 0}',
        b'{"version": 1, "accounts": [1]}',
        b'{"version": 2, "encrypted": null}',
        b'{"version": 1, "accounts": {"default": []}}',
        b'{"version": 1, "accounts": {"default": {"tokens": {"access_token": 7}}}}',
        b"[" * 100_000,
    ],
    ids=lambda content: content[:60].decode("latin-1"),
)
async def test_a_damaged_file_is_reported_and_set_aside_untouched(
    store: FileStore, path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    record = await store.load("default")

    [aside] = path.parent.glob("tokens.json.damaged-*")
    assert aside.name == "tokens.json.damaged-20231114T221320Z"
    assert aside.read_bytes() == content
    assert mode(aside) == 0o600
    assert record == replace(EMPTY, last_error=record.last_error)
    assert str(aside) in str(record.last_error)
    assert [each.levelno for each in caplog.records if str(aside) in each.message] == [
        logging.ERROR
    ]
    await save(store)
    assert await store.load("default") == RECORD
    assert aside.read_bytes() == content


async def test_a_second_damage_does_not_overwrite_the_first(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    for content in ("one", "two", "three"):
        path.write_text(content)
        await store.load("default")

    kept = [each.read_text() for each in sorted(path.parent.glob("*.damaged-*"))]
    assert sorted(kept) == ["one", "three", "two"]


async def test_a_save_over_a_damaged_file_sets_it_aside_first(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    path.write_text("damaged")

    await save(store)

    assert [each.read_text() for each in path.parent.glob("*.damaged-*")] == ["damaged"]


async def test_processes_that_find_the_damage_at_once_keep_it_once(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    path.write_text("damaged")

    await asyncio.gather(
        *(FileStore(path).load("default") for _ in range(8)),
        save(FileStore(path)),
    )

    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    assert await store.load("default") == RECORD


# -- faults of the disk ----------------------------------------------------------


@pytest.mark.parametrize("obstacle", ["tokens.json", "tokens.json.new", "."])
async def test_a_file_that_cannot_be_written_is_told_with_path_and_next_step(
    store: FileStore, path: Path, obstacle: str
) -> None:
    if obstacle == ".":
        path.parent.write_text("a file in place of the folder")
    else:
        (path.parent / obstacle).mkdir(parents=True)

    with pytest.raises(StoreError) as caught:
        await save(store)

    assert str(path) in caught.value.description
    assert "store.url" in caught.value.description
    assert "access-1" not in caught.value.description


async def test_the_file_is_on_the_disk_before_its_name_and_then_its_folder(
    store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(store, EMPTY)
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def recording(descriptor: int) -> None:
        fsync(descriptor)
        named = b"access-1" in path.read_bytes() if path.exists() else False
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), named))

    monkeypatch.setattr(os, "fsync", recording)
    await save(store)

    assert synced == [(f"{path}.new", False), (str(path.parent), True)]


async def test_a_disk_that_fails_leaves_the_old_tokens_whole(
    store: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(store)

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        await save(store, replace(RECORD, generation=6))

    assert await store.load("default") == RECORD
    assert not path.with_name("tokens.json.new").exists()


SAVE_WITH_A_FULL_DISK = """
import asyncio, resource, signal, sys
from dataclasses import replace
from pathlib import Path
from proxy.errors import StoreError
from proxy.oauth.stores.file import FileStore
from proxy.oauth.messages import TokenPair
from proxy.oauth.stores.record import AccountRecord

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))
pair = TokenPair("a" * 2000, "refresh-2", 0, 100, 6)
record = AccountRecord(tokens=pair, generation=6)
try:
    asyncio.run(FileStore(Path(sys.argv[1])).update("default", lambda _: record))
except StoreError as exc:
    print(exc)
"""


async def test_a_full_disk_leaves_the_old_tokens_whole(
    store: FileStore, path: Path
) -> None:
    await save(store)

    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SAVE_WITH_A_FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "cannot be written" in done.stdout
    assert await store.load("default") == RECORD
    assert not path.with_name("tokens.json.new").exists()


SAVE_UNTIL_KILLED = """
import asyncio, itertools, sys
from dataclasses import replace
from pathlib import Path
from proxy.oauth.stores.file import FileStore
from proxy.oauth.messages import TokenPair
from proxy.oauth.stores.record import AccountRecord

async def main():
    store = FileStore(Path(sys.argv[1]))
    for n in itertools.count():
        pair = TokenPair(f"access-{n}", "r" * 5000, 0, 100, n)
        record = AccountRecord(tokens=pair, generation=n)
        await store.update("default", lambda _: record)
        print(n, flush=True)

asyncio.run(main())
"""


async def test_a_killed_writer_leaves_a_whole_file_and_no_lock(
    store: FileStore, path: Path
) -> None:
    for stop_after in (1, 2, 5):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SAVE_UNTIL_KILLED, str(path),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        line = b""
        for _ in range(stop_after):
            line = await process.stdout.readline()
        process.kill()
        await process.wait()

        record = await store.load("default")
        assert record.generation >= int(line)
        await store.update("default", lambda record: replace(record, generation=-1))
        assert not path.with_name("tokens.json.new").exists()
    assert not list(path.parent.glob("*.damaged-*"))


async def test_what_a_killed_writer_left_behind_is_no_obstacle(
    store: FileStore, path: Path
) -> None:
    path.parent.mkdir()
    path.with_name("tokens.json.new").write_text('{"half":')

    await save(store)

    assert await store.load("default") == RECORD


# -- locks -----------------------------------------------------------------------


def test_a_change_that_another_process_holds_up_for_long_is_told(
    tmp_path: Path,
) -> None:
    one, other = (
        FileLocks(
            tmp_path / "t", "the store", lambda _: nullcontext(), change_patience=0
        )
        for _ in "12"
    )

    with one.change():
        with pytest.raises(StoreError, match="holds the store") as caught:
            other.change().__enter__()
        assert caught.value.value == "store_busy"

    with other.change():
        pass
