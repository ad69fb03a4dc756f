"""Checks of the way to a host: its name, and its port by IPv4 and IPv6."""

import os
import socket
import time
from collections.abc import Iterator
from typing import Final

from yarl import URL

from proxy.cli.findings import Finding, note, ok, unreachable
from proxy.cli.http_call import CONNECT_TIMEOUT, reason
from proxy.cli.within import within

DNS_TIMEOUT: Final = 10.0
_DNS_SLOW: Final = 1.0

# Of the addresses of a kind: the first is the one that gets used, the second if that
# is dead.
_TRIED: Final = 2

_KINDS: Final = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
_SETTINGS: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def check_way(subject: str, url: URL) -> Iterator[Finding]:
    """Yield what is found of the name and the port of `url`."""
    host, port = url.host or "", url.port or 443
    began = time.perf_counter()
    try:
        found = within(DNS_TIMEOUT, lambda: _addresses(host, port))
    except (OSError, UnicodeError) as exc:
        late = isinstance(exc, TimeoutError)
        yield unreachable(
            f"{subject} DNS",
            "no answer in time" if late else "the name is not known",
            f"check the name in the config, and this machine's network{_hint()}",
        )
        return
    yield _named(f"{subject} DNS", host, found, time.perf_counter() - began)
    yield from _check_port(f"{subject} TCP", found, port)


def _addresses(host: str, port: int) -> dict[str, str]:
    """Return the addresses of `host` by the kind of each, in the order of use."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    kinds = {str(name[0]): _KINDS.get(family, "") for family, *_, name in found}
    return {address: kind for address, kind in kinds.items() if kind}


def _named(subject: str, host: str, found: dict[str, str], seconds: float) -> Finding:
    seen = ", ".join(found)
    if list(found) == [host]:
        return ok(subject, f"{seen} (needs no look-up)")
    kinds = " and ".join(sorted(set(found.values())))
    seen += f" ({kinds}, in {seconds * 1000:.0f} ms)"
    if seconds > _DNS_SLOW:
        return note(subject, f"{seen}; each new connection has to wait for that")
    return ok(subject, seen)


def _check_port(subject: str, found: dict[str, str], port: int) -> Iterator[Finding]:
    failures: dict[str, OSError] = {}
    for kind in sorted(set(found.values())):
        hosts = [address for address, own in found.items() if own == kind]
        if (failure := _failure(hosts[:_TRIED], port)) is not None:
            failures[kind] = failure
    if len(failures) == len(set(found.values())):
        why = reason(next(iter(failures.values()), OSError("no address")))
        yield unreachable(
            subject,
            why,
            "check the port, the firewall, and whether upstream.egress_proxy is "
            f"needed{_hint()}",
        )
        return
    yield ok(subject, "the port answers")
    for kind, failure in failures.items():
        yield note(subject, f"not by {kind} ({reason(failure)}), which does no harm")


def _failure(hosts: list[str], port: int) -> OSError | None:
    """Return why none of `hosts` could be connected to; None if one could."""
    failure: OSError | None = OSError("no address")
    for host in hosts:
        try:
            socket.create_connection((host, port), CONNECT_TIMEOUT).close()
        except OSError as exc:
            failure = exc
        else:
            return None
    return failure


def _hint() -> str:
    """Return that other programs here go through a proxy, if they are told to."""
    name = next((name for name in _SETTINGS if os.environ.get(name)), None)
    if name is None:
        return ""
    return f" ({name} is set, which only upstream.egress_proxy makes this program use)"
