"""Host names, authorities and origins in one spelling, so that they can be compared.

The config reads them from what people write, the listeners from the fields of requests.
"""

import ipaddress
import re
from dataclasses import dataclass

_DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)(?:%25[\w.~-]+)?\]"
    r"|(?P<name>[^\x00-\x20\[\]:/?#@\\*]+))(?::(?P<port>[0-9]{0,5}))?"
)
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>\S+)")


# No name is longer than 255 bytes (RFC 1035, section 2.3.4), and IDNA takes its time.
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """Scheme, host and port of a web page."""

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == _DEFAULT_PORTS.get(self.scheme):
            return f"{self.scheme}://{host}"
        return f"{self.scheme}://{host}:{self.port}"


def parse_web_origin(text: str) -> WebOrigin | None:
    """Return the origin that `text` names; None for `null`, `*` and nonsense."""
    match = _ORIGIN.fullmatch(text.lower())
    authority = split_authority(match["authority"]) if match else None
    if match is None or authority is None:
        return None
    host, port = authority
    scheme = match["scheme"]
    return WebOrigin(scheme, host, _DEFAULT_PORTS.get(scheme) if port is None else port)


def split_authority(text: str) -> tuple[str, int | None] | None:
    """Return host and port of `text`, in one spelling; None when it is malformed."""
    match = _AUTHORITY.fullmatch(text.strip(" \t"))
    if match is None or len(text) > _LONGEST:
        return None
    host = canonical_host(match["six"] or match["name"])
    if not host:
        return None
    return host, int(match["port"]) if match["port"] else None


def canonical_host(host: str) -> str:
    """Return `host` in one spelling: lower case, no trailing dot, no zone, IDNA."""
    name = host.lower().removesuffix(".")
    try:
        # Only an IPv6 address has a zone, as in fe80::1%eth0.
        address = ipaddress.ip_address(name.partition("%")[0] if ":" in name else name)
    except ValueError:
        return _ascii_name(name)
    # A dual-stack socket reports IPv4 connections as ::ffff:127.0.0.1.
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _ascii_name(name: str) -> str:
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
