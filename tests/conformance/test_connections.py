"""Plays the cases of `cases/connections.py`."""

from tests.conformance.playing import playing

test_case = playing("connections")
