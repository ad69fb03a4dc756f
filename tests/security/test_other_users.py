"""Another user of this machine, at listeners and files of the one who logged in.

The program runs with the most careless umask there is, in folders that all may enter.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.security.house import House, house, run
from tests.security.stranger import PERMISSION, UID, attempt
from tests.security.upstream import SECRET

PROFILE = "/api/v1/profile/get"

CARELESS = ("sh", "-c", 'umask 0; exec "$@"', "sh")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="telemed-security-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def careless(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Run the program with files that exist in every kind."""
    async with house(folder, prefix=CARELESS, **settings) as it:
        # The lock of an account comes with its first refresh.
        await it.program.ask("POST", "/api/refresh", {})
        yield it


def files_below(folder: Path) -> list[str]:
    return sorted(str(file) for file in folder.rglob("*") if file.is_file())


async def nobody_opens(files: list[str]) -> None:
    assert files
    attempts = [(verb, file) for file in files for verb in ("read", "write")]
    got = await asyncio.to_thread(attempt, *attempts)
    opened = [
        how for how, outcome in zip(attempts, got, strict=True) if outcome != PERMISSION
    ]
    assert opened == []


async def test_the_state_folder_is_closed(folder: Path) -> None:
    async with careless(folder):
        state = folder / "state"
        got = await asyncio.to_thread(
            attempt,
            ("list", str(state)),
            ("read", str(state / "tokens.json")),
            ("write", str(state / "mine")),
        )
        assert got == [PERMISSION] * 3


async def test_in_a_folder_that_is_open_the_files_are_closed(folder: Path) -> None:
    state = folder / "state"
    state.mkdir()
    state.chmod(0o755)
    async with careless(folder):
        files = files_below(state)
        assert {Path(file).name for file in files} >= {
            "tokens.json",
            "tokens.json.lock",
        }
        assert any("default" in file for file in files)
        await nobody_opens(files)
        [got] = await asyncio.to_thread(attempt, ("list", str(state)))
        assert "tokens.json" in got.split()


async def test_an_encrypted_store_and_a_damaged_copy_are_closed(folder: Path) -> None:
    state = folder / "state"
    state.mkdir()
    state.chmod(0o755)
    code, key, said = await run("store", "key", folder=folder)
    assert code == 0, said
    key_file = folder / "store-key"
    key_file.touch(0o600)
    key_file.write_text(key)
    damaged = state / "tokens.json"
    damaged.write_text("{ not json")
    damaged.chmod(0o644)
    store = {"url": f"file:{damaged}", "encryption_key_file": str(key_file)}
    async with careless(folder, store=store) as it:
        text = damaged.read_text()
        assert not any(secret in text for pair in it.upstream.issued for secret in pair)
        files = files_below(state)
        assert any(".damaged-" in file for file in files)
        await nobody_opens([*files, str(key_file)])


async def test_a_token_file_that_others_could_read_is_closed_at_the_start(
    folder: Path,
) -> None:
    state = folder / "state"
    async with house(folder):
        pass
    state.chmod(0o755)
    (state / "tokens.json").chmod(0o644)
    async with house(folder, login=False) as it:
        await it.program.line("WARN.*was open to others")
        await nobody_opens([str(state / "tokens.json")])


async def test_sockets_are_closed(folder: Path) -> None:
    paths = [folder / "proxy.sock", folder / "admin.sock"]
    async with house(
        folder,
        prefix=CARELESS,
        login=False,
        listen=[f"unix:{paths[0]}"],
        admin={"listen": f"unix:{paths[1]}"},
    ):
        got = await asyncio.to_thread(attempt, *(("unix", str(p)) for p in paths))
        assert got == [PERMISSION] * 2
        for path in paths:
            connector = aiohttp.UnixConnector(str(path))
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get("http://localhost/api/v1/profile/get") as answer,
            ):
                assert answer.status in {404, 503}


async def test_on_tcp_a_local_key_keeps_others_out(folder: Path) -> None:
    key = "k-of-the-owner"
    file = folder / "keys"
    file.touch(0o600)
    file.write_text(key)
    async with house(folder, access={"local_key_file": str(file)}) as it:
        closed, guessed, told = await asyncio.to_thread(
            attempt,
            ("http", it.url, PROFILE),
            ("http", it.url, PROFILE, "X-Proxy-Key: guess"),
            ("read", str(file)),
        )
        assert closed.startswith("HTTP/1.1 401")
        assert guessed.startswith("HTTP/1.1 401")
        assert told == PERMISSION
        assert it.upstream.requests == []
        status, _ = await it.call(PROFILE, headers={"X-Proxy-Key": key})
        assert status == 200


@pytest.mark.parametrize("same_user", [True, False])
async def test_on_tcp_the_kernel_tells_others_apart(
    folder: Path, same_user: bool
) -> None:
    async with house(folder, access={"same_user": same_user}) as it:
        got = await asyncio.to_thread(
            attempt,
            ("http", it.url, PROFILE),
            ("http", it.admin, "/api/status"),
            ("http", it.admin, "/"),
            ("http", it.admin, "/metrics"),
        )
        if same_user:
            # Told why, or cut off.
            assert not any(" 200 " in answer for answer in got)
            assert it.upstream.requests == []
        else:
            assert all(" 200 " in answer for answer in got)
        assert (await it.call(PROFILE))[0] == 200
        assert (await it.program.status())["state"] == "active"


async def test_a_file_of_secrets_that_others_can_use_is_told_at_the_start(
    folder: Path,
) -> None:
    """By its mode, or as it belongs to somebody else."""
    for name in ("keys", "password"):
        (folder / name).write_text("a-secret-of-words")
    (folder / "keys").chmod(0o644)
    (folder / "password").chmod(0o600)
    os.chown(folder / "password", UID, UID)
    access = {"local_key_file": str(folder / "keys")}
    admin = {"listen": "127.0.0.1:0", "password_file": str(folder / "password")}
    async with house(folder, access=access, admin=admin, login=False) as it:
        await it.program.line("WARN.*access.local_key_file.*0644")
        await it.program.line(f"WARN.*admin.password_file.*{UID}")


async def test_core_dumps_are_off(folder: Path) -> None:
    unlimited = ("sh", "-c", 'ulimit -S -c $(ulimit -H -c); exec "$@"', "sh")
    async with house(folder, prefix=unlimited, login=False) as it:
        limits = Path(f"/proc/{it.program.pid}/limits").read_text()
        [line] = [each for each in limits.splitlines() if "core file" in each]
        assert line.split()[4:6] == ["0", "0"]


async def test_without_a_guard_tcp_is_open_to_all_users(folder: Path) -> None:
    """What `access` is for: the attempts of the other tests do get somewhere."""
    async with house(folder) as it:
        [got] = await asyncio.to_thread(attempt, ("http", it.url, PROFILE))
        assert SECRET in got
        public = folder / "public"
        public.write_text("x")
        os.chown(public, UID, UID)
        assert attempt(("read", str(public)), ("write", str(public))) == ["x", "opened"]
