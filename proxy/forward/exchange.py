"""One request with its response, as the log, the metrics and the journal see it."""

import re
from collections.abc import Callable
from typing import Final

from proxy.errors import ProxyError
from proxy.forward.keeping import Kept
from proxy.http1.head import FieldSection

REQUEST_ID: Final = b"x-request-id"

# Long enough for what others make, too short and too plain for a token.
_REQUEST_ID = re.compile(rb"(?!eyJ)[\w.:/+=@-]{1,64}", re.ASCII)


class Exchange:
    """What happened to one inbound request.

    Times are seconds: `started` since the epoch, `begun` and `sent_at` by the
    performance counter, the others durations. `answered_by` is `upstream` for a relayed
    response and `proxy` for one of our own. `error` names what went wrong, such as
    `connection_refused` or `client_left`; a response with an error after its head was
    cut. `fault` is what was answered, or would have been. `section` has the fields of
    the request, `answer` the head of the relayed response as it came, where there were
    any: both are few objects, as many exchanges are held.
    """

    # What is the usual costs an exchange nothing.
    caller: str | None = None
    status: int = 0
    answered_by: str = "upstream"
    error: str | None = None
    fault: ProxyError | None = None
    section: FieldSection | None = None
    http10: bool = False
    answer: bytes | None = None
    kept: Kept | None = None
    begun: float = 0.0
    sent_at: float = 0.0
    seconds: float = 0.0
    upstream_seconds: float = 0.0
    earlier_seconds: float = 0.0
    token_seconds: float = 0.0
    connection_seconds: float = 0.0
    opening: dict[str, float] | None = None
    received: int = 0
    sent: int = 0
    reused: bool = False
    resent: bool = False
    replayed: bool = False
    paid: bool = False
    replay_of: str | None = None

    def __init__(self, run: str, number: int, method: str, target: str) -> None:
        self._run = run
        self.number = number
        self.method = method
        self.target = target
        self.started = 0.0

    @property
    def id(self) -> str:
        """Ours alone: the program's run and a number."""
        return f"{self._run}-{self.number:x}"

    @property
    def request_id(self) -> str:
        """What log lines about it are found by: the client's, or else ours."""
        if self.section is not None and REQUEST_ID in self.section.seen:
            given = self.section.seen[REQUEST_ID]
            if _REQUEST_ID.fullmatch(given):
                return given.decode()
        return self.id

    def fail(self, error: ProxyError) -> None:
        """Note `error`, and let go of all that it was raised in.

        Its traceback and causes hold on to connections, which would live for as long
        as the exchange is kept.
        """
        self.error, self.fault = error.proxy_error, error
        error.__traceback__ = error.__cause__ = error.__context__ = None

    def begin_anew(self, now: float) -> None:
        """Count what was tried so far as one part of the time, before another try.

        `now` is by the performance counter.
        """
        self.earlier_seconds = now - self.begun
        self.token_seconds = self.connection_seconds = 0.0
        self.opening = None

    def stages(self) -> dict[str, float]:
        """Return how long each part of it took, in their order, in seconds.

        `earlier` is a first sending that was rejected or broke off, `access` the check
        of who calls, `token` and `connection` the waits for these, `dns`, `tcp` and
        `tls` what it took to open one, `first_byte` the wait for the answer's head,
        `content` the rest. What did not happen is left out.
        """
        if not self.sent_at:
            return {"access": self.seconds}
        before = self.sent_at - self.begun
        opening = self.opening or {}
        waits = self.earlier_seconds + self.token_seconds + self.connection_seconds
        stages = {
            "earlier": self.earlier_seconds,
            "access": max(0.0, before - waits),
            "token": self.token_seconds,
            "connection": max(0.0, self.connection_seconds - sum(opening.values())),
            **opening,
        }
        if self.status and self.answer is not None:
            stages["first_byte"] = self.upstream_seconds
            stages["content"] = max(0.0, self.seconds - before - self.upstream_seconds)
        else:
            stages["first_byte"] = max(0.0, self.seconds - before)
        return {name: seconds for name, seconds in stages.items() if seconds}


Recorder = Callable[[Exchange], None]
"""Takes every request of the forwarding listeners, and counts and records them."""
