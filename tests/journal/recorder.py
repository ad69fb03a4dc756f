"""A server that keeps each request as it came, byte for byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

PATIENCE = 20


@dataclass(frozen=True)
class Recorded:
    """What a client sent, read with no tolerance."""

    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    content: bytes

    def value(self, name: bytes) -> bytes | None:
        return next((v for n, v in self.fields if n.lower() == name), None)


class Recorder:
    """Listens, answers everything with an empty 200, and remembers."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._requests: Queue[Recorded] = Queue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> str:
        """The base URL, or `unix:PATH`."""
        name = self._listening.getsockname()
        return (
            f"unix:{name}" if isinstance(name, str) else f"http://127.0.0.1:{name[1]}"
        )

    def last(self) -> Recorded:
        """Return the only request that came since the last call."""
        request = self._requests.get(timeout=PATIENCE)
        assert self._requests.empty()
        return request

    def close(self) -> None:
        # Closing alone would leave the thread in its accept.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                with connection.makefile("rb") as file:
                    self._requests.put(self._read(file.readline, file.read))
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )

    def _read(self, readline, read) -> Recorded:  # type: ignore[no-untyped-def]
        method, target, _ = readline().rstrip(b"\r\n").split(b" ")
        fields = []
        while line := readline().rstrip(b"\r\n"):
            name, _, value = line.partition(b":")
            fields.append((name, value.strip(b" \t")))
        request = Recorded(method, target, fields, b"")
        assert request.value(b"transfer-encoding") is None
        length = int(request.value(b"content-length") or b"0")
        return Recorded(method, target, fields, read(length))


@contextmanager
def recording(path: Path | None = None) -> Iterator[Recorder]:
    """Run a recorder on a free port, or on a Unix socket at `path`."""
    if path is None:
        listening = socket.create_server(("127.0.0.1", 0))
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
    recorder = Recorder(listening)
    try:
        yield recorder
    finally:
        recorder.close()
