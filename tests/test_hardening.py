"""What is in the running program's memory stays there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Upstream, settings
from tests.running import Proxy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")

ROOT = Path(__file__).parents[1]

# Root may look into everything: so both sides become somebody else, which makes a
# process private by itself, and is therefore taken back.
SECRETIVE = """
import ctypes, os, resource, sys
from proxy.hardening import keep_memory_private
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
if sys.argv[1] == "private":
    keep_memory_private()
print("ready", flush=True)
sys.stdin.read()
"""

CURIOUS = """
import os, sys
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with open(f"/proc/{sys.argv[1]}/environ", "rb") as environ:
    print(b"planted-secret" in environ.read())
"""


@contextmanager
def secretive(how: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", SECRETIVE, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"KEY": "planted-secret"},
    )
    with process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.stdin.close()


def curious(pid: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CURIOUS, str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_program_of_the_same_user_cannot_look_in() -> None:
    with secretive("private") as pid:
        found = curious(pid)

    assert found.returncode == 1
    assert "PermissionError" in found.stderr


def test_without_it_it_could() -> None:
    with secretive("open") as pid:
        found = curious(pid)

    assert found.stdout == "True\n", found.stderr


def core_limits(pid: int) -> list[str]:
    limits = Path(f"/proc/{pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if "core file" in line)
    return line.split()[4:6]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Upstream() as upstream:
        text = settings(upstream, tmp_path, "127.0.0.1:0")
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    return tmp_path


def test_serve_leaves_no_core_dump(folder: Path) -> None:
    with Proxy("serve", folder=folder) as proxy:
        assert core_limits(proxy.process.pid) == ["0", "0"]


def test_who_looks_for_a_fault_may_look_in(folder: Path) -> None:
    environ = {"TELEMED_PROXY_DEBUG": "1"}
    own = core_limits(os.getpid())
    with Proxy("serve", folder=folder, environ=environ) as proxy:
        assert core_limits(proxy.process.pid) == own
