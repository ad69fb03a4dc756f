"""When a stored token is to be refreshed, told where no proxy runs that would do it."""

import asyncio
import random
from pathlib import Path

from proxy.cli.lifetime import Status
from proxy.clock import iso_utc
from proxy.config import Config, load_config
from proxy.oauth.schedule import Schedule
from proxy.oauth.stores import open_store
from proxy.oauth.stores.record import DEFAULT_ACCOUNT, AccountRecord


class _NoJitter(random.Random):
    """The middle of what a proxy would draw from."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def steady(found: Status, config_path: Path | None) -> Status:
    """Return `found`, a status of the store, with the same plan each time it is asked.

    A proxy draws once for each token how much earlier or later it refreshes. Without
    one, each command would draw anew, and tell another instant.
    """
    if found.get("refresh_due_at") is None:
        return found
    config = load_config(config_path, require_client_id=False)
    pair = asyncio.run(_load(config)).tokens
    if pair is None:
        return found
    share = config.token.refresh_at
    due_at = Schedule.of(pair, share, _NoJitter()).due_at
    return {**found, "refresh_due_at": iso_utc(due_at)}


async def _load(config: Config) -> AccountRecord:
    store = open_store(config.store.url, config.store.keys)
    try:
        return await store.load(DEFAULT_ACCOUNT)
    finally:
        await store.close()
