"""Whether the program runs, for whoever starts and watches it.

* startup   200 once the listeners are open
* readiness 200 while requests can be served: started, logged in, not stopping
* liveness  200 as long as the event loop turns; a restart cannot mend what is wrong
            with a login, so it is no part of this
"""

from collections.abc import Callable
from dataclasses import dataclass

Verdict = tuple[int, str]


@dataclass
class Health:
    """The state behind the three probes; the composition root moves the flags."""

    logged_in: Callable[[], bool]
    started: bool = False
    stopping: bool = False

    def startup(self) -> Verdict:
        """Return the answer to /startup."""
        return (200, "started") if self.started else (503, "starting")

    def readiness(self) -> Verdict:
        """Return the answer to /readiness."""
        if not self.started:
            return 503, "starting"
        if self.stopping:
            return 503, "stopping"
        if not self.logged_in():
            return 503, "nobody is logged in"
        return 200, "ready"

    def liveness(self) -> Verdict:
        """Return the answer to /liveness."""
        return 200, "alive"
