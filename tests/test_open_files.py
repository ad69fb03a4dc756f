"""How many connections the system lets this process have open."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")

# In a process of its own: a hard limit, once lowered, cannot be raised again.
SCRIPT = """
import resource, sys
from proxy.open_files import room_for
soft, hard, connections, others = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(room_for(connections, others), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("limits", "connections", "others", "room", "soft"),
    [
        ((1024, 4096), 500, 256, 500, 1024),
        ((1024, 4096), 2000, 256, 2000, 2000 + 256 + 64),
        ((1024, 4096), 10_000, 256, 4096 - 256 - 64, 4096),
        ((256, 256), 10_000, 256, 1, 256),
    ],
    ids=["fits", "raised", "as far as allowed", "hardly any"],
)
def test_there_is_room_for_as_many_as_the_system_allows(
    limits: tuple[int, int], connections: int, others: int, room: int, soft: int
) -> None:
    numbers = map(str, (*limits, connections, others))
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, *numbers],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == [str(room), str(soft)]
