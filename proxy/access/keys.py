"""Local keys: what a calling program shows us when `access.local_key_file` is set."""

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from proxy.clock import Clock, system_clock
from proxy.errors import ConfigError, LocalKeyError

logger = logging.getLogger(__name__)

# Seconds between two looks at the file's time.
_LOOK_EVERY = 1.0

_NAMELESS = "local key"


class LocalKeys:
    """The keys in one file, read again when the file changes.

    A line is KEY, or NAME KEY; what follows a # at its start is a comment. Keys are
    kept as keyed digests: equally long, so that comparing them tells nothing.
    """

    def __init__(self, path: Path, *, clock: Clock = system_clock) -> None:
        self._path = path
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._stamp = _stamp(path)
        self._digests = self._read()
        self._looked = clock()

    def caller(self, key: bytes | None, authorization: bytes | None) -> str:
        """Return whose key it is; `key` goes before the Basic password."""
        self._look()
        given = key if key is not None else basic_password(authorization)
        if given is None:
            raise LocalKeyError(
                "This listener needs a local key: send it as X-Proxy-Key, "
                "or as the password of Basic authentication."
            )
        digest = self._digest(given.strip())
        name = None
        # All of them each time: stopping early would tell which one it is.
        for known, owner in self._digests:
            if hmac.compare_digest(known, digest):
                name = owner
        if name is None:
            raise LocalKeyError("The local key is not one of access.local_key_file.")
        return name

    def _digest(self, key: bytes) -> bytes:
        return hashlib.blake2b(key, key=self._salt, digest_size=32).digest()

    def _look(self) -> None:
        now = self._clock()
        if 0 <= now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._digests = self._read()
        except ConfigError as error:
            # A half-saved file must not lock everybody out, nor let anybody in.
            logger.warning("the earlier local keys stay in use: %s", error.description)
        else:
            logger.info("read %d local keys from %s", len(self._digests), self._path)

    def _read(self) -> Sequence[tuple[bytes, str]]:
        return [
            (self._digest(key.encode()), name) for name, key in read_keys(self._path)
        ]


def read_keys(path: Path) -> list[tuple[str, str]]:
    """Return each key in the file at `path` after its owner's name; at least one.

    Raises:
        ConfigError: the file cannot be read, or is not as it should be.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(
            f"access.local_key_file: cannot read {path}: {why}."
        ) from error
    keys = [
        entry
        for number, line in enumerate(lines, 1)
        for entry in _entries(line, number, path)
    ]
    if not keys:
        raise ConfigError(f"access.local_key_file: no key in {path}.")
    return keys


def basic_password(authorization: bytes | None) -> bytes | None:
    """Return the password of a Basic `Authorization` (RFC 7617), None for others."""
    scheme, _, encoded = (authorization or b"").strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    _, colon, password = pair.partition(b":")
    return password if colon else None


def _entries(line: str, number: int, path: Path) -> list[tuple[str, str]]:
    words = line.split()
    if not words or words[0].startswith("#"):
        return []
    if len(words) > 2:
        raise ConfigError(
            f"access.local_key_file: {path}, line {number}: write KEY, or NAME KEY."
        )
    return [(words[0] if len(words) == 2 else _NAMELESS, words[-1])]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when the file does; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
