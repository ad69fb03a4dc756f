"""Plays the cases of `cases/redirects.py`."""

from tests.conformance.playing import playing

test_case = playing("redirects")
