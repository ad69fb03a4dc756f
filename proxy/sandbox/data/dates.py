"""Dates as the upstream writes them: YYYY-MM-DDThh:mm:ss±hhmm."""

import re
from datetime import UTC, datetime, timedelta, timezone

MOSCOW = timezone(timedelta(hours=3))

# The sign may have become a space: a form decoder reads a raw plus so.
_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:(Z)|([-+ ])(\d\d):?(\d\d))?"
)


def written(instant: float) -> str:
    """Return `instant` (seconds since the epoch) as Moscow time."""
    moment = datetime.fromtimestamp(instant, MOSCOW)
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")


def parse_date(text: str) -> float:
    """Return the instant of `text`; without an offset it is UTC.

    Raises:
        ValueError: It is not written so.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    clock, _, sign, hours, minutes = found.groups()
    zone = UTC
    if sign is not None:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-offset if sign == "-" else offset)
    return datetime.fromisoformat(clock).replace(tzinfo=zone).timestamp()
