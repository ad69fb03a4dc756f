"""Plays the cases of `cases/own_answers.py`."""

from tests.conformance.playing import playing

test_case = playing("own_answers")
