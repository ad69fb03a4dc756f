"""After a SIGKILL the login is there again, or serves until its end and says so."""

import random
import sys
from pathlib import Path

import pytest

from tests.reliability.kill import Lane, Tally
from tests.reliability.world import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


async def test_killed_in_the_middle_of_a_save_and_with_the_answer_on_its_way(
    tmp_path: Path,
) -> None:
    tally = Tally()
    async with World(tmp_path, lifetime=60, due_after=1) as world:
        lane = Lane(world, random.Random(1), tally)
        await lane.prepare()
        for way in ("note.half-written", "committed"):
            await lane.cycle(way)

    assert tally.lost["committed"] == tally.served_on - tally.lost["any"] == 1
    assert tally.total >= 4
