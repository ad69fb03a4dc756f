"""Compares what came of a case with what it expects."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.conformance.case import CLOSED, OPEN, Bytes, Case, Expect, Request, Response
from tests.conformance.steps import UPSTREAM, sent_bytes
from tests.conformance.wire import Message, Reading

# Fields that a proxy may set, or that are about one connection only.
_OURS = frozenset(
    {
        b"authorization",
        b"connection",
        b"host",
        b"keep-alive",
        b"transfer-encoding",
        b"via",
    }
)


@dataclass
class Outcome:
    """All that came of a case."""

    client: Reading
    upstream: list[Reading]
    client_ended: str
    upstream_ended: bool
    probes: list[Message]
    """The requests of the harness itself, as they reached the upstream."""
    probed: bool | None
    """Whether the client's connection answered one more request; None: not asked."""
    stalls: list[str] = field(default_factory=list)
    raw_client: bytes = b""
    raw_upstream: list[bytes] = field(default_factory=list)

    @property
    def finals(self) -> list[Message]:
        return [one for one in self.client.messages if not one.interim]

    @property
    def requests(self) -> list[Message]:
        return [one for reading in self.upstream for one in reading.messages]


@dataclass(frozen=True)
class Want:
    """A case, and what stands for its placeholders in one subject."""

    case: Case
    authority: bytes
    token: str
    marks: tuple[bytes, ...]


def differences(want: Want, outcome: Outcome) -> list[str]:
    """Return what is wrong; of several ways to end well, the nearest counts."""
    ways = [_against(expect, want, outcome) for expect in want.case.expect]
    return [*outcome.stalls, *_always(want, outcome), *min(ways, key=len)]


def _always(want: Want, outcome: Outcome) -> Iterable[str]:
    """Yield what is wrong whatever the case expects."""
    token = want.token.encode()
    answers = b"".join(sent_bytes(answer) for answer in want.case.answers)
    if token in outcome.raw_client and token not in answers:
        yield "the client got the token"
    for reading in outcome.upstream:
        if reading.fault:
            yield f"the upstream got malformed bytes: {reading.fault}"
        elif reading.rest:
            yield f"the upstream got part of a head: {reading.rest[:80]!r}"
    yield from _always_forwarded(want, outcome)


def _always_forwarded(want: Want, outcome: Outcome) -> Iterable[str]:
    token = want.token.encode()
    for request in outcome.probes:
        if more := end_to_end(request):
            yield f"fields got into the next request: {_listed(more)}"
    for request in (*outcome.requests, *outcome.probes):
        for name, value in (
            (b"Authorization", b"Bearer " + token),
            (b"Host", want.authority),
        ):
            if (values := request.values(name)) != [value]:
                yield f"{name.decode()} at the upstream is {_listed(values)}"


def _against(expect: Expect, want: Want, outcome: Outcome) -> list[str]:
    return [
        *_client(expect, want, outcome),
        *_connection(expect, outcome),
        *_upstream(expect, want, outcome),
    ]


def _client(expect: Expect, want: Want, outcome: Outcome) -> Iterable[str]:
    if expect.got is None:
        return
    finals = outcome.finals
    if outcome.client.fault:
        yield f"the client got malformed bytes: {outcome.client.fault}"
    if len(finals) != len(expect.got):
        statuses = [one.status for one in finals]
        yield f"the client got {_number(statuses, 'response')}"
    for wanted, message, interim in zip(
        expect.got, finals, _interims(outcome), strict=False
    ):
        yield from _response(wanted, message, want)
        yield from _before(wanted, interim, want)
        if expect.reached == ():
            yield from _missing(message, want.marks)


def _before(wanted: Response, interim: list[Message], want: Want) -> Iterable[str]:
    if wanted.interim is None:
        return
    if len(interim) != len(wanted.interim):
        yield f"interim responses are {[one.status for one in interim]}"
    for one, got in zip(wanted.interim, interim, strict=False):
        yield from _response(one, got, want)


def _interims(outcome: Outcome) -> list[list[Message]]:
    """Return the interim responses before each final one."""
    groups: list[list[Message]] = [[]]
    for message in outcome.client.messages:
        if message.interim:
            groups[-1].append(message)
        else:
            groups.append([])
    return groups


def _missing(message: Message, marks: Iterable[bytes]) -> Iterable[str]:
    for name in marks:
        if not message.values(name):
            yield f"its own answer has no {name.decode()}"


def _connection(expect: Expect, outcome: Outcome) -> Iterable[str]:
    if expect.after is CLOSED and not outcome.client_ended:
        yield "the client's connection stays open"
    if expect.after is OPEN and not outcome.probed:
        how = "closed" if outcome.probed is None else "of no use"
        yield f"the client's connection is {how} afterwards"


def _upstream(expect: Expect, want: Want, outcome: Outcome) -> Iterable[str]:
    requests = outcome.requests
    if expect.deliveries is not None and len(requests) not in expect.deliveries:
        yield f"the upstream got {_number([one.line for one in requests], 'request')}"
    if expect.upstream_left and not outcome.upstream_ended:
        yield "the connection to the upstream stays open"
    if expect.reached is None:
        return
    if len(requests) != len(expect.reached):
        lines = [one.line for one in requests]
        yield f"the upstream got {_number(lines, 'request')}"
    for wanted, message in zip(expect.reached, requests, strict=False):
        for fault in _parts(wanted, message, want):
            yield f"request at the upstream: {fault}"


def _response(wanted: Response, message: Message, want: Want) -> Iterable[str]:
    statuses = wanted.status
    if isinstance(statuses, int):
        statuses = frozenset({statuses})
    if statuses is not None and message.status not in statuses:
        yield f"the client got {message.status}"
    for fault in _parts(wanted, message, want):
        yield f"response at the client: {fault}"


def _parts(wanted: Request | Response, message: Message, want: Want) -> Iterable[str]:
    """Yield how `message` differs from what is wanted of it."""
    if wanted.line and not _same(want, wanted.line, message.line):
        yield f"line is {message.line!r}"
    yield from _fields(wanted, message, want)
    if wanted.content is not None and not _same(want, wanted.content, message.content):
        yield f"content is {_cut(message.content)}"
    if wanted.framing and message.framing != wanted.framing:
        yield f"framing is {message.framing}"
    if wanted.trailers is not None and not _all_same(
        want, wanted.trailers, message.trailers
    ):
        yield f"trailers are {_listed(message.trailers)}"
    if wanted.complete is not None and message.complete != wanted.complete:
        yield "looks complete" if message.complete else "is cut"


def _fields(wanted: Request | Response, message: Message, want: Want) -> Iterable[str]:
    lines = iter(message.fields)
    for field_line in wanted.fields:
        # Consumes up to the match, so the next one is looked for after it.
        if not any(_same(want, field_line, line) for line in lines):
            yield f"no {_shown(field_line)} in its place among {message.fields}"
            break
    for name in wanted.absent:
        if values := message.values(name):
            yield f"{name.decode()} is {_listed(values)}"
    if wanted.only is not None:
        kept = end_to_end(message)
        if not _all_same(want, wanted.only, kept):
            yield f"fields are {_listed(kept)}"


def end_to_end(message: Message) -> list[bytes]:
    names = [line.partition(b":")[0].lower() for line in message.fields]
    return [
        line
        for line, name in zip(message.fields, names, strict=True)
        if name not in _OURS
    ]


def _same(want: Want, wanted: Bytes, got: bytes) -> bool:
    if isinstance(wanted, re.Pattern):
        return wanted.fullmatch(got) is not None
    return wanted.replace(UPSTREAM, want.authority) == got


def _all_same(want: Want, wanted: Sequence[Bytes], got: Sequence[bytes]) -> bool:
    return len(wanted) == len(got) and all(
        _same(want, one, other) for one, other in zip(wanted, got, strict=True)
    )


def _shown(wanted: Bytes) -> str:
    return repr(wanted.pattern if isinstance(wanted, re.Pattern) else wanted)


def _cut(data: bytes, most: int = 200) -> str:
    return repr(data) if len(data) <= most else f"{data[:most]!r}... ({len(data)} B)"


def _listed(values: Iterable[bytes]) -> str:
    return ", ".join(repr(value) for value in values) or "missing"


def _number(things: Sequence[object], noun: str) -> str:
    plural = "" if len(things) == 1 else "s"
    return f"{len(things)} {noun}{plural} {things}" if things else f"no {noun}"
