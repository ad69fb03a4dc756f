"""Plays the cases of `cases/framing.py`."""

from tests.conformance.playing import playing

test_case = playing("framing")
