"""How many connections the system lets this process have open."""

import logging
import sys

logger = logging.getLogger(__name__)

SPARE = 64
"""Open files besides connections: the store and its lock, listeners, libraries."""


def room_for(connections: int, others: int) -> int:
    """Return how many of `connections` fit beside `others`, at least one.

    The system's soft limit is raised as far as is needed and allowed: it is often 1024,
    which says nothing of what the machine can bear.
    """
    if sys.platform == "win32":
        return connections  # sockets are not counted as files there
    import resource

    wanted = connections + others + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS says that there is no hard limit, and allows some ten thousand.
        for most in (wanted, 10_240, 4_096):
            if hard != resource.RLIM_INFINITY:
                most = min(most, hard)
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            except (OSError, ValueError) as error:
                logger.debug("no limit of %d open files: %s", most, error)
            else:
                soft = most
                break
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    room = max(1, soft - others - SPARE)
    logger.warning(
        "the system allows %d open files, which leaves room for %d connections; raise "
        "that (ulimit -n, or LimitNOFILE), or lower upstream.max_connections",
        soft,
        room,
    )
    return room
