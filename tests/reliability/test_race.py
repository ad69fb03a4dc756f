"""Several programs on one store refresh each pair once, and fail no call."""

import sys
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.reliability.race import race_with_a_pause
from tests.reliability.redis_race import race_past_the_lease, world_on
from tests.reliability.world import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


async def test_four_on_one_file_one_of_them_paused_in_its_refresh(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, lifetime=2, due_after=1)

    outcome = await race_with_a_pause(world, 4, "sending")

    outcome.check()


async def test_three_on_one_redis_one_of_them_paused_past_its_lease(
    tmp_path: Path,
) -> None:
    with RedisServer(tmp_path) as redis:
        world = world_on(redis, tmp_path, 3, 1)

        outcome = await race_past_the_lease(world, 3)

    outcome.check()
