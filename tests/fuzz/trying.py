"""How the properties are tried: in the suite on the same examples in every run."""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# No profiles: those would be everybody's, and other tests have their own settings.
_SUITE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FAILURES = Path(__file__).parents[2] / ".cache" / "hypothesis"

_minutes = 0.0


def go_on_for(minutes: float) -> None:
    """Try new examples for so long in all; failures are kept, to be tried first."""
    global _minutes
    _minutes = minutes


def minutes() -> float:
    """Return how long to go on, or nothing in the suite."""
    return _minutes


def examples(number: int) -> settings:
    """Return settings for a property: how many examples to try in one go."""
    if not _minutes:
        return settings(_SUITE, max_examples=number)
    return settings(
        _SUITE,
        max_examples=number,
        derandomize=False,
        database=DirectoryBasedExampleDatabase(_FAILURES),
    )
