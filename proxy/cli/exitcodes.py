"""What each exit code of `telemed-proxy` means; scripts rely on the numbers."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
"""Anything that has no code of its own."""
USAGE: Final = 2
CONFIG: Final = 3
LOGIN_REQUIRED: Final = 4
UPSTREAM_UNREACHABLE: Final = 5
SIGINT: Final = 130
SIGTERM: Final = 143

MEANINGS: Final = (
    f"{DONE} done, {FAILED} failed, {USAGE} usage, {CONFIG} config,"
    f" {LOGIN_REQUIRED} login required, {UPSTREAM_UNREACHABLE} upstream unreachable,"
    f" {SIGINT} Ctrl-C, {SIGTERM} SIGTERM."
)
"""The line that help shows."""
