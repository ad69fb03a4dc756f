"""Places where tokens are kept, and what a test does to them from outside."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from keyring.backend import KeyringBackend

from proxy.config import StoreConfig
from proxy.oauth.stores import TokenStore, open_store
from proxy.oauth.stores.keyring_entries import (
    read_accounts,
    read_document,
    read_manifest,
    write_document,
)
from tests.oauth.stores.backends import Texts
from tests.redis_server import RedisServer

NEWER = 99


@dataclass
class Place(ABC):
    """One place; each store that is opened on it is another process's."""

    url: str
    key: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    """What another process needs to get there, besides the url and the key."""

    @property
    def config(self) -> StoreConfig:
        """The settings of a process that keeps its tokens here."""
        return StoreConfig.parse({"url": self.url}).with_key(self.key)

    def open(self) -> TokenStore:
        """Return one more store on this place."""
        return open_store(self.config.url, self.config.keys)

    @abstractmethod
    def everything(self) -> object:
        """Return all that is stored, to be compared with what it is later."""

    @abstractmethod
    def members(self, account: str) -> dict[str, Any]:
        """Return the stored record of `account` as JSON has it."""

    @abstractmethod
    def add(self, account: str, members: dict[str, Any]) -> None:
        """Add `members` to the stored record of `account`, as a newer program would."""

    def let_lease_end(self, account: str) -> None:  # noqa: B027  most have none
        """Do what time does to the lock of a dead owner, where it needs time."""

    @abstractmethod
    def make_newer(self, account: str) -> None:
        """Let it look as a program left it that has another form of storing."""


class FilePlace(Place):
    """A token file, encrypted if there is a key."""

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.url.removeprefix("file:"))

    def everything(self) -> object:
        return {each.name: each.read_bytes() for each in self.path.parent.iterdir()}

    def members(self, account: str) -> dict[str, Any]:
        members: dict[str, Any] = self._read()["accounts"][account]
        return members

    def add(self, account: str, members: dict[str, Any]) -> None:
        document = self._read()
        document["accounts"][account] |= members
        self._write(document)

    def make_newer(self, account: str) -> None:
        self._write({**self._read(), "version": NEWER})

    def _read(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.path.read_bytes())
        if not self.key:
            return document
        inner: dict[str, Any] = json.loads(
            Fernet(self.key).decrypt(document["encrypted"])
        )
        return inner

    def _write(self, document: dict[str, Any]) -> None:
        if self.key:
            text = Fernet(self.key).encrypt(json.dumps(document).encode()).decode()
            document = {"version": 2, "encrypted": text}
        self.path.write_text(json.dumps(document))


@dataclass
class KeyringPlace(Place):
    """Entries in a real keyring."""

    backend: KeyringBackend = field(kw_only=True)

    @property
    def texts(self) -> Texts:
        """The entries."""
        return Texts(self.backend, self.url.removeprefix("keyring:"))

    def everything(self) -> object:
        return self.texts.everything(read_accounts(self.texts))

    def members(self, account: str) -> dict[str, Any]:
        return read_document(self.texts, account, read_manifest(self.texts, account))

    def add(self, account: str, members: dict[str, Any]) -> None:
        manifest = read_manifest(self.texts, account)
        changed = read_document(self.texts, account, manifest) | members
        write_document(self.texts, account, changed, manifest)

    def make_newer(self, account: str) -> None:
        manifest = json.loads(self.texts.get(account) or "{}")
        self.texts.set(account, json.dumps({**manifest, "version": NEWER}))


@dataclass
class RedisPlace(Place):
    """Keys with a prefix of their own in a real Redis."""

    server: RedisServer = field(kw_only=True)
    prefix: str = field(kw_only=True)

    def everything(self) -> object:
        with self.server.client() as client:
            return {key: client.get(key) for key in client.keys(f"{self.prefix}:*")}

    def members(self, account: str) -> dict[str, Any]:
        with self.server.client() as client:
            members: dict[str, Any] = json.loads(client.get(self._key(account)) or b"")
        return members

    def add(self, account: str, members: dict[str, Any]) -> None:
        changed = json.dumps(self.members(account) | members)
        with self.server.client() as client:
            client.set(self._key(account), changed)

    def let_lease_end(self, account: str) -> None:
        with self.server.client() as client:
            client.delete(self._key(account, "lock"))

    def make_newer(self, account: str) -> None:
        self.add(account, {"version": NEWER})

    def _key(self, account: str, what: str = "record") -> str:
        return f"{self.prefix}:{{{account}}}:{what}"
