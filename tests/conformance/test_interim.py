"""Plays the cases of `cases/interim.py`."""

from tests.conformance.playing import playing

test_case = playing("interim")
