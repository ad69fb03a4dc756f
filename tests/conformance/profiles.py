"""Named settings of the subjects, for cases that need others than the usual ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.case import HOST

BASE: dict[str, Any] = {
    "listen": ["127.0.0.1:0"],
    "admin": {"listen": "127.0.0.1:0"},
    # A connection without a request would look like a delivery.
    "upstream": {"client_id": "c" * 32, "warm_connections": 0},
    "access": {"allowed_hosts": [HOST.decode()]},
    "log": {"access": False},
}


@dataclass(frozen=True)
class Profile:
    """What differs from `BASE`, and the same for nginx."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    nginx: tuple[str, ...] = ()
    """Directives for the `server` block."""
    slowest: float = 0.0
    """The longest time in seconds that the subject may wait by these settings."""
    reachable: bool = True
    """Whether anybody listens at the upstream's address."""

    def config(self, **addresses: str) -> dict[str, Any]:
        """Return the whole configuration; `addresses` go to the upstream section."""
        config = {**BASE}
        for section, values in (*self.settings.items(), ("upstream", addresses)):
            config[section] = {**config.get(section, {}), **values}
        return config


PROFILES = {
    "default": Profile(),
    "short": Profile(
        {"upstream": {"response_timeout": "500ms", "idle_timeout": "500ms"}},
        ("proxy_read_timeout 500ms;", "client_body_timeout 500ms;"),
        slowest=0.5,
    ),
    "unreachable": Profile(reachable=False),
}
