"""Who opens TLS on its way and signs it anew, by the names in their authorities.

Companies' proxies and antivirus programs do. A program that does not trust their
authority then fails, and one that does should know that they read along.
"""

import re
from typing import Final

_NAMES: Final = (
    "Kaspersky", "ESET", "Dr.Web", "DrWeb", "Doctor Web", "Avast", "AVG", "Bitdefender",
    "McAfee", "Trend Micro", "Sophos", "AdGuard", "Zscaler", "Netskope", "Fortinet",
    "FortiGate", "Palo Alto", "Blue Coat", "BlueCoat", "Cisco Umbrella", "Forcepoint",
    "Websense", "Check Point", "Barracuda", "WatchGuard", "SonicWall", "UserGate",
    "Ideco", "Kerio", "Traffic Inspector", "Squid", "Charles Proxy", "Fiddler",
    "DO_NOT_TRUST", "mitmproxy", "Burp", "PortSwigger", "Proxyman",
)  # fmt: skip

_KNOWN: Final = re.compile(
    rf"(?<![a-z])(?:{'|'.join(map(re.escape, _NAMES))})(?![a-z])", re.IGNORECASE
)

# Its roots are in no system's trust; some sites in Russia have certificates by it.
_STATE: Final = re.compile(r"Russian Trusted", re.IGNORECASE)


def interceptor(issuer: str) -> str | None:
    """Return the name in `issuer` of somebody known to sign anew; None: no such."""
    found = _KNOWN.search(issuer)
    return found[0] if found else None


def is_russian_state(issuer: str) -> bool:
    """Say whether `issuer` is the authority of the Russian ministry."""
    return _STATE.search(issuer) is not None
