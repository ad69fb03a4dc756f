"""Plays the cases of `cases/answer_hops.py`."""

from tests.conformance.playing import playing

test_case = playing("answer_hops")
