"""Request target in, outbound target out, and Location back. Pure.

A target is never parsed into a URL and printed again: that would requote it.
"""

from dataclasses import dataclass
from typing import Final

from proxy.errors import RequestError
from proxy.http1.head import ABSOLUTE

ORDINARY: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""Methods that no server takes for one of those that are refused."""

_REFUSED_METHODS = {
    "CONNECT": "this is no tunnel: CONNECT is not accepted",
    # They would show the caller the request as sent, with the token in it; TRACK is
    # what IIS calls it.
    "TRACE": "TRACE is not accepted: its answer would show the token",
    "TRACK": "TRACK is not accepted: its answer would show the token",
}


def outbound_target(method: str, target: bytes, host: bytes) -> bytes:
    """Return the target to send upstream: the inbound one, byte for byte.

    An absolute-form target (RFC 9112, section 3.2.2) must name the same authority as
    `host`, the inbound Host field: the upstream is fixed. Raises RequestError.
    """
    # Methods are case-sensitive, but not to every server.
    refused = _REFUSED_METHODS.get(method.upper())
    if refused is not None:
        raise RequestError(refused, value=method.lower(), status=405)
    return target if target[:1] == b"/" else _origin_form(method, target, host)


def named_host(target: bytes, host: bytes | None, port: int | None) -> bytes | None:
    """Return the host that a request is for, given its Host field, if it has one.

    In absolute-form the target says it, and Host is ignored (RFC 9112, section 3.2.2),
    where the target names the `port` that the client connected to; otherwise the two
    have to agree, which `outbound_target` sees to.
    """
    match = ABSOLUTE.fullmatch(target) if target[:1] != b"/" else None
    if match is None:
        return host
    named: bytes = match[1]
    if host is None or (port is not None and named.endswith(b":%d" % port)):
        return named
    return host


def _origin_form(method: str, target: bytes, host: bytes) -> bytes:
    match = ABSOLUTE.fullmatch(target)
    if match is None:
        return target  # the asterisk of OPTIONS: the grammar knows no other
    named, rest = match.groups()
    if named.lower() != host.lower():
        raise RequestError(
            "this proxy forwards to one fixed upstream; send requests with a target "
            "that begins with a slash",
            value="target",
            status=421,
        )
    if method == "OPTIONS" and not rest:
        return b"*"  # RFC 9112, section 3.2.4
    return rest if rest[:1] == b"/" else b"/" + rest


REWRITTEN = frozenset({b"location", b"set-cookie"})


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Makes the upstream's own origin in a response ours.

    `origin` is scheme and authority, such as `https://host`, and `host` its host; both
    in lower case.
    """

    origin: bytes
    host: bytes

    def value(self, name: bytes, value: bytes, own: bytes) -> bytes:
        """Return the `value` of the field `name` (lower case), made `own`."""
        if name == b"location":
            return own_location(value, self.origin, own)
        if name == b"set-cookie" and b"domain" in value.lower():
            return own_cookie(value, self.host)
        return value


def own_location(location: bytes, upstream: bytes, own: bytes) -> bytes:
    """Return `location` with the `upstream` origin replaced by our `own`.

    Origins are scheme and authority, such as `https://host`, in lower case. Any other
    location, a longer host name that begins alike included, comes back unchanged.
    """
    whole = location
    if location[:2] == b"//":  # relative to the scheme (RFC 3986, section 4.2)
        whole = upstream.partition(b"//")[0] + location
    for origin in (upstream, upstream + _default_port(upstream)):
        rest = whole[len(origin) :]
        if whole[: len(origin)].lower() == origin and rest[:1] in b"/?#":
            return own + rest
    return location


def own_cookie(set_cookie: bytes, upstream_host: bytes) -> bytes:
    """Return `set_cookie` without a Domain attribute that covers the upstream's host.

    A cookie without Domain belongs to the host that set it (RFC 6265, section 5.3),
    which for the caller is this proxy. Every other byte stays.
    """
    parts = set_cookie.split(b";")
    kept = [parts[0], *(part for part in parts[1:] if not _covers(part, upstream_host))]
    return b";".join(kept)


def _covers(attribute: bytes, host: bytes) -> bool:
    name, _, value = attribute.partition(b"=")
    if name.strip().lower() != b"domain":
        return False
    domain = value.strip().lower().lstrip(b".")
    if host == domain:
        return True
    # Of an address the end is no domain (RFC 6265, section 5.1.3).
    return host.endswith(b"." + domain) and not host.replace(b".", b"").isdigit()


def _default_port(origin: bytes) -> bytes:
    return b":443" if origin.startswith(b"https:") else b":80"
