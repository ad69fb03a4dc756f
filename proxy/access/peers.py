"""Whose process is at the other end of a connection: `access.same_user`.

Everybody on a machine can connect to a port of its loopback. On Linux the kernel tells
whose socket the other end is; that holds for as long as the connection does, so it is
asked once, when the connection is made.
"""

import asyncio
import logging
import os
import socket
import struct

from proxy import sock_diag
from proxy.errors import AccessDeniedError

logger = logging.getLogger(__name__)

# struct ucred: pid, uid, gid.
_CREDENTIALS = struct.Struct("=iII")


def uid_of_peer(connection: socket.socket) -> int | None:
    """Return the user whose process has the other end of `connection` open.

    None is for a peer on another machine or in another network namespace, for one that
    has closed its end already, and where the kernel does not tell.
    """
    try:
        if connection.family == socket.AF_UNIX:
            return _uid_of_unix_peer(connection)
        found = sock_diag.find(connection.getpeername(), connection.getsockname())
    except OSError as error:
        logger.debug("whose a connection is cannot be told: %s", error)
        return None
    # A socket that nobody has open any more is said to be root's.
    return found.uid if found is not None and found.inode else None


def _uid_of_unix_peer(connection: socket.socket) -> int:
    # Those of the process that connected, even if it has ended since.
    answer = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    uid: int = _CREDENTIALS.unpack(answer)[1]
    return uid


class SameUser:
    """Lets in only connections of the user that this process runs as."""

    def __init__(self) -> None:
        self._uid = os.geteuid()

    def refusal(self, transport: asyncio.BaseTransport) -> AccessDeniedError | None:
        """Return why the connection of `transport` may not be used, None if it may."""
        connection = transport.get_extra_info("socket")
        uid = None if connection is None else uid_of_peer(connection)
        if uid == self._uid:
            return None
        whose = "whose it is cannot be told" if uid is None else "it is another user's"
        return AccessDeniedError(
            "Only connections of the user that the proxy runs as are let in "
            f"(access.same_user), and {whose}.",
            value="user",
        )
