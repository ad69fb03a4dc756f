"""Content that is kept while it passes, for who wants to see what was sent.

Of each message the beginning is kept, up to a limit, and size and hash of all of it.
"""

import hashlib
from typing import Final

LIMIT: Final = 256 * 1024
"""Bytes of one message's content that are kept."""


class Keeping:
    """Whether content is kept (`wanted`), and how much of it is under way.

    `most` bytes may belong to exchanges that have not ended.
    """

    __slots__ = ("most", "under_way", "wanted")

    def __init__(self, most: int, *, wanted: bool = False) -> None:
        self.most = most
        self.under_way = 0
        self.wanted = wanted

    def begin(self) -> "Kept":
        """Return what keeps the two contents of an exchange that begins."""
        return Kept(self)


class Part:
    """The content of one message: its beginning, and size and hash of all of it."""

    __slots__ = ("_full", "_hash", "_keeping", "_kept", "kept", "size")

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._kept = bytearray()
        self._hash = hashlib.sha256()
        self._full = False
        self.kept = 0
        self.size = 0

    def take(self, piece: bytes) -> None:
        """Keep `piece`, as far as there is room."""
        self._hash.update(piece)
        self.size += len(piece)
        if self._full:
            return
        keeping = self._keeping
        room = min(LIMIT - self.kept, keeping.most - keeping.under_way)
        self._full = room < len(piece)
        if room > 0 and piece:
            piece = piece[:room]
            self._kept += piece
            self.kept += len(piece)
            keeping.under_way += len(piece)

    @property
    def data(self) -> bytes:
        """What was kept."""
        return bytes(self._kept)

    def forget(self) -> None:
        """Let go of what was kept, and keep nothing more."""
        self._full = True
        self._kept = bytearray()
        self.kept = 0

    @property
    def sha256(self) -> str:
        """The hash of all that passed, in hexadecimal."""
        return self._hash.hexdigest()


class Kept:
    """The contents of one exchange, request and response."""

    __slots__ = ("_keeping", "request", "response")

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self.request = Part(keeping)
        self.response = Part(keeping)

    @property
    def size(self) -> int:
        """Bytes that are kept of both."""
        return self.request.kept + self.response.kept

    def ended(self) -> None:
        """Count it no more as under way: whoever has it counts it from now on."""
        self._keeping.under_way -= self.size

    def forget(self) -> None:
        """Let go of it all, while the exchange goes on."""
        self._keeping.under_way -= self.size
        self.request.forget()
        self.response.forget()
