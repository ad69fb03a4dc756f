"""How long a token still lives, by a status object, and whether that is enough."""

from datetime import datetime
from typing import Any, Final

from proxy.cli.failures import say
from proxy.clock import system_clock
from proxy.errors import ProxyError

Status = dict[str, Any]
"""What `GET /api/status` of the admin listener answers."""

# A token that ends while it is being pasted is of no use; asked for by nobody, so a
# shorter one is given out all the same if there is no better.
USEFUL_TTL: Final = 30.0

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def is_due(found: Status) -> bool:
    """Return whether a refresh is due."""
    due_at = found["refresh_due_at"]
    return due_at is not None and _instant(due_at) <= system_clock()


def too_short(found: Status, min_ttl: float | None) -> bool:
    """Return whether the token should be refreshed before it is given out."""
    return _ttl(found) < (USEFUL_TTL if min_ttl is None else min_ttl)


def never_enough(lifetime: float, min_ttl: float | None) -> None:
    """Refuse what no refresh can bring, before one is spent on it.

    A fresh pair is taken to live as long as the present one, from issue to expiry.
    """
    if min_ttl is not None and lifetime < min_ttl:
        raise ProxyError(
            f"a fresh token lives for {_shown(lifetime, min_ttl)} only, shorter than"
            " --min-ttl"
        )


def bear(error: ProxyError, found: Status, min_ttl: float | None) -> None:
    """Go on with the token there is, unless it is over or longer life was asked for."""
    if min_ttl is not None or _ttl(found) <= 0:
        raise error
    say(f"the token was not refreshed: {error.description}")


def insist(found: Status, min_ttl: float | None) -> None:
    """Refuse a token that lives shorter than was asked for."""
    if min_ttl is not None and _ttl(found) < min_ttl:
        raise ProxyError(
            f"even a fresh token lives for {_shown(_ttl(found), min_ttl)} only,"
            " shorter than --min-ttl"
        )


def for_people(seconds: float, *, exact: bool = False) -> str:
    """Return `seconds` as people say it: 14d, 1h 30m; as good as it gets if `exact`."""
    step = 1
    if not exact:
        step = 3600 if seconds >= 86_400 else 60 if seconds >= 3600 else 1
    left = int(seconds) if exact else round(seconds / step) * step
    said = []
    for length, unit in _UNITS:
        count, left = divmod(left, length)
        if count:
            said.append(f"{count}{unit}")
    return " ".join(said) or "0s"


def _shown(seconds: float, than: float) -> str:
    """Return `seconds`, exactly where they would look like `than` otherwise."""
    shown = for_people(seconds)
    return shown if shown != for_people(than) else for_people(seconds, exact=True)


def _ttl(found: Status) -> float:
    return float(found["expires_in"] or 0)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
