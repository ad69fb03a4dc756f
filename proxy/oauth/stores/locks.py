"""Locks between processes, held by the operating system, so they die with their owner.

A short one around each change of a store, and one for each account around a whole
refresh. Both are files beside a path that the store names.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from proxy.errors import StoreError
from proxy.oauth.stores import BUSY
from proxy.tasks import spawn

if TYPE_CHECKING:  # it takes 60 ms to import, and only changes need it
    from filelock import FileLock

FILE_MODE = 0o600
FOLDER_MODE = 0o700
LOCK_POLL = 0.05
CHANGE_PATIENCE = 10.0
"""A change takes milliseconds; longer means that something holds the lock."""

Errors = Callable[[str], AbstractContextManager[None]]
"""Turns an `OSError` into the store's own; takes what could not be done."""


class FileLocks:
    """The locks of a store, files beside `base`; people know it as `name`."""

    def __init__(
        self,
        base: Path,
        name: str,
        errors: Errors,
        *,
        change_patience: float = CHANGE_PATIENCE,
    ) -> None:
        self._base = base
        self._name = name
        self._errors = errors
        self._change_patience = change_patience

    @asynccontextmanager
    async def refresh(self, account: str, patience: float) -> AsyncIterator[None]:
        """Hold the right to refresh `account`, against every other process."""
        from filelock import FileLock

        with self._errors("be locked"):
            make_folder(self._base.parent)
        lock = FileLock(
            beside(self._base, f".{quote(account, safe='')}.lock"),
            mode=FILE_MODE,
            thread_local=False,  # taken in one thread, let go in another
        )
        await self._acquire(lock, patience)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the right to change the store, in this thread."""
        from filelock import FileLock, Timeout

        with self._errors("be locked"):
            make_folder(self._base.parent)
            lock = FileLock(beside(self._base, ".lock"), mode=FILE_MODE)
            try:
                lock.acquire(timeout=self._change_patience)
            except Timeout as exc:
                raise StoreError(
                    f"another process holds {self._name}; end it and try again",
                    value=BUSY,
                ) from exc
        try:
            yield
        finally:
            lock.release()

    async def _acquire(self, lock: "FileLock", patience: float) -> None:
        waited = 0.0
        while True:
            attempt = spawn(asyncio.to_thread(self._try, lock), name="lock tokens")
            try:
                if await asyncio.shield(attempt):
                    return
            except asyncio.CancelledError:
                # The thread goes on: what it takes then nobody would let go.
                attempt.add_done_callback(lambda _: lock.release())
                raise
            if waited >= patience:
                raise StoreError(
                    f"another process has been refreshing {self._name} for "
                    f"{patience:g} s; end it and try again",
                    value=BUSY,
                )
            await asyncio.sleep(LOCK_POLL)
            waited += LOCK_POLL

    def _try(self, lock: "FileLock") -> bool:
        from filelock import Timeout

        with self._errors("be locked"):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
        return True


def beside(path: Path, suffix: str) -> Path:
    """Return the path whose name is that of `path` with `suffix` added."""
    return path.with_name(path.name + suffix)


def make_folder(folder: Path) -> None:
    """Make `folder` for its owner only; one that is there is its owner's business."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
