"""How many may do something at the same time; the others wait in turn."""

import asyncio
from collections import deque


class Slots:
    """So many slots as `count` says; one that is given back goes to who waits longest.

    Unlike a semaphore of asyncio it can be asked without waiting, on the path of every
    request.
    """

    __slots__ = ("_free", "_waiting")

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a slot, or say that there is none."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take a slot as soon as it is this caller's turn."""
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back()  # it came in the same moment
            raise

    def give_back(self) -> None:
        """Give a slot back: to whoever waits, or for later."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else its caller has given up
                turn.set_result(None)
                return
        self._free += 1
