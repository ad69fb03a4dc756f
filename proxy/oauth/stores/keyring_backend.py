"""The keyring of this machine, through the library `keyring`.

The library takes what it finds. Where that keeps passwords readable, or nowhere, we
refuse: who chose a keyring must not get a plain file.
"""

import importlib.util
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores import how_to_install

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

REFUSED = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")
"""No backend, one that forgets, and a collection of plain and home-made files."""

_CHOICES = (
    "install a secret service (such as gnome-keyring or KWallet), or set store.url to "
    "file:PATH with store.encryption_key_file, or to redis://HOST"
)


def expect_library() -> None:
    """Raise ConfigError if the library is missing; it is not imported yet."""
    if importlib.util.find_spec("keyring") is None:
        raise ConfigError(
            "the library keyring is missing, which store.url asks for; "
            f"run: {how_to_install('keyring')}"
        )


class Keyring:
    """The entries of one service; every failure is a StoreError.

    It may hang in each call. None is begun any more once `given_up` is set.
    """

    def __init__(
        self,
        service: str,
        given_up: threading.Event,
        backend: "KeyringBackend | None" = None,
    ) -> None:
        self._service = service
        self._given_up = given_up
        self._backend = self._call("be found", lambda: _secure(backend))

    @property
    def name(self) -> str:
        """What kind of keyring it is, for people."""
        return self._backend.name

    def get(self, entry: str) -> str | None:
        """Return the text of `entry`, or None if there is no such entry."""
        return self._call(
            "be read", lambda: self._backend.get_password(self._service, entry)
        )

    def set(self, entry: str, text: str) -> None:
        """Make `text` the text of `entry`."""
        self._call(
            "be written",
            lambda: self._backend.set_password(self._service, entry, text),
        )

    def delete(self, entry: str) -> None:
        """Delete `entry`, which must be there."""
        self._call(
            "be tidied", lambda: self._backend.delete_password(self._service, entry)
        )

    def _call(self, verb: str, call: Callable[[], T]) -> T:
        if self._given_up.is_set():
            raise StoreError("nobody waits for this any more")
        try:
            return call()
        except StoreError:
            raise
        except Exception as exc:
            # Its text may hold anything, a secret included.
            raise StoreError(
                f"the keyring cannot {verb} ({type(exc).__name__}): "
                f"unlock it and try again, or {_CHOICES}"
            ) from exc


def _secure(backend: "KeyringBackend | None") -> "KeyringBackend":
    """Return `backend`, by default that of this machine, if it encrypts."""
    import keyring
    from keyring.backends.chainer import ChainerBackend

    backend = backend or keyring.get_keyring()
    while isinstance(backend, ChainerBackend):
        # It would go on to the next one, which may be a plain file.
        backend = next(iter(backend.backends), None)
    module = type(backend).__module__
    if backend is None or any(f"{module}.".startswith(f"{r}.") for r in REFUSED):
        found = backend.name if backend is not None else "nothing"
        raise StoreError(
            f"no keyring that encrypts is to be had here (found: {found}); {_CHOICES}"
        )
    return backend
