"""Plays the cases of `cases/chunks.py`."""

from tests.conformance.playing import playing

test_case = playing("chunks")
