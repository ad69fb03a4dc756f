"""What a run ran on, in words that say nothing about whose machine it is."""

import os
import platform
import ssl
import sys
from pathlib import Path


def describe() -> dict[str, str]:
    """Return cores, memory, system and Python."""
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{_memory() / 2**30:.0f} GiB",
        "system": f"{_system()}, {platform.machine()}",
        "Python": f"{platform.python_version()} ({sys.implementation.name}), "
        f"{' '.join(ssl.OPENSSL_VERSION.split()[:2])}",
    }


def _processor() -> str:
    info = _lines(Path("/proc/cpuinfo"), ":")
    name = info.get("model name", platform.processor() or "unknown")
    return f"{name} (virtual)" if "hypervisor" in info.get("flags", "") else name


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _system() -> str:
    release = _lines(Path("/etc/os-release"), "=")
    return release.get("PRETTY_NAME", platform.system()).strip('"')


def _lines(path: Path, between: str) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition(between) for line in path.read_text("utf-8").splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
