"""Plays the cases of `cases/stale.py`."""

from tests.conformance.playing import playing

test_case = playing("stale")
