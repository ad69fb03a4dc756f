"""Where the keys come from that the token file is encrypted with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proxy.errors import ConfigError

KEY_VARIABLE: Final = "TELEMED_PROXY_STORE_KEY"
_SETTING: Final = "store.encryption_key_file"


@dataclass(frozen=True, slots=True)
class StoreKey:
    """One key, and where it is written, for errors: they never show the key."""

    place: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """Keys in a file, one a line, or in the environment, which goes before it.

    The first encrypts, all decrypt. A line that begins with # is a comment.
    """

    file: Path | None = None
    text: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """Where the keys are, to be shown."""
        return KEY_VARIABLE if self.text else str(self.file)

    def read(self) -> list[StoreKey]:
        """Return the keys, at least one.

        Raises:
            ConfigError: the file cannot be read, or holds none.
        """
        if self.text or self.file is None:
            return [StoreKey(KEY_VARIABLE, word) for word in self.text.split()]
        keys = list(_keys_in(self.file))
        if not keys:
            raise ConfigError(
                f"{_SETTING}: no key is in {self.file}; "
                "make one with: telemed-proxy store key"
            )
        return keys

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what changes when the file does; None when it is not there."""
        if self.text or self.file is None:
            return None
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _keys_in(file: Path) -> Iterator[StoreKey]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is not UTF-8"
        # Not chained: a UnicodeDecodeError holds the whole content.
        raise ConfigError(f"{_SETTING}: {file} cannot be read ({why})") from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield StoreKey(f"{_SETTING}: {file}, line {number}", text)
