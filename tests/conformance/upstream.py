"""The scripted upstream: answers each request as the case says."""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.case import OK, Case, request, response
from tests.conformance.ledger import Ledger, Link, read_link
from tests.conformance.script import Actor, leave, receive
from tests.conformance.steps import AT_HEAD, Script, as_steps
from tests.conformance.wire import Message

PROBE_TARGET = b"/--probe--"
"""Requests of the harness itself, to see whether a connection can still be used."""
PROBE = request(target=PROBE_TARGET)
PROBE_ANSWER = response(content=b"still here")
FENCE = request(b"GET", PROBE_TARGET, b"Connection: close")

BAD_REQUEST = response(b"400 Bad Request", b"Connection: close")


@dataclass
class Upstream:
    """Accepts the subject's connections while one case is played."""

    listener: socket.socket
    case: Case
    actor: Actor
    tasks: asyncio.TaskGroup
    running: list[asyncio.Task[None]] = field(default_factory=list)
    _taken: int = 0

    @property
    def ledger(self) -> Ledger:
        return self.actor.ledger

    def start(self) -> None:
        # A profile may have an upstream that refuses connections.
        if self.listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            _forget_waiting(self.listener)
            self._spawn(self._accept())

    async def stop(self) -> None:
        """End every connection, so that the subject can keep none for the next case."""
        for task in self.running:
            task.cancel()
        if self.running:
            await asyncio.wait(self.running)
        for link in self.ledger.upstream:
            await leave(link)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.running.append(self.tasks.create_task(coroutine))

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(self.listener)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(accepted)
            number = len(self.ledger.upstream)
            self.ledger.upstream.append(link)
            link.reader = self.tasks.create_task(receive(link, self.ledger))
            self._spawn(self._serve(link, number))

    async def _serve(self, link: Link, number: int) -> None:
        if number < len(self.case.on_connect):
            await self.actor.perform(link, self.case.on_connect[number])
        while not link.left and link.tunnel_after is None:
            message = await self._next(link)
            if message is None:
                await self._give_up(link)
                return
            await self._answer(link, number, message)
            link.answered += 1

    async def _next(self, link: Link) -> Message | None:
        """Return the next request once its head has come; None: there is none."""

        def come(_: Ledger) -> bool:
            reading = read_link(link)
            if reading.fault or link.ended or link.left:
                return True
            return len(reading.messages) > link.answered

        await self.ledger.until(come, 3600)
        messages = read_link(link).messages
        return messages[link.answered] if len(messages) > link.answered else None

    async def _give_up(self, link: Link) -> None:
        # Not left without an answer, or the case would only say that it took too long.
        if read_link(link).fault:
            await self.actor.perform(link, BAD_REQUEST)

    async def _answer(self, link: Link, number: int, message: Message) -> None:
        if message.target.endswith(PROBE_TARGET):
            self.ledger.aside.add((number, link.answered))
            await self.actor.perform(link, PROBE_ANSWER)
            return
        script: Script = OK
        if self._taken < len(self.case.answers):
            script = self.case.answers[self._taken]
        self._taken += 1
        steps = as_steps(script)
        if steps[:1] == (AT_HEAD,):
            steps = steps[1:]
        else:
            await self.ledger.until(lambda _: _is_whole(link), 3600)
        if any(isinstance(one, bytes) and b" 101 " in one[:20] for one in steps):
            link.tunnel_after = link.answered
        await self.actor.perform(link, steps)


def _is_whole(link: Link) -> bool:
    reading = read_link(link)
    whole = sum(message.complete for message in reading.messages)
    return whole > link.answered or bool(link.ended or link.left or reading.fault)


def _forget_waiting(listener: socket.socket) -> None:
    """Drop connections that nobody accepted: they are of an earlier case."""
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
