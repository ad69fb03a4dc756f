"""Our proxy, running for as long as a process plays cases."""

from collections.abc import Iterator

import pytest

from tests.conformance.subjects import Ours, Subjects


@pytest.fixture(scope="session")
def subjects() -> Iterator[Subjects]:
    ours = Subjects(Ours)
    yield ours
    ours.stop()
