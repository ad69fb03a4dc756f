"""Runs the suite of requests, with its servers where it looks for them or elsewhere."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.running import own_environ
from tests.third_party.environment import PYTHON, SUITE
from tests.third_party.explained import LEFT_OUT

INSIDE = Path(__file__).with_name("inside-suite")
PATIENCE = 150

# What could send the client elsewhere, or change how its pytest behaves.
FOREIGN = ("CURL_", "COV_", "COVERAGE_", "NETRC", "PYTEST_", "PYTHON", "REQUESTS_")


@dataclass(frozen=True)
class Told:
    """What came of one test; messages are bytes, a character each."""

    outcome: str
    details: str
    requests: list[tuple[str, str]]
    answers: list[str]


@dataclass(frozen=True)
class Run:
    """A run of the suite: its tests, and those left out, with the reason."""

    tests: dict[str, Told]
    left_out: dict[str, str]
    told: tuple[str, ...]
    """Where the suite was told that its servers are, as host:port."""
    servers: tuple[str, ...]
    """Where they are; httpbin is the first."""

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.told + self.servers


@dataclass(frozen=True)
class Listener:
    """A socket that listens already, so that its address is known to all."""

    socket: socket.socket

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.socket.getsockname())

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        with socket.create_server(("127.0.0.1", 0)) as one:
            yield cls(one)


@dataclass(frozen=True)
class Server:
    """One of the suite's servers: where it listens, and what the suite is told."""

    listener: Listener
    url: str

    @property
    def descriptor(self) -> int:
        return self.listener.socket.fileno()


def run_suite(httpbin: Server, scripted: Server, folder: Path) -> Run:
    """Run the suite in a process of its own; keep everything it writes in `folder`."""
    report = folder / "report.json"
    settings = {
        "httpbin": {"descriptor": httpbin.descriptor, "url": httpbin.url},
        "scripted": {"descriptor": scripted.descriptor, "url": scripted.url},
        "left_out": LEFT_OUT,
        "report": str(report),
    }
    done = subprocess.run(
        [PYTHON, "-m", "pytest", *_options(folder)],
        cwd=SUITE,
        env=_environ() | {"HOME": str(folder), "THIRD_PARTY_RUN": json.dumps(settings)},
        pass_fds=(httpbin.descriptor, scripted.descriptor),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        timeout=PATIENCE,
        check=False,
    )
    # 1 means that tests failed, which is for others to judge.
    assert done.returncode in (0, 1), done.stdout
    content: dict[str, Any] = json.loads(report.read_text())
    return Run(
        tests={test: Told(**told) for test, told in content["tests"].items()},
        left_out=content["left_out"],
        told=(_authority(httpbin.url), _authority(scripted.url)),
        servers=(_authority(httpbin.listener.url), _authority(scripted.listener.url)),
    )


def _authority(url: str) -> str:
    return urlsplit(url).netloc


def _options(folder: Path) -> Iterator[str]:
    yield from ("--quiet", "--override-ini=addopts=", f"--basetemp={folder / 'tmp'}")
    for plugin in ("pytest_httpbin.plugin", "pytest_mock", "routing"):
        yield from ("-p", plugin)
    yield from ("-p", "no:cacheprovider")


def _environ() -> dict[str, str]:
    kept = {
        name: value
        for name, value in own_environ().items()
        if not name.startswith(FOREIGN)
    }
    return kept | {
        "PYTHONPATH": str(INSIDE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
