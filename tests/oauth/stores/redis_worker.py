"""One more process on a Redis store: does what it is told on its standard input.

Run as `python -m tests.oauth.stores.redis_worker STORE AUTH LEASE`; each line is a
command, and is answered by one line.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

from yarl import URL

from proxy.clock import system_clock
from proxy.errors import ProxyError
from proxy.oauth.endpoints import Endpoints, open_session
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores.record import DEFAULT_ACCOUNT, AccountRecord
from proxy.oauth.stores.redis import RedisStore


async def main(store_url: str, auth_url: str, lease: str) -> None:
    store = RedisStore(store_url, lease=float(lease))
    async with open_session() as session:
        url = URL(auth_url)
        endpoints = Endpoints(
            session, api_url=url, auth_url=url, client_id="id", clock=system_clock
        )
        refresher = Refresher(store, endpoints, system_clock)
        await refresher.start(timer=False)
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            command, *arguments = line.split()
            try:
                await COMMANDS[command](store, refresher, *arguments)
            except ProxyError as exc:
                say(exc.value or type(exc).__name__)
        await refresher.close()
    await store.close()


async def hold(store: RedisStore, _: Refresher) -> None:
    """Take the lock; try to change the record when the next line comes."""

    def change(record: AccountRecord) -> AccountRecord:
        return replace(record, last_error="changed by a paused owner")

    async with store.lock(DEFAULT_ACCOUNT):
        say("held")
        # Not in a thread, so that nothing is renewed meanwhile.
        sys.stdin.readline()
        await store.update(DEFAULT_ACCOUNT, change)
    say("changed")


async def refresh(_: RedisStore, refresher: Refresher) -> None:
    await refresher.refresh()
    tokens = refresher.record.tokens
    say(tokens.access_token if tokens else None)


async def serve(_: RedisStore, refresher: Refresher, seconds: str) -> None:
    """Ask for a token again and again; tell how many different ones came."""
    seen = set()
    loop = asyncio.get_running_loop()
    end = loop.time() + float(seconds)
    while loop.time() < end:
        seen.add(await refresher.access_token())
        await asyncio.sleep(0.005)
    await refresher.settled()
    say(len(seen))


COMMANDS: dict[str, Callable[..., Awaitable[None]]] = {
    "hold": hold,
    "refresh": refresh,
    "serve": serve,
}


def say(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
