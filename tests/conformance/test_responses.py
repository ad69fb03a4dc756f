"""Plays the cases of `cases/responses.py`."""

from tests.conformance.playing import playing

test_case = playing("responses")
