"""Wall-clock time as a value that tests can move."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Returns seconds since the epoch. Expiry is judged on it, as laptops sleep."""

system_clock: Clock = time.time  # noqa: TID251  the one place that reads it


def iso_utc(instant: float, *, milliseconds: bool = False) -> str:
    """Return `instant` (seconds since the epoch) as RFC 3339 in UTC.

    To the second, unless `milliseconds` are asked for.
    """
    moment = datetime.fromtimestamp(instant, UTC)
    fraction = f".{moment.microsecond // 1000:03d}" if milliseconds else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
