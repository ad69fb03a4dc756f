"""One more process on a store, which it opens as the commands do.

Run as `python -m tests.oauth.stores.worker COMMAND ACCOUNT`, with the settings in the
environment.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from proxy.config import load_config
from proxy.oauth.stores import TokenStore, open_store
from proxy.oauth.stores.record import AccountRecord

COUNTS = 4


def counted(record: AccountRecord) -> AccountRecord:
    """Return `record` after one more SMS."""
    return replace(record, login=replace(record.login, sends=record.login.sends + 1))


async def count(store: TokenStore, account: str) -> None:
    """Change the record several times."""
    for _ in range(COUNTS):
        await store.update(account, counted)


async def hold(store: TokenStore, account: str) -> None:
    """Hold the lock until the process is killed."""
    async with store.lock(account):
        print("held", flush=True)
        await asyncio.to_thread(time.sleep, 60)


async def show(store: TokenStore, account: str) -> None:
    """Print what the store loads."""
    print(await store.load(account))


async def main(command: str, account: str) -> None:
    """Carry out one command."""
    config = load_config(require_client_id=False)
    store = open_store(config.store.url, config.store.keys)
    await COMMANDS[command](store, account)
    await store.close()


COMMANDS: dict[str, Callable[[TokenStore, str], Awaitable[None]]] = {
    "count": count,
    "hold": hold,
    "show": show,
}

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
