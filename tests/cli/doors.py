"""Small real servers for the commands to meet: an HTTP one and a raw one."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

from proxy.config import Address

Fields = dict[str, str]


@dataclass
class Door:
    """Answers every request alike, and keeps what came."""

    status: int = 200
    content: bytes = b""
    fields: Fields = field(default_factory=dict)
    requests: list[tuple[str, str, Fields, bytes]] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return the class that a server wants."""
        door = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                content = self.rfile.read(length)
                received = (self.command, self.path, dict(self.headers), content)
                door.requests.append(received)
                self.send_response(door.status)
                for name, value in door.fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(door.content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(door.content)

            do_GET = do_POST = do_HEAD = answer  # noqa: N815  names of the library

            def log_message(self, *_arguments: Any) -> None:
                pass

            def address_string(self) -> str:
                return "somebody"  # a unix socket has no name to show

        return Handler


@contextmanager
def open_door(door: Door) -> Iterator[Address]:
    """Serve `door` on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), door.handler())
    with server, _serving(server.serve_forever, server.shutdown):
        yield Address("127.0.0.1", server.server_port)


@contextmanager
def open_unix_door(door: Door, path: Path) -> Iterator[Address]:
    """Serve `door` on a unix socket."""
    server = ThreadingUnixStreamServer(str(path), door.handler())
    with server, _serving(server.serve_forever, server.shutdown):
        yield Address("", 0, path)


@contextmanager
def open_raw_door(says: bytes) -> Iterator[Address]:
    """Say `says` to whoever connects, and hang up."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(says)

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        accepting(listener, serve),
    ):
        yield Address("127.0.0.1", listener.getsockname()[1])


@contextmanager
def accepting(listener: socket.socket, serve: Callable[[], None]) -> Iterator[None]:
    """Let `serve` accept on `listener` in a thread, until that is shut down."""
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        # Closing alone does not wake a thread that waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def closed_address() -> Address:
    """Return an address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return Address("127.0.0.1", listener.getsockname()[1])


@contextmanager
def _serving(
    serve: Callable[[float], None], shutdown: Callable[[], None]
) -> Iterator[None]:
    thread = threading.Thread(target=serve, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        shutdown()
        thread.join()


@contextmanager
def open_tunnel(asked: list[str]) -> Iterator[Address]:
    """Be an egress proxy that connects to whatever is asked for, on this machine."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        near, _ = listener.accept()
        head = near.recv(65536).split(b"\r\n")[0].decode()
        asked.append(head)
        port = int(head.split()[1].rpartition(":")[2])
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(far, near))
            back.start()
            pump(near, far)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Address("127.0.0.1", listener.getsockname()[1])
        thread.join()
