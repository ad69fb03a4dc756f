"""The whole proxy in this process, in front of the shipped sandbox."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from proxy.app import App, open_app
from proxy.config import Config
from proxy.sandbox import Sandbox
from tests.clocks import MovedClock

PHONE = "+7 916 123-45-67"


@dataclass
class House:
    """The running proxy, its fake upstream, and a program that calls it."""

    app: App
    sandbox: Sandbox
    session: aiohttp.ClientSession
    clock: MovedClock
    config: Config
    on_leave: list[asyncio.Future[Any]] = field(default_factory=list)
    """What the caller's session is kept open for while the proxy drains."""

    @property
    def url(self) -> str:
        return self.app.addresses[0]

    @property
    def admin(self) -> str:
        return self.app.admin_address

    async def ask_admin(
        self, path: str, body: Mapping[str, Any] | None = None, method: str = "POST"
    ) -> tuple[int, dict[str, Any]]:
        async with self.session.request(
            method, self.admin + path, json=body if body is not None else {}
        ) as answer:
            return answer.status, await answer.json()

    async def status(self) -> dict[str, Any]:
        return (await self.ask_admin("/api/status", method="GET"))[1]

    async def log_in(self, phone: str = PHONE) -> None:
        status, _ = await self.ask_admin("/api/login/code", {"phone": phone})
        assert status == 202
        code = self.sandbox.sms[-1].code
        status, _ = await self.ask_admin("/api/login/token", {"validation_code": code})
        assert status == 200

    async def get(self, path: str = "/api/v1/profile/get") -> int:
        async with self.session.get(self.url + path) as answer:
            await answer.read()
            return answer.status

    def granted(self, grant_type: str) -> int:
        """Return how often the authorization server issued tokens for this grant."""
        return sum(
            one.grant_type == grant_type and one.outcome == "issued"
            for one in self.sandbox.token_requests
        )


@asynccontextmanager
async def house(
    folder: Path,
    *,
    sandbox: Sandbox | None = None,
    settings: Mapping[str, Any] | None = None,
    scenario: str = "default",
) -> AsyncIterator[House]:
    """Run everything on loopback; tokens are kept in `folder`."""
    clock = MovedClock()
    own = sandbox or Sandbox(scenario=scenario, clock=clock, announce=lambda _: None)
    if sandbox is None:
        await own.start()
    config = configured(folder, own, settings or {})
    try:
        # Without a limit of its own, as a crowd of programs has none.
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            async with open_app(config, clock) as app:
                it = House(app, own, session, clock, config)
                yield it
            await asyncio.gather(*it.on_leave, return_exceptions=True)
    finally:
        if sandbox is None:
            await own.close()


def configured(folder: Path, sandbox: Sandbox, settings: Mapping[str, Any]) -> Config:
    """Return the config of a proxy in front of `sandbox`."""
    document: dict[str, Any] = {
        "listen": ["127.0.0.1:0"],
        "admin": {"listen": "127.0.0.1:0"},
        "store": {"url": f"file:{folder / 'state' / 'tokens.json'}"},
        **settings,
    }
    document["upstream"] = {
        "api_url": sandbox.api_url,
        "auth_url": sandbox.auth_url,
        "client_id": sandbox.client_id,
        "warm_connections": 0,
        **document.get("upstream", {}),
    }
    return Config.parse(document)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
