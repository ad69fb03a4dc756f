"""One HTTP call from a command: the standard library's client, plus unix sockets.

A command starts faster with it than with an event loop and a session.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yarl import URL

from proxy.certificate import pinned_context
from proxy.config import Address
from proxy.errors import ConfigError

CONNECT_TIMEOUT: Final = 5.0
# No answer that a command reads is longer; a stranger's endless one must not hang us.
CONTENT_LIMIT: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read whole."""

    status: int
    fields: http.client.HTTPMessage
    content: bytes


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def listening(text: str) -> Address:
    """Return the address in `text`: one of a status object's `listen`."""
    return Address.parse(text.removeprefix("http://"))


def to_listener(
    address: Address, certificate_file: Path | None = None
) -> http.client.HTTPConnection:
    """Return a connection, not opened yet, to one of the proxy's listeners.

    One that speaks TLS has to show the certificate in `certificate_file`.

    Raises:
        ConfigError: that is not known, or no certificate.
    """
    if address.path is not None:
        return UnixConnection(address.path, CONNECT_TIMEOUT)
    near = address.reachable
    if not address.tls:
        return http.client.HTTPConnection(near.host, near.port, timeout=CONNECT_TIMEOUT)
    if certificate_file is None:
        raise ConfigError(
            f"{address} speaks TLS; set tls.certificate_file to the certificate that "
            "it shows"
        )
    return http.client.HTTPSConnection(
        near.host,
        near.port,
        timeout=CONNECT_TIMEOUT,
        context=pinned_context(certificate_file),
    )


def to_origin(
    url: URL, *, context: ssl.SSLContext | None, egress_proxy: URL | None
) -> http.client.HTTPConnection:
    """Return a connection, not opened yet, to the origin of `url`."""
    host, port = url.host or "", url.port or 443
    near = (egress_proxy.host or "", egress_proxy.port or 80) if egress_proxy else None
    first = near or (host, port)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(
            *first, timeout=CONNECT_TIMEOUT, context=context
        )
    else:
        connection = http.client.HTTPConnection(*first, timeout=CONNECT_TIMEOUT)
    if near:
        connection.set_tunnel(host, port)
    return connection


def call(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    *,
    fields: Mapping[str, str],
    content: bytes | None = None,
    patience: float = 10.0,
) -> Answer:
    """Send one request, return the answer, close the connection.

    `patience` is how many seconds the other side may be silent.

    Raises:
        OSError: it cannot be reached, or broke off.
        http.client.HTTPException: what answered does not speak HTTP.
    """
    try:
        connection.connect()
        connection.sock.settimeout(patience)
        connection.request(method, target, body=content, headers=dict(fields))
        response = connection.getresponse()
        received = response.read(CONTENT_LIMIT)
        return Answer(response.status, response.headers, received)
    finally:
        connection.close()


def reason(error: OSError | http.client.HTTPException) -> str:
    """Return in a few words why a connection failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "its name is not known (DNS)"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        # Without a strerror it is http.client's own: "Tunnel connection failed: ...".
        return (error.strerror or str(error)).lower() or type(error).__name__
    return f"what answers there does not speak HTTP ({type(error).__name__})"
