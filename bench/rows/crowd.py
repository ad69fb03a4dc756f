"""Many clients that hardly do anything, and what the others notice of them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from bench import load, wrk
from bench.lab import Lab, say
from bench.peers.running import Running
from bench.rows.requests import warm_up
from bench.upstream import CALL, file_target

SECTION = "crowds"
IDLE = 5000
SLOW = 1000
OTHERS = 16

# Each slow reader holds a connection to the upstream until it is through. With fewer
# of those than readers, the others would wait for one: that is what the limit is for.
ROOM: dict[str, Any] = {
    "upstream": {"max_connections": 2 * SLOW},
    "limits": {"in_flight": 2 * SLOW},
}

_PAUSE = 0.5
_PIECE = 8 * 1024


def measure(lab: Lab) -> None:
    """Measure others without and with each crowd, in turns."""
    lab.results.forget(SECTION)
    _measure(lab, f"{IDLE} idle clients", {}, idle_clients)
    _measure(lab, f"{SLOW} slow readers", ROOM, slow_readers)


Crowd = Callable[[str], Any]


def _measure(lab: Lab, case: str, settings: dict[str, Any], crowd: Crowd) -> None:
    for number in range(lab.options.rounds):
        # A new one each time: memory that a crowd left behind would hide the next.
        with lab.ours(settings) as ours:
            warm_up([ours], clients=OTHERS)
            where = (SECTION, case, ours.name)
            say(f"{SECTION}: {case}, round {number + 1}: without")
            without = _others(lab, ours)
            before = ours.program.memory()
            say(f"{SECTION}: {case}, round {number + 1}: with")
            with crowd(ours.url) as count:
                growth = ours.program.memory() - before
                beside = _others(lab, ours)
            lab.results.add(*where, "p99 without", 1e3 * without.percentile(99))
            lab.results.add(*where, "p99 with", 1e3 * beside.percentile(99))
            lab.results.add(*where, "per connection", 1024 * growth / count)
            lab.results.add(*where, "failed", without.failed + beside.failed)


def _others(lab: Lab, ours: Running) -> wrk.Load:
    return wrk.run(ours.url + CALL, clients=OTHERS, seconds=2 * lab.options.seconds)


@contextmanager
def idle_clients(url: str) -> Iterator[int]:
    """Keep clients connected that have each made one call."""
    with ExitStack() as stack:
        connections = []
        for _ in range(IDLE):
            connection = stack.enter_context(_connection(url))
            connection.sendall(load.request(url + CALL))
            _answered(connection.recv(_PIECE))
            connections.append(connection)
        yield IDLE
        for connection in connections:
            connection.setblocking(False)
            _still_open(connection)


@contextmanager
def slow_readers(url: str) -> Iterator[int]:
    """Keep clients reading that take a minute for 1 MB."""
    with ExitStack() as stack:
        readers = []
        for _ in range(SLOW):
            reader = stack.enter_context(_connection(url, receive=4096))
            reader.sendall(load.request(url + file_target("1 MB")))
            readers.append(reader)
        for reader in readers:
            # Until each has its answer's beginning: connections to the upstream are up.
            _answered(reader.recv(_PIECE))
            reader.setblocking(False)
        stop = threading.Event()
        thread = threading.Thread(target=_read_slowly, args=(readers, stop))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        time.sleep(2)  # until buffers are full
        yield 2 * SLOW  # each has one here, and one to the upstream


def _read_slowly(readers: list[socket.socket], stop: threading.Event) -> None:
    while not stop.wait(_PAUSE):
        for reader in readers:
            try:
                reader.recv(_PIECE)
            except BlockingIOError:
                continue


def _answered(data: bytes) -> None:
    if not data.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(f"the crowd was answered with {data[:100]!r}")


def _still_open(connection: socket.socket) -> None:
    try:
        data = connection.recv(1)
    except BlockingIOError:
        return
    raise ConnectionError(f"an idle client was not left alone: {data!r}")


def _connection(url: str, receive: int = 0) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.socket()
    if receive:
        # As over a real network. Loopback has segments of 64 kB, by which the kernels
        # at both ends size their buffers: the whole answer would vanish in them.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
    connection.settimeout(30)
    connection.connect((parts.hostname, parts.port))
    return connection
