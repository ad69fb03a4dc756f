"""What the proxy costs a call: the same calls direct and through it, in turns.

    make bench
    make bench ARGS="--calls 5000 --clients 64"

Three processes on loopback: the sandbox's API, the proxy in its default configuration
(access log on, and read by nobody), and this client, which is Python like the rest. The
times say little about other machines; the ratios are the numbers to watch. Rounds take
turns, so that a busy machine slows down both sides.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from proxy.sandbox import Sandbox

ROUNDS = 7
TARGET = "/api/v1/profile/get"
PHONE = ("7", "9161234567")
READY = re.compile(rb"ready: proxy (\S+)\s+admin (\S+)")


@dataclass(frozen=True)
class Way:
    """An origin to call, and the fields that it wants."""

    name: str
    origin: str
    fields: str = ""

    def request(self) -> bytes:
        host = urlsplit(self.origin).netloc
        return f"GET {TARGET} HTTP/1.1\r\nHost: {host}\r\n{self.fields}\r\n".encode()


async def main(calls: int, clients: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_sandbox() as sandbox, open_proxy(sandbox, folder) as proxy:
            token = await log_in(sandbox, proxy["admin"])
            direct = Way("direct", sandbox["api"], f"Authorization: Bearer {token}\r\n")
            through = Way("through", proxy["url"])
            print(f"medians of {ROUNDS} rounds       direct   through     ratio")
            await compare("1 client, ms a call", direct, through, calls // 4, 1)
            await compare(
                f"{clients} clients, calls/s", direct, through, calls, clients
            )


async def compare(
    what: str, direct: Way, through: Way, calls: int, clients: int
) -> None:
    """Print one line: the medians of both ways, and through over direct."""
    seconds: dict[Way, list[float]] = {direct: [], through: []}
    for way in (direct, through):  # connections, caches, branch predictors
        await measure(way, calls // 4, clients)
    for _ in range(ROUNDS):
        for way, measured in seconds.items():
            measured.append(await measure(way, calls, clients))
    figures = [statistics.median(measured) for measured in seconds.values()]
    if clients == 1:
        shown = [1000 * figure / calls for figure in figures]
    else:
        shown = [calls / figure for figure in figures]
    ratio = shown[1] / shown[0]
    print(f"{what:25} {shown[0]:9.2f} {shown[1]:9.2f} {ratio:9.2f}")


async def measure(way: Way, calls: int, clients: int) -> float:
    """Return the seconds that `calls` take over `clients` kept-alive connections."""
    parts, request = urlsplit(way.origin), way.request()
    left = iter(range(calls))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head.decode()
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            assert length
            await reader.readexactly(int(length[1]))
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - started


@asynccontextmanager
async def open_sandbox() -> AsyncIterator[dict[str, str]]:
    """Run the fake servers in a process of their own; yield where they are."""
    async with run(__file__, "--only-sandbox") as output:
        addresses: dict[str, str] = json.loads(await output.readline())
        yield addresses


@asynccontextmanager
async def open_proxy(
    sandbox: dict[str, str], folder: str
) -> AsyncIterator[dict[str, str]]:
    """Run the proxy in front of `sandbox`; yield where it is."""
    settings = {
        "LISTEN": "127.0.0.1:0",
        "ADMIN__LISTEN": "127.0.0.1:0",
        "STORE__URL": f"file:{folder}/tokens.json",
        "UPSTREAM__API_URL": sandbox["api"],
        "UPSTREAM__AUTH_URL": sandbox["auth"],
        "UPSTREAM__CLIENT_ID": sandbox["client_id"],
    }
    environ = {f"TELEMED_PROXY__{name}": value for name, value in settings.items()}
    async with run("-m", "proxy", "serve", cwd=folder, environ=environ) as output:
        async for line in output:
            if ready := READY.search(line):
                yield {"url": ready[1].decode(), "admin": ready[2].decode()}
                return
    sys.exit("the proxy did not start")


@asynccontextmanager
async def run(
    *arguments: str, cwd: str | None = None, environ: dict[str, str] | None = None
) -> AsyncIterator[asyncio.StreamReader]:
    """Run Python with `arguments` until the block ends; yield its output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=cwd,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        yield process.stdout
    finally:
        process.terminate()
        await process.wait()


async def log_in(sandbox: dict[str, str], admin: str) -> str:
    """Log the proxy in, and return an access token of our own for direct calls."""
    code, number = PHONE
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        phone = {"code": code, "number": number}
        await session.post(f"{admin}/api/login/code", json=phone)
        sent = {"validation_code": await last_code(session, sandbox)}
        await session.post(f"{admin}/api/login/token", json=sent)

        sms = f"{sandbox['api']}/api/v1/access/validation-code"
        await session.get(sms, params=phone)
        form = {
            "grant_type": "password",
            "client_id": sandbox["client_id"],
            "username": code + number,
            "password": await last_code(session, sandbox),
        }
        answer = await session.post(f"{sandbox['auth']}/token", data=form)
        return str((await answer.json())["access_token"])


async def last_code(session: aiohttp.ClientSession, sandbox: dict[str, str]) -> str:
    async with session.get(f"{sandbox['control']}/sms") as answer:
        return str((await answer.json())["items"][-1]["code"])


async def only_sandbox() -> None:
    """Run the fake servers, and print where they are."""
    async with Sandbox(announce=lambda _: None) as sandbox:
        addresses = {
            "api": sandbox.api_url,
            "auth": sandbox.auth_url,
            "control": sandbox.control_url,
            "client_id": sandbox.client_id,
        }
        print(json.dumps(addresses), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2000, help="in each round")
    parser.add_argument("--clients", type=int, default=16, help="at the same time")
    parser.add_argument("--only-sandbox", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_sandbox:
        asyncio.run(only_sandbox())
    else:
        asyncio.run(main(arguments.calls, arguments.clients))
