"""Opens a connection to the origin: addresses, TLS, the way through an egress proxy."""

import asyncio
import errno
import socket
import ssl
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from proxy.errors import UpstreamUnreachableError
from proxy.forward.connection import UpstreamConnection
from proxy.forward.tls import Shared, open_tls
from proxy.forward.tunnel import open_tunnel

# The loop of Windows cannot tell when a socket is ready: there asyncio does TLS.
_CAN_WATCH = sys.platform != "win32"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the connections go. `tls` is nothing for plain HTTP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    egress_proxy: tuple[str, int] | None = None

    @property
    def authority(self) -> bytes:
        """The Host field of outbound requests (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.tls is not None else 80
        return (host if self.port == default else f"{host}:{self.port}").encode()


async def dial(origin: Origin, shared: Shared) -> UpstreamConnection:
    """Return a new connection to `origin`.

    Raises UpstreamUnreachableError, or TimeoutError when the system gives up. How long
    it may take is up to the caller.
    """
    with _connect_errors(origin.host):
        if origin.egress_proxy is not None and origin.tls is not None:
            return await _through(origin.egress_proxy, origin)
        return await _directly(origin, shared)


async def _directly(origin: Origin, shared: Shared) -> UpstreamConnection:
    loop = asyncio.get_running_loop()
    steps = _Steps()
    addresses = await loop.getaddrinfo(
        origin.host, origin.port, type=socket.SOCK_STREAM
    )
    steps.ended("dns")
    failure: OSError | None = None
    for family, _, _, _, address in addresses:
        try:
            if origin.tls is not None and _CAN_WATCH:
                return await _by_tls(
                    origin.host, origin.tls, family, address, shared, steps
                )
            _, connection = await loop.create_connection(
                lambda: UpstreamConnection(loop),
                str(address[0]),
                int(address[1]),
                ssl=origin.tls,
                server_hostname=origin.host if origin.tls else None,
            )
        except OSError as exc:
            failure = exc
            if isinstance(exc, ssl.SSLError):
                break  # another address would show the same certificate
        else:
            steps.ended("tls" if origin.tls else "tcp")
            connection.opening = steps.taken
            return connection
    raise failure or OSError(errno.EADDRNOTAVAIL, "no address")


async def _by_tls(
    host: str,
    context: ssl.SSLContext,
    family: int,
    address: tuple[Any, ...],
    shared: Shared,
    steps: "_Steps",
) -> UpstreamConnection:
    loop = asyncio.get_running_loop()
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(made, address)
        steps.ended("tcp")
        connection = UpstreamConnection(loop)
        await open_tls(made, context, host, connection, shared)
        steps.ended("tls")
        connection.opening = steps.taken
    except BaseException:
        made.close()
        raise
    return connection


async def _through(egress_proxy: tuple[str, int], origin: Origin) -> UpstreamConnection:
    loop = asyncio.get_running_loop()
    steps = _Steps()
    tunnel = await open_tunnel(egress_proxy, f"{origin.host}:{origin.port}")
    steps.ended("tcp")
    connection = UpstreamConnection(loop)
    try:
        transport = await loop.start_tls(
            tunnel,
            connection,
            cast("ssl.SSLContext", origin.tls),
            server_hostname=origin.host,
        )
    except BaseException:
        tunnel.abort()
        raise
    if transport is None:
        raise ConnectionResetError("the connection ended while TLS began")
    connection.connection_made(transport)
    steps.ended("tls")
    connection.opening = steps.taken
    return connection


class _Steps:
    """Times the steps in which a connection is opened; `taken` has their seconds."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}
        self._since = time.perf_counter()

    def ended(self, step: str) -> None:
        """Note the end of `step`, and so the next one's beginning."""
        now = time.perf_counter()
        # An address that did not answer took its time, too.
        self.taken[step] = self.taken.get(step, 0.0) + now - self._since
        self._since = now


@contextmanager
def _connect_errors(host: str) -> Iterator[None]:
    """Turn what connecting raises into errors of ours, here and nowhere else."""
    try:
        yield
    except TimeoutError:
        raise  # first: it is an OSError too; the caller answers it
    except OSError as exc:
        raise _unreachable(exc, host) from exc


_BY_EXCEPTION: Iterable[tuple[type[BaseException], str, str, str]] = (
    (socket.gaierror, "dns", "dns_error", "its name cannot be resolved"),
    (
        ssl.SSLCertVerificationError,
        "tls",
        "tls_certificate_error",
        "its certificate is not trusted (a company's own authority goes into "
        "upstream.ca_file)",
    ),
    (ssl.SSLError, "tls", "tls_protocol_error", "TLS failed"),
    (
        ConnectionRefusedError,
        "refused",
        "connection_refused",
        "it refused the connection",
    ),
    (
        ConnectionError,
        "reset",
        "connection_terminated",
        "it closed the connection at once",
    ),
    (OSError, "unreachable", "destination_ip_unroutable", "there is no way to it"),
)


def _unreachable(exc: OSError, host: str) -> UpstreamUnreachableError:
    """Return the error to answer when connecting to `host` raised `exc`."""
    value, proxy_error, what = next(
        rest for kind, *rest in _BY_EXCEPTION if isinstance(exc, kind)
    )
    return UpstreamUnreachableError(
        f"no connection to {host}: {what}; run: telemed-proxy check",
        value=value,
        proxy_error=proxy_error,
    )
