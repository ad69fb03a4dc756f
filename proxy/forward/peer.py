"""Whether a client that has ended its side of a connection is still there to read.

A program that has sent its request may end its side and wait for the answer, and one
that was killed looks the same: in both cases TCP says only that nothing more will come.
On Linux the kernel knows which it is, if the client is on this machine.
"""

import asyncio
import errno
import select
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
    if sys.platform != "linux":
        return None
    peer = transport.get_extra_info("peername")
    local = transport.get_extra_info("sockname")
    try:
        if not isinstance(peer, tuple):
            return _is_hung_up(transport.get_extra_info("socket").fileno())
        if not ip_address(peer[0]).is_loopback:
            return None
        inode = _inode(peer, local)
        # Nothing is found also where the kernel cannot look: our own end is there.
        if inode is None and _inode(local, peer) is None:
            return None
    except (OSError, ValueError):
        return None
    return not inode


def _is_hung_up(descriptor: int) -> bool:
    """Say whether the other end of a Unix socket is closed in both directions."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _inode(peer: tuple[str, int], local: tuple[str, int]) -> int | None:
    """Return the inode of the socket from `peer` to `local`: 0 if nobody has it open.

    None means that no such socket was found.
    """
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
        if -code != errno.ENOENT:
            raise OSError(-code, "the kernel does not tell")
        return None
    (inode,) = struct.unpack_from("=I", answer, _INODE_AT)
    return int(inode)
