"""One account as this process knows it: its record, and what may be done with it."""

import asyncio
import logging
import math
import random

from proxy.clock import Clock
from proxy.errors import LoginRequiredError, StoreError
from proxy.oauth.changes import is_foreign, is_uncertain, newer
from proxy.oauth.messages import TokenPair, fingerprint
from proxy.oauth.schedule import URGENT_DELAY, Allowance, Schedule
from proxy.oauth.status import State, TokenStatus
from proxy.oauth.stores import Change, TokenStore
from proxy.oauth.stores.record import AccountRecord

logger = logging.getLogger(__name__)

CODE_AWAITED = 900.0
"""An SMS older than this is not waited for any more."""

NEVER = (math.inf, -math.inf)


class Account:
    """The record of one account in memory, its schedule, and its way to the store."""

    def __init__(
        self,
        name: str,
        store: TokenStore,
        clock: Clock,
        *,
        share: float,
        jitter: random.Random,
        issuer: str | None = None,
    ) -> None:
        self.name = name
        self.issuer = issuer
        self.record = AccountRecord()
        self.tokens: TokenPair | None = None
        """Those of the record, unless they are for other hosts than `issuer`."""
        self.news = asyncio.Event()
        """Set when another token pair is in use."""
        self.arrival = asyncio.Event()
        """Wakes those who wait for that to happen, and is clear again."""
        self.refreshable = False
        """There is a refresh token, and it was not refused."""
        self.begun: str | None = None
        """Fingerprint of the refresh token that this process has sent, or will now."""
        self.unsaved = False
        """What is in memory is not in the store yet."""
        self.trouble: StoreError | None = None
        """Why the store was of no use the last time."""
        self._store = store
        self._clock = clock
        self._share = share
        self._jitter = jitter
        self._schedule: Schedule | None = None
        self._rejected = False
        # An endpoint that rejects every token must not have us rotate for ever.
        self._rejections = Allowance(burst=20, every=15.0)
        self._fresh = NEVER
        self._changing = asyncio.Lock()

    # -- judgement, without waiting --------------------------------------------------

    def current(self) -> str | None:
        """Return the access token if nothing at all needs to be done, else None."""
        since, until = self._fresh
        if since <= self._clock() < until and self.tokens is not None:
            return self.tokens.access_token
        return None

    def pair(self) -> TokenPair:
        """Return the token pair, or raise `LoginRequiredError`."""
        if self.tokens is None:
            raise self.login_required()
        return self.tokens

    def serves(self) -> bool:
        """Say whether the access token can be handed out."""
        return not self._rejected and not self.is_over()

    def is_over(self) -> bool:
        """Say whether the access token has ended, or is about to."""
        pair, schedule = self.tokens, self._schedule
        if pair is None or schedule is None:
            return True
        if self.refreshable:
            return schedule.is_over(self._clock())
        return self.has_ended()  # there is nothing better to wait for

    def has_ended(self) -> bool:
        """Say whether the access token cannot work any more, by its lifetime."""
        return self.tokens is None or self._clock() >= self.tokens.expires_at

    def can_wait(self) -> float:
        """Return the seconds that the next try of a refresh may be put off for."""
        if self._schedule is None or not self.serves():
            return URGENT_DELAY
        return self._schedule.over_at - self._clock()

    def is_due(self) -> bool:
        """Say whether a refresh should be under way."""
        if self.is_left_to_another() and self.serves():
            return False
        return (
            self.refreshable
            and self._schedule is not None
            and (
                self._rejected
                or self.is_uncertain
                or self._schedule.is_due(self._clock())
            )
        )

    @property
    def is_uncertain(self) -> bool:
        """Whether a refresh was begun whose outcome nobody knows.

        It is tried again at once: some servers take a spent token for a while.
        """
        return self.tokens is not None and is_uncertain(self.record)

    def is_left_to_another(self) -> bool:
        """Say whether another process may still come back with the answer.

        Where a lock can be lost, its owner may only have been asleep.
        """
        start = self.record.refresh_started
        return (
            start is not None
            and self.is_uncertain
            and start.token != self.begun
            and 0 <= self._clock() - start.at < self._store.doubt
        )

    @property
    def due_at(self) -> float | None:
        """When a refresh is due; None if nothing can be refreshed."""
        if not self.refreshable or self._schedule is None:
            return None
        return self._schedule.due_at

    @property
    def login_needed_by(self) -> float | None:
        """When calls will fail unless someone logs in; None while refreshes work."""
        pair = self.tokens
        return pair.expires_at if pair and not self.refreshable else None

    @property
    def store_trouble(self) -> str | None:
        """What was wrong with the store the last time, in a sentence."""
        return self.trouble.description if self.trouble else None

    @property
    def mismatch(self) -> str | None:
        """The news that the stored login is for other hosts; None if it is for ours."""
        if not is_foreign(self.record, self.issuer):
            return None
        theirs, ours = _hosts(self.record.issuer), _hosts(self.issuer)
        return f"the stored login is for {theirs}, not for {ours}"

    def login_required(self) -> LoginRequiredError:
        """Return the error for a call that cannot get a token."""
        if told := self.mismatch:
            return LoginRequiredError(f"{told}; run: telemed-proxy login")
        if self.tokens is None and (moved := self.record.moved):
            return LoginRequiredError(moved)
        if self.tokens is None:
            return LoginRequiredError("nobody has logged in; run: telemed-proxy login")
        return LoginRequiredError(
            "the login has ended and cannot be refreshed; run: telemed-proxy login"
        )

    def reject(self, token: str) -> bool:
        """Note that `token` was rejected; return whether it is the one in use.

        A late rejection of a token that was replaced since says nothing.
        """
        pair = self.tokens
        if pair is None or token != pair.access_token:
            return False
        if not self._rejected:
            if not self._rejections.take(self._clock()):
                logger.warning("too many tokens were rejected; this one stays in use")
                return False
            logger.info("the access token was rejected")
            self._rejected = True
            self._judge()
        return True

    def status(self, failure: str | None = None) -> TokenStatus:
        """Return what may be told; `failure` is that of the latest refresh."""
        now = self._clock()
        record, pair = self.record, self.tokens
        sent_at = record.login.code_sent_at
        code_sent = sent_at is not None and abs(now - sent_at) < CODE_AWAITED
        state = self._state(code_sent=code_sent)
        mismatch = self.mismatch
        known = AccountRecord(login=record.login) if mismatch else record
        phone = known.login.phone if state == "code_sent" else known.phone
        return TokenStatus(
            state=state,
            phone=phone.masked if phone else None,
            code_sent=code_sent,
            retry_after=record.login.cooldown_left(now),
            expires_at=pair.expires_at if pair else None,
            expires_in=max(0, int(pair.expires_at - now)) if pair else None,
            refresh_due_at=self.due_at,
            login_needed_by=self.login_needed_by,
            last_refresh=known.last_refresh,
            last_error=self.store_trouble or mismatch or failure or known.last_error,
            store=self._store.url,
        )

    def _state(self, *, code_sent: bool) -> State:
        if self.tokens is not None and (self.refreshable or self.serves()):
            return "active"
        if code_sent:
            return "code_sent"
        return "logged_out" if self.tokens is None else "login_required"

    def _judge(self) -> None:
        """Work out between which instants `current` has nothing to decide."""
        pair = self.tokens
        token = pair.refresh_token if pair else None
        self.refreshable = (
            token is not None and fingerprint(token) not in self.record.refused
        )
        if pair is None or self._schedule is None or self._rejected:
            self._fresh = NEVER
        elif self.refreshable:
            self._fresh = self._schedule.fresh
        else:
            self._fresh = (-math.inf, pair.expires_at)

    # -- the record ------------------------------------------------------------------

    async def reload(self) -> None:
        """Take over what another process may have stored."""
        async with self._changing:  # what was read before a save is not news after it
            stored = await self._store.load(self.name)
            self._use(stored)
            if stored.generation < self.record.generation:
                self.unsaved = True  # the store has lost what it had

    async def update(self, change: Change) -> AccountRecord:
        """Change the record, save it durably, then use it; return the new one.

        Raises:
            StoreError: it is used, but not saved yet; `mend` tries again.
        """
        async with self._changing:
            mine = self.record
            try:
                record = await self._store.update(
                    self.name, lambda stored: change(newer(stored, mine))
                )
            except StoreError as exc:
                self.unsaved = True
                self._use(change(mine))
                self.note(exc)
                raise
            self.unsaved = False
            self._use(record)
            self.note(None)
            return record

    async def mend(self) -> None:
        """Save what is not saved yet and take over what is new; note what fails."""
        try:
            if self.unsaved:
                await self.update(lambda record: record)
            else:
                await self.reload()
                self.note(None)
        except StoreError as exc:
            self.note(exc)

    def _use(self, record: AccountRecord) -> None:
        """Use `record`, unless what is in memory is newer."""
        before, mismatch = self.tokens, self.mismatch
        self.record = newer(record, self.record)
        pair = self.tokens = None if self.mismatch else self.record.tokens
        if self.mismatch and self.mismatch != mismatch:
            logger.warning("%s; it is kept, but not used", self.mismatch)
        if pair != before:
            self._rejected = False
            self._schedule = (
                Schedule.of(pair, self._share, self._jitter) if pair else None
            )
            self.news.set()
            self.arrival.set()
            self.arrival.clear()
        self._judge()

    def note(self, exc: StoreError | None) -> None:
        """Note what became of the latest use of the store."""
        before = self.store_trouble
        self.trouble = exc
        if (told := self.store_trouble) and told != before:
            logger.error("%s", told)


def _hosts(issuer: str | None) -> str:
    return " and ".join(dict.fromkeys((issuer or "").split()))
