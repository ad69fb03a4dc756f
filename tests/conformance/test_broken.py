"""Plays the cases of `cases/broken.py`."""

from tests.conformance.playing import playing

test_case = playing("broken")
