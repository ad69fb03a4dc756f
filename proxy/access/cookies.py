"""The cookie of the admin page, which browsers also send to our other ports.

Cookies belong to a host, whatever the port (RFC 6265, section 8.5). So the name holds
the port, that two proxies on one machine do not end each other's sessions, and the
forwarding listener passes on no such cookie: the upstream must not learn it.
"""

from typing import Final

PREFIX: Final = "telemed-proxy-admin-"

_PREFIX: Final = PREFIX.encode()


def cookie_name(port: int | None) -> str:
    """Return the cookie's name for the admin listener at `port`, None for a socket."""
    return f"{PREFIX}{'socket' if port is None else port}"


def without_ours(cookie: bytes) -> bytes:
    """Return the value of a `Cookie` field less our own; what is left may be empty.

    Where none is ours, it is the same, byte for byte.
    """
    if _PREFIX not in cookie.lower():
        return cookie
    kept = [
        pair
        for pair in cookie.split(b";")
        if not pair.strip(b" \t").lower().startswith(_PREFIX)
    ]
    return b";".join(kept).strip(b" \t")
