"""What people on macOS and Windows are told, where this program installs nothing."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.service.plan import Service


def instructions(platform: str, service: "Service") -> str:
    """Return what to type on `platform` to install `service`."""
    from proxy.service import launchd, task_scheduler

    if platform == "darwin":
        return launchd.instructions(service, str(Path.home()))
    pythonw = str(Path(sys.executable).with_name("pythonw.exe"))
    domain, user = (os.environ.get(f"USER{part}", "") for part in ("DOMAIN", "NAME"))
    full = f"{domain}\\{user}" if domain else user
    return task_scheduler.instructions(service, pythonw, _log_file(), full)


def usage(platform: str) -> str:
    """Return what to type there later."""
    from proxy.service import launchd, task_scheduler

    if platform == "darwin":
        return launchd.usage()
    return task_scheduler.usage(_log_file())


def removal(platform: str) -> str:
    """Return what to type there to have it gone."""
    from proxy.service import launchd, task_scheduler

    if platform == "darwin":
        return launchd.removal()
    return task_scheduler.removal()


def _log_file() -> str:
    folder = os.environ.get("LOCALAPPDATA") or str(Path.home())
    return f"{folder}\\telemed-proxy\\telemed-proxy.log"
