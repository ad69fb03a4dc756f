"""The admin password, by Basic authentication or typed, and a brake on guessing it."""

import hashlib
import hmac
import secrets
from ipaddress import ip_address, ip_network
from pathlib import Path

from proxy.access.keys import basic_password
from proxy.clock import Clock
from proxy.errors import ConfigError, CooldownError, LocalKeyError

# Wrong passwords from one address within one window, after which nothing it sends is
# looked at until the window ends.
FAILURES = 5
WINDOW = 60.0

# Whoever has one IPv6 address has all of its network.
_ONE_OWNER = 64

# So many addresses are remembered; an attacker with more has a slow day anyway.
_ADDRESSES_LIMIT = 1024


class Password:
    """The one in `path`, compared as keyed digests so that time tells nothing."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._salt = secrets.token_bytes(16)
        self._digest = self._of(_read(path))
        self._clock = clock
        self._failures: dict[str, list[float]] = {}

    def check(self, authorization: bytes | None, remote: str) -> None:
        """Let in who sends the password from `remote`.

        Raises:
            LocalKeyError: it is missing or wrong.
            CooldownError: there were too many wrong ones.
        """
        # Browsers first ask without one; that is no failure.
        self._check(basic_password(authorization), remote, counts=bool(authorization))

    def check_typed(self, password: str, remote: str) -> None:
        """Let in who typed the password on the page; raises as `check` does."""
        # As in the file, which ends with a line's end that is no part of it.
        self._check(password.strip().encode("utf-8", "replace"), remote, counts=True)

    def _check(self, given: bytes | None, remote: str, *, counts: bool) -> None:
        now, remote = self._clock(), _owner(remote)
        recent = [at for at in self._failures.get(remote, ()) if 0 <= now - at < WINDOW]
        if len(recent) >= FAILURES:
            raise CooldownError(
                "Too many wrong passwords. Wait a minute and try again.",
                value="password",
                retry_after=max(1, round(recent[0] + WINDOW - now)),
            )
        if given is not None and hmac.compare_digest(self._of(given), self._digest):
            self._failures.pop(remote, None)
            return
        if counts:
            self._remember(remote, [*recent, now])
        raise LocalKeyError(
            "This page needs the password in admin.password_file; any user name will "
            "do.",
            value="password",
        )

    def _remember(self, remote: str, failures: list[float]) -> None:
        if remote not in self._failures and len(self._failures) >= _ADDRESSES_LIMIT:
            del self._failures[next(iter(self._failures))]
        self._failures[remote] = failures

    def _of(self, password: bytes) -> bytes:
        return hashlib.blake2b(password[:1024], key=self._salt).digest()


def _owner(remote: str) -> str:
    """Return what is counted together: an IPv6 network, an IPv4 address."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return remote  # a Unix socket
    if address.version == 4:
        return remote
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _ONE_OWNER), strict=False))


def _read(path: Path) -> bytes:
    try:
        password = path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"admin.password_file: cannot read {path}: {why}.") from error
    if not password:
        raise ConfigError(f"admin.password_file: {path} is empty.")
    return password.encode()
