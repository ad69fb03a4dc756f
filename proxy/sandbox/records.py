"""What the fake servers noticed, for tests and for the control endpoint."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

REQUESTS_KEPT = 10_000
CONTENT_KEPT = 64 * 1024


class Ring(list[T]):
    """A list that forgets its oldest entries when it grows over `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def append(self, entry: T) -> None:
        """Add `entry` at the end, and drop the first when there are too many."""
        super().append(entry)
        if len(self) > self._limit:
            del self[0]


@dataclass(slots=True)
class ReceivedRequest:
    """One request as the API received it, byte for byte where that matters."""

    method: str
    target: str
    version: str
    fields: list[tuple[str, str]] = field(repr=False)  # the access token is in them
    at: float
    content_length: int = 0
    complete: bool = False
    status: int | None = None
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)
    _kept: bytearray | None = field(default_factory=bytearray, repr=False)

    @property
    def content(self) -> bytes | None:
        """The content that came, or None when it was over 64 KiB."""
        return None if self._kept is None else bytes(self._kept)

    @property
    def content_sha256(self) -> str:
        """Hex digest of the content that came."""
        return str(self._hash.hexdigest())

    def note(self, chunk: bytes) -> None:
        """Take in a piece of content."""
        self.content_length += len(chunk)
        self._hash.update(chunk)
        if self._kept is not None:
            self._kept += chunk
            if len(self._kept) > CONTENT_KEPT:
                self._kept = None

    def values(self, name: str) -> list[str]:
        """Return the values of every field called `name`, in any case."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def as_dict(self) -> dict[str, Any]:
        """Return what the control endpoint shows; content as text, where it is."""
        content = self.content
        return {
            "method": self.method,
            "target": self.target,
            "version": self.version,
            "fields": self.fields,
            "at": self.at,
            "contentLength": self.content_length,
            "contentSha256": self.content_sha256,
            "content": None if content is None else content.decode("utf-8", "replace"),
            "complete": self.complete,
            "status": self.status,
        }


@dataclass(slots=True)
class TokenRequest:
    """One request to /token and what came of it.

    `outcome` is `issued`, `refused:<error>` or `fault:<name>`; `generation` is of the
    issued pair, or of the pair whose refresh token was presented. `delivered` is False
    when a pair was issued and its answer lost on purpose.
    """

    at: float
    grant_type: str
    outcome: str
    generation: int = 0
    phone: str = ""
    client_id: str | None = None
    delivered: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return what the control endpoint shows."""
        return {
            "at": self.at,
            "grantType": self.grant_type,
            "outcome": self.outcome,
            "generation": self.generation,
            "phone": self.phone,
            "clientId": self.client_id,
            "delivered": self.delivered,
        }
