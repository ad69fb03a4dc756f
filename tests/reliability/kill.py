"""SIGKILL at every step of a refresh, and at moments picked at random."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from proxy.oauth.messages import fingerprint
from proxy.oauth.stores.record import DEFAULT_ACCOUNT
from tests.reliability.launcher import POINTS
from tests.reliability.program import Program, until
from tests.reliability.world import World, last_good_call, settled

HELD = {"received": "token_fault", "committed": "drop_after_commit"}
"""Moments at the authorization server, and the switch that keeps the answer there."""

MOMENTS = ("starting", "any")
"""Picked at random: in the start of the program, and in the seconds after it."""

WAYS = (*POINTS, *HELD, *MOMENTS)

UNSAVED = ("committed", "answered", "save.begun", "save.half-written", "save.written")
"""Moments when the old refresh token is spent and the new one is not saved yet."""


@dataclass
class Tally:
    """What a run of kills came to."""

    kills: Counter[str] = field(default_factory=Counter)
    verified: int = 0
    """Starts after a kill whose login was looked at."""
    lost: Counter[str] = field(default_factory=Counter)
    """Logins that ended, as a pair was issued and is not on the disk."""
    served_on: int = 0
    """Of those: calls went on with the access token, and status told its end."""
    too_late: int = 0
    """Of those: the access token had ended before the program was up again."""
    seen_to_the_end: int = 0
    """Of those: watched until the access token ended and calls got the 503."""

    @property
    def total(self) -> int:
        return sum(self.kills.values())


class Lane:
    """One login that is killed over and over."""

    def __init__(self, world: World, rng: random.Random, tally: Tally) -> None:
        self.world = world
        self.rng = rng
        self.tally = tally

    async def prepare(self) -> None:
        async with self.world.program() as program:
            await self.world.login(program)

    async def cycle(self, way: str, *, to_the_end: bool = False) -> None:
        """Kill a program in one `way`, then see what the next one makes of it."""
        try:
            await self._disturb(way)
            self.world.check_files()
            await self._verify(way, to_the_end=to_the_end)
            self.world.check_files()
            while self._is_lost():  # by the kill after it, at a random moment
                await self._verify("any", to_the_end=False)
        except BaseException as exc:
            exc.add_note(
                f"killed: {way}; the authorization server: {self.world.refreshes[-6:]}"
            )
            raise

    # -- the kill --------------------------------------------------------------------

    async def _disturb(self, way: str) -> None:
        program = self.world.program(stop_at=way if way in POINTS else None)
        await program.spawn()
        try:
            if way in HELD:
                await self._hold(way)
            elif way == "starting":
                await asyncio.sleep(self.rng.uniform(0, 0.8))
            else:
                await self._under_load(program, self._moment(way, program))
        finally:
            await self._kill(program, way)

    async def _moment(self, way: str, program: Program) -> None:
        if way == "any":
            await program.ready()
            await asyncio.sleep(self.rng.uniform(0, 2))
        else:
            await program.stopped(way)

    async def _hold(self, way: str) -> None:
        before = len(self.world.refreshes)
        with self.world.fault(**{HELD[way]: "timeout", "drop_only": "refresh_token"}):
            await self.world.refresh_received(before)

    async def _under_load(
        self, program: Program, work: Coroutine[Any, Any, None]
    ) -> None:
        load = asyncio.create_task(_calls(program))  # noqa: TID251
        try:
            await work
        finally:
            load.cancel()
            await asyncio.wait([load])

    async def _kill(self, program: Program, way: str) -> None:
        await program.kill()
        self.tally.kills[way] += 1

    # -- the start after it ----------------------------------------------------------

    def _is_lost(self) -> bool:
        return self.world.generation_saved() < self.world.issued()

    async def _verify(self, way: str, *, to_the_end: bool) -> None:
        world = self.world
        is_lost = self._is_lost()
        # Only there: a pair that is lost after any other step was lost by us.
        assert way in MOMENTS or is_lost == (way in UNSAVED)
        program = await world.program().start()
        try:
            if is_lost:
                await self._verify_lost(program, way, to_the_end=to_the_end)
            await _verify_alive(world, program)
            self.tally.verified += 1
            await self._under_load(program, asyncio.sleep(self.rng.uniform(0, 1)))
        except BaseException as exc:
            exc.add_note("\n".join(program.lines))
            raise
        finally:
            await self._kill(program, "after a verified start")

    async def _verify_lost(
        self, program: Program, way: str, *, to_the_end: bool
    ) -> None:
        """The pair in use cannot be refreshed: it serves until its end, and says so."""
        world, tally = self.world, self.tally
        tally.lost[way] += 1
        pair = world.saved()
        assert pair is not None
        answer = await program.call()
        if answer.status == 200:
            tally.served_on += 1
        else:
            assert not world.is_alive(pair), answer
            tally.too_late += 1
        status = await program.told(lambda told: told["login_needed_by"] is not None)
        assert status["login_needed_by"] == status["expires_at"], status
        assert "answer was lost" in str(status["last_error"]), status
        await until(lambda: _is_refused(world, pair["refresh_token"]))
        if to_the_end:
            _, answer = await last_good_call(world, program)
            assert answer.status == 503, answer
            assert "login_required" in answer.text, answer
            assert (await program.status())["state"] == "login_required"
            tally.seen_to_the_end += 1
        await world.login(program)


async def _verify_alive(world: World, program: Program) -> None:
    answer = await program.call()
    assert answer.status == 200, answer
    await settled(world, program)
    assert (await program.status())["login_needed_by"] is None


def _is_refused(world: World, refresh_token: str) -> bool:
    document = json.loads(world.tokens.read_text())
    refused = document["accounts"][DEFAULT_ACCOUNT]["refused"]
    return fingerprint(refresh_token) in refused


async def _calls(program: Program) -> None:
    """Call without end; what is cut off by the kill is nobody's fault."""
    await program.ready()  # a refresh that is due at the start may come before
    with suppress(aiohttp.ClientError):
        while True:
            await program.call()
            await asyncio.sleep(0.02)


async def run_lane(
    world: World,
    tally: Tally,
    *,
    seed: int,
    go_on: Callable[[], bool],
) -> None:
    """Kill one login's programs in every way, in a new order each round."""
    rng = random.Random(seed)
    async with world:
        lane = Lane(world, rng, tally)
        await lane.prepare()
        while True:
            # Those picked at random are as many as all the steps together.
            ways = [*POINTS, *HELD, *MOMENTS * 7]
            rng.shuffle(ways)
            for way in ways:
                if not go_on():
                    return
                await lane.cycle(way, to_the_end=rng.random() < 0.25)
