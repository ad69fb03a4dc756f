"""Plays the cases of `cases/statuses.py`."""

from tests.conformance.playing import playing

test_case = playing("statuses")
