"""The token file with keys: what it hides, how keys change, what is never lost."""

import base64
import json
import logging
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken

from proxy.config import StoreKeys
from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores.encryption import new_key
from proxy.oauth.stores.file import FileStore
from tests.oauth.stores.records import EMPTY, RECORD, save

# Fixed, as parallel runs must collect the same tests.
OLD, NEW, OTHER = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in b"abc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys"
    file.write_text(f"{OLD}\n")
    return file


@pytest.fixture
def store(path: Path, key_file: Path) -> FileStore:
    return FileStore(path, keys=StoreKeys(key_file))


def with_key(path: Path, *keys: str) -> FileStore:
    """Return another process's store on the file, with keys from the environment."""
    return FileStore(path, keys=StoreKeys(text=" ".join(keys)))


def opens(path: Path, key: str) -> bool:
    try:
        Fernet(key).decrypt(json.loads(path.read_text())["encrypted"])
    except InvalidToken:
        return False
    return True


# -- what it hides ---------------------------------------------------------------


async def test_nothing_of_a_record_can_be_read_in_the_file(
    store: FileStore, path: Path
) -> None:
    await save(store, account="anna")

    content = path.read_text()
    for word in ("access-1", "refresh-1", "anna", "accounts"):
        assert word not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert opens(path, OLD)


async def test_an_older_program_takes_it_for_a_newer_form(
    store: FileStore, path: Path
) -> None:
    """That one looks at the version only, and leaves the file alone if it is not 1."""
    await save(store)

    assert json.loads(path.read_text()).keys() == {"version", "encrypted"}
    assert json.loads(path.read_text())["version"] == 2


async def test_content_that_was_altered_is_refused(
    store: FileStore, path: Path
) -> None:
    await save(store)
    document = json.loads(path.read_text())
    token = document["encrypted"]
    document["encrypted"] = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    path.write_text(json.dumps(document))

    with pytest.raises(StoreError, match="cannot be decrypted"):
        await store.load("default")


# -- keys that change ------------------------------------------------------------


async def test_a_plain_file_is_encrypted_at_the_next_save(
    store: FileStore, path: Path
) -> None:
    await save(FileStore(path))

    assert await store.load("default") == RECORD
    assert "access-1" in path.read_text()
    await save(store, replace(RECORD, generation=6))

    assert "access-1" not in path.read_text()
    assert (await store.load("default")).generation == 6


async def test_the_first_key_encrypts_and_all_decrypt(
    store: FileStore, path: Path
) -> None:
    await save(store)
    rotated = with_key(path, NEW, OLD)

    assert await rotated.load("default") == RECORD
    assert opens(path, OLD)
    await save(rotated, EMPTY)

    assert opens(path, NEW)
    assert not opens(path, OLD)


async def test_a_new_key_in_the_file_needs_no_restart(
    store: FileStore, path: Path, key_file: Path
) -> None:
    await save(store)
    key_file.write_text(f"# since today\n{NEW}\n\n{OLD}\n")
    await with_key(path, NEW, OLD).rekey()

    assert await store.load("default") == RECORD
    await save(store, EMPTY)
    assert opens(path, NEW)


@pytest.mark.parametrize("content", ["", "half a ke", None])
async def test_a_key_file_that_is_damaged_meanwhile_changes_nothing(
    store: FileStore,
    path: Path,
    key_file: Path,
    content: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content is None:
        key_file.unlink()
    else:
        key_file.write_text(content)

    await save(store)

    assert await store.load("default") == RECORD
    assert opens(path, OLD)
    [told] = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "the earlier keys stay in use" in told.getMessage()
    assert "half a ke" not in told.getMessage()


async def test_rekey_encrypts_at_once_and_keeps_all(
    store: FileStore, path: Path
) -> None:
    await save(FileStore(path))
    document = json.loads(path.read_text())
    document["accounts"]["default"]["novelty"] = 1
    path.write_text(json.dumps(document))

    assert await store.rekey()

    inside = json.loads(Fernet(OLD).decrypt(json.loads(path.read_text())["encrypted"]))
    assert inside == document


async def test_rekey_makes_no_file(store: FileStore, path: Path) -> None:
    assert not await store.rekey()
    assert not path.exists()


# -- keys that are not there -----------------------------------------------------


@pytest.mark.parametrize("keys", [[OTHER], []], ids=["another key", "no key"])
async def test_without_its_key_the_file_is_left_as_it_is(
    store: FileStore, path: Path, keys: list[str]
) -> None:
    await save(store)
    before = path.read_bytes()
    other = with_key(path, *keys) if keys else FileStore(path)

    for attempt in (other.load("default"), save(other), other.rekey()):
        with pytest.raises(StoreError) as caught:
            await attempt
        assert caught.value.value == "store_key"
        told = caught.value.description
        assert str(path) in told
        assert "TELEMED_PROXY_STORE_KEY" in told
        assert OLD not in told
        assert OTHER not in told

    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.glob("tokens.json*")) == [
        "tokens.json",
        "tokens.json.lock",
    ]
    assert await store.load("default") == RECORD


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        ("", "no key is in"),
        ("# only this\n", "no key is in"),
        ("hunter2", "line 1: this is not a key; make one with: telemed-proxy store"),
        (f"{OLD}\nhunter2", "line 2: this is not a key"),
        (f"{OLD[:-2]}é", "line 1: this is not a key"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_key_file_that_is_not_one_is_the_configs_fault(
    path: Path, key_file: Path, content: str | bytes | None, told: str
) -> None:
    if content is None:
        key_file.unlink()
    elif isinstance(content, bytes):
        key_file.write_bytes(content)
    else:
        key_file.write_text(content)

    with pytest.raises(ConfigError) as caught:
        FileStore(path, keys=StoreKeys(key_file))

    assert told in caught.value.description
    assert "store.encryption_key_file" in caught.value.description
    assert str(key_file) in caught.value.description
    shown = repr([caught.value, caught.value.__cause__, caught.value.description])
    assert "hunter2" not in shown
    assert OLD[:-2] not in shown


def test_a_key_in_the_environment_that_is_none_is_told_by_its_name(path: Path) -> None:
    with pytest.raises(ConfigError, match="^TELEMED_PROXY_STORE_KEY: this is not a"):
        with_key(path, "hunter2")


def test_a_missing_library_is_told_with_what_installs_it(
    path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(ConfigError, match="-m pip install cryptography"):
        FileStore(path, keys=StoreKeys(key_file))
    with pytest.raises(ConfigError, match="cryptography is missing"):
        new_key()
    FileStore(path)  # which needs none


def test_keys_show_nothing_of_themselves(key_file: Path) -> None:
    keys = StoreKeys(key_file, OTHER)

    assert OTHER not in f"{keys!r} {keys.read()!r} {keys.place}"
    assert [key.text for key in StoreKeys(key_file).read()] == [OLD]
    assert OLD not in repr(StoreKeys(key_file).read())
