"""The commands that a Redis store sends, with time limits, and errors that are ours.

Nothing is sent twice: whether a command that got no answer took effect is not known.
A connection that Redis has closed is seen before it is used, so a restart is harmless.
"""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores import UNREACHABLE, how_to_install
from proxy.oauth.stores.redis_address import RedisAddress

if TYPE_CHECKING:  # imported only where the config asks for it
    from redis.asyncio import Redis

CONNECT_TIMEOUT = 2.0
COMMAND_TIMEOUT = 3.0
CALL_TIMEOUT = 5.0
"""For all of it: a fresh connection, its login, the command."""


class RedisClient:
    """Talks to the Redis at `address`; connects when first used.

    Raises:
        ConfigError: the package for it is missing.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._shown = address.shown
        self._redis = _connect(address)

    async def get(self, key: str) -> bytes:
        """Return what is kept under `key`; empty if nothing is."""
        content: bytes | None = await self._call(self._redis.get(key))
        return content or b""

    async def run(self, script: str, keys: Sequence[str], *arguments: bytes) -> Any:
        """Return what `script` returns, run in one step that nobody can split."""
        return await self._call(self._redis.eval(script, len(keys), *keys, *arguments))

    async def keys(self, pattern: str) -> list[str]:
        """Return the names of all keys that match `pattern`, in any order."""
        found = await self._call(self._scan(pattern))
        return [key.decode() for key in found]

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def _scan(self, pattern: str) -> set[bytes]:
        # Not KEYS, which keeps everybody waiting.
        return {key async for key in self._redis.scan_iter(pattern, count=1000)}

    async def _call(self, command: Awaitable[Any]) -> Any:
        from redis.exceptions import RedisError

        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                result = await command
        except (RedisError, OSError) as exc:
            raise self._failure(exc) from exc
        # Python 3.11's `asyncio.wait_for`, which the library uses, returns its result
        # and drops the cancellation, if both come at once (python/cpython#86296).
        if task and task.cancelling() > cancelled:
            raise asyncio.CancelledError
        return result

    def _failure(self, exc: Exception) -> StoreError:
        """Return the error to raise for `exc`.

        Of what Redis says only the code is told: the rest may repeat what it was sent.
        """
        from redis import exceptions

        store = f"the token store {self._shown}"
        match exc:
            case exceptions.AuthenticationError() | exceptions.AuthorizationError():
                told = "does not accept the user and password; mend them in store.url"
            case exceptions.BusyLoadingError():
                told = "is loading its data; it will be ready by itself"
            case exceptions.TimeoutError() | TimeoutError():
                told = f"does not answer in time; {_LOOK}"
            case exceptions.InvalidResponse():
                told = f"does not answer as Redis does; {_LOOK}"
            case exceptions.ConnectionError() | OSError():
                told = f"cannot be reached ({_reason(exc)}); {_LOOK}"
            case _:
                told = f"refuses ({_code(exc)}); see its configuration and its log"
                return StoreError(f"{store} {told}")
        return StoreError(
            f"{store} {told}", value=UNREACHABLE, status=503, retry_after=5
        )


_LOOK = "see that Redis runs there, or mend store.url"


def _connect(address: RedisAddress) -> "Redis":
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as exc:
        raise ConfigError(
            "store.url names a Redis, and the package for it is missing; "
            f"run: {how_to_install('redis')}"
        ) from exc

    return Redis(
        host=address.host,
        port=address.port,
        db=address.db,
        username=address.user,
        password=address.password,
        ssl=address.tls,
        ssl_ca_certs=address.ca_file,
        socket_connect_timeout=CONNECT_TIMEOUT,
        socket_timeout=COMMAND_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        # All servers know it, and it needs no greeting that a proxy might not.
        protocol=2,
    )


def _reason(exc: BaseException) -> str:
    """Return in few words what kept a connection from being made or going on."""
    cause: BaseException | None = exc
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return cause.verify_message
            case ssl.SSLError():
                return "TLS failed"
            case socket.gaierror():
                return "its name is not known"
            case OSError(errno=int(number)):
                return os.strerror(number)
            case _:
                cause = cause.__cause__ or cause.__context__
    return "the connection broke off"


def _code(exc: Exception) -> str:
    word = str(exc).partition(" ")[0]
    return word if re.fullmatch("[A-Z]{2,20}", word) else type(exc).__name__
