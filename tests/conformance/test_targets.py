"""Plays the cases of `cases/targets.py`."""

from tests.conformance.playing import playing

test_case = playing("targets")
