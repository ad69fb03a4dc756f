"""Who holds one of our addresses already: a proxy of ours, or which program."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from proxy.cli.handshake import blind_context
from proxy.cli.http_call import UnixConnection
from proxy.cli.probes import PROBE_TIMEOUT, refused_by_host
from proxy.config import Address

STRANGER: Final = "another program"

_PROC: Final = Path("/proc")
_LISTENS: Final = "0A"
_UNIX_LISTENS: Final = "00010000"


def holder_of(address: Address) -> str:
    """Return in words who listens at `address`; somebody does."""
    name, which = _process_at(address) or ("", "")
    if is_proxy(address):
        name = "another telemed-proxy"
    return " ".join(filter(None, (name or STRANGER, which and f"({which})")))


def is_proxy(address: Address) -> bool:
    """Say whether a proxy of ours listens at `address`, with whatever config."""
    for connection in _ways_to(address):
        with suppress(OSError, http.client.HTTPException):
            if refused_by_host(connection).ours:
                return True
    return False


def _ways_to(address: Address) -> Iterator[http.client.HTTPConnection]:
    """Yield connections with and without TLS: another config may have it otherwise."""
    if address.path is not None:
        yield UnixConnection(address.path, PROBE_TIMEOUT)
        return
    near = address.reachable
    yield http.client.HTTPConnection(near.host, near.port, timeout=PROBE_TIMEOUT)
    context: ssl.SSLContext = blind_context()
    yield http.client.HTTPSConnection(
        near.host, near.port, timeout=PROBE_TIMEOUT, context=context
    )


# -- What Linux tells ----------------------------------------------------------------


def _process_at(address: Address) -> tuple[str, str] | None:
    """Return the name of the program at `address`, and which one it is, if told."""
    socket = _unix_socket(address.path) if address.path else _port(address.port)
    if socket is None:
        return None
    uid, inode = socket
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it ended, or belongs to somebody else
            for descriptor in (process / "fd").iterdir():
                if _target(descriptor) == f"socket:[{inode}]":
                    name = (process / "comm").read_text("utf-8", "replace").strip()
                    return name, f"process {process.name}"
    return ("", f"of user {_user(uid)}") if uid is not None else None


def _port(port: int) -> tuple[int | None, str] | None:
    """Return the owner and the inode of the socket that listens on `port`."""
    for table in ("tcp", "tcp6"):
        for row in _rows(table):
            if row[3] == _LISTENS and int(row[1].rpartition(":")[2], 16) == port:
                return int(row[7]), row[9]
    return None


def _unix_socket(path: Path) -> tuple[int | None, str] | None:
    for row in _rows("unix"):
        if row[3] == _UNIX_LISTENS and row[-1] == str(path):
            return None, row[6]
    return None


def _rows(table: str) -> list[list[str]]:
    try:
        lines = (_PROC / "net" / table).read_text("utf-8", "replace").splitlines()
    except OSError:  # this is not Linux, or has no IPv6
        return []
    return [line.split() for line in lines[1:]]


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def _user(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return f"number {uid}"
