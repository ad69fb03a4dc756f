"""Plays the cases of `cases/credentials.py`."""

from tests.conformance.playing import playing

test_case = playing("credentials")
