"""Plays the cases of `cases/hops.py`."""

from tests.conformance.playing import playing

test_case = playing("hops")
