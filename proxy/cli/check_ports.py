"""Checks of our own addresses: free, ours already, or somebody else's."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proxy.cli.admin_client import AdminClient
from proxy.cli.findings import Finding, ok, wrong
from proxy.cli.http_call import listening
from proxy.config import Address, Config
from proxy.errors import ProxyError


def check_ports(config: Config, running: dict[str, Any]) -> Iterator[Finding]:
    """Yield what is found of each listener's address; `running` is `running_proxy`."""
    ours = [listening(text) for text in running.get("listen", ())]
    for address in config.listen:
        yield check_address("listen", address, served=address in ours)
    yield check_address("admin.listen", config.admin.listen, served=bool(running))


def running_proxy(config: Config) -> dict[str, Any]:
    """Return the status of the proxy that runs with this config, or nothing."""
    client = AdminClient(
        config.admin.listen,
        config.admin.password_file,
        certificate_file=config.tls.certificate_file,
    )
    try:
        return client.status()
    except ProxyError:
        return {}


def check_address(subject: str, address: Address, *, served: bool) -> Finding:
    """Return whether a listener can be opened at `address`."""
    if served:
        return ok(subject, f"{address} is served by the running proxy")
    try:
        if address.path is not None:
            _try_socket(address.path)
        else:
            _try_port(address)
    except OSError as exc:
        return _explain(subject, address, exc)
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


def _explain(subject: str, address: Address, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return wrong(
            subject,
            f"{address} is taken by another program",
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
