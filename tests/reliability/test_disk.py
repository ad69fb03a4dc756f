"""Without room for the tokens calls go on, and no refresh token is spent in vain."""

import sys
from pathlib import Path

import pytest

from tests.reliability.disk import FileLimit, shortage
from tests.reliability.world import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it limits a process")


async def test_a_refresh_waits_until_it_can_be_saved(tmp_path: Path) -> None:
    world = World(tmp_path, lifetime=60, due_after=0.5)

    assert await shortage(world, FileLimit, tries=1)
