"""Tokens in a JSON file that only its owner can read, encrypted if there are keys.

Readers see the old file or the new one, never a part: it is written beside, synced to
the disk and renamed into place, then the folder is synced.
"""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxy.clock import Clock, iso_utc, system_clock
from proxy.config.keys import KEY_VARIABLE
from proxy.errors import StoreError
from proxy.oauth.stores import LOCK_PATIENCE, Change
from proxy.oauth.stores.document import read_document, write_document
from proxy.oauth.stores.locks import FILE_MODE, FileLocks, beside
from proxy.oauth.stores.record import AccountRecord, RecordError, decode, encode

if TYPE_CHECKING:
    from proxy.config import StoreKeys

logger = logging.getLogger(__name__)


class FileStore:
    """Keeps the records of all accounts in the file at `path`.

    Raises:
        ConfigError: there is something amiss with `keys`, which encrypt the file.
    """

    pace = 0.5
    doubt = 0.0

    def __init__(
        self,
        path: Path,
        *,
        keys: "StoreKeys | None" = None,
        clock: Clock = system_clock,
    ) -> None:
        # Resolved, as a rename would replace a symbolic link and not its target.
        self._path = Path(os.path.realpath(path))
        self._clock = clock
        self._cipher = None
        if keys is not None:
            from proxy.oauth.stores.encryption import Cipher

            self._cipher = Cipher(keys)
        self._locks = FileLocks(self._path, str(self._path), self._errors)

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

    async def accounts(self) -> list[str]:
        """Return the names of the accounts that have a record; changes nothing."""
        return await asyncio.to_thread(self._accounts)

    @asynccontextmanager
    async def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AsyncIterator[None]:
        """Hold the right to refresh `account`, against every other process."""
        async with self._locks.refresh(account, patience):
            yield

    async def rekey(self) -> bool:
        """Write the file anew, with the first key; return False if there is none."""
        return await asyncio.to_thread(self._rekey)

    async def remove_copies(self) -> list[Path]:
        """Delete what is kept beside the file of earlier content; return what was."""
        return await asyncio.to_thread(self._remove_copies)

    async def close(self) -> None:
        """Nothing is held open between calls."""

    def _load(self, account: str) -> AccountRecord:
        try:
            return self._read_account(account)[1]
        except RecordError:
            # Look again under the lock: another process may have mended it.
            return self._update(account, None)

    def _update(self, account: str, change: Change | None) -> AccountRecord:
        with self._locks.change():
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
                self._write({**document, "accounts": accounts})
            return changed

    def _accounts(self) -> list[str]:
        return list(self._read_sound().get("accounts") or {})

    def _rekey(self) -> bool:
        with self._locks.change():
            document = self._read_sound()
            if document:
                self._write(document)
        return bool(document)

    def _read_sound(self) -> dict[str, Any]:
        try:
            return self._read()
        except RecordError as exc:
            raise StoreError(
                f"{self._path} is damaged ({exc}); log in again, which keeps it aside"
            ) from exc

    def _remove_copies(self) -> list[Path]:
        copies = sorted(self._path.parent.glob(f"{escape(self._path.name)}.damaged-*"))
        with self._locks.change(), self._errors("be tidied"):
            for copy in copies:
                copy.unlink(missing_ok=True)
            if copies:
                _sync_folder(self._path.parent)
        return copies

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
        return dict(read_document(content, str(self._path), self._decrypt))

    def _decrypt(self, text: str) -> bytes:
        if self._cipher is None:
            raise StoreError(
                f"{self._path} is encrypted, and no key is configured; set "
                "store.encryption_key_file to the file with its key, or "
                f"{KEY_VARIABLE} to the key",
                value="store_key",
            )
        return self._cipher.decrypt(text, str(self._path))

    def _write(self, document: dict[str, Any]) -> None:
        content = write_document(
            document, self._cipher.encrypt if self._cipher else None
        )
        # A fixed name: under the lock there is one writer, and what a killed one
        # left behind is taken away by the next.
        fresh = beside(self._path, ".new")
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
        place = beside(self._path, f".damaged-{when}")
        number = 1
        while place.exists():
            number += 1
            place = beside(self._path, f".damaged-{when}-{number}")
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
