"""Tries an installed program as a person would in the first five minutes."""

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final
from urllib.parse import urljoin

from release_pythons import Installed
from release_steps import StepError, clean_environ, run

CONFIG_AT_FAULT: Final = 3
ENDED_BY_SIGTERM: Final = 143
PHONE: Final = "+7 916 123-45-67"

_READY: Final = re.compile(r"ready: proxy (http://\S+)\s+admin (http://\S+)")
_SMS: Final = re.compile(r"SMS .*: (\d{4,8})\b")
_PARTS: Final = re.compile(rb'(?:href|src)="(/static/[^"]+)"')
_IMPORTS: Final = re.compile(rb'from "(\./[^"]+)"')
_PATIENCE: Final = 30.0
# Past any proxy that the environment names.
_CALLS: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def smoke(installed: Installed, version: str, folder: Path) -> str:
    """Return what went well; raise StepError for what did not."""
    folder.mkdir(parents=True)
    _tells_its_version(installed, version)
    _explains_a_missing_config(installed, folder)
    with _sandbox(installed, folder) as sandbox:
        _log_in(sandbox)
        profile = _call(f"{sandbox.url}/api/v1/profile/get")
        if not json.loads(profile).get("item"):
            raise StepError("the call through the proxy has no item in its answer")
        count = _load_page(sandbox)
    if left := [each.name for each in folder.iterdir()]:
        raise StepError(f"the program left {', '.join(left)} where it ran")
    return f"version, check, sandbox, login, a call, {count} files of the page, SIGTERM"


def _tells_its_version(installed: Installed, version: str) -> None:
    told = run(installed.program, "version").partition("\n")[0]
    if told != f"telemed-proxy {version}":
        raise StepError(f"it is {version}, but says: {told}")


def _explains_a_missing_config(installed: Installed, folder: Path) -> None:
    missing = folder / "missing.yaml"
    told = run(
        *(installed.program, "check", "-c", missing),
        expect=CONFIG_AT_FAULT,
        folder=folder,
    )
    if not re.search(r"^FAIL config: .*does not exist", told, re.MULTILINE):
        raise StepError(f"check does not tell that the config is missing: {told}")


class _Sandbox:
    """A running `telemed-proxy sandbox`, ready."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None  # noqa: S101  a pipe was asked for
        self._output = process.stdout
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.admin = ""

    def expect_ready(self) -> None:
        """Wait until it can be called."""
        ready = self.expect(_READY)
        self.url, self.admin = ready[1].rstrip("/"), ready[2].rstrip("/")

    def close(self) -> None:
        """Let go of its output, once it has ended."""
        self._reader.join(_PATIENCE)
        self._output.close()

    def expect(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Return the first match in a line that comes from now on."""
        seen: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except Empty:
                line = ""
            if not line:
                raise StepError(f"{pattern.pattern} was not said: {''.join(seen)}")
            if found := pattern.search(line):
                return found
            seen.append(line)

    def _read(self) -> None:
        for line in self._output:
            self._lines.put(line)
        self._lines.put("")


@contextmanager
def _sandbox(installed: Installed, folder: Path) -> Iterator[_Sandbox]:
    """Run the sandbox, and end it as a service manager would."""
    anywhere = ("--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
    process = subprocess.Popen(  # noqa: S603  the program that is tried
        [installed.program, "sandbox", *anywhere],
        cwd=folder,
        env=clean_environ() | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
    )
    sandbox = _Sandbox(process)
    try:
        sandbox.expect_ready()
        yield sandbox
        process.send_signal(signal.SIGTERM)
        code = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired as exc:
        raise StepError("it does not end on SIGTERM") from exc
    finally:
        process.kill()
        process.wait()
        sandbox.close()
    if code != ENDED_BY_SIGTERM:
        raise StepError(f"SIGTERM ended it with {code}, not {ENDED_BY_SIGTERM}")


def _log_in(sandbox: _Sandbox) -> None:
    _call(f"{sandbox.admin}/api/login/code", {"phone": PHONE})
    code = sandbox.expect(_SMS)[1]
    _call(f"{sandbox.admin}/api/login/token", {"validation_code": code})
    state = json.loads(_call(f"{sandbox.admin}/api/status"))["state"]
    if state != "active":
        raise StepError(f"logged in, but the state is {state}")


def _load_page(sandbox: _Sandbox) -> int:
    """Load the page and all that it and its scripts name; return how many."""
    page = f"{sandbox.admin}/"
    wanted = [urljoin(page, path.decode()) for path in _PARTS.findall(_call(page))]
    loaded: set[str] = set()
    while wanted:
        url = wanted.pop()
        if url in loaded:
            continue
        loaded.add(url)
        content = _call(url)
        if not content:
            raise StepError(f"{url} is empty")
        wanted += [urljoin(url, path.decode()) for path in _IMPORTS.findall(content)]
    if not {".css", ".js"} <= {Path(url).suffix for url in loaded}:
        raise StepError(f"the page has no style or script: {sorted(loaded)}")
    return len(loaded)


def _call(url: str, content: dict[str, Any] | None = None) -> bytes:
    """Return what `url` answers; with content, to a POST of it as JSON."""
    fields = {"Content-Type": "application/json"} if content else {}
    data = json.dumps(content).encode() if content else None
    request = urllib.request.Request(url, data, fields)  # noqa: S310  of loopback
    try:
        with _CALLS.open(request, timeout=_PATIENCE) as answer:
            body: bytes = answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            told = exc.read(500).decode(errors="replace")
        raise StepError(f"{url} answers {exc.code}: {told}") from exc
    except OSError as exc:
        raise StepError(f"{url} does not answer: {exc}") from exc
    return body
