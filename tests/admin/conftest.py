"""An admin listener over the real login and refresher, and the sandbox behind them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from proxy.admin.app import admin_app
from proxy.admin.password import Password
from proxy.admin.state import AdminInfo
from proxy.admin.viewer import Viewer
from proxy.forward.inbound_server import InboundServer
from proxy.forward.limits import Budget, InboundLimits
from proxy.health import Health
from proxy.journal.entries import Place
from proxy.journal.replay import Replays
from proxy.journal.ring import Journal
from proxy.metrics import Metrics
from proxy.oauth.endpoints import Endpoints, open_session
from proxy.oauth.login import Login
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.file import FileStore
from proxy.sandbox import Sandbox
from tests.clocks import MovedClock

PHONE = "+7 916 123-45-67"
PASSWORD = "a password of words"

# What a browser sends with requests of the page itself.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Admin:
    """The listener, what is behind it, and every text that it has answered."""

    client: TestClient[Any, Any]
    sandbox: Sandbox
    refresher: Refresher
    login: Login
    health: Health
    metrics: Metrics
    journal: Journal
    time: MovedClock
    folder: Path
    listen: Callable[[], Sequence[str]]
    answered: list[str] = field(default_factory=list)

    async def get(self, path: str, **fields: str) -> aiohttp.ClientResponse:
        return await self.send("GET", path, fields)

    async def post(self, path: str, members: object = None) -> aiohttp.ClientResponse:
        """Call as a program does."""
        return await self.send("POST", path, json={} if members is None else members)

    async def send(
        self, method: str, path: str, fields: dict[str, str] | None = None, **more: Any
    ) -> aiohttp.ClientResponse:
        response = await self.client.request(
            method, path, headers=fields, allow_redirects=False, **more
        )
        if response.content_type == "text/event-stream":
            response.close()  # its end would be waited for
            return response
        text = await response.text(errors="replace")
        self.answered.append(f"{response.raw_headers!r}\n{text}")
        return response

    async def status(self) -> dict[str, Any]:
        status: dict[str, Any] = await (await self.get("/api/status")).json()
        return status

    @property
    def code(self) -> str:
        """The validation code of the SMS that was sent last."""
        return self.sandbox.sms[-1].code

    async def log_in(self) -> None:
        assert (await self.post("/api/login/code", {"phone": PHONE})).status == 202
        members = {"validation_code": self.code}
        assert (await self.post("/api/login/token", members)).status == 200


async def open_admin(
    stack: AsyncExitStack,
    folder: Path,
    *,
    password_file: Path | None = None,
    is_sandbox: bool = False,
    port: int | None = None,
) -> Admin:
    time = MovedClock(1_800_000_000.0)
    sandbox = Sandbox(announce=lambda line: None, clock=time)
    await stack.enter_async_context(sandbox)
    session = await stack.enter_async_context(open_session())
    endpoints = Endpoints(
        session,
        api_url=URL(sandbox.api_url),
        auth_url=URL(sandbox.auth_url),
        client_id=sandbox.client_id,
        clock=time,
    )
    store = FileStore(folder / "state" / "tokens.json")
    refresher = Refresher(store, endpoints, time)
    login = Login(endpoints, refresher, time)
    await refresher.start(timer=False)
    stack.push_async_callback(refresher.close)
    health = Health(lambda: refresher.status().state == "active", started=True)
    metrics = Metrics()
    journal = Journal(100, 1024**2)
    app = admin_app(
        login=login,
        refresher=refresher,
        info=AdminInfo(
            listen=lambda: opened.listen(),
            upstream=sandbox.api_url,
            version="1.2.3",
            sandbox=is_sandbox,
        ),
        health=health,
        metrics=metrics,
        viewer=make_viewer(journal),
        names=["127.0.0.1"],
        allowed_hosts=["admin.example"],
        password=Password(password_file, time) if password_file else None,
        clock=time,
    )
    client = TestClient(TestServer(app, port=port))
    await stack.enter_async_context(client)
    opened = Admin(
        client,
        sandbox,
        refresher,
        login,
        health,
        metrics,
        journal,
        time,
        folder,
        listen=lambda: ["127.0.0.1:8080"],
    )
    return opened


def make_viewer(journal: Journal) -> Viewer:
    """Return a view of `journal`; what is sent again from it goes nowhere."""
    budget = Budget(1024)
    inbound = InboundServer(
        lambda head, content, client: pytest.fail("nothing is sent again here"),
        lambda error, client: pytest.fail("nothing is sent again here"),
        noted=frozenset(),
        replay_limit=0,
        limits=InboundLimits(),
        budget=budget,
    )
    return Viewer(
        journal=journal,
        replays=Replays(inbound, lambda method, target: False),
        place=lambda: Place("https://api.example/", "http://127.0.0.1:8080"),
        config_text=lambda: "listen: [127.0.0.1:8080]\n",
    )


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Admin]:
    async with AsyncExitStack() as stack:
        yield await open_admin(stack, tmp_path)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Admin]:
    """One that asks for a password."""
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    async with AsyncExitStack() as stack:
        yield await open_admin(stack, tmp_path, password_file=path)
