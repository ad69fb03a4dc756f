"""A real systemd as the first process of a machine of its own: what root types there.

Of this machine it shares the programs and the loopback; it writes to none of its
folders, and its processes are in a group of their own.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from proxy.service.plan import is_hidden
from tests.programs import need
from tests.running import own_environ
from tests.service.groups import CLEAN

ROOT = Path(__file__).parents[2]

# /srv is the test's; the targets are those that units of ours name.
BOOT = """
set -e
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/telemed-proxy-test-$$
mkdir "$group"
echo $$ > "$group/cgroup.procs"
echo "$group" > "$1/group"
exec unshare --mount --uts --ipc --cgroup --pid --fork --mount-proc --kill-child \
sh -ec '
    for each in /run /var/lib /srv /etc/systemd/system; do
        mount -t tmpfs -o mode=755 tmpfs $each
    done
    umount --recursive --lazy /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir /run/systemd /srv/units
    for each in basic sysinit sockets shutdown network-online multi-user; do
        printf "[Unit]\\nDescription=$each\\n" > /srv/units/$each.target
    done
    printf "[Unit]\\nWants=sockets.target multi-user.target\\n" \
> /srv/units/default.target
    mount --make-rshared /
    export container=lxc SYSTEMD_UNIT_PATH=/etc/systemd/system:/srv/units
    exec systemd --system --log-target=console --unit=default.target
'
"""


class Machine:
    """It runs, as far as `pid` does."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", "-t", str(pid), "--mount", "--pid", "--cgroup"]

    def types(self, script: str) -> "subprocess.CompletedProcess[str]":
        environ = own_environ() | {"container": "lxc", "HOME": "/root"}
        environ.pop("XDG_RUNTIME_DIR", None)
        return subprocess.run(
            [*self._enter, "sh", "-euc", f"cd /srv\n{script}"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def install(self) -> None:
        """Put the program where services find it."""
        places = [str(ROOT), *(each for each in sys.path if "site-packages" in each)]
        lines = "\n".join(places)
        made = self.types(
            f"{_python()} -m venv --without-pip /srv/venv\n"
            "cd /srv/venv/lib/python3*/site-packages\n"
            f"cat > here.pth <<'X'\n{lines}\nX\n"
            "cd /srv/venv/bin\n"
            "printf '#!/srv/venv/bin/python3\\nfrom proxy.cli import main\\nmain()\\n'"
            " > telemed-proxy\n"
            "chmod +x telemed-proxy"
        )
        assert made.returncode == 0, made.stderr


@contextmanager
def booted() -> Iterator[Machine]:
    """Run a machine with the program, or skip where that cannot be."""
    need("systemd")
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a systemd apart from the machine's own takes root and unshare")
    if is_hidden(str(ROOT)):
        pytest.skip("services of a system do not see this checkout")
    _python()
    folder = Path(tempfile.mkdtemp(prefix="tp-"))
    said = folder / "log"
    with said.open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", BOOT, "sh", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    first = 0
    try:
        for _ in range(100):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                break  # it has ended
            first = first or _child(process.pid)
            if first and _answers(first):
                machine = Machine(first)
                machine.install()
                yield machine
                return
        pytest.skip(f"no systemd can be run here: {said.read_text()[-300:]}")
    finally:
        if first:
            with suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)  # with all that are below it
        process.kill()
        process.wait(20)
        if (group := folder / "group").exists():
            clean = ["unshare", "--mount", "sh", "-c", CLEAN, "sh"]
            subprocess.run([*clean, group.read_text().strip()], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _python() -> str:
    """Return a Python like ours that services see, or skip."""
    version = f"python3.{sys.version_info.minor}"
    for each in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        real = Path(each).resolve()
        if real.exists() and not is_hidden(str(real)):
            return str(real)
    pytest.skip(f"services of a system see no {version} here")


def _child(pid: int) -> int:
    with suppress(OSError, ValueError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        comm = Path(f"/proc/{found[0]}/comm").read_text() if found else ""
        return int(found[0]) if comm.strip() == "systemd" else 0
    return 0


def _answers(pid: int) -> bool:
    done = Machine(pid).types("systemctl is-system-running")
    return done.stdout.strip() in {"running", "degraded"}
