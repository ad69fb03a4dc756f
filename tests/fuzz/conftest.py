"""Adds `--fuzz MINUTES`: try the properties on new examples until the time is over.

Each property has its share of the time, and is tried in as many rounds as fit in.
"""

import os
import time

import pytest

from tests.fuzz import trying

_SHRINKING = 600.0
"""Seconds for a failure to be made small, after the time is over."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz",
        type=float,
        metavar="MINUTES",
        help="try the properties of tests/fuzz for this long, on new examples",
    )


def pytest_configure(config: pytest.Config) -> None:
    # The option is known only if this folder was named on the command line.
    trying.go_on_for(config.getoption("fuzz", None) or 0.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if trying.minutes():
        limit = pytest.mark.timeout(_share(items) + _SHRINKING)
        for item in items:
            item.add_marker(limit)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Try a property again and again, if there is time for that."""
    if not trying.minutes() or not _is_property(pyfuncitem):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    end = time.monotonic() + _share(pyfuncitem.session.items)
    while time.monotonic() < end:
        pyfuncitem.obj(**arguments)
    return True


def _share(items: list[pytest.Item]) -> float:
    """Return the seconds for one property; the processes try several at a time."""
    tried = sum(_is_property(item) for item in items)
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return trying.minutes() * 60 * processes / max(1, tried)


def _is_property(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
