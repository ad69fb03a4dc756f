"""A plugin for the suite's own pytest: where its servers are, and what came of it.

It runs in the environment of the third party and knows nothing of the proxy. The suite
asks for two kinds of server: httpbin, and one that says what a test tells it to. Both
get a socket that listens already, and the tests are told the address that the settings
name: that of the socket, or of something in front of it.
"""

import contextlib
import json
import os
import random
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3.filepost
from recording import Records
from serving import serving

SETTINGS = json.loads(os.environ["THIRD_PARTY_RUN"])
SCRIPTED = "tests/test_lowlevel.py"

records = Records()
left_out: dict[str, str] = {}


@dataclass
class Place:
    """What the suite's `httpbin` fixture wants to know."""

    url: str


@pytest.fixture(scope="session")
def httpbin() -> Iterator[Place]:
    listener = socket.socket(fileno=SETTINGS["httpbin"]["descriptor"])
    with serving(listener, records.request):
        yield Place(SETTINGS["httpbin"]["url"])


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    kept: list[pytest.Item] = []
    for item in items:
        reason = reason_to_leave_out(item)
        if reason is None:
            kept.append(item)
        else:
            left_out[item.nodeid] = reason
    config.hook.pytest_deselected(items=[one for one in items if one not in kept])
    items[:] = kept
    route_scripted_servers()
    records.listen_in()
    # Two runs can be compared only if they send the same.
    urllib3.filepost.choose_boundary = lambda: "0123456789abcdef" * 2


def reason_to_leave_out(item: pytest.Item) -> str | None:
    for start, reason in SETTINGS["left_out"].items():
        if item.nodeid.startswith(start):
            return str(reason)
    uses_httpbin = "httpbin" in getattr(item, "fixturenames", ())
    return None if uses_httpbin or item.nodeid.startswith(SCRIPTED) else ""


def route_scripted_servers() -> None:
    """Give the suite's scripted servers our socket, and its tests our address."""
    server: Any = sys.modules["tests.testserver.server"].Server
    enter = server.__enter__
    told = urlsplit(SETTINGS["scripted"]["url"])

    def enter_elsewhere(one: Any) -> tuple[str | None, int | None]:
        enter(one)
        return told.hostname, told.port

    server.__enter__ = enter_elsewhere
    server._create_socket_and_bind = lambda _: fresh_listener()


def fresh_listener() -> socket.socket:
    """Return the listening socket, without connections meant for an earlier test."""
    listener = socket.socket(fileno=os.dup(SETTINGS["scripted"]["descriptor"]))
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
    listener.setblocking(True)
    return listener


def pytest_runtest_logstart(nodeid: str) -> None:
    random.seed(nodeid)  # httpbin takes what it makes up from here
    records.begin(nodeid)


def pytest_runtest_logfinish() -> None:
    records.end()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    expected = hasattr(report, "wasxfail")
    if report.when == "call" or not report.passed:
        outcome = "xfailed" if report.skipped and expected else report.outcome
        records.outcome(report.nodeid, outcome, report.longreprtext)


def pytest_sessionfinish() -> None:
    records.save(Path(SETTINGS["report"]), left_out)
