"""systemctl, asked and told."""

import subprocess
from collections.abc import Iterable
from typing import Final

from proxy.errors import ProxyError
from proxy.service.units import SERVICE_UNIT

_PATIENCE: Final = 120.0  # longer than a start and an end may take


class Systemctl:
    """The service manager of the system, or of this user."""

    def __init__(self, *, system: bool) -> None:
        self._command = ["systemctl"] if system else ["systemctl", "--user"]

    @property
    def log_command(self) -> str:
        """What shows the last lines that the service logged."""
        user = [] if self._command == ["systemctl"] else ["--user"]
        return " ".join(["journalctl", *user, "-e", "-u", SERVICE_UNIT])

    def answers(self) -> bool:
        """Return whether a manager is there."""
        done = self._run("show", "--property=Version")
        return done is not None and done.returncode == 0

    def tell(self, *words: str) -> None:
        """Carry out a command. Raises ProxyError with what systemctl said."""
        done = self._run(*words)
        if done is None or done.returncode != 0:
            said = "" if done is None else _first_line(done.stderr)
            what = " ".join([*self._command, *words])
            raise ProxyError(
                f"{what} failed ({said or 'without a word'}); see: {self.log_command}"
            )

    def asked(self, question: str, unit: str) -> str:
        """Return the word that `is-enabled` or `is-active` answers."""
        done = self._run(question, unit)
        return "" if done is None else done.stdout.strip()

    def status_text(self) -> str:
        """Return what the running proxy told of itself."""
        done = self._run("show", "--property=StatusText", "--value", SERVICE_UNIT)
        return "" if done is None else done.stdout.strip()

    def is_active(self, units: Iterable[str]) -> bool:
        """Return whether one of `units` runs, or is about to."""
        words = ("active", "activating", "reloading")
        return any(self.asked("is-active", unit) in words for unit in units)

    def _run(self, *words: str) -> "subprocess.CompletedProcess[str] | None":
        try:
            return subprocess.run(  # noqa: S603  its words are ours
                [*self._command, "--no-pager", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


def _first_line(text: str) -> str:
    # The first says what is wrong, further ones where to read more; links are no news.
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Created symlink")), "")
