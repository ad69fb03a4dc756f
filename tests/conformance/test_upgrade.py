"""Plays the cases of `cases/upgrade.py`."""

from tests.conformance.playing import playing

test_case = playing("upgrade")
