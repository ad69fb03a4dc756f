"""Makes a test of a module of cases."""

from collections.abc import Awaitable, Callable

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import cases_in
from tests.conformance.play import play
from tests.conformance.profiles import PROFILES
from tests.conformance.subjects import Subjects

PATIENCE = 5.0
"""How long to wait for what does not come; what comes is not waited for so long."""

CaseTest = Callable[[Case, Subjects], Awaitable[None]]


def playing(module: str) -> CaseTest:
    """Return a test that plays every case of one module of `cases`."""

    async def test_case(case: Case, subjects: Subjects) -> None:
        patience = PATIENCE + PROFILES[case.profile].slowest
        played = await play(case, subjects.get(case.profile), patience)
        if not played.passed:
            pytest.fail(str(played), pytrace=False)

    cases = [pytest.param(case, id=case.id) for case in cases_in(module)]
    return pytest.mark.parametrize("case", cases)(test_case)
