"""Conformance: one raw client and one scripted raw upstream, over real sockets.

`case.py` says what a case is, `cases/` holds them as data, `play.py` plays one against
a subject of `subjects.py`, `judge.py` compares what came with what was expected.
`differential.py` plays all against nginx: `behaviour.py` says what it does instead,
`verdicts.py` who is right.
"""
