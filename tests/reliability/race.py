"""Several programs on one store, all of them busy, while tokens live for seconds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from tests.reliability.program import Answer, Program, until
from tests.reliability.world import World


@dataclass
class Load:
    """Calls to all programs at once, and what they were answered."""

    programs: Sequence[Program]
    callers: int = 2
    answers: Counter[int] = field(default_factory=Counter)
    failed: list[Answer] = field(default_factory=list)
    waiting: int = 0
    """Calls that are not answered yet."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Call without end; on leaving, wait for every answer."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as callers:
            for program in [*self.programs] * self.callers:
                callers.create_task(self._call(program, over))
            try:
                yield self
            finally:
                over.set()

    async def _call(self, program: Program, over: asyncio.Event) -> None:
        while not over.is_set():
            self.waiting += 1
            answer = await program.call()
            self.waiting -= 1
            self.answers[answer.status] += 1
            if answer.status != 200:
                self.failed.append(answer)
            await asyncio.sleep(0.05)


@asynccontextmanager
async def programs_on(
    world: World, count: int, *, paused: str | None = None, lease: float | None = None
) -> AsyncIterator[list[Program]]:
    """Start `count` programs and log in at one; the last stops itself at `paused`."""
    async with AsyncExitStack() as stack:
        programs = [world.program(lease=lease) for _ in range(count - 1)]
        # Due before the others', so that it is the one who refreshes.
        early = world.refresh_at / 2 if paused else None
        programs.append(world.program(stop_at=paused, refresh_at=early, lease=lease))
        for program in programs:
            stack.push_async_callback(program.kill)
            await program.spawn()
        for program in programs:
            await program.ready()
        await world.login(programs[0])
        # One that stops itself may have done so by now.
        for program in programs[:-1] if paused else programs:
            await program.told(lambda status: status["state"] == "active")
        yield programs


@dataclass
class Outcome:
    """What a race came to."""

    programs: int
    calls: int
    failed: list[Answer]
    refreshes: int
    outcomes: dict[str, int]
    spent_presented: int

    def check(self) -> None:
        """Fail unless each pair was refreshed once, and nobody noticed."""
        assert not self.failed, self.failed[:5]
        assert self.calls
        assert self.outcomes == {"issued": self.refreshes}, self.outcomes
        assert self.spent_presented == 0


def outcome(world: World, load: Load) -> Outcome:
    return Outcome(
        programs=len(load.programs),
        calls=load.answers.total(),
        failed=load.failed,
        refreshes=world.issued() - 1,
        outcomes=world.outcomes(),
        spent_presented=world.sandbox.spent_presented,
    )


async def race(
    world: World, count: int, until_over: Callable[[], Awaitable[None]]
) -> Outcome:
    """Have `count` programs share one login until `until_over` returns."""
    async with world, programs_on(world, count) as programs:
        load = Load(programs)
        async with load.running():
            await until_over()
        return outcome(world, load)


async def race_with_a_pause(world: World, count: int, point: str) -> Outcome:
    """The same; one stops in the middle of its refresh until the token has ended."""
    async with world, programs_on(world, count, paused=point) as programs:
        *others, owner = programs
        load = Load(others)
        async with load.running():
            await owner.stopped(point)
            pair = world.saved()
            assert pair is not None
            await until(lambda: not world.is_alive(pair))
            await until(lambda: load.waiting == len(others) * load.callers)
            owner.resume()
            await generations(world, 2)
        answer = await owner.call()
        assert answer.status == 200, answer
        return outcome(world, load)


async def generations(world: World, count: int) -> None:
    """Wait until `count` more pairs were issued."""
    wanted = world.issued() + count
    await until(lambda: world.issued() >= wanted)
