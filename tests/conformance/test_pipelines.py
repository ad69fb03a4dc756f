"""Plays the cases of `cases/pipelines.py`."""

from tests.conformance.playing import playing

test_case = playing("pipelines")
