"""A fake that behaves: a token endpoint that rotates and refuses."""

import asyncio
from dataclasses import dataclass, field

from proxy.clock import Clock
from proxy.errors import ProxyError, TokenRefusedError
from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone

PHONE = Phone("7", "9161234567")
HOUR = 3600.0
START = 1_700_000_000.0


@dataclass
class FakeAuthorizationServer:
    """Rotates the refresh token on every use and refuses a spent one."""

    clock: Clock
    lifetime: float = HOUR
    rotates: bool = True
    calls: int = 0
    current: str = "refresh-0"
    presented: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    failure: ProxyError | None = None
    """Raised instead of an answer, before the server has acted."""
    failures: list[ProxyError] = field(default_factory=list)
    """The same, each once."""
    loses_answer: ProxyError | None = None
    """Raised instead of an answer, after the server has acted."""

    skew: float | None = None
    code: str = "7654"
    sms: list[Phone] = field(default_factory=list)
    passwords: list[tuple[str, str]] = field(default_factory=list)
    sms_failure: ProxyError | None = None

    async def refresh(self, refresh_token: str) -> TokenPair:
        self.calls += 1
        self.presented.append(refresh_token)
        self.started.set()
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if self.failure:
            raise self.failure
        if refresh_token != self.current:
            raise TokenRefusedError("invalid_grant", "refused: invalid_grant")
        if self.rotates:
            self.current = f"refresh-{self.calls}"
        if self.loses_answer:
            raise self.loses_answer
        return self.pair(self.calls, None if not self.rotates else self.current)

    async def send_validation_code(self, phone: Phone) -> None:
        self.sms.append(phone)
        self.started.set()
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.sms_failure:
            raise self.sms_failure

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        self.passwords.append((phone.username, validation_code))
        self.started.set()
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        if validation_code != self.code:
            raise TokenRefusedError("invalid_grant", "refused: invalid_grant")
        self.current = "refresh-0"
        return self.pair(0, self.current)

    def pair(self, number: int, refresh_token: str | None) -> TokenPair:
        now = self.clock()
        return TokenPair(f"access-{number}", refresh_token, now, now + self.lifetime)
