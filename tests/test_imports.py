"""What a program that rests, or only tells its version, has not imported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Proxy, own_environ

# What takes memory or time, and who needs it: no proxy that waits for calls.
HEAVY = {
    "aiohttp": "who looks at the page, a login, a refresh",
    "cryptography": "an encrypted store",
    "html.entities": "nobody",
    "http.client": "commands that call a proxy or the API",
    "importlib.metadata": "version",
    "importlib.resources": "nobody",
    "keyring": "a keyring",
    "multiprocessing": "nobody",
    "oauthlib": "a login, a refresh",
    "phonenumbers": "a login",
    "platformdirs": "who is not told where config and tokens are",
    "proxy.sandbox": "the sandbox",
    "pydantic": "nobody",
    "redis": "a store in Redis",
    "shutil": "a folder for the sandbox",
    "tempfile": "a folder for the sandbox",
    "urllib.request": "nobody",
    "xml": "nobody",
}
SERVING = {"asyncio", "filelock", "proxy.app", "ssl", "yaml", "yarl"}

PROGRAM = (sys.executable, "-X", "importtime", "-m", "proxy")
_IMPORTED = re.compile(r"^import time:.*\| +(\S+)$", re.MULTILINE)


def imported(text: str) -> set[str]:
    """Return the modules that `-X importtime` told of, and the packages around them."""
    names = set(_IMPORTED.findall(text))
    return names | {name.partition(".")[0] for name in names}


@pytest.fixture(autouse=True)
def nobody_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep out what measures coverage, which imports much by itself."""
    for name in tuple(os.environ):
        if name.startswith("COV"):
            monkeypatch.delenv(name)


def test_a_proxy_that_rests_has_imported_what_it_needs_and_no_more(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "upstream: {client_id: x, warm_connections: 0}\n"
        "listen: 127.0.0.1:0\n"
        "admin: {listen: 127.0.0.1:0}\n"
        "store: {url: file:tokens.json}\n"
    )

    with Proxy("serve", "-c", str(config), command=PROGRAM, folder=tmp_path) as proxy:
        names = imported("\n".join(proxy.lines))
        assert names >= SERVING
        assert names & HEAVY.keys() == set()

        proxy.ask("GET", "/api/status")
        assert "aiohttp" in imported("\n".join(proxy.lines))


def test_the_version_costs_no_more_than_the_command_line() -> None:
    done = subprocess.run(
        [*PROGRAM, "version"],
        env=own_environ(),
        capture_output=True,
        text=True,
        check=True,
    )

    names = imported(done.stderr)
    assert "proxy.cli" in names
    # Versions of packages are in their metadata, for which Python imports the others.
    metadata = {"importlib.metadata", "importlib.resources", "shutil", "tempfile"}
    assert names & (HEAVY.keys() | SERVING) <= metadata
