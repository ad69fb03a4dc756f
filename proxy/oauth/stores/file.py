"""Tokens in a JSON file that only its owner can read.

Readers see the old file or the new one, never a part: it is written beside, synced to
the disk and renamed into place, then the folder is synced. Two locks, both held by the
operating system, so they die with their owner: a short one around each change of the
file, and one for each account around a whole refresh.
"""

import asyncio
import json
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from proxy.clock import Clock, iso_utc, system_clock
from proxy.errors import StoreError
from proxy.oauth.stores import LOCK_PATIENCE, Change
from proxy.oauth.stores.record import AccountRecord, RecordError, decode, encode
from proxy.tasks import spawn

if TYPE_CHECKING:  # it takes 60 ms to import, and only changes need it
    from filelock import FileLock

logger = logging.getLogger(__name__)

VERSION = 1
FILE_MODE = 0o600
FOLDER_MODE = 0o700
LOCK_POLL = 0.05
WRITE_TIMEOUT = 10.0
"""A change takes milliseconds; longer means that something holds the lock."""


class FileStore:
    """Keeps the records of all accounts in the file at `path`."""

    def __init__(self, path: Path, *, clock: Clock = system_clock) -> None:
        # Resolved, as a rename would replace a symbolic link and not its target.
        self._path = Path(os.path.realpath(path))
        self._clock = clock

    @property
    def url(self) -> str:
        """Where the tokens are, to be shown."""
        return f"file:{self._path}"

    async def load(self, account: str) -> AccountRecord:
        """Return the record of `account`; an empty one if there is none."""
        return await asyncio.to_thread(self._load, account)

    async def update(self, account: str, change: Change) -> AccountRecord:
        """Load, `change` and save as one step that no other process can split."""
        # One thread does the whole step, so that a cancelled caller cannot let go of
        # the lock in the middle of it.
        return await asyncio.to_thread(self._update, account, change)

    @asynccontextmanager
    async def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AsyncIterator[None]:
        """Hold the right to refresh `account`, against every other process."""
        from filelock import FileLock

        with self._errors("be locked"):
            self._make_folder()
        lock = FileLock(
            self._beside(f".{quote(account, safe='')}.lock"),
            mode=FILE_MODE,
            thread_local=False,  # taken in one thread, let go in another
        )
        await self._acquire(lock, patience)
        try:
            yield
        finally:
            lock.release()

    async def close(self) -> None:
        """Nothing is held open between calls."""

    async def _acquire(self, lock: "FileLock", patience: float) -> None:
        waited = 0.0
        while True:
            attempt = spawn(asyncio.to_thread(self._try_lock, lock), name="lock tokens")
            try:
                if await asyncio.shield(attempt):
                    return
            except asyncio.CancelledError:
                # The thread goes on: what it takes then nobody would let go.
                attempt.add_done_callback(lambda _: lock.release())
                raise
            if waited >= patience:
                raise StoreError(
                    f"another process has been refreshing {self._path} for "
                    f"{patience:g} s; end it and try again",
                    value="store_busy",
                )
            await asyncio.sleep(LOCK_POLL)
            waited += LOCK_POLL

    def _try_lock(self, lock: "FileLock") -> bool:
        from filelock import Timeout

        with self._errors("be locked"):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
        return True

    def _load(self, account: str) -> AccountRecord:
        try:
            return self._read_account(account)[1]
        except RecordError:
            # Look again under the lock: another process may have mended it.
            return self._update(account, None)

    def _update(self, account: str, change: Change | None) -> AccountRecord:
        with self._write_lock():
            try:
                document, record = self._read_account(account)
            except RecordError as exc:
                document, record = {}, AccountRecord(last_error=self._set_aside(exc))
            if change is None:
                return record
            changed = change(record)
            if changed != record:
                accounts = document.get("accounts") or {}
                accounts[account] = encode(changed, accounts.get(account))
                self._write({**document, "version": VERSION, "accounts": accounts})
            return changed

    def _read_account(self, account: str) -> tuple[dict[str, Any], AccountRecord]:
        document = self._read()
        raw = (document.get("accounts") or {}).get(account)
        return document, AccountRecord() if raw is None else decode(raw)

    def _read(self) -> dict[str, Any]:
        """Return the whole document; an empty one if there is no file.

        Raises:
            RecordError: the file is damaged.
            StoreError: it cannot be read, or a newer program wrote it.
        """
        with self._errors("be read"):
            try:
                with self._path.open("rb") as file:
                    self._tighten(file.fileno())
                    content = file.read()
            except FileNotFoundError:
                return {}
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise RecordError("it is not JSON") from exc
        version = document.get("version") if isinstance(document, dict) else None
        if type(version) is not int or version < 1:
            raise RecordError("it has no version")
        if version > VERSION:
            raise StoreError(
                f"{self._path} was written by a newer telemed-proxy (form {version}); "
                "use that one, or name another file in store.url"
            )
        if not isinstance(document.get("accounts") or {}, dict):
            raise RecordError("it has no accounts")
        return dict(document)

    def _write(self, document: dict[str, Any]) -> None:
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
        # A fixed name: under the lock there is one writer, and what a killed one
        # left behind is taken away by the next.
        fresh = self._beside(".new")
        with self._errors("be written"):
            fresh.unlink(missing_ok=True)
            try:
                _write_durably(fresh, content)
                fresh.replace(self._path)
                _sync_folder(self._path.parent)
            except OSError:
                with suppress(OSError):
                    fresh.unlink(missing_ok=True)
                raise

    def _set_aside(self, why: RecordError) -> str:
        """Keep the damaged file under another name; return the news of it."""
        when = iso_utc(self._clock()).replace("-", "").replace(":", "")
        place = self._beside(f".damaged-{when}")
        number = 1
        while place.exists():
            number += 1
            place = self._beside(f".damaged-{when}-{number}")
        with self._errors("be set aside"):
            self._path.rename(place)
            _sync_folder(self._path.parent)
        told = f"{self._path} was damaged ({why}) and is kept as {place}; log in again"
        logger.error("%s", told)
        return told

    def _tighten(self, descriptor: int) -> None:
        # By descriptor, as another process may rename the file at any moment.
        if sys.platform == "win32":  # modes say nothing there; the folder is private
            return
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if not mode & ~FILE_MODE:
            return
        try:
            os.fchmod(descriptor, FILE_MODE)
        except PermissionError:  # another user's file that we may read
            logger.warning("%s is open to others (mode %04o)", self._path, mode)
        else:
            logger.warning(
                "%s was open to others (mode %04o); it is %04o now",
                self._path,
                mode,
                FILE_MODE,
            )

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        with self._errors("be locked"):
            self._make_folder()
            lock = FileLock(self._beside(".lock"), mode=FILE_MODE)
            try:
                lock.acquire(timeout=WRITE_TIMEOUT)
            except Timeout as exc:
                raise StoreError(
                    f"another process holds {self._path}; end it and try again",
                    value="store_busy",
                ) from exc
        try:
            yield
        finally:
            lock.release()

    def _make_folder(self) -> None:
        # A folder that is there already is its owner's business.
        self._path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise StoreError(
                f"{self._path} cannot {verb} ({exc.strerror or type(exc).__name__}): "
                "check the folder's owner, mode and free space, or name another "
                "file in store.url"
            ) from exc


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
