"""Plays the cases of `cases/request_lines.py`."""

from tests.conformance.playing import playing

test_case = playing("request_lines")
