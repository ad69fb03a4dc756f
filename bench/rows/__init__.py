"""The measurements: a file for each kind of question."""
