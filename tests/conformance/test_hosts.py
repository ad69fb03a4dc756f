"""Plays the cases of `cases/hosts.py`."""

from tests.conformance.playing import playing

test_case = playing("hosts")
