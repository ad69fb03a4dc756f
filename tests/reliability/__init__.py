"""Proof that a login survives: the real program, killed, starved, raced and cut off.

`make reliability` runs all of it for long; the tests in this folder run a little of
each with the ordinary suite. What is judged is states and counts, never times.
"""
