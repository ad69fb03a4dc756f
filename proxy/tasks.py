"""Background tasks that are named, kept and heard when they fail."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from proxy.errors import ProxyError

logger = logging.getLogger(__name__)

T = TypeVar("T")

# The event loop keeps only weak references to tasks.
_running: set[asyncio.Task[Any]] = set()


def spawn(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start `coroutine` as a task called `name` and return the task.

    Its failure is logged when it ends: one of ours quietly, as whoever awaits the task
    tells it; any other with its traceback, as nobody may await it.
    """
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


async def cancel(task: "asyncio.Task[Any] | None") -> None:
    """Cancel `task`, if there is one, and wait until it has ended."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if task.cancelled() or (error := task.exception()) is None:
        return
    if isinstance(error, ProxyError):
        logger.debug("task %s failed: %s", task.get_name(), error)
    else:
        logger.error("task %s failed", task.get_name(), exc_info=error)
