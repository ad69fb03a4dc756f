"""What the API does, one file an area: functions from a `Call` to an answer. No I/O."""
