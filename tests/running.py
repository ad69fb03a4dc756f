"""The real program as a subprocess: what it prints, and its admin listener."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

PROGRAM = (sys.executable, "-m", "proxy")

READY = re.compile(r"ready: proxy (?P<url>http://\S+)\s+admin (?P<admin>http://\S+)")
CONTROL = re.compile(r"sandbox control (?P<url>http://\S+)")
SMS = re.compile(r"SMS .*: (?P<code>\d{4,8})\b")


class Running:
    """A command that runs until the `with` block ends, and all its lines so far."""

    def __init__(
        self,
        *arguments: str,
        command: Sequence[str] = PROGRAM,
        folder: Path,
        environ: dict[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=own_environ() | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def expect(
        self, pattern: re.Pattern[str], *, since: int = 0, timeout: float = 20
    ) -> re.Match[str]:
        """Return the first match among the lines from number `since` on."""

        def match() -> re.Match[str] | None:
            found = (pattern.search(line) for line in self.lines[since:])
            return next((one for one in found if one), None)

        with self._changed:
            self._changed.wait_for(lambda: match() or self._ended, timeout)
            found = match()
        assert found, f"no line matches {pattern.pattern!r}:\n" + "\n".join(self.lines)
        return found

    def stop(self) -> int:
        """Ask the command to end as a service manager would; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._reader.join(timeout=5)
            assert self.process.stdout
            self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Proxy(Running):
    """A running `serve` or `sandbox`, ready."""

    def __init__(
        self,
        *arguments: str,
        command: Sequence[str] = PROGRAM,
        folder: Path,
        environ: dict[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        super().__init__(
            *arguments,
            command=command,
            folder=folder,
            environ=environ,
            pass_fds=pass_fds,
        )
        try:
            ready = self.expect(READY)
        except AssertionError:
            self.stop()
            raise
        self.url = ready["url"].rstrip("/")
        self.admin = ready["admin"].rstrip("/")

    @property
    def control(self) -> str:
        """The sandbox's control address."""
        return self.expect(CONTROL)["url"].rstrip("/")

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """Call the admin listener and return the JSON of its answer."""
        answer = call(method, self.admin + path, json=content)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def login(self, phone: str = "+7 916 123-45-67") -> None:
        """Log in, with the code that the sandbox prints."""
        before = len(self.lines)
        self.ask("POST", "/api/login/code", {"phone": phone})
        code = self.expect(SMS, since=before)["code"]
        self.ask("POST", "/api/login/token", {"validation_code": code})


def call(method: str, url: str, **content: Any) -> requests.Response:
    """Call `url` past any proxy that the environment names."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=30, **content)


def own_environ() -> dict[str, str]:
    """Return the environment less what would send loopback calls elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("TELEMED_PROXY")
    }
