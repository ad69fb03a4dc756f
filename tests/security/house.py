"""The real program in front of an upstream of these tests, somebody logged in."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from tests.reliability.program import Program
from tests.running import own_environ
from tests.security.upstream import CLIENT_ID, CODE, Upstream

PHONE = "+7 926 555-31-08"

_READY = re.compile(r"ready: proxy (?P<proxy>.*?)  admin (?P<admin>\S+)")
_ACCESS = re.compile(r"telemed\.access: (\S+) (\S+) (\d{3}) ")


class Serving(Program):
    """A running `serve`, wherever it listens."""

    async def ready(self) -> None:
        """Wait until it takes calls."""
        found = await self.line(_READY)
        listeners = [_callable(each) for each in (*found["proxy"].split(), found[2])]
        *proxies, self._admin = listeners
        self._url = next((each for each in proxies if "://" in each), "")

    async def __aenter__(self) -> "Serving":
        await self.start()
        return self

    @property
    def url(self) -> str:
        """Its first forwarding listener on TCP."""
        return self._url

    @property
    def admin(self) -> str:
        """Its admin listener."""
        return self._admin

    @property
    def file(self) -> Path:
        """Its config."""
        [file] = self._folder.glob(f"config-{id(self)}.yaml")
        return file

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self.process.pid

    def answered(self, status: int) -> list[tuple[str, str]]:
        """Return method and target of each request that its log says it answered so."""
        found = (_ACCESS.search(line) for line in self.lines)
        return [(m[1], m[2]) for m in found if m and int(m[3]) == status]

    async def login(self) -> None:
        """Log in as a person does who has a code already."""
        login = {"phone": PHONE, "validation_code": CODE}
        await self.ask("POST", "/api/login/token", login)


def _callable(address: str) -> str:
    # Some clients want it in full.
    return address.rstrip("/").replace("//127.1:", "//127.0.0.1:")


@dataclass
class House:
    """The program, what is behind it, and a caller that sends what it is told to."""

    upstream: Upstream
    program: Serving
    session: aiohttp.ClientSession
    folder: Path

    @property
    def url(self) -> str:
        return self.program.url

    @property
    def admin(self) -> str:
        return self.program.admin

    async def call(
        self, path: str, method: str = "GET", *, base: str = "", **more: Any
    ) -> tuple[int, str]:
        """Call the forwarding listener; return status and text of the answer."""
        async with self.session.request(
            method, URL((base or self.url) + path, encoded=True), **more
        ) as answer:
            return answer.status, await answer.text()

    async def refusal(self, path: str, method: str = "GET", **more: Any) -> str:
        """Call where that is refused; return `status value` of the refusal."""
        before = len(self.upstream.requests)
        async with self.session.request(
            method, more.pop("base", self.url) + path, **more
        ) as answer:
            members = await answer.json()
            assert answer.headers["Proxy-Status"].startswith("telemed-proxy; error=")
        assert len(self.upstream.requests) == before
        return f"{answer.status} {members['value']}"


def document(
    upstream: Upstream, folder: Path, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a config of two listeners on free ports, `settings` laid over it."""
    behind = {
        "api_url": upstream.url,
        "auth_url": upstream.url,
        "client_id": CLIENT_ID,
        "warm_connections": 0,
    }
    return {
        "listen": ["127.0.0.1:0"],
        "admin": {"listen": "127.0.0.1:0"},
        "store": {"url": f"file:{folder / 'state' / 'tokens.json'}"},
        "token": {"refresh_at": 0.9},
        **settings,
        "upstream": behind | settings.get("upstream", {}),
    }


@asynccontextmanager
async def house(
    folder: Path,
    *,
    login: bool = True,
    prefix: Sequence[str] = (),
    environ: dict[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """Run all of it; `settings` are sections of the config."""
    async with Upstream() as upstream:
        config = document(upstream, folder, settings)
        async with (
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            ) as session,
            Serving(config, folder, prefix=prefix, environ=environ) as program,
        ):
            if login:
                await program.login()
            yield House(upstream, program, session, folder)


async def run(
    *arguments: str, folder: Path, environ: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "proxy", *arguments),
        cwd=folder,
        env=own_environ() | dict(environ or {}),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(30):
            out, err = await process.communicate(b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def raw(url: str, request: bytes) -> bytes:
    """Send `request` as it is; return all that comes back."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


@contextmanager
def unharmed(house: House) -> Iterator[None]:
    """Fail if within the block anything reached the upstream."""
    upstream = house.upstream
    upstream.requests.clear()
    before = len(upstream.granted), upstream.codes_sent
    yield
    # A browser asks every origin that it shows for this, even one that refused.
    arrived = [one for one in upstream.requests if one.target != "/favicon.ico"]
    assert arrived == []
    assert (len(upstream.granted), upstream.codes_sent) == before
