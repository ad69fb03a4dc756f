"""What the API and the page tell: the login's state, and where things are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from proxy.clock import iso_utc
from proxy.oauth.login import MAX_ATTEMPTS
from proxy.oauth.phone import Phone
from proxy.oauth.status import TokenStatus
from proxy.oauth.stores.record import AccountRecord


class TokenKeeper(Protocol):
    """What the admin listener asks of the refresher."""

    @property
    def record(self) -> AccountRecord:
        """The record as it is in memory."""

    def status(self) -> TokenStatus:
        """Return what may be told about the login."""

    async def refresh(self) -> None:
        """Refresh now, whether it is due or not."""

    async def logout(self) -> None:
        """Forget the tokens."""


class LoginSteps(Protocol):
    """The two steps of a login."""

    async def request_code(self, phone: Phone) -> None:
        """Have the SMS sent."""

    async def submit_code(
        self, validation_code: str, phone: Phone | None = None
    ) -> None:
        """Exchange the code for tokens."""


@dataclass(frozen=True, slots=True)
class AdminInfo:
    """Where things are; `listen` is asked each time, as port 0 is known late.

    Its items are addresses as in the config or their URLs.
    """

    listen: Callable[[], Sequence[str]]
    upstream: str
    version: str
    needs_local_key: bool = False
    sandbox: bool = False
    """No SMS is ever sent: the codes are printed."""

    def addresses(self) -> list[str]:
        """Return where requests are taken, as the config would name it."""
        return [address.removeprefix("http://") for address in self.listen()]


def codes_left(keeper: TokenKeeper) -> int:
    """Return how many wrong codes may still be typed."""
    return max(0, MAX_ATTEMPTS - keeper.record.login.attempts)


def status_members(status: TokenStatus, info: AdminInfo) -> dict[str, Any]:
    """Return the members of `GET /api/status`: what matters first, first.

    Instants are RFC 3339 in UTC; what is unknown, or not so, is null. TokenStatus says
    what its members mean.
    """
    return {
        "state": status.state,
        "phone": status.phone,
        "code_sent": status.code_sent,
        "retry_after": status.retry_after,
        "expires_at": _instant(status.expires_at),
        "expires_in": status.expires_in,
        "refresh_due_at": _instant(status.refresh_due_at),
        "login_needed_by": _instant(status.login_needed_by),
        "last_refresh": _instant(status.last_refresh),
        "last_error": status.last_error,
        "store": status.store,
        "listen": info.addresses(),
        "upstream": info.upstream,
        "version": info.version,
        "clock_skew": None if status.clock_skew is None else round(status.clock_skew),
    }


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else iso_utc(seconds)
