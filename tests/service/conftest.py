"""A real manager of a user's services, apart from the one that may run this machine.

It takes root, mounts and groups of processes of its own, so it is run on request only:
TEST_SYSTEMD=1.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.programs import need
from tests.running import PROGRAM, own_environ
from tests.service.groups import CLEAN

if os.environ.get("TEST_SYSTEMD") != "1":
    collect_ignore = ["test_manager.py", "test_system.py"]

# It sees a machine that systemd runs, and a group of processes that is its own.
MANAGER = """
set -e
mount -t tmpfs tmpfs /run/systemd
mkdir /run/systemd/system
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/telemed-proxy-test-$$
mkdir "$group"
echo $$ > "$group/cgroup.procs"
echo "$group" > "$XDG_RUNTIME_DIR/group"
exec systemd --user --log-target=console
"""


@dataclass
class Manager:
    """A person whose services it keeps, and what they type."""

    home: Path
    runtime: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ = own_environ() | {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CONFIG_HOME": f"{self.home}/.config",
            "XDG_STATE_HOME": f"{self.home}/state of mine",
            # Not what this machine's packages have started for everybody.
            "SYSTEMD_UNIT_PATH": f"{self.home}/.config/systemd/user"
            ":/usr/lib/systemd/user",
        }

    def types(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def service(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.types(*PROGRAM, "service", *words)

    def is_there(self) -> bool:
        return (
            self.types("systemctl", "--user", "show", "-p", "Version").returncode == 0
        )


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    need("systemd")
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a systemd apart from the machine's own takes root and unshare")
    # The paths of sockets are short.
    runtime = Path(tempfile.mkdtemp(prefix="tp-"))
    person = Manager(tmp_path, runtime)
    said = runtime / "log"
    with said.open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", MANAGER],
            env=person.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        for _ in range(100):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                break  # it has ended
            if person.is_there():
                yield person
                return
        pytest.skip(f"no systemd can be run here: {said.read_text()[-300:]}")
    finally:
        process.terminate()
        process.wait(20)
        if (group := runtime / "group").exists():
            clean = ["unshare", "--mount", "sh", "-c", CLEAN, "sh"]
            subprocess.run([*clean, group.read_text().strip()], check=False)
        shutil.rmtree(runtime, ignore_errors=True)
