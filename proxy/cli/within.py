"""Work that must not take for ever, whatever it waits for."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises.

    It runs in a thread that is left behind when its time is over: nothing else ends a
    look-up of a name, or a server that sends a byte now and then. Ctrl-C is heard
    meanwhile, and the thread does not keep the program from ending.

    Raises:
        TimeoutError: it took longer.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as exc:  # noqa: BLE001  handed to the one who waits
            done.set_exception(exc)

    Thread(target=run, name="check", daemon=True).start()
    return done.result(seconds)
