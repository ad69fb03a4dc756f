"""Checks of our own addresses: free, ours already, or somebody else's."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from proxy.cli.findings import Finding, note, ok, wrong
from proxy.cli.holders import STRANGER, holder_of, is_proxy
from proxy.cli.running_proxy import Running
from proxy.config import Address, Config


def check_ports(config: Config, running: Running) -> Iterator[Finding]:
    """Yield what is found of each listener's address."""
    for address in config.listen:
        served = address.reachable in running.listen
        yield _check("listen", address, running, served=served)
    address = config.admin.listen
    if running.trouble is not None and is_proxy(address):
        # The password may be wrong, or TLS expected: that is what to mend.
        seen, _, mend = running.trouble.description.partition("; ")
        mend = mend.partition(", or pass --admin")[0]
        yield wrong("admin.listen", seen, mend or "stop that proxy, and start it again")
    else:
        yield _check("admin.listen", address, running, served=bool(running.status))


def _check(
    subject: str, address: Address, running: Running, *, served: bool
) -> Finding:
    if not served or running.ours:
        return check_address(subject, address, served=served, whose=holder_of)
    seen = f"{address} is served by a proxy with another config, {running.what}"
    if running.is_for_all:
        return note(subject, f"{seen}: commands use it, and `serve` cannot start")
    return wrong(subject, seen, f"stop that proxy, or set {subject} to another address")


def check_address(
    subject: str,
    address: Address,
    *,
    served: bool,
    whose: Callable[[Address], str] = lambda _: STRANGER,
) -> Finding:
    """Return whether a listener can be opened at `address`.

    `whose` tells who has it, if somebody else does.
    """
    if served:
        return ok(subject, f"{address} is served by the running proxy")
    try:
        if address.path is not None:
            _try_socket(address.path)
        else:
            _try_port(address)
    except OSError as exc:
        return _explain(subject, address, exc, whose)
    return ok(subject, f"{address} is free")


def _try_port(address: Address) -> None:
    found = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    for family, kind, protocol, _, name in found:
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # As servers do: a port in TIME_WAIT is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(name)
            probe.listen(1)


def _try_socket(path: Path) -> None:
    if not os.access(path.parent, os.W_OK | os.X_OK):
        kind = errno.EACCES if path.parent.is_dir() else errno.ENOENT
        raise OSError(kind, os.strerror(kind), str(path.parent))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # nobody answers: what lies there is stale, and gets replaced
        raise OSError(errno.EADDRINUSE, "in use")


def _explain(
    subject: str, address: Address, error: OSError, whose: Callable[[Address], str]
) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return wrong(
            subject,
            f"{address} is taken by {whose(address)}",
            f"stop that program, or set {subject} to another address",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return wrong(
            subject,
            f"{address} may not be opened by this user",
            f"set {subject} to a port above 1023, or to a folder you may write",
        )
    return wrong(
        subject,
        f"{address}: {error.strerror or type(error).__name__}",
        f"set {subject} to an address of this machine",
    )
