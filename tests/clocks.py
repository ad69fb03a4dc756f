"""A clock that tests move by hand."""

from dataclasses import dataclass


@dataclass
class MovedClock:
    """Seconds since the epoch; they stand still until a test sets or advances them."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
