"""Plays the cases of `cases/streaming.py`."""

from tests.conformance.playing import playing

test_case = playing("streaming")
