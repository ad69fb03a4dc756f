"""What a service manager gives a program and wants to hear from it.

systemd's protocols are plain: sockets that it opened begin at descriptor 3
(sd_listen_fds(3)), and news go as datagrams to the socket in NOTIFY_SOCKET
(sd_notify(3)). Elsewhere than under systemd, nothing here does anything.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

_FIRST: Final = 3

_MILLION: Final = 1_000_000

_PAUSE: Final = 30.0  # seconds, where nobody waits for a sign of life


def inherited_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """Return the listening sockets that the service manager opened for us.

    The descriptors are not passed on to what this program starts.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []  # meant for another process, or for nobody
    count = environ.get("LISTEN_FDS", "")
    if not count.isascii() or not count.isdecimal():
        return []
    found = []
    for descriptor in range(_FIRST, _FIRST + int(count[:4])):
        os.set_inheritable(descriptor, False)
        found.append(socket.socket(fileno=descriptor))
    return found


class ServiceManager:
    """Hears how we are; `environ` says whether there is one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        patience = environ.get("WATCHDOG_USEC", "")
        self._watchdog = int(patience) / _MILLION if watched and patience else 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ready(self, status: Callable[[], str]) -> None:
        """Say that calls are taken, and from now on that this goes on, and how it is.

        `status` returns that in a few words, for `systemctl status`.
        """
        if self._address:
            self._tell("READY=1")
            self._keep_telling(status)

    def stopping(self) -> None:
        """Say that it ends; what is under way is being finished."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell("STOPPING=1\nSTATUS=finishing the calls under way")

    def _keep_telling(self, status: Callable[[], str]) -> None:
        # From the event loop: one that hangs must not be taken for one that is well.
        pause = self._watchdog / 3 or _PAUSE
        self._tell(f"WATCHDOG=1\nSTATUS={status()}")
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(pause, self._keep_telling, status)

    def _tell(self, news: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        # An abstract name begins with a null byte, which no environment can hold.
        address = self._address.replace("@", "\0", 1)
        # Whether anybody hears it is no matter of ours.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(news.encode(), address)
