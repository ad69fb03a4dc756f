"""From the text of one setting to an address, a URL, a host or an origin.

The functions are as those of `values`: the text of their errors follows the name of
the setting, and never repeats what was given.
"""

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from yarl import URL

from proxy.authority import WebOrigin, parse_web_origin
from proxy.config.values import parse_path, parse_text

_TLS = "https://"
_HOST_NAME = re.compile(r"\w([\w.-]*\w)?")
# The addresses that mean all of a machine's, each with the one that leads to it.
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  names, no bind


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener accepts connections: a host and port, or a Unix socket."""

    host: str
    port: int = 0
    path: Path | None = None
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return the address that `text` names; port 0 lets the system choose."""
        if text.startswith("unix:"):
            return cls("", 0, parse_path(text.removeprefix("unix:")))
        tls = text.lower().startswith(_TLS)
        host, colon, port = text[len(_TLS) if tls else 0 :].rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        if not colon or not _is_host(host, version=6 if bracketed else 4):
            raise ValueError(
                "must be an address such as 127.0.0.1:8080, [::1]:8080, "
                "https://127.0.0.1:8443 or unix:/run/proxy.sock"
            )
        if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise ValueError("must end in a port from 0 to 65535")
        return cls(_plain_host(host), int(port), tls=tls)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        return self.path is not None or is_loopback(self.host)

    @property
    def place(self) -> "Address":
        """What is taken on this machine, whether TLS is spoken there or not."""
        return replace(self, tls=False)

    @property
    def reachable(self) -> "Address":
        """The address to call: nobody can call the one that means all addresses."""
        return replace(self, host=_WILDCARDS.get(self.host, self.host))

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_TLS if self.tls else ''}{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Return whether `host` is `localhost` or an address of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # Other spellings, such as 127.1, count as foreign: the careful answer.
        return host.lower() == "localhost"


def _is_host(host: str, *, version: int) -> bool:
    try:
        return ip_address(host).version == version
    except ValueError:
        return version == 4 and _HOST_NAME.fullmatch(host.lower()) is not None


def _plain_host(host: str) -> str:
    """Return one spelling of `host`, so that two of them compare equal."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower()


def parse_address(value: object) -> Address:
    """Return the address of a listener."""
    return value if isinstance(value, Address) else Address.parse(parse_text(value))


def parse_origin_url(value: object) -> URL:
    """Return the origin of an upstream: HTTPS, or plain HTTP on loopback."""
    url = _url(value, ("http", "https"), "an origin such as https://api.example")
    if url.scheme == "http" and not is_loopback(url.host or ""):
        raise ValueError(
            "must begin with https:// (plain http:// is for loopback addresses only)"
        )
    return url


def parse_egress_proxy(value: object) -> URL | None:
    """Return the origin of the proxy that leads out of a company's network."""
    if value is None or value == "":
        return None
    url = _url(value, ("http",), "an address such as http://proxy.example:3128")
    if url.explicit_port is None:
        raise ValueError("must name a port, as in http://proxy.example:3128")
    return url


def _url(value: object, schemes: tuple[str, ...], form: str) -> URL:
    """Return `value` as a URL of nothing but scheme, host and port."""
    text = str(value) if isinstance(value, URL) else parse_text(value, form)
    if not text.isprintable() or set(text) & set(" \\"):
        raise ValueError(f"must be {form}")
    try:
        url = URL(text)
    except ValueError as exc:
        raise ValueError(f"must be {form}") from exc
    if url.scheme not in schemes or not url.host or url.port == 0:
        raise ValueError(f"must be {form}")
    if "@" in text:
        raise ValueError("must not hold a user name or password")
    if url.path not in {"", "/"} or set(text) & set("?#"):
        raise ValueError(f"must be {form}, with nothing after the host and port")
    return url.origin()


def parse_host_name(value: object) -> str:
    """Return a name that the Host field may hold."""
    host = parse_text(value).lower().rstrip(".")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _is_host(bare, version=6 if bare != host else 4):
        raise ValueError(
            "must be host names such as proxy.example, without http:// or a port"
        )
    return host


def parse_origin(value: object) -> WebOrigin:
    """Return a web page's origin."""
    if isinstance(value, WebOrigin):
        return value
    origin = parse_web_origin(parse_text(value).removesuffix("/"))
    if origin is None:
        # "*" and "null" would let in every page there is.
        raise ValueError("must be origins of web pages such as http://localhost:3000")
    if not origin.host.isascii():
        raise ValueError("must be origins with a valid host name")
    return origin
