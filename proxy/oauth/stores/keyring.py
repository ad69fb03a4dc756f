"""Tokens in the keyring of the desktop: Secret Service, KWallet, macOS, Windows.

`keyring_backend` finds it and refuses what does not encrypt, `keyring_entries` lays a
record out over several entries. A keyring may ask the person for a password, or hang:
so all is done in a thread that can be given up (`hanging`). Two processes are kept
apart by locks on files in the platform's state folder.
"""

import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from proxy.errors import StoreError
from proxy.oauth.stores import LOCK_PATIENCE, Change
from proxy.oauth.stores.hanging import PatientThread
from proxy.oauth.stores.keyring_backend import Keyring, expect_library
from proxy.oauth.stores.keyring_entries import (
    Members,
    read_accounts,
    read_document,
    read_manifest,
    write_document,
)
from proxy.oauth.stores.locks import FileLocks
from proxy.oauth.stores.record import AccountRecord, RecordError, decode, encode

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

logger = logging.getLogger(__name__)

TIMEOUT = 30.0
"""Seconds for one load or update; somebody may have to type a password meanwhile."""


_CHANGE_PATIENCE = 20.0
"""Others may be at work, a fifth of a second each; less than `TIMEOUT`."""


class KeyringStore:
    """Keeps the records of all accounts as entries of `service` in the keyring.

    `backend` is by default what the library finds; `folder` is where the locks are.

    Raises:
        ConfigError: the library is missing.
    """

    pace = 5.0
    doubt = 0.0

    def __init__(
        self,
        service: str,
        *,
        backend: "KeyringBackend | None" = None,
        folder: Path | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        if backend is None:
            expect_library()
        self._service = service
        self._backend = backend
        self._thread = PatientThread(
            "keyring",
            timeout,
            f"the keyring has not answered for {timeout:g} s; see whether it asks for "
            "its password, or set store.url to another place",
        )
        if folder is None:
            folder = user_state_path("telemed-proxy", appauthor=False)
        self._folder = folder
        self._locks = FileLocks(
            folder / f"keyring-{service}",
            f"keyring:{service}",
            self._errors,
            change_patience=_CHANGE_PATIENCE,
        )

    @property
    def url(self) -> str:
        """Where the tokens are, to be shown."""
        return f"keyring:{self._service}"

    async def load(self, account: str) -> AccountRecord:
        """Return the record of `account`; an empty one if there is none."""
        return await self._thread.run(partial(self._load, account))

    async def update(self, account: str, change: Change) -> AccountRecord:
        """Load, `change` and save as one step that no other process can split.

        Raises:
            StoreError: if it hangs, then it may be saved all the same.
        """
        return await self._thread.run(partial(self._update, account, change))

    async def accounts(self) -> list[str]:
        """Return the names of the accounts that have a record; changes nothing."""
        return await self._thread.run(
            lambda given_up: read_accounts(self._open(given_up))
        )

    @asynccontextmanager
    async def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AsyncIterator[None]:
        """Hold the right to refresh `account`, against every other process."""
        async with self._locks.refresh(account, patience):
            yield

    async def close(self) -> None:
        """Nothing is held open between calls."""

    def _open(self, given_up: threading.Event) -> Keyring:
        return Keyring(self._service, given_up, self._backend)

    def _load(self, account: str, given_up: threading.Event) -> AccountRecord:
        keyring = self._open(given_up)
        try:
            return _read(keyring, account)[2]
        except RecordError:
            # Look again under the lock: another process may be in the middle of it.
            with self._locks.change():
                return self._read_or_report(keyring, account)[2]

    def _update(
        self, account: str, change: Change, given_up: threading.Event
    ) -> AccountRecord:
        keyring = self._open(given_up)
        # Held to the end, also while a call hangs: what it does late splits nobody's.
        with self._locks.change():
            manifest, document, record = self._read_or_report(keyring, account)
            changed = change(record)
            if changed != record:
                write_document(keyring, account, encode(changed, document), manifest)
            return changed

    def _read_or_report(
        self, keyring: Keyring, account: str
    ) -> tuple[Members, Members, AccountRecord]:
        try:
            return _read(keyring, account)
        except RecordError as exc:
            told = f"the login in {self.url} was damaged ({exc}); log in again"
            logger.error("%s", told)  # noqa: TRY400  the cause is in the sentence
            return {}, {}, AccountRecord(last_error=told)

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise StoreError(
                f"keyring:{self._service} cannot {verb}, as {self._folder} is at fault "
                f"({exc.strerror or type(exc).__name__}): check its owner, mode and "
                "free space"
            ) from exc


def _read(keyring: Keyring, account: str) -> tuple[Members, Members, AccountRecord]:
    manifest = read_manifest(keyring, account)
    document = read_document(keyring, account, manifest)
    return manifest, document, decode(document) if manifest else AccountRecord()
