"""The addresses by which other machines know this one."""

import socket
from contextlib import suppress
from typing import Final

from proxy.config import Address

# Reserved for documentation (RFC 5737, RFC 3849): only the way there is looked up.
_FAR: Final = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)


def own_addresses() -> list[str]:
    """Return them, as far as they can be found out; nothing is sent."""
    found: list[str] = []
    for family, far in _FAR:
        # Connecting UDP sends nothing; without a way there, or IPv6, it fails.
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            found.append(str(probe.getsockname()[0]))
    with suppress(OSError, UnicodeError):
        for *_, name in socket.getaddrinfo(socket.gethostname(), None):
            found.append(str(name[0]))
    # One with a scope is good on its own link only.
    return [
        host
        for host in dict.fromkeys(found)
        if not Address(host).is_loopback and "%" not in host
    ]
