"""Programs that tests drive and Python's packages cannot bring.

`python -m tests.programs` installs the missing ones with the system's package manager
where it may. A test calls `need("curl")`: where curl is missing, that test is skipped
with the reason. Under CI=true a skip is a failure; `conftest` sees to it.

The benchmark has its programs from here as well.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import pytest


@dataclass(frozen=True)
class Program:
    """A program, how to see that it is fit, and what installs it where."""

    probe: tuple[str, ...]
    output: str = ""  # what the probe prints, among other things
    packages: dict[str, str] = field(default_factory=dict)  # where it is not the name


PROGRAMS = {
    "curl": Program(("curl", "--version")),
    "wget": Program(("wget", "--version")),
    # `fetch` came with Node 18.
    "node": Program(
        ("node", "--eval", "console.log(typeof fetch)"),
        "function",
        {"apt-get": "nodejs", "dnf": "nodejs", "apk": "nodejs"},
    ),
    # It fetches axe-core. Some packages of Node bring it, Debian's does not.
    "npm": Program(("npm", "--version"), packages={"brew": "node"}),
    # Running a single file needs the compiler, which a JRE lacks.
    "java": Program(
        ("java", "--list-modules"),
        "jdk.compiler",
        {
            "apt-get": "default-jdk-headless",
            "dnf": "java-latest-openjdk-devel",
            "apk": "openjdk21-jdk",
            "brew": "openjdk",
        },
    ),
    "nginx": Program(("nginx", "-v"), packages={"apt-get": "nginx-light"}),
    "redis-server": Program(
        ("redis-server", "--version"),
        packages={"dnf": "redis", "apk": "redis", "brew": "redis"},
    ),
    "dbus": Program(
        ("dbus-run-session", "--version"),
        packages={"dnf": "dbus-daemon", "apk": "dbus"},
    ),
    # Not to run this machine: its tools read units, and tests run one of a user.
    "systemd": Program(("systemd-analyze", "--version"), "systemd "),
    "gnome-keyring": Program(("gnome-keyring-daemon", "--version")),
    "chromium": Program(("chromium", "--version")),
    "perl": Program(
        ("perl", "-MHTTP::Tiny", "-e", "1"),
        packages={"dnf": "perl perl-HTTP-Tiny", "apk": "perl"},
    ),
    "lwp": Program(
        ("perl", "-MLWP::UserAgent", "-e", "1"),
        packages={
            "apt-get": "libwww-perl",
            "dnf": "perl-libwww-perl",
            "apk": "perl-libwww",
        },
    ),
    "promtool": Program(
        ("promtool", "--version"),
        packages={
            "apt-get": "prometheus",
            "dnf": "golang-github-prometheus",
            "apk": "prometheus",
            "brew": "prometheus",
        },
    ),
    # With the extension that most programs call the API by.
    "php": Program(
        ("php", "--modules"),
        "curl",
        {
            "apt-get": "php-cli php-curl",
            "dnf": "php-cli php-common",
            "apk": "php83 php83-curl",
        },
    ),
}

FOR_BENCHMARK = {
    # It has no call of its own that ends with 0.
    "wrk": Program(("sh", "-c", "command -v wrk")),
    "haproxy": Program(("haproxy", "-v")),
    "caddy": Program(("caddy", "version")),
}
"""Programs that no test needs."""

_ALL = PROGRAMS | FOR_BENCHMARK

MANAGERS = {
    "apt-get": ("apt-get", "install", "--yes", "-qq", "--no-install-recommends"),
    "dnf": ("dnf", "install", "--assumeyes", "--quiet"),
    "apk": ("apk", "add", "--quiet"),
    "brew": ("brew", "install", "--quiet"),
}
"""Package managers in the order they are looked for, and how each installs."""


def need(name: str) -> None:
    """Skip the calling test, with the reason, where program `name` is missing."""
    if not works(name):
        pytest.skip(f"{name} is not installed: {_hint(name)}")


@cache
def works(name: str) -> bool:
    """Return whether `name` is there and does what the tests ask of it."""
    program = _ALL[name]
    try:
        probe = subprocess.run(
            program.probe, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0 and program.output in probe.stdout


def install(names: Iterable[str] = PROGRAMS) -> None:
    """Install those of `names` that are missing, and name what stays missing."""
    missing = [name for name in names if not works(name)]
    if missing and (manager := _manager()):
        _run_manager(manager, missing)
        works.cache_clear()
    for name in missing:
        if not works(name):
            print(f"{name} is missing, and what needs it: {_hint(name)}")


def _run_manager(manager: str, missing: list[str]) -> None:
    privilege = _privilege(manager)
    if privilege is None:
        return
    print(f"Installing {', '.join(missing)} with {manager} ...", flush=True)
    if manager == "apt-get":
        # A new machine has no package lists, or old ones.
        _run([*privilege, "apt-get", "update", "-qq"])
    # One at a time: a name that a system does not know spoils the whole command.
    for name in missing:
        packages = _packages(manager, name).split()
        _run([*privilege, *MANAGERS[manager], *packages])


def _run(command: list[str]) -> None:
    subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )


def _privilege(manager: str) -> list[str] | None:
    """Return what to put before a command so that it may install; None: nothing."""
    if manager == "brew" or os.geteuid() == 0:
        return []
    sudo = ["sudo", "--non-interactive"]
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run([*sudo, "true"], capture_output=True, check=False)
    return sudo if asked.returncode == 0 else None


def _manager() -> str | None:
    return next((name for name in MANAGERS if shutil.which(name)), None)


def _packages(manager: str, name: str) -> str:
    return _ALL[name].packages.get(manager, name)


def _hint(name: str) -> str:
    manager = _manager()
    if manager is None:
        return "install it"
    return f"{' '.join(MANAGERS[manager][:2])} {_packages(manager, name)}"


if __name__ == "__main__":
    install()
