"""A fake upstream in a thread, a folder with a config, and a terminal to type on."""

import asyncio
import logging
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.sandbox import Sandbox, Switches
from tests.cli.doors import closed_address
from tests.running import PROGRAM, Proxy, call, own_environ

PHONE = "+7 916 123-45-67"
MASKED = "+7******4567"


class Upstream:
    """The sandbox, served by a thread of its own."""

    def __init__(self, seed: int = 1) -> None:
        self.sandbox = Sandbox(seed=seed, announce=lambda _line: None)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.sandbox.start(), self._loop).result()
        return self

    def __exit__(self, *_why: object) -> None:
        asyncio.run_coroutine_threadsafe(self.sandbox.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def switch(self, **switches: object) -> None:
        """Turn switches."""
        self.sandbox.switches.set(switches)

    def code(self) -> str:
        """Have a code sent, past the proxy and its cooldown; return it."""
        url = f"{self.sandbox.api_url}/api/v1/access/validation-code"
        answer = call("GET", f"{url}?code=7&number=9161234567")
        assert answer.status_code == 200
        return self.latest_code()

    def latest_code(self) -> str:
        """Return the code of the latest SMS."""
        return self.sandbox.sms[-1].code

    @property
    def refreshes(self) -> int:
        """How many refreshes were asked for."""
        asked = self.sandbox.token_requests
        return sum(one.grant_type == "refresh_token" for one in asked)


@pytest.fixture(scope="session")
def _upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(_upstream: Upstream) -> Upstream:
    """The fake upstream, with its switches as they were."""
    _upstream.sandbox.switches.restore(Switches())
    return _upstream


def settings(upstream: Upstream, folder: Path, admin: object) -> str:
    sandbox = upstream.sandbox
    return (
        "listen: ['127.0.0.1:0']\n"
        f"admin: {{listen: '{admin}'}}\n"
        f"store: {{url: 'file:{folder}/state/tokens.json'}}\n"
        f"upstream: {{client_id: {sandbox.client_id}, api_url: '{sandbox.api_url}',"
        f" auth_url: '{sandbox.auth_url}'}}\n"
    )


@dataclass
class Person:
    """Somebody in a folder with a `config.yaml`, typing commands."""

    folder: Path

    def run(self, *arguments: str) -> Result:
        """Run a command to its end, without a terminal."""
        return CliRunner().invoke(main, arguments)

    def terminal(self, *arguments: str) -> "Terminal":
        """Start a command on a terminal."""
        return Terminal(self.folder, *arguments)


@pytest.fixture
def person(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Person]:
    """Somebody on whose machine no proxy runs."""
    for name in os.environ:
        if name.startswith("TELEMED_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    text = settings(upstream, tmp_path, closed_address())
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    before = logging.root.handlers[:], logging.root.level
    yield Person(tmp_path)
    logging.root.handlers[:], logging.root.level = before


@pytest.fixture(scope="session")
def _serving(
    _upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("serving")
    text = settings(_upstream, folder, "127.0.0.1:0")
    (folder / "config.yaml").write_text(text, "utf-8")
    with Proxy("serve", folder=folder) as proxy:
        yield proxy


@pytest.fixture
def serving(_serving: Proxy, person: Person, upstream: Upstream) -> Proxy:
    """A running proxy with nobody logged in; the config of `person` names it."""
    # A login forgets the SMS that went before it, which a logout alone does not.
    login = {"phone": PHONE, "validation_code": upstream.code()}
    _serving.ask("POST", "/api/login/token", login)
    _serving.ask("POST", "/api/logout", {})
    file = person.folder / "config.yaml"
    lines = file.read_text("utf-8").splitlines()
    lines[1] = f"admin: {{listen: '{_serving.admin.removeprefix('http://')}'}}"
    file.write_text("\n".join(lines), "utf-8")
    return _serving


@pytest.fixture(params=["through the proxy", "on the store"])
def either(request: pytest.FixtureRequest, person: Person) -> Person:
    """Somebody for whom a proxy runs, or none: the commands must not differ."""
    if request.param == "through the proxy":
        request.getfixturevalue("serving")
    return person


class Terminal:
    """A command on a terminal: what it shows, and what is typed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=folder,
            env=own_environ() | {"TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def expect(self, pattern: str) -> None:
        """Wait until `pattern` is shown, after what was expected before."""
        self._read_until(lambda: re.search(pattern, self.shown) is not None)
        found = re.search(pattern, self.shown)
        assert found, f"{pattern!r} was not shown, but {self.shown!r}"
        self.shown = self.shown[found.end() :]

    def type(self, text: str) -> None:
        """Type `text` and the return key."""
        os.write(self._ours, f"{text}\n".encode())

    def press(self, keys: bytes) -> None:
        """Press keys, such as Ctrl-D."""
        os.write(self._ours, keys)

    def ends_by(self, number: signal.Signals) -> int:
        """Send a signal, as the terminal does for Ctrl-C; return the exit code."""
        self.process.send_signal(number)
        return self.ends()

    def ends(self) -> int:
        """Wait for the end of the command and return its exit code."""
        self._read_until(lambda: False)
        return self.process.wait(timeout=10)

    def _read_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 15
        while not done() and time.monotonic() < deadline:
            if not select.select([self._ours], [], [], 0.5)[0]:
                continue
            try:
                read = os.read(self._ours, 4096)
            except OSError:  # the other side is closed
                return
            if not read:
                return
            self.shown += read.decode("utf-8", "replace")
