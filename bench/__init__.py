"""What the proxy costs, beside what others cost, in one run on one machine.

    python -m bench            everything that docs/performance.md shows, in ~40 minutes
    python -m bench quick      the core rows in about a minute
    python -m bench goals      the table of goals again, from the last results
    python -m bench report     docs/performance.md and its plots, from the last results

* `lab` starts and stops everything; `upstream` and `peers/` are what it starts
* `rows/` measure: one file a question, values into `results`
* `goals` says what is asked for and whether it was met; `report` and `plots` show it
* `wrk`, `curl`, `load`, `relay` make the traffic; `processes` reads what it cost
* `micro/` are the layers alone, with pytest-benchmark: `make bench-micro`
"""
