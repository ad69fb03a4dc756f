"""Plays the cases of `cases/cuts.py`."""

from tests.conformance.playing import playing

test_case = playing("cuts")
