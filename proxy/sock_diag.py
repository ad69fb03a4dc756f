"""What Linux knows of a TCP socket of this machine: who has it open, and whether."""

import errno
import socket
import struct
from dataclasses import dataclass

# linux/sock_diag.h, linux/inet_diag.h and linux/netlink.h.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8
_MESSAGE = struct.Struct("=IHHII")
# struct inet_diag_msg: four bytes, the id, then expires, rqueue, wqueue, uid, inode.
_OWNER = struct.Struct("=II")
_OWNER_AT = _MESSAGE.size + 4 + 48 + 12

# What getpeername and getsockname return, for IPv6 with flow and scope.
Name = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A socket of this machine; `inode` is 0 when no process has it open any more."""

    uid: int
    inode: int


def find(one: Name, other: Name) -> Found | None:
    """Return the socket at `one` that is connected to `other`, None if there is none.

    Raises:
        OSError: the kernel does not tell.
    """
    family = socket.AF_INET6 if ":" in one[0] else socket.AF_INET
    query = struct.pack(
        "=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE
    ) + struct.pack(
        "!HH16s16sI8s",
        one[1],
        other[1],
        _packed(family, one[0]),
        _packed(family, other[0]),
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
    return Found(*_OWNER.unpack_from(answer, _OWNER_AT))


def _packed(family: int, host: str) -> bytes:
    return socket.inet_pton(family, host.partition("%")[0])
