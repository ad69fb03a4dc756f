"""An admin listener whose streams do what those of a sound proxy cannot be made to."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from proxy.config import Address

STATUS = {"state": "active", "version": "0.1.0", "listen": ["http://127.0.0.1:8080"]}


def summary(**changes: Any) -> dict[str, Any]:
    return {
        "id": "9f1c2a-2f",
        "number": 47,
        "request_id": "9f1c2a-2f",
        "started": "2026-11-25T03:00:00.123Z",
        "method": "GET",
        "target": "/api/v1/doctor/get/17",
        "endpoint": "/api/v1/doctor/get/{id}",
        "status": 200,
        "answered_by": "upstream",
        "error": None,
        "why": None,
        "seconds": 0.0123,
        "received": 0,
        "sent": 5120,
        "caller": None,
        "agent": "curl/8.5.0",
        "running": False,
        "warm": True,
        "replayed": False,
        "resent": False,
        "paid": False,
        "replay_of": None,
        **changes,
    }


def event(name: str, members: object, number: object = "") -> bytes:
    identified = f"id: {number}\n" if number else ""
    return f"event: {name}\n{identified}data: {json.dumps(members)}\n\n".encode()


def exchange(number: int, **changes: Any) -> bytes:
    return event("exchange", summary(id=f"r-{number}", **changes), number)


@dataclass
class Streams:
    """Each stream that is asked for says the next of `scripts`; the last is held open.

    `asked` has the target of each stream, and from which event on it was wanted.
    """

    scripts: Sequence[bytes]
    fields: dict[str, str] = field(
        default_factory=lambda: {"Content-Type": "text/event-stream"}
    )
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    more: threading.Event = field(default_factory=threading.Event)
    later: bytes = b""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return the class that a server wants."""
        streams = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                if self.path == "/api/status":
                    self.end_headers()
                    self.wfile.write(json.dumps(STATUS).encode())
                else:
                    streams.asked.append((self.path, self.headers["Last-Event-ID"]))
                    for name, value in streams.fields.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self._say(len(streams.asked) - 1)

            def _say(self, index: int) -> None:
                self.wfile.write(streams.scripts[index])
                if index + 1 == len(streams.scripts):
                    if streams.later:
                        streams.more.wait(20)
                        self.wfile.write(streams.later)
                    streams.ended.wait(20)

            def log_message(self, *_arguments: Any) -> None:
                pass

        return Handler


@contextmanager
def open_streams(streams: Streams) -> Iterator[Address]:
    """Serve `streams` on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), streams.handler())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    with server:
        thread.start()
        try:
            yield Address("127.0.0.1", server.server_port)
        finally:
            streams.more.set()
            streams.ended.set()
            server.shutdown()
            thread.join()
