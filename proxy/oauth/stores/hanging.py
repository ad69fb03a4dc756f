"""Calls that may hang, each in a thread that can be given up."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from proxy.errors import StoreError
from proxy.tasks import spawn

T = TypeVar("T")

Work = Callable[[threading.Event], T]
"""Is to stop as soon as it can once the event, "given up", is set."""


class PatientThread:
    """Does one piece of work after another, each for at most `timeout` seconds.

    A thread that hangs cannot be ended. So it is left alone, and until it ends by
    itself further work is refused at once, rather than hung up beside it.
    """

    def __init__(self, name: str, timeout: float, hung: str) -> None:
        self._name = name
        self._timeout = timeout
        self._error = hung
        self._turn = asyncio.Lock()
        self._hanging: threading.Thread | None = None

    async def run(self, work: Work[T]) -> T:
        """Return what `work` returns, or raise what it raises.

        Raises:
            StoreError: it hangs; it may yet come to its end.
        """
        # In a task of its own: where a caller goes away, the next one still waits.
        return await asyncio.shield(spawn(self._run(work), name=self._name))

    async def _run(self, work: Work[T]) -> T:
        async with self._turn:
            if self._hanging is not None and self._hanging.is_alive():
                raise StoreError(self._error)
            outcome: Future[T] = Future()
            outcome.set_running_or_notify_cancel()
            given_up = threading.Event()
            # A daemon, so that the program can end while it hangs.
            thread = threading.Thread(
                target=_carry_out,
                args=(work, given_up, outcome),
                name=self._name,
                daemon=True,
            )
            thread.start()
            limit = asyncio.timeout(self._timeout)
            try:
                async with limit:
                    return await asyncio.wrap_future(outcome)
            except TimeoutError:
                if not limit.expired():
                    raise
                self._hanging = thread
                raise StoreError(self._error) from None
            finally:
                given_up.set()


def _carry_out(work: Work[T], given_up: threading.Event, outcome: "Future[T]") -> None:
    try:
        outcome.set_result(work(given_up))
    except BaseException as exc:  # noqa: BLE001  raised again where it is awaited
        outcome.set_exception(exc)
