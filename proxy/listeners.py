"""The sockets we accept on: TCP addresses and Unix sockets, opened and closed."""

import asyncio
import errno
import logging
import os
import socket
import ssl
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from proxy.config import Address
from proxy.errors import ConfigError

logger = logging.getLogger(__name__)

_FLAGS = {"listen": "--listen", "admin.listen": "--admin"}

ProtocolFactory = Callable[[], asyncio.BaseProtocol]

_BACKLOG = 1024

HANDSHAKE_TIME = 10.0
"""Seconds for a client to agree on TLS; asyncio's own minute suits slow attackers."""

_GOODBYE_TIME = 5.0
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not bound


class Listener:
    """One configured address and the sockets behind it."""

    def __init__(
        self,
        address: Address,
        key: str,
        tls: ssl.SSLContext | None = None,
        *,
        handshake_time: float = HANDSHAKE_TIME,
    ) -> None:
        if address.tls and tls is None:
            raise ValueError(f"{address} is to speak TLS, but no context was given")
        self._address = address
        self._key = key
        self._tls = tls if address.tls else None
        self._handshake_time = handshake_time
        self._server: asyncio.Server | None = None
        self._is_given = False
        self._names: list[tuple[str, int]] = []

    async def open(
        self, factory: ProtocolFactory, given: "GivenSockets | None" = None
    ) -> None:
        """Accept connections, on the socket that was `given` for this address, if any.

        Raises ConfigError naming the address and its key.
        """
        try:
            if given is not None and (found := given.take(self._address)) is not None:
                await self._open_given(found, factory)
            elif self._address.path is not None:
                await self._open_unix(self._address.path, factory)
            else:
                await self._open_tcp(factory)
        except OSError as exc:
            raise ConfigError(self._why(exc)) from exc

    def close(self) -> None:
        """Accept no more; open connections go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
            # One that was given is still somebody's, who may start us again.
            if self._address.path is not None and not self._is_given:
                self._address.path.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        """What to point a client at: `http://127.0.0.1:8080`, https, or `unix:PATH`."""
        if self._address.path is not None:
            return str(self._address)
        port = self._names[0][1] if self._names else self._address.port
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{Address(self._address.host, port).reachable}"

    def is_at(self, peer: Sequence[object], local: Sequence[object]) -> bool:
        """Say whether a connection from `local` to `peer` leads to this listener."""
        if len(peer) < 2:
            return False
        for host, port in self._names:
            if port == peer[1] and (
                host == peer[0] or (host in _WILDCARDS and peer[0] == local[0])
            ):
                return True
        return False

    async def _open_tcp(self, factory: ProtocolFactory) -> None:
        address = self._address
        self._server = await asyncio.get_running_loop().create_server(
            factory,
            address.host,
            address.port,
            backlog=_BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake_time if self._tls else None,
            ssl_shutdown_timeout=_GOODBYE_TIME if self._tls else None,
        )
        self._names = [each.getsockname()[:2] for each in self._server.sockets]

    async def _open_given(self, given: socket.socket, factory: ProtocolFactory) -> None:
        self._is_given = True
        loop = asyncio.get_running_loop()
        if given.family == getattr(socket, "AF_UNIX", None):
            self._server = await loop.create_unix_server(factory, sock=given)
            return
        self._server = await loop.create_server(
            factory,
            sock=given,
            backlog=_BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake_time if self._tls else None,
            ssl_shutdown_timeout=_GOODBYE_TIME if self._tls else None,
        )
        self._names = [given.getsockname()[:2]]

    async def _open_unix(self, path: Path, factory: ProtocolFactory) -> None:
        _remove_stale(path)
        # Nobody else may connect, not even in the moment between bind and chmod.
        before = os.umask(0o177)
        try:
            self._server = await asyncio.get_running_loop().create_unix_server(
                factory, str(path), backlog=_BACKLOG
            )
        finally:
            os.umask(before)

    def _why(self, exc: OSError) -> str:
        where = f"{self._key}: {self._address}"
        if exc.errno == errno.EADDRINUSE:
            return (
                f"{where} is in use, perhaps by another telemed-proxy; stop that one, "
                f"or choose another address with {self._key} or {_FLAGS[self._key]}"
            )
        if exc.errno in {errno.EACCES, errno.EPERM}:
            return f"{where} may not be opened by this user; choose a port above 1023"
        reason = os.strerror(exc.errno) if exc.errno else type(exc).__name__
        return f"{where} cannot be opened: {reason}"


class GivenSockets:
    """Listening sockets that a service manager opened, each for one of our addresses.

    With them, nothing is refused while the program is started anew: who connects waits.
    """

    def __init__(self, sockets: Iterable[socket.socket]) -> None:
        self._sockets = list(sockets)

    def take(self, address: Address) -> socket.socket | None:
        """Return the socket at `address`, if one was given. Raises OSError."""
        wanted = _names_of(address)
        for given in self._sockets:
            name = given.getsockname()
            if (name[:2] if isinstance(name, tuple) else name) in wanted:
                self._sockets.remove(given)
                return given
        return None

    def expect_none_left(self) -> None:
        """Raise ConfigError for a socket that is at none of our addresses."""
        if self._sockets:
            name = self._sockets[0].getsockname()
            where = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else name
            raise ConfigError(
                f"the service manager listens at {where}, which is neither in listen "
                "nor admin.listen; make the socket unit and the config the same"
            )


def _names_of(address: Address) -> list[object]:
    """Return how a socket at `address` is called."""
    if address.path is not None:
        return [str(address.path)]
    found = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return [name[:2] for *_, name in found]


def _remove_stale(path: Path) -> None:
    """Remove a socket that its owner left behind; one that answers is in use."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "a file that is no socket is in the way")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        # A full backlog does not refuse but waits; a program is behind it all the same.
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, "a program answers on the socket")


def local_names(addresses: Sequence[Address]) -> list[str]:
    """Return the hosts that `addresses` are configured with, and this machine's."""
    hosts = [address.host for address in addresses if address.path is None]
    return [*hosts, socket.gethostname()] if _WILDCARDS.intersection(hosts) else hosts
