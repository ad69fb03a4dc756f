"""One request with its response, as the log, the metrics and the journal see it."""

from collections.abc import Callable


class Exchange:
    """What happened to one inbound request.

    Times are seconds: `started` since the epoch, the others durations. `answered_by`
    is `upstream` for a relayed response and `proxy` for one of our own. `error` names
    what went wrong, such as `connection_refused` or `client_left`; a response with an
    error after its head was cut.
    """

    # What is the usual costs an exchange nothing.
    caller: str | None = None
    status: int = 0
    answered_by: str = "upstream"
    error: str | None = None
    seconds: float = 0.0
    upstream_seconds: float = 0.0
    received: int = 0
    sent: int = 0
    reused: bool = False
    resent: bool = False
    replayed: bool = False

    def __init__(self, run: str, number: int, method: str, target: str) -> None:
        self._run = run
        self._number = number
        self.method = method
        self.target = target
        self.started = 0.0

    @property
    def request_id(self) -> str:
        """What log lines about it are found by: the program's run and a number."""
        return f"{self._run}-{self._number:x}"


Recorder = Callable[[Exchange], None]
