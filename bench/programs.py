"""The programs that a run needs: their installation, where allowed, and versions."""

import re
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from tests import programs

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "bench"
NODE_PACKAGES = {"http-proxy": "1", "fast-proxy": "2"}
MITMDUMP = CACHE / "mitmproxy" / "bin" / "mitmdump"

_NEEDED = {
    "nginx": ("nginx",),
    "haproxy": ("haproxy",),
    "Caddy": ("caddy",),
    "http-proxy": ("node", "npm"),
    "fast-proxy": ("node", "npm"),
}
"""What each peer takes from the system; wrk, curl and an nginx are needed anyway."""


def prepare(peers: Sequence[str]) -> dict[str, str]:
    """Install what `peers` need; return why some of them have to be left out."""
    if not Path("/proc/self/stat").exists():
        sys.exit("CPU and memory are read from /proc, which only Linux has")
    system = {"wrk", "curl", "nginx"}.union(*(_NEEDED.get(peer, ()) for peer in peers))
    programs.install(sorted(system))
    for name in ("wrk", "curl", "nginx"):
        if not programs.works(name):
            sys.exit(f"{name} is needed, and is not there")
    missing: dict[str, str] = {}
    for peer in peers:
        if gone := [name for name in _NEEDED.get(peer, ()) if not programs.works(name)]:
            missing[peer] = f"{gone[0]} is not installed"
    if not {"node", "npm"} & {why.split()[0] for why in missing.values()}:
        missing |= _node(peers)
    if "mitmproxy" in peers:
        missing |= _mitmproxy()
    return missing


def _node(peers: Sequence[str]) -> dict[str, str]:
    folder = CACHE / "node"
    wanted = [name for name in NODE_PACKAGES if name in peers]
    lacking = [name for name in wanted if not (folder / "node_modules" / name).is_dir()]
    if not lacking:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Installing {', '.join(lacking)} with npm into {_shown(folder)} ...")
    done = subprocess.run(
        [
            *("npm", "install", "--prefix", folder, "--no-audit", "--no-fund"),
            *(f"{name}@{NODE_PACKAGES[name]}" for name in lacking),
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return dict.fromkeys(lacking, "npm could not install it")
    return {}


def _mitmproxy() -> dict[str, str]:
    folder = CACHE / "mitmproxy"
    if MITMDUMP.exists():
        return {}
    print(f"Installing mitmproxy with pip into {_shown(folder)} ...")
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "mitmproxy"],
        capture_output=True,
        check=False,
    )
    return {"mitmproxy": "pip could not install it"} if done.returncode else {}


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT)


def versions() -> dict[str, str]:
    """Return the version of each program that is there."""
    commands: dict[str, Sequence[str | Path]] = {
        "nginx": ("nginx", "-v"),
        "haproxy": ("haproxy", "-v"),
        "Caddy": ("caddy", "version"),
        "Node": ("node", "--version"),
        "mitmproxy": (MITMDUMP, "--version"),
        "wrk": ("wrk", "-v"),
        "curl": ("curl", "--version"),
    }
    found = {name: _version(command) for name, command in commands.items()}
    for name in NODE_PACKAGES:
        found[name] = _try(
            lambda name=name: _package_version(name)  # type: ignore[misc]
        )
    for name in ("aiohttp", "uvloop"):
        found[name] = _try(lambda name=name: version(name))  # type: ignore[misc]
    return {name: value for name, value in found.items() if value}


def _version(command: Sequence[str | Path]) -> str:
    def ask() -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return match[0] if match else ""

    return _try(ask)


def _package_version(name: str) -> str:
    path = CACHE / "node" / "node_modules" / name / "package.json"
    match = re.search(r'"version": "([^"]+)"', path.read_text(encoding="utf-8"))
    return match[1] if match else ""


def _try(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, ImportError):
        return ""
