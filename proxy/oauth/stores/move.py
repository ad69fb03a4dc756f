"""Moving all logins from one store to another.

At any moment one of the two has a whole copy: what is copied is loaded back before
anything is removed. What stays behind is a record without tokens whose generation is
greater: a process that still works on the old store takes it for a logout, and so can
not refresh what it has in memory, which would end the login in the new store.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from proxy.errors import LoginRequiredError, StoreError
from proxy.oauth.changes import logged_out
from proxy.oauth.stores import BUSY, Change, TokenStore
from proxy.oauth.stores.record import MOVED, AccountRecord

PATIENCE: Final = 1.0
"""Nobody should be at work on the new store."""


@dataclass(frozen=True, slots=True)
class Move:
    """One account on its way."""

    account: str
    leaves: AccountRecord
    meets: AccountRecord
    """What the new store has for it; usually nothing."""

    @property
    def arrives(self) -> AccountRecord:
        """The record as the new store is to keep it: newer than what was there."""
        left, met = self.leaves, self.meets
        if left.generation > met.generation or left.tokens == met.tokens:
            return left
        generation = met.generation + 1
        tokens = left.tokens and replace(left.tokens, generation=generation)
        return replace(left, tokens=tokens, generation=generation)


async def move(
    source: TokenStore,
    open_target: Callable[[], TokenStore],
    *,
    now: float,
    force: bool = False,
) -> None:
    """Move every login; `force` says that those in the target may be replaced.

    Raises:
        LoginRequiredError: there is none.
        StoreError: the target holds a login, or one of the two is at fault. Nothing is
            removed then that is not in the target.
    """
    async with AsyncExitStack() as stack:
        target = await _open(stack, open_target)
        accounts = await source.accounts()
        for account in accounts:
            await stack.enter_async_context(source.lock(account))
            await _lock_target(stack, target, account)
        moves = [
            Move(account, await source.load(account), await target.load(account))
            for account in accounts
        ]
        moves = [each for each in moves if each.leaves.tokens]
        _expect_a_way(moves, source, target, force=force)
        for each in moves:
            change = _from(each.meets, each.arrives, target)
            await target.update(each.account, change)
        await _verify(moves, await _open(stack, open_target))
        for each in moves:
            note = replace(
                logged_out(each.leaves, now),
                last_error=f"{MOVED}{target.url}: set store.url to that, and restart "
                "what runs on the old one",
            )
            await source.update(each.account, _from(each.leaves, note, source))


def is_plain(url: str) -> bool:
    """Say whether a login is kept as it is in the store at `url`, also with keys.

    They are for files; a keyring encrypts by itself.
    """
    return url.partition(":")[0] in {"redis", "rediss"}


async def remove_copies(source: TokenStore) -> list[Path]:
    """Delete what a token file has beside it of earlier tokens; return what was."""
    from proxy.oauth.stores.file import FileStore

    return await source.remove_copies() if isinstance(source, FileStore) else []


async def _open(
    stack: AsyncExitStack, open_target: Callable[[], TokenStore]
) -> TokenStore:
    target = open_target()
    stack.push_async_callback(target.close)
    return target


async def _lock_target(stack: AsyncExitStack, target: TokenStore, account: str) -> None:
    try:
        await stack.enter_async_context(target.lock(account, patience=PATIENCE))
    except StoreError as exc:
        if exc.value != BUSY:
            raise
        raise StoreError(
            f"{target.url} is in use, or is the same store under another name; "
            "name another one, or end what uses it",
            value=BUSY,
        ) from exc


def _expect_a_way(
    moves: list[Move], source: TokenStore, target: TokenStore, *, force: bool
) -> None:
    if not moves:
        raise LoginRequiredError(
            f"no login is in {source.url}, so there is none to move; set store.url to "
            "the new place, and run: telemed-proxy login"
        )
    # The same tokens are there where an earlier move was cut off.
    taken = [m for m in moves if m.meets.tokens and m.meets.tokens != m.leaves.tokens]
    if taken and not force:
        raise StoreError(
            f"{target.url} already holds a login; --force replaces it for good"
        )


async def _verify(moves: list[Move], target: TokenStore) -> None:
    for each in moves:
        if await target.load(each.account) != each.arrives:
            raise StoreError(
                f"{target.url} does not keep what was written; nothing was removed"
            )


def _from(before: AccountRecord, after: AccountRecord, store: TokenStore) -> Change:
    """Return the change from `before` to `after`, and from nothing else."""

    def change(stored: AccountRecord) -> AccountRecord:
        if stored != before:
            raise StoreError(
                f"the login in {store.url} was changed meanwhile, and is left as it "
                "is; run this again, with --force if it then asks for that"
            )
        return after

    return change
