"""What surrounds the programs under test: fake servers, a folder, a token file."""

import asyncio
import itertools
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proxy.clock import system_clock
from proxy.oauth.stores.record import DEFAULT_ACCOUNT
from proxy.sandbox.app import Sandbox
from proxy.sandbox.records import TokenRequest
from tests.reliability.program import Answer, Program, until

PHONE = "+7 916 123-45-67"
FILE_MODE = 0o600

_numbers = itertools.count(1)


class World:
    """A sandbox, and the folder in which programs keep their tokens.

    `lifetime` is that of access tokens, and `due_after` the seconds until a refresh.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lifetime: float = 12.0,
        due_after: float = 1.0,
        sandbox: Sandbox | None = None,
        store_url: str = "",
        auth_host: str = "127.0.0.1",
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.tokens = folder / "state" / "tokens.json"
        self.sandbox = sandbox or Sandbox(announce=lambda _: None)
        self.sandbox.switches.set({"lifetime": lifetime})
        self.store_url = store_url or f"file:{self.tokens}"
        self.refresh_at = round(due_after / lifetime, 6)
        self._auth_host = auth_host
        self._settings = settings

    async def __aenter__(self) -> "World":
        await self.sandbox.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sandbox.close()

    def program(self, *, refresh_at: float | None = None, **options: Any) -> Program:
        """Return one more program on the same store, not started."""
        config = {
            "listen": ["127.0.0.1:0"],
            "admin": {"listen": "127.0.0.1:0"},
            "upstream": {
                "api_url": self.sandbox.api_url,
                "auth_url": self.sandbox.auth_url.replace("127.0.0.1", self._auth_host),
                "client_id": self.sandbox.client_id,
                "response_timeout": "30s",
            }
            | self._settings,
            "token": {"refresh_at": refresh_at or self.refresh_at},
            "store": {"url": self.store_url},
            "log": {"access": False},
        }
        return Program(config, self.folder, **options)

    async def login(self, program: Program) -> None:
        """Log in with the code that the sandbox would have sent."""
        await program.ask("POST", "/api/login/code", {"phone": PHONE})
        code = self.sandbox.sms[-1][1]
        await program.ask("POST", "/api/login/token", {"validation_code": code})

    # -- what the authorization server knows ------------------------------------------

    @property
    def refreshes(self) -> list[TokenRequest]:
        """The refreshes that reached the authorization server."""
        asked = self.sandbox.token_requests
        return [each for each in asked if each.grant_type == "refresh_token"]

    def outcomes(self) -> dict[str, int]:
        """Count the refreshes by what came of them."""
        counted: dict[str, int] = {}
        for each in self.refreshes:
            counted[each.outcome] = counted.get(each.outcome, 0) + 1
        return counted

    def issued(self) -> int:
        """Return the generation that the authorization server has come to."""
        return max(self.sandbox._tokens._generations.values(), default=0)

    def is_alive(self, pair: dict[str, Any]) -> bool:
        """Say whether the access token is still good, by both sides' clocks.

        The program counts its lifetime from before it asked for it, so it takes it for
        ended some milliseconds before the API does.
        """
        held = self.sandbox._tokens.holder(pair["access_token"]) is not None
        return held and system_clock() < pair["expires_at"]

    @contextmanager
    def fault(self, **switches: Any) -> Iterator[None]:
        """Turn switches, and back again."""
        before = {name: getattr(self.sandbox.switches, name) for name in switches}
        self.sandbox.switches.set(switches)
        try:
            yield
        finally:
            self.sandbox.switches.set(before)

    async def refresh_received(self, since: int) -> None:
        """Wait until one more refresh than `since` has reached the server."""
        await until(lambda: len(self.refreshes) > since)

    # -- what the file holds ---------------------------------------------------------

    def saved(self) -> dict[str, Any] | None:
        """Return the saved pair, read as no program under test reads it."""
        if not self.tokens.exists():
            return None
        document = json.loads(self.tokens.read_text())
        pair: dict[str, Any] | None = document["accounts"][DEFAULT_ACCOUNT]["tokens"]
        return pair

    def generation_saved(self) -> int:
        """Return which of the authorization server's pairs is in the file."""
        pair = self.saved()
        if pair is None:
            return 0
        return self.sandbox._tokens._by_access[pair["access_token"]].generation

    def check_files(self) -> None:
        """Fail if anything is damaged, or readable by others."""
        if not self.tokens.parent.exists():
            return
        assert stat.S_IMODE(self.tokens.parent.stat().st_mode) == 0o700
        for file in self.tokens.parent.iterdir():
            mode = stat.S_IMODE(file.stat().st_mode)
            assert not mode & ~FILE_MODE, f"{file.name} has mode {mode:04o}"
            assert ".damaged" not in file.name, f"{file.name} was set aside"
        self.saved()


async def last_good_call(world: World, program: Program) -> tuple[int, Answer]:
    """Call until one fails; the token must have ended. Return how many were good."""
    pair = world.saved()
    assert pair is not None
    good = 0
    while (answer := await program.call()).status == 200:
        good += 1
        await asyncio.sleep(0.05)
    assert not world.is_alive(pair), answer
    return good, answer


async def settled(world: World, program: Program) -> None:
    """Wait until the program uses the newest pair that was issued."""
    await program.told(lambda status: status["state"] == "active")
    await until(lambda: world.generation_saved() == world.issued())
    await asyncio.sleep(0)
