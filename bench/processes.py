"""Other programs: started, asked what they cost, and ended by their id."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0
MEGABYTE = 1024 * 1024
FILES = 65536

_TICKS = os.sysconf("SC_CLK_TCK")


class StartError(Exception):
    """A program did not come up, with what it said."""


@dataclass(frozen=True)
class Started:
    """A program that runs; its output goes to `output`.

    `pid` is the process that does the work, which is not always the one started.
    """

    process: subprocess.Popen[bytes]
    pid: int
    output: Path

    def cpu(self) -> float:
        """Return the seconds of CPU it took so far, in all its threads."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        # The name in parentheses may hold spaces.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Return the megabytes that it has resident now."""
        return self._status("VmRSS")

    def peak_memory(self) -> float:
        """Return the most megabytes it had resident since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak start from what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def stop(self) -> None:
        """End it; the hard way where it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _status(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024 / MEGABYTE


def start(
    command: Sequence[str | Path],
    output: Path,
    *,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    ready: Callable[[], bool],
    worker: bool = False,
) -> Started:
    """Start `command` and wait until it is `ready`; with `worker`, its child works.

    It gets a session of its own: Ctrl-C is for this program, which ends what it started
    in an order that leaves nothing behind.
    """
    with output.open("ab") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _await(process, ready, output)
        pid = _only_child(process.pid) if worker else process.pid
        return Started(process, pid, output)
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _await(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], output: Path
) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise StartError(f"{process.args!r} did not start:\n{said}")
        time.sleep(0.02)


def _only_child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    (child,) = children.split()
    return int(child)


def accepts(port: int) -> Callable[[], bool]:
    """Return whether somebody accepts connections at `port`, as a question."""

    def ready() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    return ready


def free_port() -> int:
    """Return a port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def allow_many_files() -> int:
    """Raise the limit of open files, which started programs inherit; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < FILES:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        except (OSError, ValueError):  # only root may raise the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            return hard
        return FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    return FILES
