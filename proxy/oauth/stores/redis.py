"""Tokens in Redis, for several machines that share one login.

For each account there is a document, the record in JSON; a lock with a lease, for
whoever refreshes; and a fence, which says who took that lock last.

* A change is a compare-and-set of the whole document in one step of Redis, so `change`
  is called again, on what is stored by then, as often as another process got ahead.
* The lock ends with its lease, which a task renews, so it dies with its owner. An owner
  that was paused for longer than its lease does not know that it has lost it. So Redis
  judges, in the same step as the compare-and-set: a change made under a lock that
  somebody has taken since is refused, before a refresh token is spent on it. One that
  nobody has taken since is simply held again.
* One change is let through even so, when nobody is refreshing: one that brings a
  greater generation than is stored. It carries the answer to a refresh that was sent
  while the lock was held, and may be the only copy of the tokens.
* Changes under no lock, such as a login, are judged by their generation alone.

What remains: an owner that is paused after the last of these steps, and before its
request leaves, spends a refresh token that another may be spending. No lock can prevent
that, but the open record of a refresh tells the other that it may be so.

Decision record 0007 has the whole argument.
"""

import asyncio
import json
import logging
import random
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from proxy.clock import Clock, iso_utc, system_clock
from proxy.errors import StoreError
from proxy.oauth.stores import BUSY, LOCK_LOST, LOCK_PATIENCE, Change
from proxy.oauth.stores.record import AccountRecord, RecordError, decode, encode
from proxy.oauth.stores.redis_address import RedisAddress
from proxy.oauth.stores.redis_client import RedisClient
from proxy.oauth.stores.redis_scripts import (
    HOLD,
    RELEASE,
    SAVE,
    SAVE_LOCKED,
    SET_ASIDE,
    TAKE,
)
from proxy.tasks import cancel, spawn

logger = logging.getLogger(__name__)

T = TypeVar("T")

VERSION = 1

LEASE = 15.0
"""Seconds after which the lock of an owner that died, or is paused, is free."""
LOCK_POLL = 0.1

MOST_TRIES = 200
"""Each failed try is a change that another process has made."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """One holding of the lock of `account`."""

    account: str
    owner: str
    lock_keys: tuple[str, str]


_held: ContextVar[Mapping[tuple[object, str], _Lease]] = ContextVar(
    "held leases", default=MappingProxyType({})
)
"""By store and account. Of the task: a login beside a refresh is not under its lock."""


class RedisStore:
    """Keeps the records of all accounts in the Redis at `url`.

    Raises:
        ConfigError: `url` is not of the form it must have, or a package is missing.
    """

    pace = 1.0
    doubt = 60.0

    def __init__(
        self, url: str, *, lease: float = LEASE, clock: Clock = system_clock
    ) -> None:
        self._address = RedisAddress.parse(url)
        self._client = RedisClient(self._address)
        self._lease = lease
        self._clock = clock
        self._loose: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """Where the tokens are, to be shown."""
        return self._address.shown

    async def load(self, account: str) -> AccountRecord:
        """Return the record of `account`; an empty one if there is none."""
        content = await self._read(account)
        try:
            return self._decode(content)[1]
        except RecordError as exc:
            return AccountRecord(
                last_error=await self._set_aside(account, content, exc)
            )

    async def update(self, account: str, change: Change) -> AccountRecord:
        """Load, `change` and save as one step that no other process can split.

        `change` may be called several times; the last time counts.

        Raises:
            StoreError: with value "store_lock_lost" if the calling task holds the lock
                of `account`, and another process has taken it since.
        """
        for _ in range(MOST_TRIES):
            content = await self._read(account)
            try:
                document, record = self._decode(content)
            except RecordError as exc:
                told = await self._set_aside(account, content, exc)
                content, document, record = b"", {}, AccountRecord(last_error=told)
            changed = change(record)
            if changed == record:
                return record
            fresh = _encode(changed, document)
            advances = changed.generation > record.generation
            if await self._save(account, content, fresh, advances=advances):
                return changed
            # Apart, so that one of many gets through soon.
            await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311
        raise StoreError(
            f"other processes keep changing the tokens in {self.url}; try again",
            value=BUSY,
        )

    async def accounts(self) -> list[str]:
        """Return the names of the accounts that have a record; changes nothing."""
        start, end = self._key("\0", "record").split("%00")
        keys = await self._client.keys(f"{start}*{end}")
        return sorted(
            unquote(key.removeprefix(start).removesuffix(end)) for key in keys
        )

    @asynccontextmanager
    async def lock(
        self, account: str, *, patience: float = LOCK_PATIENCE
    ) -> AsyncIterator[None]:
        """Hold the right to refresh `account`, against every other process.

        It is lost if this process is paused for longer than the lease; `update` then
        tells.
        """
        owner = secrets.token_hex(16)
        lease = _Lease(account, owner, self._lock_keys(account))
        await self._acquire(lease, patience)
        renewing = spawn(self._renew(lease), name=f"renew the lock of {account}")
        before = _held.get()
        _held.set(MappingProxyType({**before, (self, account): lease}))
        try:
            yield
        finally:
            _held.set(before)
            # Shielded: a caller that goes away must not keep others waiting.
            await asyncio.shield(self._keep(self._end(lease, renewing)))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._loose:
            await asyncio.wait(self._loose)
        await self._client.close()

    # -- the document ----------------------------------------------------------------

    async def _read(self, account: str) -> bytes:
        return await self._client.get(self._key(account, "record"))

    async def _save(
        self, account: str, content: bytes, fresh: bytes, *, advances: bool
    ) -> bool:
        """Replace `content` by `fresh`; return False if it is not that any more."""
        lease = _held.get().get((self, account))
        keys = (*self._lock_keys(account), self._key(account, "record"))
        if lease is None:
            outcome = await self._client.run(SAVE, keys, b"", b"", content, fresh)
        else:
            outcome = await self._client.run(
                SAVE_LOCKED,
                keys,
                *self._claim(lease),
                content,
                fresh,
                b"1" if advances else b"",
            )
        if outcome == b"lost":
            raise StoreError(
                f"the lock for a refresh in {self.url} was lost, as this process was "
                "paused or Redis restarted; the tokens there are left as they are",
                value=LOCK_LOST,
            )
        return bool(outcome == b"saved")

    def _decode(self, content: bytes) -> tuple[dict[str, Any], AccountRecord]:
        """Return the document with members that are not known here, and the record.

        Raises:
            RecordError: it is damaged.
            StoreError: a newer program wrote it.
        """
        if not content:
            return {}, AccountRecord()
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise RecordError("it is not JSON") from exc
        version = document.get("version") if isinstance(document, dict) else None
        if type(version) is not int or version < 1:
            raise RecordError("it has no version")
        if version > VERSION:
            raise StoreError(
                f"the tokens in {self.url} were written by a newer telemed-proxy (form "
                f"{version}); use that one, or add another ?prefix= to store.url"
            )
        return document, decode(document)

    async def _set_aside(self, account: str, content: bytes, why: RecordError) -> str:
        """Keep the damaged document under another name; return the news of it."""
        key = self._key(account, "record")
        when = iso_utc(self._clock()).replace("-", "").replace(":", "")
        place = f"{key}:damaged-{when}-{secrets.token_hex(2)}"
        told = f"{key} in {self.url} was damaged ({why})"
        if await self._client.run(SET_ASIDE, (key, place), content):
            told = f"{told} and is kept as {place}"
        told = f"{told}; log in again"
        logger.error("%s", told)
        return told

    # -- the lock --------------------------------------------------------------------

    async def _acquire(self, lease: _Lease, patience: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while True:
            taking = self._keep(
                self._client.run(TAKE, lease.lock_keys, *self._claim(lease))
            )
            try:
                if await asyncio.shield(taking):
                    return
            except asyncio.CancelledError:
                # It goes on: what it takes then nobody would let go.
                _ = self._keep(self._abandon(lease, taking))
                raise
            if loop.time() >= deadline:
                raise StoreError(
                    f"another process has been refreshing the tokens in {self.url} for "
                    f"{patience:g} s; end it and try again",
                    value=BUSY,
                )
            await asyncio.sleep(LOCK_POLL * random.uniform(0.5, 1))  # noqa: S311

    async def _renew(self, lease: _Lease) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                held = await self._client.run(
                    HOLD, lease.lock_keys, *self._claim(lease)
                )
            except StoreError as exc:
                logger.warning("the lock for a refresh is not renewed: %s", exc)
                continue
            if not held:
                logger.warning(
                    "the lock for a refresh in %s is lost: this process was paused, or "
                    "Redis was away, for longer than %g s",
                    self.url,
                    self._lease,
                )
                return

    async def _end(self, lease: _Lease, renewing: asyncio.Task[None]) -> None:
        await cancel(renewing)
        await self._release(lease)

    async def _abandon(self, lease: _Lease, taking: asyncio.Task[Any]) -> None:
        await asyncio.wait([taking])
        await self._release(lease)

    async def _release(self, lease: _Lease) -> None:
        try:
            await self._client.run(RELEASE, lease.lock_keys, lease.owner.encode())
        except StoreError as exc:
            logger.warning(
                "the lock for a refresh ends by itself in %g s: %s", self._lease, exc
            )

    def _claim(self, lease: _Lease) -> tuple[bytes, bytes]:
        return lease.owner.encode(), b"%d" % (self._lease * 1000)

    def _lock_keys(self, account: str) -> tuple[str, str]:
        return self._key(account, "lock"), self._key(account, "fence")

    def _key(self, account: str, what: str) -> str:
        # Braces keep what one script touches together where keys are spread by hash.
        return f"{self._address.prefix}:{{{quote(account, safe='')}}}:{what}"

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do `work` whatever becomes of the caller; `close` waits for it."""
        task = spawn(work, name="redis lock")
        self._loose.add(task)
        task.add_done_callback(self._loose.discard)
        return task


def _encode(record: AccountRecord, document: Mapping[str, Any]) -> bytes:
    members = {"version": VERSION, **encode(record, document)}
    return json.dumps(members, ensure_ascii=False).encode()
