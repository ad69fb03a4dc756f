"""One `telemed-proxy serve` under test: started, asked, paused, killed."""

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from tests.running import READY, own_environ

LAUNCHER = Path(__file__).with_name("launcher.py")
PATIENCE = 60.0
"""Nothing is judged by it: what takes longer hangs, or the machine does."""

PROFILE = "/api/v1/profile/get"


class Answer(NamedTuple):
    """What a call was answered with."""

    status: int
    text: str


class Program:
    """A process that may end at any moment; all its lines are kept."""

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path,
        *,
        stop_at: str | None = None,
        names: Path | None = None,
        lease: float | None = None,
        prefix: Sequence[str] = (),
        environ: dict[str, str] | None = None,
    ) -> None:
        self._config = config
        self._folder = folder
        self._prefix = prefix
        self._environ = environ or {}
        self._launcher: list[str] = []
        if stop_at:
            self._launcher += ["--stop-at", stop_at]
        if names:
            self._launcher += ["--names", str(names)]
        if lease:
            self._launcher += ["--lease", str(lease)]
        self.lines: list[str] = []
        self._changed = asyncio.Event()
        self._ended = False
        self._url = self._admin = ""
        self._session: aiohttp.ClientSession

    # -- life ------------------------------------------------------------------------

    async def spawn(self) -> "Program":
        """Start it, and do not wait until it is ready."""
        file = self._folder / f"config-{id(self)}.yaml"
        file.write_text(json.dumps(self._config))
        # Without -P the folder of a script would come first among those of modules.
        command = [sys.executable, "-P"]
        command += [str(LAUNCHER), *self._launcher, "--"] if self._launcher else []
        command += [] if self._launcher else ["-m", "proxy"]
        self.process = await asyncio.create_subprocess_exec(
            *self._prefix,
            *command,
            "serve",
            "-c",
            str(file),
            cwd=self._folder,
            env=own_environ() | {"PYTHONUNBUFFERED": "1"} | self._environ,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        self._reader = asyncio.create_task(self._read())  # noqa: TID251
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=4 * PATIENCE), trust_env=False
        )
        return self

    async def start(self) -> "Program":
        """Start it and wait until it is ready."""
        await self.spawn()
        try:
            await self.ready()
        except BaseException:
            await self.kill()
            raise
        return self

    async def ready(self) -> None:
        """Wait until it takes calls."""
        found = await self.line(READY)
        self._url, self._admin = found["url"].rstrip("/"), found["admin"].rstrip("/")

    async def line(self, pattern: re.Pattern[str] | str) -> re.Match[str]:
        """Return the first match among its lines, past and to come."""
        found: list[re.Match[str]] = []

        def is_there() -> bool:
            found.extend(m for line in self.lines if (m := re.search(pattern, line)))
            return bool(found)

        async with asyncio.timeout(PATIENCE):
            while not is_there():
                assert not self._ended, "\n".join(["it ended:", *self.lines])
                self._changed.clear()
                await self._changed.wait()
        return found[0]

    def count(self, text: str) -> int:
        """Return how many of its lines have `text` in them."""
        return sum(text in line for line in self.lines)

    async def stopped(self, point: str) -> None:
        """Wait until it has stopped itself at `point`."""
        await self.line(re.escape(f"stopped at {point}"))
        state = Path(f"/proc/{self.process.pid}/stat")
        await until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T")

    def pause(self) -> None:
        """Stop it where it is."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it with SIGKILL, whatever it is doing."""
        if self.process.returncode is None:
            self.process.kill()
        await self._gone()

    async def stop(self) -> None:
        """Ask it to end, as a service manager would."""
        if self.process.returncode is None:
            self.process.terminate()
            self.resume()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._gone()
        except TimeoutError:
            await self.kill()
            raise

    async def __aenter__(self) -> "Program":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def _gone(self) -> None:
        await self.process.wait()
        await self._reader
        await self._session.close()

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            self.lines.append(line.decode(errors="backslashreplace").rstrip("\n"))
            self._changed.set()
        self._ended = True
        self._changed.set()

    # -- use -------------------------------------------------------------------------

    async def call(self, path: str = PROFILE) -> Answer:
        """Make one forwarded call."""
        async with self._session.get(self._url + path) as answer:
            return Answer(answer.status, await answer.text())

    async def ask(self, method: str, path: str, content: object = None) -> Any:
        """Call the admin listener and return the JSON of its answer."""
        async with self._session.request(
            method, self._admin + path, json=content
        ) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def status(self) -> dict[str, Any]:
        """Return what it tells about the login."""
        found: dict[str, Any] = await self.ask("GET", "/api/status")
        return found

    async def told(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until its status is as wanted; return it."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_it(status := await self.status()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                "\n".join([f"it never told so: {status}", *self.lines[-20:]])
            ) from None
        return status


async def until(is_it: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not is_it():
            await asyncio.sleep(0.02)
