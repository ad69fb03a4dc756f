"""An upstream that is far away: what a program gains from connections that are up.

Two times: curl's own, which begins when the process has been loaded, and the process's,
which holds some 10 ms more for whatever it calls. The one that calls directly reads the
certificates that the system trusts, as it has to when it calls a real host.
"""

import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench import curl
from bench.lab import Lab, say
from bench.peers.ours import ROOT
from bench.processes import accepts, free_port, start
from bench.upstream import AUTHORIZATION, CALL, Upstream

SECTION = "far"
CASE = "new curl process"
DIRECT = "direct"
DELAY = 0.025
DEBIAN_TRUST = "/etc/ssl/certs/ca-certificates.crt"
PROCESSES = 40


@contextmanager
def far_upstream(lab: Lab, delay: float = DELAY) -> Iterator[Upstream]:
    """Yield the upstream as it is `delay` seconds away, each way."""
    port = free_port()
    relay = start(
        [
            *(sys.executable, "-m", "bench.relay"),
            *(str(port), str(lab.upstream.port), str(delay)),
        ],
        lab.folder / "relay.out",
        folder=ROOT,
        ready=accepts(port),
    )
    try:
        yield replace(lab.upstream, port=port)
    finally:
        relay.stop()


def measure(lab: Lab) -> None:
    """Measure curl, a process per call, direct and through the warm proxy in turns."""
    lab.results.forget(SECTION)
    with far_upstream(lab) as upstream, lab.ours(upstream=upstream) as ours:
        trust = ("--cacert", _trusted(lab), "--header", AUTHORIZATION)
        curl.run(ours.url + CALL, folder=lab.folder)
        for number in range(PROCESSES):
            say(f"{SECTION}: process {number + 1} of {PROCESSES}")
            direct = curl.run(upstream.url + CALL, *trust, folder=lab.folder)
            through = curl.run(ours.url + CALL, folder=lab.folder)
            for name, got in ((DIRECT, direct), (ours.name, through)):
                lab.results.add(SECTION, CASE, name, "process", 1e3 * got.process)
                lab.results.add(SECTION, CASE, name, "time", 1e3 * got.seconds)


def _trusted(lab: Lab) -> Path:
    """Return a file of what the system trusts, and the upstream's authority."""
    system = ssl.get_default_verify_paths().cafile or DEBIAN_TRUST
    everything = lab.folder / "trusted.pem"
    parts = [
        path.read_text()
        for path in (Path(system), lab.upstream.ca_file)
        if path.exists()
    ]
    everything.write_text("".join(parts))
    return everything
