"""Whether a client that has ended its side of a connection is still there to read.

A program that has sent its request may end its side and wait for the answer, and one
that was killed looks the same: in both cases TCP says only that nothing more will come.
On Linux the kernel knows which it is, as long as the client is on this machine.
"""

import asyncio
import errno
import socket
import struct
import sys
from ipaddress import ip_address

# linux/sock_diag.h, linux/inet_diag.h and linux/netlink.h.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8
_MESSAGE = struct.Struct("=IHHII")
_INODE_AT = _MESSAGE.size + 4 + 48 + 16


def has_left(transport: asyncio.Transport) -> bool | None:
    """Say whether the socket at the other end is closed; None where nobody knows."""
    peer = transport.get_extra_info("peername")
    local = transport.get_extra_info("sockname")
    if sys.platform != "linux" or not isinstance(peer, tuple):
        return None
    try:
        if not ip_address(peer[0]).is_loopback:
            return None
        return _is_orphan(peer, local)
    except (OSError, ValueError):
        return None


def _is_orphan(peer: tuple[str, int], local: tuple[str, int]) -> bool | None:
    """Ask the kernel whether the socket from `peer` to `local` has an owner."""
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    query = struct.pack(
        "=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE
    ) + struct.pack(
        "!HH16s16sI8s",
        peer[1],
        local[1],
        socket.inet_pton(family, peer[0]),
        socket.inet_pton(family, local[0]),
        0,
        _NO_COOKIE,
    )
    header = _MESSAGE.pack(
        _MESSAGE.size + len(query), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0
    )
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG
    ) as netlink:
        netlink.setblocking(False)
        netlink.sendto(header + query, (0, 0))
        answer = netlink.recv(4096)
    if _MESSAGE.unpack_from(answer)[1] == _NLMSG_ERROR:
        (code,) = struct.unpack_from("=i", answer, _MESSAGE.size)
        return True if -code == errno.ENOENT else None
    (inode,) = struct.unpack_from("=I", answer, _INODE_AT)
    return bool(inode == 0)
