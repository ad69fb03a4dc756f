"""Whose process is at the other end: real sockets, and real other users."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from proxy.access.peers import SameUser, uid_of_peer
from proxy.errors import AccessDeniedError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell")

NOBODY = "65534"
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0,
    reason="only root can become somebody else",
)

# Becomes a user, connects, says so, and stays until its input ends. It begins as we
# are, as our Python may stand where nobody else may run it.
CALLER = """
import os, socket, sys
user, family, *address = sys.argv[1:]
if user:
    os.setuid(int(user))
caller = socket.socket(getattr(socket, family))
caller.connect((address[0], int(address[1])) if address[1:]
               else address[0].replace("@", chr(0)))
print("connected", flush=True)
sys.stdin.read()
"""


def listening(family: int, host: str, *, both: bool = False) -> socket.socket:
    listener = socket.socket(family)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
    listener.bind((host, 0))
    listener.listen()
    return listener


@contextmanager
def called(
    listener: socket.socket, family: str, *address: str, user: str = ""
) -> Iterator[socket.socket]:
    """Yield the connection of another process, of `user` where one is given."""
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, user, family, *address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert caller.stdin
    assert caller.stdout
    with caller, listener:
        assert caller.stdout.readline() == b"connected\n"
        with listener.accept()[0] as accepted:
            yield accepted
        caller.stdin.close()


@pytest.mark.parametrize(
    ("listener", "caller"),
    [
        ((socket.AF_INET, "127.0.0.1", False), ("AF_INET", "127.0.0.1")),
        ((socket.AF_INET6, "::1", False), ("AF_INET6", "::1")),
        ((socket.AF_INET, "127.0.0.1", False), ("AF_INET6", "::ffff:127.0.0.1")),
        ((socket.AF_INET6, "::", True), ("AF_INET", "127.0.0.1")),
        ((socket.AF_INET6, "::", True), ("AF_INET6", "::1")),
    ],
    ids=["IPv4", "IPv6", "IPv4 by an IPv6 socket", "IPv4 to both", "IPv6 to both"],
)
@pytest.mark.parametrize(
    "user", ["", pytest.param(NOBODY, marks=as_root)], ids=["ours", "another"]
)
def test_the_user_of_a_loopback_connection_is_known(
    listener: tuple[int, str, bool], caller: tuple[str, str], user: str
) -> None:
    family, host, both = listener
    accepting = listening(family, host, both=both)
    port = str(accepting.getsockname()[1])

    with called(accepting, *caller, port, user=user) as connection:
        assert uid_of_peer(connection) == int(user or os.geteuid())


@pytest.mark.parametrize("user", ["", pytest.param(NOBODY, marks=as_root)])
def test_the_user_of_a_unix_connection_is_known(user: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    # An abstract one, which no folder's mode closes to others.
    name = f"@telemed-proxy-test-{os.getpid()}-{user}"
    listener.bind(name.replace("@", "\0"))
    listener.listen()

    with called(listener, "AF_UNIX", name, user=user) as connection:
        assert uid_of_peer(connection) == int(user or os.geteuid())


def test_a_peer_that_has_left_is_nobodys() -> None:
    with listening(socket.AF_INET, "127.0.0.1") as listener:
        caller = socket.create_connection(listener.getsockname())
        with listener.accept()[0] as accepted:
            caller.close()

            # Not root's either, as the kernel would have it.
            assert uid_of_peer(accepted) is None


def test_a_peer_that_has_ended_its_side_only_is_still_there() -> None:
    with listening(socket.AF_INET, "127.0.0.1") as listener:
        caller = socket.create_connection(listener.getsockname())
        with caller, listener.accept()[0] as accepted:
            caller.shutdown(socket.SHUT_WR)

            assert uid_of_peer(accepted) == os.geteuid()


def test_a_socket_without_a_peer_is_nobodys() -> None:
    with socket.socket() as lonely:
        assert uid_of_peer(lonely) is None


# -- SameUser ------------------------------------------------------------------------


class Accepting(asyncio.Protocol):
    def __init__(self, found: asyncio.Queue[AccessDeniedError | None]) -> None:
        self._found = found

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._found.put_nowait(SameUser().refusal(transport))
        transport.close()


@asynccontextmanager
async def judging() -> AsyncIterator[
    tuple[asyncio.Queue[AccessDeniedError | None], tuple[str, int]]
]:
    found: asyncio.Queue[AccessDeniedError | None] = asyncio.Queue()
    server = await asyncio.get_running_loop().create_server(
        lambda: Accepting(found), "127.0.0.1", 0
    )
    async with server:
        yield found, server.sockets[0].getsockname()


async def test_our_own_connections_are_let_in() -> None:
    async with judging() as (found, (host, port)):
        _, writer = await asyncio.open_connection(host, port)
        assert await found.get() is None
        writer.close()


@as_root
async def test_another_users_are_not() -> None:
    async with judging() as (found, (host, port)):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CALLER, NOBODY, "AF_INET", host, str(port)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        error = await found.get()
        await process.communicate(b"")

    assert error is not None
    assert (error.status, error.value) == (403, "user")
    assert "access.same_user), and it is another user's" in error.description


@as_root
def test_root_is_another_user_as_well(tmp_path: Path) -> None:
    """Whoever is not root does not let it in either; it can do everything anyway."""
    script = """
import os, socket, sys
from proxy.access.peers import SameUser
listener = socket.socket(fileno=int(sys.argv[1]))
os.setuid(65534)
accepted = listener.accept()[0]
class Transport:
    def get_extra_info(self, name):
        return accepted
print(SameUser().refusal(Transport()).description)
"""
    with listening(socket.AF_INET, "127.0.0.1") as listener:
        caller = socket.create_connection(listener.getsockname())
        with caller:
            said = subprocess.run(
                [sys.executable, "-c", script, str(listener.fileno())],
                pass_fds=[listener.fileno()],
                cwd=Path(__file__).parents[2],
                capture_output=True,
                text=True,
                check=True,
            )
    assert "it is another user's" in said.stdout


def test_a_transport_without_a_socket_is_refused() -> None:
    error = SameUser().refusal(asyncio.BaseTransport())

    assert error is not None
    assert "cannot be told" in error.description
