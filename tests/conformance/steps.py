"""What a script is made of: bytes to send, things to wait for, ways to end.

The client and the upstream are both scripted with these. Bytes may contain
`UPSTREAM`, which becomes the upstream's authority when the case is played.
"""

import enum
from dataclasses import dataclass, field

from tests.conformance.ledger import Holds, Ledger

UPSTREAM = b"<upstream>"
"""Stands for the upstream's authority, HOST:PORT, wherever bytes are given."""


class End(enum.Enum):
    """A way to end a connection, or half of it."""

    SHUT_WR = "send no more, still read"
    CLOSE = "close"
    RESET = "close with RST"

    def __repr__(self) -> str:
        return self.name


SHUT_WR, CLOSE, RESET = End


class Start(enum.Enum):
    """First step of an answer that does not wait for the whole request."""

    AT_HEAD = "once the head of the request is there"

    def __repr__(self) -> str:
        return self.name


AT_HEAD = Start.AT_HEAD


@dataclass(frozen=True)
class When:
    """Wait until something has happened; it is a failure when it does not."""

    name: str
    holds: Holds = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sleep:
    """Wait for so long; only for what is about time."""

    seconds: float


@dataclass(frozen=True)
class Slowly:
    """Send `data` in pieces of `size` bytes, with a pause after each."""

    data: bytes
    size: int = 1
    seconds: float = 0.0


Action = bytes | When | Sleep | Slowly | End
Step = Action | Start
Steps = tuple[Step, ...]
Script = bytes | Steps


def as_steps(script: Script) -> Steps:
    return (script,) if isinstance(script, bytes) else script


def sent_bytes(script: Script) -> bytes:
    """Return everything that a script sends."""
    pieces = (
        step.data if isinstance(step, Slowly) else step for step in as_steps(script)
    )
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def upstream_got(data: bytes) -> When:
    """Wait until the upstream has `data`, as raw bytes or as content."""

    def holds(ledger: Ledger) -> bool:
        return any(data in link.received for link in ledger.upstream) or any(
            data in request.content for request in ledger.requests()
        )

    return When(f"upstream_got({data!r})", holds)


def upstream_requests(count: int) -> When:
    """Wait until `count` whole requests have reached the upstream."""
    return When(
        f"upstream_requests({count})",
        lambda ledger: sum(one.complete for one in ledger.requests()) >= count,
    )


def client_got(data: bytes) -> When:
    """Wait until the client has `data`, as raw bytes or as content."""
    return When(
        f"client_got({data!r})",
        lambda ledger: (
            data in ledger.client.received
            or any(data in response.content for response in ledger.responses())
        ),
    )


def client_responses(count: int) -> When:
    """Wait until the client has `count` whole final responses."""
    return When(
        f"client_responses({count})",
        lambda ledger: sum(one.complete for one in ledger.finals()) >= count,
    )


UPSTREAM_GOT_HEAD = When("UPSTREAM_GOT_HEAD", lambda ledger: bool(ledger.requests()))
UPSTREAM_GOT_CONTENT = When(
    "UPSTREAM_GOT_CONTENT",
    lambda ledger: any(request.content for request in ledger.requests()),
)
UPSTREAM_GOT_REQUEST = When("UPSTREAM_GOT_REQUEST", upstream_requests(1).holds)
UPSTREAM_LEFT = When(
    "UPSTREAM_LEFT", lambda ledger: any(link.closed for link in ledger.upstream)
)
"""The script of the upstream has ended a connection."""
UPSTREAM_SAW_END = When(
    "UPSTREAM_SAW_END", lambda ledger: any(link.ended for link in ledger.upstream)
)
"""The subject has ended a connection to the upstream."""

CLIENT_GOT_INTERIM = When(
    "CLIENT_GOT_INTERIM",
    lambda ledger: any(response.interim for response in ledger.responses()),
)
CLIENT_GOT_HEAD = When("CLIENT_GOT_HEAD", lambda ledger: bool(ledger.finals()))
CLIENT_GOT_RESPONSE = When("CLIENT_GOT_RESPONSE", client_responses(1).holds)
CLIENT_LEFT = When("CLIENT_LEFT", lambda ledger: ledger.client.closed)
CLIENT_SAW_END = When("CLIENT_SAW_END", lambda ledger: bool(ledger.client.ended))
