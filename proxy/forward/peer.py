"""Whether a client that has ended its side of a connection is still there to read.

A program that has sent its request may end its side and wait for the answer, and one
that was killed looks the same: in both cases TCP says only that nothing more will come.
On Linux the kernel knows which it is, if the client is on this machine.
"""

import asyncio
import select
import sys
from ipaddress import ip_address

from proxy import sock_diag


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
        found = sock_diag.find(peer, local)
        # Nothing is found also where the kernel cannot look: our own end is there.
        if found is None and sock_diag.find(local, peer) is None:
            return None
    except (OSError, ValueError):
        return None
    return found is None or not found.inode


def _is_hung_up(descriptor: int) -> bool:
    """Say whether the other end of a Unix socket is closed in both directions."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
