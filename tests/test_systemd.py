"""systemd: sockets that it opened, and the news that it wants to hear."""

import http.client
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from proxy.systemd import inherited_sockets
from tests.running import PROGRAM, SMS, Proxy, Running

if sys.platform == "win32":
    pytest.skip("systemd is Linux's", allow_module_level=True)

# What systemd does between fork and exec: sockets from 3 on, and whose they are.
ACTIVATE = """
import os, sys
given = [int(each) for each in sys.argv[1].split(",") if each]
for number, descriptor in enumerate(given):
    os.dup2(descriptor, number + 100)
for number in range(len(given)):
    os.dup2(number + 100, number + 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)))
os.execv(sys.argv[2], sys.argv[2:])
"""

CALLERS = 4


@dataclass
class Unit:
    """What a service manager knows of the program: its sockets and its config."""

    folder: Path
    upstream: Proxy
    sockets: Sequence[socket.socket]

    def configure(self, listen: str, admin: str) -> None:
        found = self.upstream.expect(
            re.compile(r"sandbox api (\S+)\s+auth (\S+)\s+client_id (\S+)")
        )
        (self.folder / "config.yaml").write_text(
            f"upstream: {{api_url: '{found[1]}', auth_url: '{found[2]}',"
            f" client_id: {found[3]}}}\n"
            f"listen: '{listen}'\n"
            f"admin: {{listen: '{admin}'}}\n"
            f"store: {{url: 'file:{self.folder}/tokens.json'}}\n"
        )

    def start(
        self,
        kind: type[Running] = Proxy,
        environ: dict[str, str] | None = None,
    ) -> Running:
        numbers = [each.fileno() for each in self.sockets]
        wanted = ",".join(map(str, numbers))
        return kind(
            "serve",
            command=(sys.executable, "-c", ACTIVATE, wanted, *PROGRAM),
            folder=self.folder,
            environ=environ,
            pass_fds=numbers,
        )

    def log_in(self, proxy: Proxy) -> None:
        before = len(self.upstream.lines)
        proxy.ask("POST", "/api/login/code", {"phone": "+7 916 123-45-67"})
        code = self.upstream.expect(SMS, since=before)["code"]
        proxy.ask("POST", "/api/login/token", {"validation_code": code})


def listening() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(1024)
    return made


def named(each: socket.socket) -> str:
    host, port = each.getsockname()
    return f"{host}:{port}"


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    sockets = [listening(), listening()]
    with Proxy("sandbox", *listen, folder=tmp_path) as upstream:
        unit = Unit(tmp_path, upstream, sockets)
        unit.configure(*map(named, sockets))
        yield unit
    for each in sockets:
        each.close()


class Calling:
    """Calls again and again, each on a connection of its own, until told to stop."""

    def __init__(self, port: int) -> None:
        self.answers: list[int | str] = []
        self._port = port
        self._ended = False
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self) -> "Calling":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until there are so many answers more."""
        until = len(self.answers) + more
        while len(self.answers) < until:
            threading.Event().wait(0.02)

    def _call(self) -> None:
        while not self._ended:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                connection.request("GET", "/api/v1/profile/get")
                answer = connection.getresponse()
                answer.read()
                self.answers.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.answers.append(repr(error))
            finally:
                connection.close()


def test_a_restart_under_load_loses_no_connection(unit: Unit) -> None:
    port = unit.sockets[0].getsockname()[1]
    proxy = unit.start()
    assert isinstance(proxy, Proxy)
    try:
        assert proxy.url.endswith(f":{port}")
        unit.log_in(proxy)
        with Calling(port) as calling:
            for _ in range(2):
                calling.wait_for(50)
                assert proxy.stop() == exitcodes.SIGTERM
                proxy = unit.start()
            calling.wait_for(50)
    finally:
        proxy.stop()
    assert set(calling.answers) == {200}
    assert len(calling.answers) >= 150


def test_a_socket_for_no_address_of_the_config_is_told(unit: Unit) -> None:
    unit.configure(named(unit.sockets[0]), "127.0.0.1:0")

    with unit.start(Running) as program:
        program.expect(
            re.compile(
                f"the service manager listens at {named(unit.sockets[1])}, which is "
                "neither in listen nor admin.listen"
            )
        )
        assert program.process.wait(20) == exitcodes.CONFIG


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "-1", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_sockets_for_others_are_left_alone(environ: dict[str, str]) -> None:
    assert inherited_sockets(environ) == []


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_manager_hears_how_it_is(unit: Unit, kind: str) -> None:
    address = f"{unit.folder}/notify" if kind == "path" else "\0telemed-proxy-test"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.settimeout(20)
        environ = {
            "NOTIFY_SOCKET": address.replace("\0", "@"),
            "WATCHDOG_USEC": "300000",
        }
        proxy = unit.start(environ=environ)
        assert isinstance(proxy, Proxy)
        try:
            assert heard.recv(1000) == b"READY=1"
            assert b"WATCHDOG=1\nSTATUS=nobody is logged in" in heard.recv(1000)
            unit.log_in(proxy)
            while b"STATUS=forwarding at http://127.0.0.1:" not in heard.recv(1000):
                pass
        finally:
            proxy.stop()
        heard.setblocking(False)
        news = b""
        while not news.startswith(b"STOPPING=1"):
            news = heard.recv(1000)
