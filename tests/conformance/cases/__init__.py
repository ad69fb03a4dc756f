"""The cases, a module for each part of the protocol; each exports `CASES`."""

import importlib
import pkgutil
from collections.abc import Iterator

from tests.conformance.case import Case


def modules() -> list[str]:
    """Return the names of the modules that hold cases."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def cases_in(module: str) -> list[Case]:
    """Return the cases of one module of this package."""
    cases: list[Case] = importlib.import_module(f"{__name__}.{module}").CASES
    return cases


def all_cases() -> Iterator[Case]:
    """Yield every case, module by module."""
    for module in modules():
        yield from cases_in(module)
