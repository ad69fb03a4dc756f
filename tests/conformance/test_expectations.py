"""Plays the cases of `cases/expectations.py`."""

from tests.conformance.playing import playing

test_case = playing("expectations")
