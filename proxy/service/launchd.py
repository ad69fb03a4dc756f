"""macOS: an agent of launchd, which runs while its user is logged in.

See launchd.plist(5). The file is written by what is told, and not by us: what only
another system can check should be seen before it is used.
"""

import plistlib
from typing import Any, Final

from proxy.service.plan import Service

LABEL: Final = "telemed-proxy"
_FILE = f"~/Library/LaunchAgents/{LABEL}.plist"
_LOG = f"Library/Logs/{LABEL}.log"


def property_list(service: Service, home: str) -> str:
    """Return the agent's property list."""
    content: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": service.command,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ProcessType": "Interactive",  # others wait for each of its answers
        "Umask": 0o077,
        "StandardOutPath": f"{home}/{_LOG}",
        "StandardErrorPath": f"{home}/{_LOG}",
    }
    return plistlib.dumps(content, sort_keys=False).decode()


def instructions(service: Service, home: str) -> str:
    """Return what to type to install it, and what to use it with later."""
    return (
        "# Paste this into a terminal. It runs the proxy at each login of this user.\n"
        f"mkdir -p ~/Library/LaunchAgents ~/Library/Logs\n"
        f"cat > {_FILE} <<'PLIST'\n"
        f"{property_list(service, home)}PLIST\n"
        f"launchctl bootstrap gui/$(id -u) {_FILE}\n"
        f"{usage()}"
    )


def usage() -> str:
    """Return the commands for later, with what each does."""
    return (
        "\n# How it is; start it anew; its log:\n"
        f"#   launchctl print gui/$(id -u)/{LABEL}\n"
        f"#   launchctl kickstart -k gui/$(id -u)/{LABEL}\n"
        f"#   tail -f ~/{_LOG}\n"
    )


def removal() -> str:
    """Return what to type to have it gone."""
    return f"launchctl bootout gui/$(id -u)/{LABEL}\nrm {_FILE}\n"
