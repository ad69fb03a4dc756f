"""A TLS server for the commands to meet, with whatever certificate a test needs."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import trustme

from proxy.config import Address
from tests.cli.doors import accepting


@contextmanager
def open_tls_door(
    authority: trustme.CA,
    name: str,
    *,
    ends: datetime | None = None,
    received: list[bytes] | None = None,
) -> Iterator[Address]:
    """Answer every request over TLS, with a certificate for `name`.

    `received` gets what was sent by those who trusted it, or did not look.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=ends).configure_cert(context)

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    if (request := connection.recv(65536)) and received is not None:
                        received.append(request)
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                plain.close()  # the client did not trust us, or only looked

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        accepting(listener, serve),
    ):
        yield Address("localhost", listener.getsockname()[1])
