"""How long a start takes, and the shortest command."""

import os
import subprocess
import time

from bench.lab import OURS, Lab, say
from bench.peers.ours import program, start_ours

SECTION = "start"
STARTS = 11


def measure(lab: Lab) -> None:
    """Start it again and again: until the ready line, and `version` until its end."""
    lab.results.forget(SECTION)
    prepared, place = lab.prepared()
    # Once for the login, and for the compiled files of a new checkout.
    start_ours(prepared, place).stop()
    environ = os.environ | prepared.environ
    for number in range(STARTS):
        say(f"{SECTION} {number + 1} of {STARTS}")
        began = time.perf_counter()
        with subprocess.Popen(
            prepared.command,
            cwd=place.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout
            while not process.stdout.readline().startswith(b"ready: "):
                assert process.poll() is None, "it did not start"
            seconds = time.perf_counter() - began
            process.terminate()
        lab.results.add(SECTION, "ready", OURS, "time", 1e3 * seconds)

        began = time.perf_counter()
        subprocess.run(
            [*program(), "version"],
            cwd=place.folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        seconds = time.perf_counter() - began
        lab.results.add(SECTION, "version", OURS, "time", 1e3 * seconds)
