"""The running proxy under clients that others wrote, each the way people use it."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proxy.sandbox.data.files import sample_chunks
from tests.programs import need
from tests.running import Proxy, call, own_environ

CLIENTS = Path(__file__).with_name("clients")

MEGABYTE = 1_000_000
PATIENCE = 30


@dataclass(frozen=True)
class Client:
    """A client: how it is started, and the program that it needs."""

    command: tuple[str, ...]
    needs: str = ""


def script(name: str) -> str:
    return str(CLIENTS / name)


# A short run gains nothing from Java's optimizing compiler.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

ALL = {
    "curl": Client(("sh", script("curl.sh")), "curl"),
    "wget": Client(("sh", script("wget.sh")), "wget"),
    "node": Client(("node", script("fetch.mjs")), "node"),
    "java": Client(("java", *QUICK_START, script("Client.java")), "java"),
    "perl": Client(("perl", script("tiny.pl")), "perl"),
    "urllib": Client((sys.executable, script("urllib_client.py"))),
    "requests": Client((sys.executable, script("requests_client.py"))),
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with Proxy(
        "sandbox",
        "--listen=127.0.0.1:0",
        "--admin=127.0.0.1:0",
        folder=tmp_path_factory.mktemp("proxy"),
    ) as proxy:
        proxy.login()
        yield proxy


@pytest.fixture(params=ALL)
def client(request: pytest.FixtureRequest) -> Client:
    client = ALL[request.param]
    if client.needs:
        need(client.needs)
    return client


async def run(client: Client, operation: str, url: str, folder: Path) -> list[int]:
    """Let `client` do `operation`, and return the statuses that it saw."""
    process = await asyncio.create_subprocess_exec(
        *(*client.command, operation, url, str(folder)),
        env=own_environ(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.fail(f"{operation} took longer than {PATIENCE} s")
    assert process.returncode == 0, complaint.decode()
    return [int(line) for line in output.split()]


async def test_a_get_answers_the_patient(
    proxy: Proxy, client: Client, tmp_path: Path
) -> None:
    url = f"{proxy.url}/api/v1/profile/get"

    assert await run(client, "get", url, tmp_path) == [200]

    expected = call("GET", url).content
    assert (tmp_path / "answer").read_bytes() == expected
    assert json.loads(expected)["item"]


async def test_a_post_of_json_changes_what_is_read_next(
    proxy: Proxy, client: Client, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = f"Анна-{request.node.callspec.id}"
    content = json.dumps({"firstName": name}, ensure_ascii=False)
    (tmp_path / "content.json").write_text(content, encoding="utf-8")

    url = f"{proxy.url}/api/v1/profile/update"
    assert await run(client, "post", url, tmp_path) == [200]

    profile = call("GET", f"{proxy.url}/api/v1/profile/get").json()["item"]
    assert profile["firstName"] == name


async def test_an_upload_of_10_mb_arrives_whole(
    proxy: Proxy, client: Client, tmp_path: Path
) -> None:
    sent = os.urandom(10 * MEGABYTE)
    (tmp_path / "upload.bin").write_bytes(sent)

    url = f"{proxy.url}/api/v1/media/add"
    assert await run(client, "upload", url, tmp_path) == [200]

    media = json.loads((tmp_path / "answer").read_bytes())["item"]
    kept = call("GET", f"{proxy.url}/api/v1/media/get/{media['id']}").content
    assert hashlib.sha256(kept).digest() == hashlib.sha256(sent).digest()


async def test_a_download_of_64_mib_arrives_whole(
    proxy: Proxy, client: Client, tmp_path: Path
) -> None:
    url = f"{proxy.url}/api/v1/media/get/sample-64m"

    assert await run(client, "download", url, tmp_path) == [200]

    expected = hashlib.sha256()
    for piece in sample_chunks(64):
        expected.update(piece)
    with (tmp_path / "answer").open("rb") as answer:
        assert hashlib.file_digest(answer, "sha256").digest() == expected.digest()
    (tmp_path / "answer").unlink()


# The others speak HTTP/1.1 only.
@pytest.mark.parametrize("client", ["curl", "urllib"], indirect=True)
async def test_http_1_0_is_answered_and_closed(
    proxy: Proxy, client: Client, tmp_path: Path
) -> None:
    url = f"{proxy.url}/api/v1/doctor/get-all"

    assert await run(client, "http10", url, tmp_path) == [200]

    assert (tmp_path / "answer").read_bytes() == call("GET", url).content


async def test_three_calls_share_one_connection(
    proxy: Proxy, client: Client, tmp_path: Path
) -> None:
    async with Relay(proxy.url) as relay:
        url = f"{relay.url}/api/v1/profile/get"
        assert await run(client, "keepalive", url, tmp_path) == [200, 200, 200]
        assert relay.connections == 1


class Relay:
    """Passes bytes on to `url`, and counts the connections it accepted."""

    def __init__(self, url: str) -> None:
        self.connections = 0
        self._to = urlsplit(url)

    @property
    def url(self) -> str:
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        there = await asyncio.open_connection(self._to.hostname, self._to.port)
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()
