"""What a subject did instead of what a case expects, in a few words. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.conformance.case import CLOSED, OPEN, Bytes, Expect, Request, Response
from tests.conformance.judge import Outcome, end_to_end
from tests.conformance.play import Played
from tests.conformance.steps import UPSTREAM, sent_bytes
from tests.conformance.wire import Message

MOST = 4
"""How many different things are named before the rest is only hinted at."""


@dataclass(frozen=True)
class Deed:
    """Something that was done, and to what; several to the same are told together."""

    what: str
    to: str = ""


ASKED = Deed("asks for the content itself")
COMPLETE = Deed("lets it look complete")
BLIND = Deed("sends it on as it is")
REUSED = Deed("uses the connection again")
SENT_ON = Deed("sends it on")
CLOSED_IN_SILENCE = Deed("closes without an answer")
SILENT = Deed("does not answer")


def deeds(played: Played) -> list[Deed]:
    """Return what was done in the place of what was expected."""
    expect, outcome = played.case.expect[0], played.outcome
    if any("SECOND_CONNECTION" in stall for stall in outcome.stalls):
        return [REUSED]
    if any(reading.fault for reading in outcome.upstream):
        return [BLIND]
    found = [*_answer(played, expect), *_request(played, expect)]
    if not found and expect.reached == () and outcome.requests:
        found = [SENT_ON]
    elif not found or found == [ASKED]:
        found += _connections(expect, outcome)
    return found or [Deed("; ".join(played.differences))]


def told(all_deeds: Iterable[Deed]) -> str:
    """Return `all_deeds` as one phrase, the most frequent first."""
    times: dict[str, int] = {}
    objects: dict[str, dict[str, str]] = {}
    for deed in all_deeds:
        times[deed.what] = times.get(deed.what, 0) + 1
        named = objects.setdefault(deed.what, {})
        if deed.to:
            # Of the spellings of a name, one is enough.
            named[deed.to.lower()] = min(deed.to, named.get(deed.to.lower(), deed.to))
    ordered = sorted(times, key=lambda what: (-times[what], what))
    return _few(
        [
            f"{what} {_few(sorted(objects[what].values()), ', ')}".strip()
            for what in ordered
        ],
        "; ",
    )


def _few(things: list[str], separator: str) -> str:
    more = ["..."] if len(things) > MOST else []
    return separator.join([*things[:MOST], *more])


def _answer(played: Played, expect: Expect) -> Iterator[Deed]:
    """Yield what is odd about what the client got."""
    wanted, outcome = expect.got, played.outcome
    if wanted is None:
        return
    finals = outcome.finals
    if outcome.client.fault:
        blind = _went_on(outcome)
        yield Deed("relays it as it is" if blind else "answers without a head")
        return
    for one, message in zip(wanted, finals, strict=False):
        if not _is_status(one, message):
            yield _other_status(one, message, outcome)
            return
        yield from _response(one, message, played)
    if len(finals) < len(wanted):
        yield CLOSED_IN_SILENCE if outcome.client_ended else SILENT
    elif len(finals) > len(wanted):
        yield Deed(f"answers {finals[0].status} and reads on")
    else:
        yield from _interim(played, wanted)


def _went_on(outcome: Outcome) -> bool:
    """Say whether anything has gone on to the upstream."""
    return any(one.messages or one.fault or one.rest for one in outcome.upstream)


def _is_status(wanted: Response, message: Message) -> bool:
    statuses = wanted.status
    if isinstance(statuses, int):
        return statuses == message.status
    return statuses is None or message.status in statuses


def _other_status(wanted: Response, message: Message, outcome: Outcome) -> Deed:
    if not _went_on(outcome) or message.status >= 400:
        return Deed("answers", str(message.status))
    if not message.complete and not outcome.client_ended:
        return Deed("begins to relay it, and waits")
    if wanted.status == frozenset():
        return COMPLETE
    of_the_upstream = wanted.status in (502, 504)
    return Deed("relays it" if of_the_upstream else "serves it")


def _response(wanted: Response, message: Message, played: Played) -> Iterator[Deed]:
    if wanted.complete is not None and wanted.complete != message.complete:
        yield COMPLETE if message.complete else Deed("cuts the answer")
    elif wanted.content and not message.content:
        yield Deed("loses what comes after")
    if wanted.trailers and not message.trailers:
        yield Deed("drops the trailers")
    if message.status >= 400 and b" %d " % message.status not in _sent(played):
        if any(_fields("relays", wanted, message, played)):
            yield Deed("answers in its own form:", str(message.status))
    else:
        yield from _fields("relays", wanted, message, played)


def _interim(played: Played, wanted: tuple[Response, ...]) -> Iterator[Deed]:
    if all(one.interim is None for one in wanted):
        return
    expected = [two.status for one in wanted for two in one.interim or ()]
    got = [one.status for one in played.outcome.client.messages if one.interim]
    if got.count(100) > _sent(played).count(b" 100 "):
        yield ASKED
    elif len(got) > len(expected):
        yield from (Deed("relays", str(status)) for status in got)


def _request(played: Played, expect: Expect) -> Iterator[Deed]:
    """Yield what is odd about what the upstream got."""
    requests = played.outcome.requests
    if expect.deliveries is not None and len(requests) > max(expect.deliveries):
        yield Deed("delivers it again")
    for wanted, message in zip(expect.reached or (), requests, strict=False):
        if wanted.line and not _is(wanted.line, message.line):
            yield Deed("changes the target")
        if wanted.content and not message.content:
            yield Deed("loses what comes after")
        yield from _fields("sends on", wanted, message, played)


def _connections(expect: Expect, outcome: Outcome) -> Iterator[Deed]:
    """Yield what is odd about how the connections end."""
    if expect.after is CLOSED and not outcome.client_ended:
        yield Deed("keeps the connection open")
    if expect.after is OPEN and not outcome.probed:
        closed = outcome.probed is None
        yield Deed("closes the connection" if closed else "never ends the answer")
    if expect.upstream_left and not outcome.upstream_ended:
        yield Deed("keeps the connection to the upstream open")


def _fields(
    verb: str, wanted: Request | Response, message: Message, played: Played
) -> Iterator[Deed]:
    """Yield the fields that `message` has or lacks, against what is `wanted`."""
    for name in wanted.absent:
        if message.values(name):
            yield Deed(verb, name.decode())
    lines = message.fields
    for line in wanted.fields:
        if not any(_is(line, one) for one in lines):
            kept = _written(line).lower() in (_written(one).lower() for one in lines)
            yield Deed("leaves", _written(line)) if kept else _lost(line, played)
    if wanted.only is not None:
        yield from _other_fields(verb, wanted.only, end_to_end(message), played)


def _other_fields(
    verb: str, wanted: tuple[Bytes, ...], got: list[bytes], played: Played
) -> Iterator[Deed]:
    missing = [one for one in wanted if not any(_is(one, line) for line in got)]
    more = [one for one in got if not any(_is(line, one) for line in wanted)]
    lacking = {_written(one).lower() for one in missing}
    for line in more:
        was_sent = line in _sent(played)
        changed = _written(line).lower() in lacking
        yield Deed(
            ("leaves" if was_sent else "changes") if changed else verb, _written(line)
        )
    had = {_written(line).lower() for line in more}
    for one in missing:
        if _written(one).lower() not in had:
            yield _lost(one, played)
    if not missing and not more and len(wanted) == len(got):
        in_order = all(_is(one, line) for one, line in zip(wanted, got, strict=True))
        if not in_order:
            yield Deed("moves fields")


def _lost(line: Bytes, played: Played) -> Deed:
    name = _written(line)
    known = name == "the field" or name.lower().encode() in _sent(played).lower()
    return Deed("drops" if known else "adds no", name)


def _sent(played: Played) -> bytes:
    """Return all that was sent to the subject, from both sides."""
    case, requests = played.case, played.outcome.requests
    scripts = (case.send, *case.answers, *case.on_connect)
    data = b"\n".join(map(sent_bytes, scripts))
    hosts = requests[0].values(b"Host") if requests else []
    return data.replace(UPSTREAM, hosts[0]) if hosts else data


def _is(wanted: Bytes, got: bytes) -> bool:
    return wanted == got if isinstance(wanted, bytes) else bool(wanted.fullmatch(got))


def _written(line: Bytes) -> str:
    """Return the name of a field as the case or the message writes it."""
    text = line if isinstance(line, bytes) else line.pattern.replace(b"(?i:", b"")
    name = text.partition(b":")[0].strip(b")").decode("latin-1")
    return name if re.fullmatch(r"[\w-]+", name) else "the field"
