"""Plays one case against one subject."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Protocol

from tests.conformance.case import CLOSED, OPEN, Case, Expect
from tests.conformance.judge import Outcome, Want, differences
from tests.conformance.ledger import Ledger, Link
from tests.conformance.script import Actor, leave, receive
from tests.conformance.steps import Script, sent_bytes
from tests.conformance.upstream import FENCE, PROBE, PROBE_ANSWER, Upstream
from tests.conformance.wire import read_requests, read_responses

FENCE_PATIENCE = 10.0


class Subject(Protocol):
    """A proxy that runs, in front of an upstream that we script."""

    @property
    def address(self) -> tuple[str, int]: ...
    @property
    def listener(self) -> socket.socket:
        """The upstream's listening socket."""

    @property
    def token(self) -> str: ...
    @property
    def marks(self) -> tuple[bytes, ...]:
        """Names of fields that mark its own answers."""


@dataclass
class Played:
    """What came of a case, and what is wrong with that."""

    case: Case
    outcome: Outcome
    differences: list[str]

    @property
    def passed(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        case = self.case
        return "\n".join(
            (
                f"{case.id}: {case.rule}",
                f"  section    {case.section}",
                *(f"  wrong      {line}" for line in self.differences),
                f"  sent       {_short(case.send)}",
                *(f"  answer     {_short(answer)}" for answer in case.answers),
                *(f"  upstream   {_short(data)}" for data in self.outcome.raw_upstream),
                f"  client got {_short(self.outcome.raw_client)}"
                f" then {self.outcome.client_ended or 'kept open'}",
            )
        )


async def play(case: Case, subject: Subject, patience: float) -> Played:
    """Play `case` against `subject` and judge it.

    What does not come within `patience` seconds does not come. One case at a time: the
    subject has one upstream.
    """
    async with asyncio.TaskGroup() as tasks:
        return await _Play(case, subject, patience, tasks).run()


@dataclass
class _Play:
    case: Case
    subject: Subject
    patience: float
    tasks: asyncio.TaskGroup
    links: list[Link] = field(default_factory=list)

    async def run(self) -> Played:
        client = await self._connect()
        ledger = Ledger(client, _methods(self.case.send))
        upstream = Upstream(
            self.subject.listener,
            self.case,
            self._actor("upstream", ledger),
            self.tasks,
        )
        upstream.start()
        try:
            outcome = await self._exchange(self._actor("client", ledger))
        finally:
            for link in self.links:
                await leave(link)
            await upstream.stop()
        want = Want(self.case, self._authority, self.subject.token, self.subject.marks)
        return Played(self.case, outcome, differences(want, outcome))

    async def _exchange(self, actor: Actor) -> Outcome:
        ledger, client = actor.ledger, actor.ledger.client
        client.reader = self.tasks.create_task(receive(client, ledger))
        others = [
            self.tasks.create_task(self._other(script, ledger))
            for script in self.case.others
        ]
        await actor.perform(client, self.case.send)
        await self._wait_for(self.case.expect[0], actor)
        probed = await self._probe(actor)
        ended, raw = client.ended, bytes(client.received)
        for task in others:
            task.cancel()
        for link in self.links:
            await leave(link)
        await self._fence(ledger)
        return Outcome(
            client=read_responses(raw, ledger.methods, ended=ended),
            upstream=ledger.read_upstream(),
            client_ended=ended,
            upstream_ended=any(link.ended for link in ledger.upstream),
            probes=ledger.probes(),
            probed=probed,
            stalls=ledger.stalls,
            raw_client=raw,
            raw_upstream=[bytes(link.received) for link in ledger.upstream],
        )

    @property
    def _authority(self) -> bytes:
        host, port = self.subject.listener.getsockname()
        return f"{host}:{port}".encode()

    def _actor(self, side: str, ledger: Ledger) -> Actor:
        return Actor(side, ledger, self._authority, self.patience)

    async def _connect(self) -> Link:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, self.subject.address)
        self.links.append(Link(sock))
        return self.links[-1]

    async def _other(self, script: Script, ledger: Ledger) -> None:
        link = await self._connect()
        link.reader = self.tasks.create_task(receive(link, ledger))
        await self._actor("other client", ledger).perform(link, script)

    async def _wait_for(self, expect: Expect, actor: Actor) -> None:
        """Wait until all that is expected has come, or cannot come any more."""
        ledger, client = actor.ledger, actor.ledger.client

        def answered(_: Ledger) -> bool:
            whole = sum(message.complete for message in ledger.finals())
            over = client.ended or client.left or ledger.read_client().fault
            return whole >= len(expect.got or ()) or bool(over)

        def reached(_: Ledger) -> bool:
            wanted = expect.reached or ()
            requests = ledger.requests()
            return len(requests) >= len(wanted) and all(
                request.complete or want.complete is not True
                for request, want in zip(requests, wanted, strict=False)
            )

        if expect.got:
            await ledger.until(answered, self.patience)
        if expect.reached and not client.ended:
            await ledger.until(reached, self.patience)
        if expect.upstream_left:
            await ledger.until(
                lambda _: any(link.ended for link in ledger.upstream), self.patience
            )
        if expect.after is CLOSED:
            await ledger.until(lambda _: bool(client.ended), self.patience)

    async def _probe(self, actor: Actor) -> bool | None:
        """Return whether the connection answers one more request; None: not asked."""
        ledger, client = actor.ledger, actor.ledger.client
        if self.case.expect[0].after is not OPEN or client.ended:
            return None
        before = bytes(client.received)
        finals = len(ledger.finals())
        ledger.methods = [*ledger.methods[:finals], b"GET"]
        await actor.perform(client, PROBE)
        await ledger.until(
            lambda _: (
                sum(one.complete for one in ledger.finals()) > finals
                or bool(client.ended or ledger.read_client().fault)
            ),
            self.patience,
        )
        answers = ledger.finals()[finals:]
        probed = [one.content for one in answers] == [PROBE_ANSWER[-10:]]
        if probed:
            # The answer to the probe is not part of the case.
            client.received[:] = before
        return probed

    async def _fence(self, ledger: Ledger) -> None:
        """Have one more request answered on a connection of its own.

        Whatever the subject sent to the upstream before has then arrived as well.
        """
        link = await self._connect()
        link.reader = self.tasks.create_task(receive(link, ledger))
        await self._actor("fence", ledger).perform(link, FENCE)

        def answered(_: Ledger) -> bool:
            reading = read_responses(bytes(link.received), (), ended=link.ended)
            return any(message.complete for message in reading.messages)

        if not await ledger.until(answered, FENCE_PATIENCE):
            ledger.stalls.append("the subject does not answer any more")
        await leave(link)


def _methods(script: Script) -> list[bytes]:
    """Return the methods of the requests that `script` sends."""
    reading = read_requests(sent_bytes(script))
    methods = [message.method for message in reading.messages]
    if reading.rest:
        methods.append(reading.rest.split(b" ", 1)[0])
    return methods


def _short(data: object, most: int = 600) -> str:
    text = repr(data)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)})"
