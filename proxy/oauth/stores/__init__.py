"""Where token pairs are kept: one file a kind of store, one protocol for all."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from proxy.errors import ConfigError
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

    async def save(self, account: str, record: AccountRecord) -> None:
        """Keep `record` as that of `account`, durably, before returning."""

    async def update(self, account: str, change: Change) -> AccountRecord:
        """Load, `change` and save as one step that no other process can split.

        `change` may be called in another thread; what it raises comes through.
        """

    def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AbstractAsyncContextManager[None]:
        """Hold the right to refresh `account`, against every other process.

        It does not keep others from `load`, `save` and `update`, which are short.
        """

    async def close(self) -> None:
        """Let go of what the store holds open."""


def open_store(url: str = "") -> TokenStore:
    """Return the store that `store.url` names; the default file when it is empty."""
    from proxy.oauth.stores.file import FileStore

    if not url:
        return FileStore(default_path())
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "file" or not rest:
        raise ConfigError(
            "store.url must be file:PATH, such as file:~/telemed/tokens.json"
        )
    return FileStore(_file_path(rest))


def default_path() -> Path:
    """Return the token file in the platform's state folder."""
    import platformdirs

    folder = platformdirs.user_state_path("telemed-proxy", appauthor=False)
    return folder / "tokens.json"


def _file_path(rest: str) -> Path:
    if rest.startswith("//"):  # file:///var/lib/tokens.json
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost") or not path:
            raise ConfigError("store.url names another machine; use file:PATH")
        # A Windows path follows the slash: file:///C:/tokens.json
        rest = path if Path(path).drive else slash + path
    return Path(rest).expanduser()
