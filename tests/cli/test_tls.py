"""serve over TLS as a program: its own commands reach it, and so does curl."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from proxy.issuing import CertificateFiles
from tests.certificates import made, trusting
from tests.cli.conftest import PHONE, Person, Upstream, settings
from tests.running import Proxy, Running

READY = re.compile(r"ready: proxy (https://\S+) (http://\S+)  admin (https://\S+)")


@dataclass
class Secure:
    """A running proxy with its certificate, and the addresses of its ready line."""

    files: CertificateFiles
    running: Running
    url: str
    plain: str
    admin: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@pytest.fixture
def secure(person: Person, upstream: Upstream) -> Iterator[Secure]:
    """One that runs with the event loop that users get, with somebody logged in."""
    files = made(person.folder / "tls")
    text = settings(upstream, person.folder, "https://127.0.0.1:0").replace(
        "listen: ['127.0.0.1:0']", "listen: ['https://127.0.0.1:0', '127.0.0.1:0']"
    )
    text += "tls: {certificate_file: tls/server.pem, key_file: tls/server.key}\n"
    config = person.folder / "config.yaml"
    config.write_text(text, "utf-8")
    with Running("serve", folder=person.folder) as running:
        ready = running.expect(READY)
        config.write_text(text.replace("https://127.0.0.1:0'}", f"{ready[3]}'}}"))
        done = person.run("login", PHONE, "--code", upstream.code())
        assert done.exit_code == exitcodes.DONE, done.output
        yield Secure(files, running, *ready.groups())
    assert not [line for line in running.lines if "Traceback" in line]


def test_the_commands_reach_it(secure: Secure, person: Person) -> None:
    found = person.run("status", "--json", "--verify")

    assert found.exit_code == exitcodes.DONE, found.output
    shape = json.loads(found.stdout)
    assert shape["listen"][0] == secure.url
    assert shape["verify"]["ok"]
    assert person.run("refresh").exit_code == exitcodes.DONE
    lines = person.run("check").stdout.splitlines()
    assert [one for one in lines if one.startswith("ok   tls: ")], lines
    assert f"ok   admin.listen: {secure.admin} is served by the running proxy" in lines
    named = person.run("status", "--admin", secure.admin)
    assert named.exit_code == exitcodes.DONE, named.output


def test_another_certificate_there_is_not_taken_for_the_proxy(
    secure: Secure, person: Person
) -> None:
    made(secure.files.folder / "other")
    config = person.folder / "config.yaml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("tls/server.pem", "tls/other/server.pem"), "utf-8")

    found = person.run("status")

    assert found.exit_code == exitcodes.CONFIG
    assert "does not show the certificate in tls.certificate_file" in found.stderr


def test_commands_that_speak_to_it_without_tls_are_told_so(
    secure: Secure, person: Person
) -> None:
    plain = secure.admin.removeprefix("https://")
    for words in (["status"], ["token"], ["login", PHONE, "--code", "1234"]):
        found = person.run(*words, "--admin", plain)

        assert found.exit_code == exitcodes.CONFIG
        assert f"what listens at {plain} speaks TLS; set admin.listen" in found.stderr
        assert found.stderr.count("\n") == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reaches_it(secure: Secure, person: Person) -> None:
    upload = person.folder / "upload"
    upload.write_bytes(b"x" * 5_000_000)
    base = ["curl", "-sS", "--fail", "--noproxy", "*", "--max-time", "20"]
    for arguments in (
        ["/api/v1/profile/get"],
        ["/api/v1/media/add", "-F", f"file=@{upload}"],
        ["/api/v1/media/get/sample-1m", "-o", "download", "--limit-rate", "4M"],
    ):
        target, *more = arguments
        trust = ["--cacert", str(secure.files.authority), secure.url + target]
        done = subprocess.run(
            [*base, *trust, *more], cwd=person.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (person.folder / "download").stat().st_size == 1024 * 1024


def connect(secure: Secure) -> ssl.SSLSocket:
    return trusting(secure.files).wrap_socket(
        socket.create_connection(("127.0.0.1", secure.port), timeout=20),
        server_hostname="localhost",
    )


def test_a_slow_reader_does_not_fill_the_memory(secure: Secure) -> None:
    status = Path(f"/proc/{secure.running.process.pid}/status")

    def resident() -> int:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
        return int(found[1]) if found else 0

    before = resident()
    with connect(secure) as slow:
        slow.sendall(
            b"GET /api/v1/media/get/sample-64m HTTP/1.1\r\n"
            b"Host: localhost\r\nConnection: close\r\n\r\n"
        )
        slow.recv(1000)
        time.sleep(1)
        assert resident() - before < 30_000
        got = 1000
        while data := slow.recv(1024 * 1024):
            got += len(data)
    assert got > 64 * 1024 * 1024


def test_a_renewed_certificate_is_shown(secure: Secure, person: Person) -> None:
    with connect(secure) as before:
        old = new = before.getpeercert()
        result = person.run("cert", "--folder", str(secure.files.folder))
        assert result.exit_code == exitcodes.DONE, result.output
        deadline = time.monotonic() + 10
        while new == old and time.monotonic() < deadline:
            time.sleep(0.2)
            with connect(secure) as after:
                new = after.getpeercert()
        assert new != old
        before.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert before.recv(1000).startswith(b"HTTP/1.1 ")
    assert [line for line in secure.running.lines if "read the new certificate" in line]


def test_who_leaves_is_no_fault(secure: Secure) -> None:
    for end in (
        b"",
        b"GET /api/v1/media/get/sample-64m HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        left = connect(secure)
        left.sendall(end)
        left.close()
    with socket.create_connection(("127.0.0.1", secure.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(10)
        assert not plain.recv(100).startswith(b"HTTP")
    time.sleep(0.3)
    noisy = [
        line for line in secure.running.lines if " ERROR " in line or "WARN" in line
    ]
    assert noisy == []


def test_commands_that_speak_tls_to_one_without_are_told_so(
    serving: Proxy, person: Person
) -> None:
    made(person.folder / "tls")
    config = person.folder / "config.yaml"
    with config.open("a") as stream:
        stream.write(
            "\ntls: {certificate_file: tls/server.pem, key_file: tls/server.key}\n"
        )
    plain = serving.admin.removeprefix("http://")

    found = person.run("status", "--admin", f"https://{plain}")

    assert found.exit_code == exitcodes.CONFIG
    assert f"https://{plain} does not speak TLS; set admin.listen to {plain}" in (
        found.stderr
    )
