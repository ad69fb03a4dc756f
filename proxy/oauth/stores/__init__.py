"""Where token pairs are kept: one file a kind of store, one protocol for all."""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from proxy.errors import ConfigError
from proxy.oauth.stores.record import AccountRecord

if TYPE_CHECKING:
    from proxy.config import StoreKeys

__all__ = ["Change", "TokenStore", "open_store"]

Change = Callable[[AccountRecord], AccountRecord]
"""Returns what a record shall become; may raise to leave it as it is."""

LOCK_PATIENCE = 300.0
"""Longer than a refresh may take, so that a waiting process adopts its result."""

# Values of StoreError that tell what may be done about it.
BUSY = "store_busy"
LOCK_LOST = "store_lock_lost"
UNREACHABLE = "store_unreachable"


class TokenStore(Protocol):
    """Keeps the record of each account durably; all failures are `StoreError`.

    `pace` is how often, in seconds, it is looked at for what other processes did.
    `doubt` is for how long after a refresh began its process may still be at it though
    the lock is free: none where a lock dies with its owner only.
    """

    pace: float
    doubt: float

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

    async def accounts(self) -> list[str]:
        """Return the names of the accounts that have a record; changes nothing."""

    def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AbstractAsyncContextManager[None]:
        """Hold the right to refresh `account`, against every other process.

        It does not keep others from `load` and `update`, which are short.
        """

    async def close(self) -> None:
        """Let go of what the store holds open."""


def how_to_install(library: str) -> str:
    """Return the command that gives this program a `library` it can do without."""
    return f"{sys.executable} -m pip install {library}"


def open_store(url: str, keys: "StoreKeys | None" = None) -> TokenStore:
    """Return the store at `url`, as the config or a store's own `url` has it.

    `keys` are those that a token file is encrypted with. Nothing is opened yet.

    Raises:
        ConfigError: a library or a key is missing, or there is no such kind of store.
    """
    scheme, _, place = url.partition(":")
    # Each imports what only it needs.
    if scheme == "file":
        from proxy.oauth.stores.file import FileStore

        return FileStore(Path(place), keys=keys)
    if scheme == "keyring":
        from proxy.oauth.stores.keyring import KeyringStore

        return KeyringStore(place)
    if scheme in {"redis", "rediss"}:
        from proxy.oauth.stores.redis import RedisStore

        return RedisStore(url)
    raise ConfigError(
        "store.url must be file:PATH, keyring:, redis://HOST or rediss://HOST"
    )
