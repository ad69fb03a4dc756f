"""Keeps one access token usable: one refresh at a time, saved before it is used.

* Nobody waits for a refresh that is merely due; callers wait for one when the token is
  over or was rejected.
* A refresh runs in a task of its own. A caller that goes away neither stops it nor
  loses the rotated refresh token that it brings.
* Before a refresh is sent the store notes it, and its answer is saved before it is
  used. A refresh that was begun and not ended, here or in a process that has died, is
  *uncertain*: it is tried again at once, and the access token serves meanwhile.
* A failure of unknown effect is tried again, once at once and then further and further
  apart; a refusal is final for that refresh token, and the access token then serves
  until its end.
"""

import asyncio
import copy
import logging
import math
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar

from proxy.clock import Clock, iso_utc
from proxy.errors import (
    CLIENT_REFUSED,
    LoginRequiredError,
    ProxyError,
    StoreError,
    TokenRefusedError,
    UpstreamError,
    UpstreamUnreachableError,
)
from proxy.oauth import changes
from proxy.oauth.account import Account
from proxy.oauth.messages import TokenPair, fingerprint
from proxy.oauth.phone import Phone
from proxy.oauth.schedule import FIRST_DELAY, Backoff, Reminder
from proxy.oauth.status import TokenStatus
from proxy.oauth.stores import LOCK_LOST, UNREACHABLE, Change, TokenStore
from proxy.oauth.stores.record import DEFAULT_ACCOUNT, AccountRecord
from proxy.tasks import cancel, spawn

logger = logging.getLogger(__name__)

SHORTEST_PAUSE = 0.05
"""Seconds between two looks at the wall clock and the store, at least.

At most it is the store's own pace: a laptop that sleeps stops timers but not the clock,
and another process may have logged in or out."""

# While there is no login, the store is asked for another process's this often.
LOOK_AGAIN_AFTER = 1.0

T = TypeVar("T")

Outcome = Literal["refreshed", "refused", "failed"]
"""What became of one refresh that was sent: a failed one is tried again."""


class RefreshEndpoint(Protocol):
    """The one call of the authorization server that a refresher needs."""

    @property
    def skew(self) -> float | None:
        """How many seconds its clock is ahead of ours, as far as is known."""

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair; it is sent once."""


class Refresher:
    """Hands out the access token of one account and replaces it in time.

    `issuer` names the hosts of `endpoints`: tokens that others have issued are neither
    sent nor changed, until a login here replaces them.
    """

    def __init__(
        self,
        store: TokenStore,
        endpoints: RefreshEndpoint,
        clock: Clock,
        refresh_at: float = 0.5,
        *,
        account: str = DEFAULT_ACCOUNT,
        issuer: str | None = None,
        jitter: random.Random | None = None,
        first_delay: float = FIRST_DELAY,
        on_refresh: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        jitter = jitter or random.Random()  # noqa: S311  it spreads and hides nothing
        self._store = store
        self._on_refresh = on_refresh
        self._endpoints = endpoints
        self._clock = clock
        self._account = Account(
            account, store, clock, share=refresh_at, jitter=jitter, issuer=issuer
        )
        self._backoff = Backoff(jitter, first_delay)
        self._reminder = Reminder()
        self._failure: ProxyError | None = None
        self._failed_generation = -1
        self._looked_at = -math.inf
        self._looking = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._unfinished: set[asyncio.Task[Any]] = set()

    # -- life ------------------------------------------------------------------------

    async def start(self, *, timer: bool = True) -> None:
        """Load the record and, with `timer`, refresh whenever it is due.

        With `timer` a store that is not there yet is waited for; calls are answered
        with its error meanwhile.
        """
        try:
            await self._account.reload()
        except StoreError as exc:
            if not timer or exc.value != UNREACHABLE:
                raise
            self._account.note(exc)
        if timer:
            self._timer = spawn(self._watch(), name=f"token timer {self._account.name}")

    async def close(self, *, grace: float = 10.0) -> None:
        """Stop the timer; let what is under way finish within `grace` seconds.

        That is a refresh, or a login whose caller has left: its answer may be the only
        copy of tokens.
        """
        await cancel(self._timer)
        self._timer = None
        tasks = set(self._unfinished)
        if (refresh := self._under_way()) is not None:
            tasks.add(refresh)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                logger.warning("still under way and given up: %s", task.get_name())
                await cancel(task)
        if self._account.unsaved:
            await self._account.mend()

    async def reload(self) -> None:
        """Take over at once what another process has stored."""
        await self._account.reload()

    async def tick(self) -> None:
        """Do what the timer does: look at the store, and start a refresh if due."""
        await self._account.mend()
        self._remind()
        self._start_if_due()

    async def arrival(self) -> None:
        """Wait until another token pair is in use, such as that of a login."""
        await self._account.arrival.wait()

    async def settled(self) -> None:
        """Wait until no refresh is under way, whatever becomes of it."""
        if (task := self._under_way()) is not None:
            await asyncio.wait([task])

    # -- use -------------------------------------------------------------------------

    def current(self) -> str | None:
        """Return the access token if nothing at all needs to be done, else None."""
        return self._account.current()

    async def access_token(self, *, rejected: str | None = None) -> str:
        """Return an access token that is not over and not `rejected`.

        Pass `rejected` when the upstream did not accept that token: the clock alone
        cannot tell that it was revoked. If the same token is returned, then so many
        were rejected of late that another refresh would not help: pass the rejection
        on.

        Raises:
            LoginRequiredError: nobody has logged in, or the login is dead.
            StoreError: the token has to be replaced, and the store fails.
            UpstreamError: it has to be replaced, and the authorization server fails.
        """
        account = self._account
        was_current = rejected is not None and account.reject(rejected)
        if (token := account.current()) is not None:
            return token
        await self._look_again()
        if not account.serves():
            try:
                await self._replaced()
            except (LoginRequiredError, TokenRefusedError) as exc:
                # Without a better one to wait for, it is good for its last seconds.
                if not account.serves():
                    raise account.login_required() from exc
            except (StoreError, UpstreamError):
                # A rejection may concern one call only. Whoever has not met it gets
                # the token while it lives, rather than an outage.
                if was_current or account.has_ended():
                    raise
        self._start_if_due()
        return account.pair().access_token

    async def refresh(self) -> None:
        """Refresh now, whether it is due or not.

        Raises:
            LoginRequiredError: there is nothing that could be refreshed.
            TokenRefusedError: the refresh token is dead from now on.
            StoreError: the store fails.
            UpstreamError: the authorization server fails.
        """
        await self._look_again()
        if not self._account.refreshable:
            raise self._account.login_required()
        await self._join()
        if self._account.unsaved:
            raise StoreError(
                "the tokens were refreshed and are in use, but they are not saved: "
                f"{self._account.store_trouble}"
            )

    def status(self) -> TokenStatus:
        """Return what may be told about the login."""
        failure = self._present_failure()
        found = self._account.status(failure.description if failure else None)
        return replace(found, clock_skew=self._endpoints.skew)

    # -- login and logout ------------------------------------------------------------

    @property
    def record(self) -> AccountRecord:
        """The record of the account as it is in memory."""
        return self._account.record

    async def update(self, change: Change) -> AccountRecord:
        """Change the record, save it durably, then use it; return the new one.

        A caller that goes away does not stop it half way.
        """
        return await self.see_through(
            self._account.update(change), name=f"save {self._account.name}"
        )

    async def see_through(self, work: Coroutine[Any, Any, T], *, name: str) -> T:
        """Do `work` to its end, even if the caller goes away; `close` waits for it."""
        task = spawn(work, name=name)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    async def adopt(self, pair: TokenPair, phone: Phone) -> None:
        """Take over the pair of a fresh login.

        Raises:
            StoreError: it is in use, but not saved yet.
        """
        now, issuer = self._clock(), self._account.issuer
        await self.update(
            lambda record: changes.logged_in(record, pair, phone, now, issuer)
        )

    async def logout(self) -> None:
        """Forget the tokens.

        Raises:
            LoginRequiredError: those in the store are other hosts', and stay.
            StoreError: they are forgotten here, but not in the store yet.
        """
        now, account = self._clock(), self._account

        def change(record: AccountRecord) -> AccountRecord:
            if changes.is_foreign(record, account.issuer):
                return record
            return changes.logged_out(record, now)

        try:
            await self.update(change)
        except StoreError as exc:
            raise StoreError(
                f"logged out here, and the store hears of it when it can: {exc}",
                value=exc.value,
                status=exc.status,
                retry_after=exc.retry_after,
            ) from exc
        if told := account.mismatch:
            raise LoginRequiredError(f"{told}; it is kept: log out with their config")
        logger.info("logged out")

    # -- the refresh -----------------------------------------------------------------

    def _present_failure(self) -> ProxyError | None:
        """Return why the latest refresh failed, unless it was another pair's."""
        is_present = self._account.record.generation == self._failed_generation
        return self._failure if is_present else None

    def _held_back(self) -> float:
        """Return the seconds until the present pair may be tried again."""
        if self._present_failure() is None:
            return 0.0
        return self._backoff.remaining(self._clock())

    def _start_if_due(self) -> None:
        if (
            self._under_way() is None
            and self._account.is_due()
            and not self._held_back()
        ):
            self._refreshing = self._start()

    def _under_way(self) -> asyncio.Task[None] | None:
        task = self._refreshing
        return task if task is not None and not task.done() else None

    def _start(self) -> asyncio.Task[None]:
        task = spawn(self._refresh(), name=f"refresh {self._account.name}")
        task.add_done_callback(lambda _: self._account.news.set())
        return task

    async def _join(self) -> None:
        """Wait for the refresh under way, or for one started now."""
        task = self._under_way()
        if task is None:
            task = self._refreshing = self._start()
        # Shielded: a caller that goes away must not cancel what others await, nor
        # lose a rotated refresh token that the server has already issued.
        await asyncio.shield(task)

    async def _replaced(self) -> None:
        """Wait until the token is replaced; fail at once while tries are held back."""
        if not self._account.refreshable:
            raise self._account.login_required()
        seconds, failure = self._held_back(), self._present_failure()
        if failure is not None and seconds and self._under_way() is None:
            # A copy: one exception raised many times gathers their tracebacks.
            failure = copy.copy(failure)
            failure.retry_after = math.ceil(seconds)
            raise failure
        await self._join()

    async def _refresh(self) -> None:
        """Replace the token pair, or adopt the one another process got meanwhile."""
        account = self._account
        generation = account.record.generation
        try:
            async with self._store.lock(account.name):
                # Load again: while we waited for the lock its owner may have spent
                # the refresh token that we know.
                await account.reload()
                if not account.serves() or (
                    account.record.generation == generation
                    and not account.is_left_to_another()
                ):
                    await self._exchange(account.pair())
        except (StoreError, UpstreamError) as exc:
            # Not past the moment when calls begin to depend on it.
            seconds = self._backoff.failed(
                self._clock(), at_most=self._account.can_wait()
            )
            self._failure, self._failed_generation = exc, account.record.generation
            self._on_refresh("failed")
            logger.warning("refresh failed: %s; next try in %.0f s", exc, seconds)
            raise
        self._backoff.cleared()
        self._failure = None

    async def _exchange(self, pair: TokenPair) -> None:
        if pair.refresh_token is None or not self._account.refreshable:
            raise self._account.login_required()
        was_tried = self._account.is_uncertain
        await self._note_start(pair)
        try:
            try:
                fresh = await self._endpoints.refresh(pair.refresh_token)
            except UpstreamUnreachableError:
                raise  # nothing was sent, so there is nothing to find out
            except UpstreamError as exc:
                logger.info("refresh failed: %s; trying once more", exc)
                was_tried = True
                fresh = await self._endpoints.refresh(pair.refresh_token)
        except TokenRefusedError as exc:
            await self._refused(pair, exc, was_tried=was_tried)
            raise
        now = self._clock()
        # A pair that cannot be saved is used all the same: the old refresh token is
        # spent, so without it the login would be lost. Saving is tried again.
        with suppress(StoreError):
            await self._account.update(
                lambda record: changes.refreshed(
                    record, pair, fresh, now, self._account.issuer
                )
            )
        self._on_refresh("refreshed")
        logger.info("refreshed the access token")

    async def _refused(
        self, pair: TokenPair, refusal: TokenRefusedError, *, was_tried: bool
    ) -> None:
        """Note that the refresh token of `pair` is dead, and most likely why."""
        self._failure = None
        self._on_refresh("refused")
        told = refusal.description
        if refusal.value != CLIENT_REFUSED:
            told += (
                "; an earlier refresh had taken effect, and its answer was lost"
                if was_tried
                else "; perhaps another login for this phone took its place"
            )
        logger.warning("refresh refused: %s; log in before the token ends", told)
        token = str(pair.refresh_token)
        with suppress(StoreError):  # noted, and kept in memory
            await self._account.update(
                lambda record: changes.refused(record, token, told)
            )

    async def _note_start(self, pair: TokenPair) -> None:
        """Save that a refresh is under way, before the refresh token is spent on it.

        So a full disk shows while nothing is lost yet. An access token that is over
        leaves no choice.
        """
        now = self._clock()
        self._account.begun = fingerprint(pair.refresh_token or "")
        try:
            await self._account.update(
                lambda record: changes.refresh_started(record, pair, now)
            )
        except StoreError as exc:
            # Who has lost the lock may not be alone with the refresh token.
            if exc.value == LOCK_LOST or not self._account.is_over():
                raise

    async def _look_again(self) -> None:
        """Without a usable login, see whether another process has brought one."""
        async with self._looking:  # whoever comes meanwhile waits for the same look
            if self._account.refreshable or self._account.serves():
                return
            now = self._clock()
            if not 0 <= now - self._looked_at < LOOK_AGAIN_AFTER:
                self._looked_at = now
                try:
                    await self._account.reload()
                except StoreError as exc:
                    self._account.note(exc)
                    raise
                self._account.note(None)
        if self._account.trouble is not None and self._account.tokens is None:
            raise copy.copy(self._account.trouble)  # there may well be a login in it

    def _remind(self) -> None:
        deadline = self._account.login_needed_by
        if self._reminder.is_due(deadline, self._clock()):
            logger.warning(
                "this login cannot be refreshed and ends at %s: log in again before, "
                "with telemed-proxy login",
                iso_utc(deadline or 0.0),
            )

    # -- the timer -------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            self._account.news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._account.news.wait()
            await self.tick()

    def _pause(self) -> float:
        """Return the seconds until the timer should look again."""
        due_at = self._account.due_at
        if due_at is None or self._under_way() is not None:
            return self._store.pace
        now = self._clock()
        wait = 0.0 if self._account.is_due() else due_at - now
        return min(self._store.pace, max(SHORTEST_PAUSE, wait, self._held_back()))
