"""Encryption of the token file: Fernet, of the library `cryptography`.

It is authenticated: what was altered is refused, not read. The library is imported
only here, and only where keys are configured.
"""

import logging
from typing import TYPE_CHECKING

from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores import how_to_install

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.fernet import MultiFernet

    from proxy.config import StoreKeys

logger = logging.getLogger(__name__)


class Cipher:
    """Encrypts with the first of `keys` and decrypts with any.

    Their file is read again when it changes, so that a new key needs no restart.
    Safe to use in several threads.

    Raises:
        ConfigError: there is no key, one is not a key, or the library is missing.
    """

    def __init__(self, keys: "StoreKeys") -> None:
        self._keys = keys
        self._stamp = keys.stamp()
        self._fernet = _fernet_of(keys)

    def encrypt(self, content: bytes) -> str:
        """Return `content` as text that only the keys open."""
        return self._current().encrypt(content).decode()

    def decrypt(self, text: str, name: str) -> bytes:
        """Return what `encrypt` made `text` of; `name` is that of the file.

        Raises:
            StoreError: none of the keys opens it.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._current().decrypt(text)
        except InvalidToken as exc:
            raise StoreError(
                f"{name} cannot be decrypted: it was encrypted with a key that is not "
                f"in {self._keys.place}, or is damaged; add that key after the others, "
                "or move the file away and log in again",
                value="store_key",
            ) from exc

    def _current(self) -> "MultiFernet":
        stamp = self._keys.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._fernet = _fernet_of(self._keys)
            except ConfigError as exc:
                # A half-saved file must not keep a refresh from being saved.
                logger.warning("the earlier keys stay in use: %s", exc)
        return self._fernet


def new_key() -> str:
    """Return a new random key.

    Raises:
        ConfigError: the library is missing.
    """
    key: bytes = _library().Fernet.generate_key()
    return key.decode()


def _fernet_of(keys: "StoreKeys") -> "MultiFernet":
    library = _library()
    fernets = []
    for key in keys.read():
        try:
            fernets.append(library.Fernet(key.text))
        except ValueError:
            # Not chained, as is all that has seen the key.
            raise ConfigError(
                f"{key.place}: this is not a key; make one with: "
                "telemed-proxy store key"
            ) from None
    return library.MultiFernet(fernets)  # type: ignore[no-any-return]


def _library() -> "ModuleType":
    try:
        from cryptography import fernet
    except ImportError as exc:
        raise ConfigError(
            "the library cryptography is missing, which encrypts the token file; "
            f"run: {how_to_install('cryptography')}"
        ) from exc
    return fernet
