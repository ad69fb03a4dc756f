"""Plays the cases of `cases/leaving.py`."""

from tests.conformance.playing import playing

test_case = playing("leaving")
