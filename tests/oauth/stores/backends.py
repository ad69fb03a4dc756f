"""Backends of the keyring library: one that behaves, and what sits on one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

WINDOWS_LIMIT = 1280


class FakeKeyring(KeyringBackend):
    """Keeps texts in memory, as short as Windows wants them; may fail or hang.

    `before` is called with the name of each call and its entry.
    """

    # Made by hand only: the library must not find it.
    viable = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.texts: dict[tuple[str, str], str] = {}
        self.before: Callable[[str, str], None] = lambda _call, _entry: None

    def get_password(self, service: str, username: str) -> str | None:
        self.before("get", username)
        return self.texts.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.before("set", username)
        assert len(password.encode("utf-16-le")) <= 2 * WINDOWS_LIMIT
        self.texts[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.before("delete", username)
        if self.texts.pop((service, username), None) is None:
            raise PasswordDeleteError("no such password")


class HangingKeyring(FakeKeyring):
    """Answers nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.threads: set[threading.Thread] = set()
        self.before = self._hang

    def _hang(self, _call: str, _entry: str) -> None:
        self.threads.add(threading.current_thread())
        assert self.go.wait(20)


@dataclass
class Texts:
    """The entries of one service, without all that a store does around it."""

    backend: KeyringBackend
    service: str = "telemed-proxy"
    deleted: list[str] = field(default_factory=list)

    def get(self, entry: str) -> str | None:
        return self.backend.get_password(self.service, entry)

    def set(self, entry: str, text: str) -> None:
        self.backend.set_password(self.service, entry, text)

    def delete(self, entry: str) -> None:
        self.deleted.append(entry)
        self.backend.delete_password(self.service, entry)

    def everything(self, accounts: list[str]) -> dict[str, str | None]:
        """Return all that a write of `accounts` may touch."""
        names = ["/accounts"]
        for account in accounts:
            names += [account, *(f"{account}/{s}/{n}" for s in "01" for n in range(9))]
        return {name: self.get(name) for name in names}
