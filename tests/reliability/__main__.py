"""All of it for long: `make reliability`, or `python -m tests.reliability [PART ...]`.

Prints a line for each thing tried: what, how often, what was lost. Ends with 1 if
anything was lost that need not have been.
"""

import argparse
import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis.stateful import run_state_machine_as_test

from tests.redis_server import RedisServer
from tests.reliability import disk, kill, outage, race, redis_race
from tests.reliability.model import LoginMachine, settings_of
from tests.reliability.world import World


@dataclass(frozen=True)
class Options:
    """How much of each."""

    kills: int
    seconds: float
    seed: int


Rows = AsyncIterator[tuple[str, str]]
"""What was tried, and what came of it."""


def folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="reliability-")


async def kills(options: Options) -> Rows:
    """Kill until there were enough kills, or enough seconds."""
    tally, deadline = kill.Tally(), time.monotonic() + 10 * options.seconds

    def go_on() -> bool:
        return tally.total < options.kills and time.monotonic() < deadline

    with folder() as place:
        async with asyncio.TaskGroup() as lanes:
            for number, (lifetime, due, delay) in enumerate(
                [(12, 0.7, 0.0), (6, 0.8, 0.25), (3, 1.0, 0.05)]
            ):
                own = Path(place) / str(number)
                own.mkdir()
                world = World(own, lifetime=lifetime, due_after=due)
                world.sandbox.switches.set({"delay": delay})
                seed = options.seed + number
                lanes.create_task(kill.run_lane(world, tally, seed=seed, go_on=go_on))
    for way, count in sorted(tally.kills.items()):
        yield f"killed: {way}", f"{count}, lost {tally.lost[way]}"
    yield (
        "kills in all",
        f"{tally.total}; {tally.verified} logins verified after it; "
        f"{tally.lost.total()} pairs issued and not saved, of those {tally.served_on} "
        f"served on, {tally.too_late} had ended before the start, "
        f"{tally.seen_to_the_end} seen to their end",
    )


async def races(options: Options) -> Rows:
    """Race on one file, then with an owner who is paused at each step."""

    async def a_while() -> None:
        await asyncio.sleep(options.seconds)

    with folder() as place:
        world = World(Path(place), lifetime=2, due_after=1)
        yield "8 on one file", _told(await race.race(world, 8, a_while))
    for point in ("note.saved", "sending", "answered"):
        with folder() as place:
            world = World(Path(place), lifetime=3, due_after=1.5)
            found = await race.race_with_a_pause(world, 8, point)
            yield f"8 on one file, owner paused: {point}", _told(found)


async def redis(options: Options) -> Rows:
    """Race on one Redis, which stops and starts, and with an owner past its lease."""

    async def a_while() -> None:
        await asyncio.sleep(options.seconds)

    if not shutil.which("redis-server"):
        yield "4 on one Redis", "not tried: redis-server is not installed"
        return
    with folder() as place, RedisServer(Path(place)) as server:
        world = redis_race.world_on(server, Path(place), 3, 1.5)
        yield "4 on one Redis", _told(await race.race(world, 4, a_while))
    with folder() as place, RedisServer(Path(place)) as server:
        world = redis_race.world_on(server, Path(place), 30, 2)
        found = await redis_race.race_with_a_restart(world, server, 4)
        yield "4 on one Redis, stopped and started", _told(found)
    with folder() as place, RedisServer(Path(place)) as server:
        world = redis_race.world_on(server, Path(place), 6, 2)
        found = await redis_race.race_past_the_lease(world, 4)
        yield "4 on one Redis, owner past its lease, not sent", _told(found)
    with folder() as place, RedisServer(Path(place)) as server:
        world = redis_race.world_on(server, Path(place), 30, 2)
        found = await redis_race.race_answered_past_the_lease(world, server, 4)
        yield "4 on one Redis, owner past its lease, answered", _told(found)


def _told(outcome: race.Outcome) -> str:
    outcome.check()
    return (
        f"{outcome.calls} calls, {len(outcome.failed)} failed; {outcome.refreshes} "
        f"refreshes; {outcome.spent_presented} spent tokens shown"
    )


async def disks(options: Options) -> Rows:
    """Have each kind of shortage come and go."""
    kinds: list[type[disk.Shortage]] = [disk.FileLimit, disk.ReadOnlyFolder]
    if os.geteuid() == 0 and disk.FullDisk.is_possible():
        kinds.append(disk.FullDisk)
    for kind in kinds:
        with folder() as place:
            world = World(Path(place), lifetime=60, due_after=1)
            calls = await disk.shortage(world, kind)
            yield kind.name, f"{calls} calls, 0 failed, 0 refresh tokens spent"
        with folder() as place:
            world = World(Path(place), lifetime=3, due_after=1)
            calls = await disk.shortage_past_the_end(world, kind)
            yield f"{kind.name}, past the token's end", f"{calls} calls, 0 failed"


async def outages(options: Options) -> Rows:
    """Have each kind of outage come and go."""
    for name, scenario in outage.OUTAGES.items():
        with folder() as place:
            yield name, f"{await scenario(Path(place))} calls answered"


async def model(options: Options) -> Rows:
    """Let hypothesis look for a sequence of events that breaks a rule."""
    examples = int(50 * options.seconds)
    logging.disable(logging.CRITICAL)
    try:
        await asyncio.to_thread(
            run_state_machine_as_test,
            LoginMachine,
            settings=settings_of(examples=examples, short=False),
        )
    finally:
        logging.disable(logging.NOTSET)
    yield "state machine", f"{examples} sequences of up to 25 events, no rule broken"


PARTS: dict[str, Callable[[Options], Rows]] = {
    "kill": kills,
    "race": races,
    "redis": redis,
    "disk": disks,
    "outage": outages,
    "model": model,
}


async def run(names: list[str], options: Options) -> bool:
    """Do the parts in turn; return whether all held."""
    held = True
    for name in names:
        try:
            async for what, came in PARTS[name](options):
                print(f"{name:7} | {what} | {came}", flush=True)
        except Exception:  # noqa: BLE001  the other parts are worth their time
            held = False
            print(f"{name:7} | FAILED", flush=True)
            traceback.print_exc()
    return held


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability")
    parser.add_argument("part", nargs="*", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if unknown := [part for part in asked.part if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    options = Options(kills=asked.kills, seconds=asked.seconds, seed=asked.seed)
    return 0 if asyncio.run(run(asked.part or list(PARTS), options)) else 1


if __name__ == "__main__":
    sys.exit(main())
