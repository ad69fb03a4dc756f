"""Plays the cases of `cases/answer_chunks.py`."""

from tests.conformance.playing import playing

test_case = playing("answer_chunks")
