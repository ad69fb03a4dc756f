"""This proxy, from any checkout: started, and logged in through its admin listener."""

import json
import os
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.peers.running import Place
from bench.processes import Started, free_port, start

ROOT = Path(__file__).parents[2]

NO_UVLOOP = """raise ImportError("kept away for the row without it")\n"""


@dataclass(frozen=True)
class Ours:
    """How to run it: the checkout, settings besides the needed ones, the event loop."""

    tree: Path = ROOT
    settings: dict[str, Any] = field(default_factory=dict)
    uvloop: bool = True


@dataclass(frozen=True)
class Prepared:
    """All that a start needs, to start it more than once."""

    command: list[str | Path]
    environ: dict[str, str]
    admin: str


def prepare(ours: Ours, place: Place, auth_url: str) -> Prepared:
    """Write the config into the folder of `place`."""
    admin = f"127.0.0.1:{free_port()}"
    settings: dict[str, Any] = {
        "listen": [f"127.0.0.1:{place.port}"],
        "admin": {"listen": admin},
        "store": {"url": f"file:{place.folder}/tokens.json"},
        "upstream": {
            "api_url": place.upstream.url,
            "auth_url": auth_url,
            "client_id": "b" * 32,
            "ca_file": str(place.upstream.ca_file),
        },
    }
    for section, values in known(ours.settings, ours.tree).items():
        settings[section] = settings.get(section, {}) | values
    config = place.folder / "config.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(settings), encoding="utf-8")
    paths = [str(ours.tree)]
    if not ours.uvloop:
        hidden = place.folder / "hidden"
        hidden.mkdir(exist_ok=True)
        (hidden / "uvloop.py").write_text(NO_UVLOOP, encoding="utf-8")
        paths.insert(0, str(hidden))
    return Prepared(
        [*program(), "serve", "-c", config],
        {"PYTHONPATH": os.pathsep.join(paths)},
        f"http://{admin}",
    )


def known(settings: dict[str, Any], tree: Path) -> dict[str, Any]:
    """Return those of `settings` that the checkout knows: an older one has fewer."""
    example = yaml.safe_load((tree / "config.example.yaml").read_text("utf-8"))
    return {
        section: {name: value for name, value in values.items() if name in there}
        for section, values in settings.items()
        if (there := example.get(section))
    }


def program() -> tuple[str, ...]:
    """Return how to run whichever checkout PYTHONPATH names."""
    return (sys.executable, "-m", "proxy")


def start_ours(prepared: Prepared, place: Place, *, log_in: bool = True) -> Started:
    """Start it and log it in."""
    output = place.folder / "output"
    output.touch()
    since = output.stat().st_size

    def ready() -> bool:
        return b"ready: " in output.read_bytes()[since:]

    started = start(
        prepared.command,
        output,
        folder=place.folder,
        environ=prepared.environ,
        ready=ready,
    )
    if log_in:
        post(prepared.admin, "/api/login/code", {"phone": "+79161234567"})
        post(prepared.admin, "/api/login/token", {"validation_code": "1234"})
    return started


def post(admin: str, path: str, members: dict[str, Any]) -> dict[str, Any]:
    """Send a call to the admin listener; return its answer."""
    request = urllib.request.Request(
        admin + path,
        data=json.dumps(members).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        result: dict[str, Any] = json.load(answer)
        return result
