"""Plays the cases of `cases/limits.py`."""

from tests.conformance.playing import playing

test_case = playing("limits")
