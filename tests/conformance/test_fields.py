"""Plays the cases of `cases/fields.py`."""

from tests.conformance.playing import playing

test_case = playing("fields")
