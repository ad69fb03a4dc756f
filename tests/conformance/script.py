"""Performs a script on one connection."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass

from tests.conformance.ledger import Ledger, Link
from tests.conformance.steps import (
    UPSTREAM,
    Action,
    End,
    Script,
    Sleep,
    Slowly,
    Start,
    When,
    as_steps,
)


@dataclass
class Actor:
    """Performs scripts for one side of a case."""

    side: str
    ledger: Ledger
    authority: bytes
    """The upstream's, in the place of UPSTREAM."""
    patience: float

    async def perform(self, link: Link, script: Script) -> None:
        """Perform `script` on `link`, as far as its other end lets us."""
        for step in as_steps(script):
            if link.left:
                return
            if isinstance(step, Start):
                continue
            # The subject may have had enough: what it says of that is judged later.
            with contextlib.suppress(OSError):
                await self._step(link, step)

    async def _step(self, link: Link, step: Action) -> None:
        match step:
            case bytes():
                await self._send(link, step)
            case Slowly():
                await self._send_slowly(link, step)
            case Sleep():
                await asyncio.sleep(step.seconds)
            case When():
                await self._wait(step)
            case End.SHUT_WR:
                link.socket.shutdown(socket.SHUT_WR)
            case End.CLOSE | End.RESET:
                await leave(link, reset=step is End.RESET)
                self.ledger.change()

    async def _wait(self, event: When) -> None:
        if not await self.ledger.until(event.holds, self.patience):
            self.ledger.stalls.append(f"the {self.side} waited in vain for {event}")

    async def _send_slowly(self, link: Link, step: Slowly) -> None:
        for at in range(0, len(step.data), step.size):
            await self._send(link, step.data[at : at + step.size])
            await asyncio.sleep(step.seconds)

    async def _send(self, link: Link, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.patience):
                await loop.sock_sendall(
                    link.socket, data.replace(UPSTREAM, self.authority)
                )
        except TimeoutError:
            self.ledger.stalls.append(f"the {self.side} could not send {len(data)} B")


async def receive(link: Link, ledger: Ledger) -> None:
    """Keep all that comes, and how it ends."""
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(link.socket, 65536):
            link.received += data
            ledger.change()
        link.ended = "eof"
    except OSError:
        link.ended = "reset"
    ledger.change()


async def leave(link: Link, *, reset: bool = False) -> None:
    """Close our end of `link`, unless that was done."""
    if link.left:
        return
    link.left = True
    if link.reader:
        # The loop must have let go of the socket before its number is used again.
        link.reader.cancel()
        await asyncio.wait([link.reader])
    if reset:
        link.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    link.socket.close()
