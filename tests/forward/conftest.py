"""Forwarding is tested under each event loop that the program may run on."""

import asyncio
import sys
from collections.abc import Callable, Mapping

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories() -> Mapping[str, LoopFactory]:
    """Return the loops to run each asynchronous test on."""
    loops: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop}
    if sys.platform != "win32":
        import uvloop

        loops["uvloop"] = uvloop.new_event_loop
    return loops
