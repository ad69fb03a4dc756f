"""The program under test, logged in, in front of one of the suite's servers."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cli.doors import Door, open_door
from tests.running import PROGRAM, Proxy, own_environ

TOKEN = "of-the-patient"

HOSTS = ["httpbin.org", "sample-host"]
"""What tests say in Host besides the address."""

# What every call of /token is answered. A refresh brings nothing new: a 401 that the
# suite provokes then costs a look at the authorization server, but no replay.
TOKENS = Door(
    content=json.dumps(
        {
            "access_token": TOKEN,
            "refresh_token": "for-the-next-one",
            "token_type": "Bearer",
            "expires_in": 1_209_599,
        }
    ).encode(),
    fields={"Content-Type": "application/json"},
)


@contextmanager
def proxy_to(upstream: str, folder: Path, **settings: Any) -> Iterator[Proxy]:
    """Run the proxy in front of `upstream`, and log in."""
    folder.mkdir()
    with open_door(TOKENS) as authorization:
        config = folder / "config.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "listen": ["127.0.0.1:0"],
                    "admin": {"listen": "127.0.0.1:0"},
                    "store": {"url": f"file:{folder / 'tokens'}"},
                    "access": {"allowed_hosts": HOSTS},
                    "upstream": {
                        "api_url": upstream,
                        "auth_url": f"http://{authorization}",
                        "client_id": "0123456789abcdef0123456789abcdef",
                        **settings,
                    },
                }
            )
        )
        with Proxy("serve", "-c", str(config), folder=folder) as proxy:
            _log_in(config, folder)
            yield proxy


def _log_in(config: Path, folder: Path) -> None:
    words = ("login", "+7 916 123-45-67", "--code", "1234", "-c", str(config))
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env=own_environ(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
