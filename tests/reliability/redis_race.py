"""The same race over one Redis that stops and starts, or whose lock's owner sleeps."""

from datetime import UTC, datetime
from pathlib import Path

from tests.redis_server import RedisServer
from tests.reliability.program import until
from tests.reliability.race import (
    Load,
    Outcome,
    generations,
    outcome,
    programs_on,
)
from tests.reliability.world import World

LEASE = 1.0
"""Seconds, in place of the real lease, so that an owner is soon past it."""


async def race_with_a_restart(world: World, redis: RedisServer, count: int) -> Outcome:
    """Stop Redis while all are busy, start it again: nobody notices but the status."""
    async with world, programs_on(world, count) as programs:
        load = Load(programs)
        async with load.running():
            await generations(world, 2)
            redis.kill()
            for program in programs:
                await program.told(lambda told: "token store" in _error(told))
            made = load.answers.total()
            await until(lambda: load.answers.total() >= made + 20)
            redis.start()
            for program in programs:
                await program.told(lambda told: told["last_error"] is None)
            await generations(world, 2)
        return outcome(world, load)


async def race_past_the_lease(world: World, count: int) -> Outcome:
    """Pause the owner of the lock for longer than its lease, before it has sent.

    Another takes the lock and refreshes; the owner, when it goes on, is told that it
    has lost it before it spends the refresh token a second time.
    """
    async with (
        world,
        programs_on(world, count, paused="note.begun", lease=LEASE) as programs,
    ):
        *others, owner = programs
        load = Load(others)
        async with load.running():
            await owner.stopped("note.begun")
            await generations(world, 1)
            owner.resume()
            await generations(world, 1)
        await owner.told(lambda told: told["state"] == "active")
        answer = await owner.call()
        assert answer.status == 200, answer
        return outcome(world, load)


async def race_answered_past_the_lease(
    world: World, redis: RedisServer, count: int
) -> Outcome:
    """The same, with the new pair in the owner's hands, where nobody sees it.

    The others see that a refresh was begun, and leave it to the owner while they can:
    its pair is taken over when it goes on.
    """
    async with (
        world,
        programs_on(world, count, paused="answered", lease=LEASE) as programs,
    ):
        *others, owner = programs
        load = Load(others)
        async with load.running():
            await owner.stopped("answered")
            with redis.client() as client:
                await until(lambda: not client.keys("*:lock"))
            for program in others:
                await program.told(_is_due)
            made = load.answers.total()
            await until(lambda: load.answers.total() >= made + 20)
            owner.resume()
            await generations(world, 2)
        return outcome(world, load)


def _is_due(status: dict[str, object]) -> bool:
    return datetime.fromisoformat(str(status["refresh_due_at"])) <= datetime.now(UTC)


def _error(status: dict[str, object]) -> str:
    return str(status["last_error"])


def world_on(redis: RedisServer, folder: Path, lifetime: float, due: float) -> World:
    return World(folder, lifetime=lifetime, due_after=due, store_url=redis.url())
