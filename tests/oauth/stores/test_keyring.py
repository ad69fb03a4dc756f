"""The keyring store on backends that fail, hang, or are no use."""

import asyncio
import importlib.util
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import keyring.core
import pytest
from filelock import FileLock, Timeout
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores.keyring import KeyringStore
from proxy.oauth.stores.keyring_entries import (
    PART_LENGTH,
    read_document,
    read_manifest,
    write_document,
)
from tests.oauth.stores.backends import FakeKeyring, HangingKeyring, Texts
from tests.oauth.stores.places import KeyringPlace
from tests.oauth.stores.records import EMPTY, PAIR, RECORD, save
from tests.running import own_environ

TOKEN = "a" * 3 * PART_LENGTH


class CrashError(BaseException):
    """The end of a process."""


@pytest.fixture
def backend() -> FakeKeyring:
    return FakeKeyring()


@pytest.fixture
def store(backend: FakeKeyring, tmp_path: Path) -> KeyringStore:
    return KeyringStore("test", backend=backend, folder=tmp_path)


# -- entries ---------------------------------------------------------------------


@contextmanager
def crashing(backend: FakeKeyring, number: int) -> Iterator[None]:
    """Let the process end where the call of that number would change something."""
    left = number

    def before(call: str, _entry: str) -> None:
        nonlocal left
        left -= call != "get"
        if left < 0:
            raise CrashError

    backend.before = before
    with suppress(CrashError):
        yield
    backend.before = lambda _call, _entry: None


def test_a_crash_between_two_writes_leaves_the_old_document_or_the_new_one(
    backend: FakeKeyring,
) -> None:
    texts = Texts(backend)
    lengths = (5000, 9000, 3000, 1, 7000)
    documents = [{"token": str(n) * length} for n, length in enumerate(lengths)]
    seen = set()
    for number in range(40):
        backend.texts.clear()
        write_document(texts, "a", documents[0], {})
        for old, new in zip(documents, documents[1:], strict=False):
            before = read_manifest(texts, "a")
            with crashing(backend, number):
                write_document(texts, "a", new, before)
            found = read_document(texts, "a", read_manifest(texts, "a"))
            assert found in (old, new)
            seen.add(found == new)
            # The next process has it done.
            write_document(texts, "a", new, read_manifest(texts, "a"))
            assert read_document(texts, "a", read_manifest(texts, "a")) == new
    assert seen == {True, False}


def test_after_a_write_nothing_of_earlier_ones_is_left_even_after_crashes(
    backend: FakeKeyring,
) -> None:
    texts = Texts(backend)
    for number in range(24):
        for length in (9000, 100, 5000):
            manifest = read_manifest(texts, "a")
            with crashing(backend, number):
                write_document(texts, "a", {"token": "s" * length}, manifest)
        write_document(texts, "a", {"done": 1}, read_manifest(texts, "a"))

        names = {name for _, name in backend.texts}
        assert len(names) == 3, names
        assert "sss" not in "".join(backend.texts.values())


async def test_what_cannot_be_deleted_is_reported_and_goes_next_time(
    store: KeyringStore, backend: FakeKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    await save(store)

    def refuse(call: str, _entry: str) -> None:
        if call == "delete":
            raise OSError("access-1")

    backend.before = refuse
    await save(store, EMPTY)
    assert "earlier tokens are still in the keyring" in caplog.text
    assert "access-1" not in caplog.text

    backend.before = lambda _call, _entry: None
    await save(store, replace(EMPTY, generation=1))
    assert "access-1" not in str(backend.texts)


async def test_a_keyring_that_alters_texts_is_not_trusted_with_tokens(
    store: KeyringStore, backend: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(store)
    kept = FakeKeyring.set_password

    def cutting(self: FakeKeyring, service: str, name: str, password: str) -> None:
        kept(self, service, name, password[:500])

    monkeypatch.setattr(FakeKeyring, "set_password", cutting)
    with pytest.raises(StoreError, match="does not keep texts as they are"):
        await save(store, replace(RECORD, tokens=replace(PAIR, access_token=TOKEN)))

    assert await store.load("default") == RECORD


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("default", "{"),
        ("default", "[]"),
        ("default", "{}"),
        ("default", '{"version": true, "write": 1, "parts": 1}'),
        ("default", '{"version": 1, "write": 1, "parts": -1}'),
        ("default/1/0", "{}"),
        ("default/1/0", None),
    ],
)
async def test_damage_is_reported_and_replaced_by_the_next_login(
    store: KeyringStore,
    backend: FakeKeyring,
    caplog: pytest.LogCaptureFixture,
    entry: str,
    text: str | None,
) -> None:
    await save(store)
    if text is None:
        del backend.texts["test", entry]
    else:
        backend.texts["test", entry] = text

    record = await store.load("default")

    assert record == replace(EMPTY, last_error=record.last_error)
    assert "was damaged" in str(record.last_error)
    assert str(record.last_error) in caplog.text
    await save(store)
    assert await store.load("default") == RECORD


async def test_a_damaged_list_of_accounts_is_made_anew(
    store: KeyringStore, backend: FakeKeyring
) -> None:
    backend.texts["test", "/accounts"] = "{"
    await save(store)

    assert await store.accounts() == ["default"]


async def test_a_reader_beside_a_writer_sees_the_old_record_or_the_new_one(
    store: KeyringStore, backend: FakeKeyring, tmp_path: Path
) -> None:
    """The writer gets ahead twice, so that the slot being read is written over."""
    await save(store)
    other = KeyringStore("test", backend=backend, folder=tmp_path)
    loop, news = asyncio.get_running_loop(), replace(RECORD, generation=7)

    locked = []

    def look_for_the_lock(_call: str, _entry: str) -> None:
        try:
            with FileLock(tmp_path / "keyring-test.lock", timeout=0):
                locked.append(False)
        except Timeout:
            locked.append(True)

    def get_ahead(call: str, entry: str) -> None:
        if (call, entry) == ("get", "default/1/0"):
            backend.before = look_for_the_lock
            for record in (EMPTY, news):
                writing = asyncio.run_coroutine_threadsafe(save(other, record), loop)
                writing.result(10)
            locked.clear()

    backend.before = get_ahead

    assert await store.load("default") == news
    # The second look is one that no writer can disturb.
    assert locked
    assert locked[-1]


# -- backends that are no use ----------------------------------------------------


class PlainKeyring(FakeKeyring):
    """Stands for a file that anybody can read."""

    __module__ = "keyrings.alt.file"


def chain(*backends: KeyringBackend) -> KeyringBackend:
    """Return what the library uses where it finds several, best first."""

    class Chain(chainer.ChainerBackend):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]

    # The library makes a property of the class of it.
    setattr(Chain, "backends", list(backends))  # noqa: B010
    return Chain()


REFUSED: dict[str, Callable[[], KeyringBackend]] = {
    "none": lambda: fail.Keyring(),  # type: ignore[no-untyped-call]
    "one that forgets": lambda: null.Keyring(),  # type: ignore[no-untyped-call]
    "a plain file": PlainKeyring,
    "a plain file, before others": lambda: chain(PlainKeyring(), FakeKeyring()),
    "a chain of none": chain,
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_does_not_encrypt_is_refused_with_the_choices(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = REFUSED[kind]()
    monkeypatch.setattr(keyring.core, "_keyring_backend", found)
    store = KeyringStore("test", folder=tmp_path)

    for attempt in (store.load("default"), save(store), store.accounts()):
        with pytest.raises(StoreError) as caught:
            await attempt
        for choice in ("secret service", "file:PATH", "encryption_key_file", "redis:"):
            assert choice in caught.value.description

    assert store.url == "keyring:test"
    assert getattr(found, "texts", {}) == {}


async def test_of_several_only_the_best_one_is_used(tmp_path: Path) -> None:
    best, plain = FakeKeyring(), PlainKeyring()
    store = KeyringStore("test", backend=chain(best, plain), folder=tmp_path)

    def refuse(call: str, _entry: str) -> None:
        if call == "set":
            raise NotImplementedError

    best.before = refuse
    with pytest.raises(StoreError, match="NotImplementedError"):
        await save(store)

    assert plain.texts == {}


async def test_a_backend_that_raises_is_told_without_its_text(
    store: KeyringStore, backend: FakeKeyring
) -> None:
    def fail(_call: str, _entry: str) -> None:
        raise RuntimeError("access-1")

    backend.before = fail
    for attempt in (store.load("default"), save(store)):
        with pytest.raises(StoreError, match="RuntimeError") as caught:
            await attempt
        assert "access-1" not in caught.value.description
        assert "unlock it" in caught.value.description


def test_a_missing_library_is_told_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(ConfigError, match="-m pip install keyring"):
        KeyringStore("test")


async def test_a_state_folder_that_cannot_be_written_is_told(
    backend: FakeKeyring, tmp_path: Path
) -> None:
    folder = tmp_path / "file"
    folder.touch()
    store = KeyringStore("test", backend=backend, folder=folder)

    with pytest.raises(StoreError, match=str(folder)):
        await save(store)


# -- backends that hang ----------------------------------------------------------


@pytest.fixture
def hanging() -> Iterator[HangingKeyring]:
    backend = HangingKeyring()
    yield backend
    backend.go.set()
    for thread in backend.threads:
        thread.join()


@pytest.fixture
def impatient(hanging: HangingKeyring, tmp_path: Path) -> KeyringStore:
    return KeyringStore("test", backend=hanging, folder=tmp_path, timeout=0.05)


async def test_a_keyring_that_hangs_is_given_up_and_no_threads_pile_up(
    impatient: KeyringStore, hanging: HangingKeyring
) -> None:
    outcomes = await asyncio.gather(
        *(impatient.load("default") for _ in range(20)),
        save(impatient),
        impatient.accounts(),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes} == {StoreError}
    assert "has not answered for 0.05 s" in str(outcomes[0])
    assert len(hanging.threads) == 1


async def test_what_was_given_up_does_no_more_once_it_wakes_up(
    impatient: KeyringStore, hanging: HangingKeyring
) -> None:
    with pytest.raises(StoreError):
        await save(impatient)

    hanging.go.set()
    for thread in hanging.threads:
        await asyncio.to_thread(thread.join)

    assert hanging.texts == {}
    await save(impatient)
    assert await impatient.load("default") == RECORD


async def test_while_it_hangs_in_a_change_no_other_process_gets_in_between(
    hanging: HangingKeyring, tmp_path: Path
) -> None:
    store = KeyringStore("test", backend=hanging, folder=tmp_path, timeout=0.05)
    hanging.go.set()
    await save(store)
    hanging.go.clear()
    with pytest.raises(StoreError, match="has not answered"):
        await save(store, EMPTY)

    changed = threading.Event()

    async def another() -> None:
        other = KeyringStore("test", backend=hanging, folder=tmp_path)
        await other.load("default")
        await save(other, replace(RECORD, generation=8))
        changed.set()

    hanging.before = lambda _call, _entry: None
    waiting = asyncio.ensure_future(another())
    await asyncio.sleep(0.1)
    assert not changed.is_set()
    hanging.go.set()
    await waiting
    assert changed.is_set()


async def test_a_timeout_of_the_keyrings_own_is_no_reason_to_refuse_the_next_call(
    store: KeyringStore, backend: FakeKeyring
) -> None:
    def late(_call: str, _entry: str) -> None:
        raise TimeoutError

    backend.before = late
    with pytest.raises(StoreError, match="TimeoutError"):
        await store.load("default")
    backend.before = lambda _call, _entry: None

    assert await store.load("default") == EMPTY


async def test_a_caller_that_goes_away_leaves_no_half_done_change(
    store: KeyringStore, backend: FakeKeyring
) -> None:
    began = threading.Event()

    def slow(_call: str, _entry: str) -> None:
        began.set()
        time.sleep(0.005)

    backend.before = slow
    saving = asyncio.ensure_future(save(store))
    await asyncio.to_thread(began.wait)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving

    assert await store.load("default") == RECORD


HANG = """
import asyncio, pathlib, sys
from proxy.errors import StoreError
from proxy.oauth.stores.keyring import KeyringStore
from tests.oauth.stores.backends import HangingKeyring

async def main():
    store = KeyringStore("x", backend=HangingKeyring(), timeout=0.05,
                         folder=pathlib.Path(sys.argv[1]))
    try:
        await store.load("default")
    except StoreError:
        print("given up")

asyncio.run(main())
"""


def test_a_program_can_end_while_its_keyring_hangs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANG, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        env=own_environ(),
        capture_output=True,
        text=True,
        timeout=10,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")


# -- a real one ------------------------------------------------------------------


async def test_entries_are_short_and_tell_which_parts_count(
    keyring_place: KeyringPlace,
) -> None:
    store = keyring_place.open()
    await save(store, replace(RECORD, tokens=replace(PAIR, access_token=TOKEN)))

    manifest = json.loads(keyring_place.texts.get("default") or "")
    assert manifest.keys() == {"version", "write", "parts", "sha256"}
    assert manifest["parts"] == 4
    entries = keyring_place.texts.everything(["default"])
    assert max(len(text) for text in entries.values() if text) == PART_LENGTH


def test_nothing_of_the_library_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from proxy.oauth.stores import open_store\n"
        "open_store('file:x'); open_store('keyring:x')\n"
        "print([n for n in ('keyring', 'cryptography', 'redis') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
    assert isinstance(sys.modules["keyring"], ModuleType)
