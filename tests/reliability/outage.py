"""The authorization server out of reach or losing answers, while tokens are due."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import trustme

from proxy.sandbox.app import Sandbox
from proxy.sandbox.switches import DropAfterCommit, TokenFault
from tests.reliability.program import Program, until
from tests.reliability.race import Load, generations
from tests.reliability.world import World, last_good_call, settled

NAME = "auth.partner.example"

GAVE_UP = "next try in"
"""In the line that a failed refresh is logged with."""

FAULTS = get_args(TokenFault)
TOLD = {
    "reset": "broke off",
    "timeout": "in time",
    "html500": "500",
    "html502": "502",
    "maintenance": "503",
}
DROPS = get_args(DropAfterCommit)

Outage = Callable[[Path], Coroutine[Any, Any, int]]


async def gone(folder: Path) -> int:
    """Refuse every connection for longer than the due time, then be there again."""
    world = World(folder, lifetime=60, due_after=1)
    async with _login_under_load(world) as (program, load):
        await world.sandbox.auth_listener.stop()
        await _fails(program, "refused")
        await world.sandbox.auth_listener.start()
    return load.answers.total()


async def gone_past_the_end(folder: Path) -> int:
    """Stay away until the access token has ended: only then do calls fail."""
    world = World(folder, lifetime=6, due_after=1)
    async with world, world.program() as program:
        await world.login(program)
        await world.sandbox.auth_listener.stop()
        answers, answer = await last_good_call(world, program)
        assert answer.status == 502, answer
        assert '"type": "upstream"' in answer.text, answer
        assert (await program.status())["login_needed_by"] is None
        await world.sandbox.auth_listener.start()
        await generations(world, 1)
        await settled(world, program)
        assert (await program.call()).status == 200
    return answers


async def without_dns(folder: Path) -> int:
    """Have the authorization server's name not found for a while."""
    tls = _Tls(folder)
    async with _login_under_load(tls.world, names=tls.names) as (program, load):
        tls.know(found=False)
        await _fails(program, "DNS")
        tls.know(found=True)
    return load.answers.total()


async def with_a_wrong_certificate(folder: Path) -> int:
    """Show a certificate of an authority that nobody trusts for a while."""
    tls = _Tls(folder)
    async with _login_under_load(tls.world, names=tls.names) as (program, load):
        tls.show(trusted=False)
        await _fails(program, "certificate")
        tls.show(trusted=True)
    return load.answers.total()


def fault(name: str) -> Outage:
    """Return the outage in which requests to /token fail before anything was done."""

    async def failing(folder: Path) -> int:
        world = World(folder, lifetime=60, due_after=1, response_timeout="1s")
        async with _login_under_load(world) as (program, load):
            with world.fault(token_fault=name, drop_only="refresh_token"):
                await _fails(program, TOLD[name])
                assert world.outcomes()[f"fault:{name}"] >= 3
        return load.answers.total()

    return failing


def lost_with_grace(name: str) -> Outage:
    """Return the one in which an answer is lost, and a spent token taken once more."""

    async def losing(folder: Path) -> int:
        world = World(folder, lifetime=60, due_after=1, response_timeout="1s")
        world.sandbox.switches.set({"grace_seconds": 300.0})
        async with _login_under_load(world, spent=1) as (program, load):
            dropped = {"drop_after_commit": name, "drop_count": 1}
            with world.fault(**dropped, drop_only="refresh_token"):
                await until(lambda: not all(r.delivered for r in world.refreshes))
                await program.line("refresh failed: .*; trying once more")
        return load.answers.total()

    return losing


def lost(name: str) -> Outage:
    """Return the one in which an answer is lost, and a token is good for one use only.

    The login is lost; it serves until the access token ends, and says so.
    """

    async def losing(folder: Path) -> int:
        world = World(folder, lifetime=8, due_after=1, response_timeout="1s")
        async with world, world.program() as program:
            await world.login(program)
            dropped = {"drop_after_commit": name, "drop_count": 1}
            with world.fault(**dropped, drop_only="refresh_token"):
                status = await program.told(lambda told: told["login_needed_by"])
            assert status["login_needed_by"] == status["expires_at"], status
            assert "its answer was lost" in status["last_error"], status
            answers, answer = await last_good_call(world, program)
            assert answer.status == 503, answer
            assert "login_required" in answer.text, answer
            assert world.sandbox.spent_presented == 1
            await world.login(program)
            assert (await program.call()).status == 200
            assert (await program.status())["login_needed_by"] is None
        return answers

    return losing


OUTAGES: dict[str, Outage] = {
    "gone": gone,
    "gone past the token's end": gone_past_the_end,
    "no DNS": without_dns,
    "wrong certificate": with_a_wrong_certificate,
    **{f"fault: {name}": fault(name) for name in FAULTS},
    **{f"answer lost, grace: {name}": lost_with_grace(name) for name in DROPS},
    **{f"answer lost: {name}": lost(name) for name in DROPS},
}


@asynccontextmanager
async def _login_under_load(
    world: World, *, names: Path | None = None, spent: int = 0
) -> AsyncIterator[tuple[Program, Load]]:
    """Log in, and call throughout; afterwards it must have healed by itself.

    No call may fail, no refresh be refused, and `spent` tokens be shown twice.
    """
    async with world, world.program(names=names) as program:
        await world.login(program)
        load = Load([program])
        async with load.running():
            yield program, load
            await generations(world, 1)
            await settled(world, program)
            status = await program.told(lambda told: told["last_error"] is None)
            assert status["login_needed_by"] is None, status
        assert not load.failed, load.failed[:5]
        assert not [each for each in world.outcomes() if "refused" in each]
        assert world.sandbox.spent_presented == spent


async def _fails(program: Program, why: str) -> None:
    """Wait until it has tried twice, and told why it cannot."""
    tried = program.count(GAVE_UP)
    await until(lambda: program.count(GAVE_UP) >= tried + 2)
    status = await program.status()
    assert status["state"] == "active", status
    assert why in str(status["last_error"]), status


class _Tls:
    """A world whose authorization server has a name, and a certificate for it."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.names = folder / "names.json"
        self.show(trusted=True)
        self.know(found=True)
        sandbox = Sandbox(announce=lambda _: None)
        sandbox.auth_listener._ssl = self._context
        self.world = World(
            folder,
            lifetime=60,
            due_after=1,
            sandbox=sandbox,
            auth_host=NAME,
            ca_file=str(folder / "ca.pem"),
        )

    def show(self, *, trusted: bool) -> None:
        """Show a certificate of our authority, or of another, from now on."""
        authority = self._authority if trusted else trustme.CA()
        authority.issue_cert(NAME).configure_cert(self._context)

    def know(self, *, found: bool) -> None:
        """Have the name found, or not, from now on."""
        self.names.write_text(json.dumps({NAME: "127.0.0.1" if found else None}))
