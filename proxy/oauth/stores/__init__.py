"""Where token pairs are kept: one file a kind of store, one protocol for all."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from proxy.oauth.stores.record import AccountRecord

__all__ = ["Change", "TokenStore", "open_store"]

Change = Callable[[AccountRecord], AccountRecord]
"""Returns what a record shall become; may raise to leave it as it is."""

LOCK_PATIENCE = 150.0
"""Longer than a refresh may take, so that a waiting process adopts its result."""


class TokenStore(Protocol):
    """Keeps the record of each account durably; all failures are `StoreError`."""

    @property
    def url(self) -> str:
        """Where the tokens are, to be shown."""

    async def load(self, account: str) -> AccountRecord:
        """Return the record of `account`; an empty one if there is none."""

    async def update(self, account: str, change: Change) -> AccountRecord:
        """Load, `change` and save as one step that no other process can split.

        The new record is kept durably before this returns. `change` may be called in
        another thread; what it raises comes through.
        """

    def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AbstractAsyncContextManager[None]:
        """Hold the right to refresh `account`, against every other process.

        It does not keep others from `load` and `update`, which are short.
        """

    async def close(self) -> None:
        """Let go of what the store holds open."""


def open_store(url: str) -> TokenStore:
    """Return the store at `url`, as the config or a store's own `url` has it."""
    from proxy.oauth.stores.file import FileStore

    return FileStore(Path(url.removeprefix("file:")))
