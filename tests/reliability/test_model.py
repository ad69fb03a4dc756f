"""The login as a state machine: whatever happens in whatever order, its rules hold."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.model import LoginMachine, settings_of


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Whatever fails is told by its steps; the log is that of all examples."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_rules_hold() -> None:
    run_state_machine_as_test(
        LoginMachine, settings=settings_of(examples=60, short=True)
    )
