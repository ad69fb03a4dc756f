"""The admin password, sent by Basic authentication, and a brake on guessing it."""

import hashlib
import hmac
import secrets
from pathlib import Path

from proxy.access.keys import basic_password
from proxy.clock import Clock
from proxy.errors import ConfigError, CooldownError, LocalKeyError

# Wrong passwords from one address within one window, after which nothing it sends is
# looked at until the window ends.
FAILURES = 5
WINDOW = 60.0

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
        now = self._clock()
        recent = [at for at in self._failures.get(remote, ()) if 0 <= now - at < WINDOW]
        if len(recent) >= FAILURES:
            raise CooldownError(
                "Too many wrong passwords. Wait a minute and try again.",
                value="password",
                retry_after=max(1, round(recent[0] + WINDOW - now)),
            )
        given = basic_password(authorization)
        if given is not None and hmac.compare_digest(self._of(given), self._digest):
            self._failures.pop(remote, None)
            return
        if authorization is not None:
            # Browsers first ask without one; that is no failure.
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


def _read(path: Path) -> bytes:
    try:
        password = path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"admin.password_file: cannot read {path}: {why}.") from error
    if not password:
        raise ConfigError(f"admin.password_file: {path} is empty.")
    return password.encode()
