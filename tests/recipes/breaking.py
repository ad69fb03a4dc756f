"""A server that passes each GET on, and breaks off at each POST."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class BreakingServer(ThreadingHTTPServer):
    """Keeps the paths of the POSTs that came."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.posts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    # Connections are kept, as the question is what happens on a kept one.
    protocol_version = "HTTP/1.1"
    server: BreakingServer

    def do_GET(self) -> None:
        fields = {"X-Proxy-Key": self.headers.get("X-Proxy-Key", "")}
        with requests.Session() as session:
            session.trust_env = False
            url = self.server.upstream + self.path
            answer = session.get(url, headers=fields, timeout=30)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(self.path)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Be silent."""


@contextmanager
def breaking(upstream: str) -> Iterator[BreakingServer]:
    """Run the server in front of `upstream`."""
    with BreakingServer(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
