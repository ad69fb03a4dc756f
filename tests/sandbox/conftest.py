"""A running sandbox, a clock that tests move, and a patient's session."""

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import trustme

from proxy.sandbox import Sandbox
from tests.clocks import MovedClock

PHONE = "79161234567"
Json = dict[str, Any]


@dataclass
class Patient:
    """A person who calls the sandbox directly."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    tokens: Json = field(default_factory=dict)

    async def validation_code(self, number: str = "9161234567") -> int:
        url = f"{self.sandbox.api_url}/api/v1/access/validation-code"
        parameters = {"code": "7", "number": number}
        async with self.session.get(url, params=parameters) as answer:
            return answer.status

    async def token(self, **form: str) -> tuple[int, Json]:
        url = f"{self.sandbox.auth_url}/token"
        form = {"client_id": self.sandbox.client_id} | form
        form = {name: value for name, value in form.items() if value != "-"}
        async with self.session.post(url, data=form) as answer:
            return answer.status, await answer.json()

    async def login(self, number: str = "9161234567") -> Json:
        assert await self.validation_code(number) == 200
        phone, code = self.sandbox.sms[-1]
        status, body = await self.token(
            grant_type="password", username=phone, password=code
        )
        assert status == 200, body
        self.tokens = body
        return body

    async def refresh(self, token: str | None = None, **form: str) -> tuple[int, Json]:
        token = token or self.tokens["refresh_token"]
        return await self.token(grant_type="refresh_token", refresh_token=token, **form)

    def call(
        self, method: str, path: str, *, access: str | None = None, **more: Any
    ) -> Any:
        access = access or self.tokens.get("access_token", "")
        headers = {"Authorization": f"Bearer {access}"} | more.pop("headers", {})
        url = self.sandbox.api_url + path
        return self.session.request(method, url, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> Json:
        return await self.expect(200, "GET", path, **more)

    async def post(self, path: str, body: object, *, status: int = 200) -> Json:
        return await self.expect(status, "POST", path, json=body)

    async def expect(self, status: int, method: str, path: str, **more: Any) -> Json:
        async with self.call(method, path, **more) as answer:
            body: Json = await answer.json(content_type=None)
            assert answer.status == status, body
            return body

    async def status(self, path: str = "/api/v1/profile/get", **more: Any) -> int:
        async with self.call("GET", path, **more) as answer:
            return int(answer.status)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(1_760_000_000.0)


@pytest.fixture
def announced() -> list[str]:
    return []


@pytest.fixture
async def sandbox(clock: MovedClock, announced: list[str]) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, announce=announced.append) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def stranger(sandbox: Sandbox, session: aiohttp.ClientSession) -> Patient:
    """Someone who has not logged in."""
    return Patient(sandbox, session)


@pytest.fixture
async def patient(stranger: Patient) -> Patient:
    await stranger.login()
    return stranger


@pytest.fixture
async def control(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> Callable[..., Any]:
    """Call the control endpoint: status and JSON."""

    async def call(method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = sandbox.control_url + path
        async with session.request(method, url, **more) as answer:
            return answer.status, await answer.json()

    return call


@pytest.fixture
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for 127.0.0.1 and a client's that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client
