"""httpbin on a socket that listens already, behind a server that keeps connections."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from httpbin import app  # type: ignore[import-not-found]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]
from waitress.task import WSGITask  # type: ignore[import-untyped]

HEAD = "suite.head"


@contextmanager
def serving(
    listener: socket.socket, keep: Callable[[bytes, bytes], None]
) -> Iterator[None]:
    """Serve httpbin, and tell `keep` the head and content of every request."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        content = environ["wsgi.input"].read()
        keep(environ[HEAD], content)
        return app(environ | {"wsgi.input": BytesIO(content)}, start_response)

    show_heads()
    server = create_server(application, map={}, sockets=[listener], threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield
    finally:
        server.close()


def show_heads() -> None:
    """Have each head in its environ as it came: WSGI loses order and case of fields."""
    parse, environment = HTTPRequestParser.parse_header, WSGITask.get_environment

    def parse_and_keep(parser: Any, head: bytes) -> None:
        parser.head = head
        parse(parser, head)

    HTTPRequestParser.parse_header = parse_and_keep
    WSGITask.get_environment = lambda task: {
        **environment(task),
        HEAD: task.request.head,
    }
