"""Which names a listener answers to.

A page on the internet can point its own name at 127.0.0.1 (DNS rebinding) and then
talk to us as its own origin. It cannot change the name in `Host`, so that is looked at.
"""

from collections.abc import Iterable

from proxy.authority import canonical_host, split_authority
from proxy.errors import AccessDeniedError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

# Browsers send no fetch metadata to these, and on Linux and macOS they reach loopback:
# nobody needs them as names, and attackers do.
_UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104  refused, not bound

_VERDICTS_LIMIT = 256
_SHOWN_LIMIT = 100


def shown(value: str) -> str:
    """Return what a client sent, fit for a sentence: printable, and not too long."""
    clean = "".join(char for char in value if char.isprintable())
    return clean if len(clean) <= _SHOWN_LIMIT else f"{clean[:_SHOWN_LIMIT]}..."


class OwnNames:
    """The names of one listener: loopback's, the configured ones, the local address."""

    def __init__(self, listen: Iterable[str], allowed: Iterable[str] = ()) -> None:
        names = {canonical_host(name) for name in (*LOOPBACK_NAMES, *listen)}
        for text in allowed:
            authority = split_authority(text)
            names.add(authority[0] if authority else canonical_host(text))
        self._names = frozenset(names)
        self._verdicts: dict[tuple[bytes, str | None], bool] = {}

    def has(self, host: bytes) -> bool:
        """Say whether `host` is one of our names, whatever address was connected to."""
        return self._verdict(host, None)

    def check(self, host: bytes | None, local_address: str | None) -> None:
        """Refuse a request whose `Host` is not one of our names.

        `host` is None when the field is missing; a repeated field comes joined with a
        comma, which no name has. `local_address` is the one the client connected to.
        """
        if host is None:
            raise AccessDeniedError("The request names no host.", value="host")
        if not self._verdict(host, local_address):
            raise AccessDeniedError(
                f'"{shown(host.decode("utf-8", "replace"))}" is not a name of this '
                "listener; if it is one of yours, add it to access.allowed_hosts.",
                value="host",
            )

    def _verdict(self, host: bytes, local_address: str | None) -> bool:
        key = (host, local_address)
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._judge(host, local_address)
            if len(self._verdicts) >= _VERDICTS_LIMIT:
                self._verdicts.clear()
            self._verdicts[key] = verdict
        return verdict

    def _judge(self, host: bytes, local_address: str | None) -> bool:
        authority = split_authority(host.decode("utf-8", "replace"))
        if authority is None or authority[0] in _UNSPECIFIED:
            return False
        if authority[0] in self._names:
            return True
        return bool(local_address) and authority[0] == canonical_host(
            local_address or ""
        )
