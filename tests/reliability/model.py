"""One account on a file store, several refreshers, and what must hold whatever comes.

The rules of the state machine are what may happen to a login; its invariants are what
its users rely on. It drives the real `Refresher` on a real file; time, and what the
authorization server does, are moved by hand.
"""

import asyncio
import itertools
import random
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from proxy.errors import (
    LoginRequiredError,
    ProxyError,
    StoreError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores import Change
from proxy.oauth.stores.file import FileStore
from proxy.oauth.stores.record import AccountRecord
from tests.clocks import MovedClock

T = TypeVar("T")

PHONE = Phone("7", "9161234567")
PROCESSES = 2
ACCOUNT = "default"

# What a request to the authorization server may come to. The first half of each pair
# says whether it acted on it.
KINDS = {
    "answers": (True, None),
    "loses the answer": (True, UpstreamIncompleteError("broke off")),
    "answers late": (True, UpstreamTimeoutError("no answer in time")),
    "answers rubbish": (True, TokenAnswerError("answered 200 with nothing")),
    "fails": (False, TokenAnswerError("answered 500")),
    "resets": (False, UpstreamIncompleteError("broke off")),
    "is unreachable": (False, UpstreamUnreachableError("refused", value="refused")),
}
MOMENTS = st.sampled_from([0.04, 0.02, 0.0])
"""How much of a minute, or of a shorter lifetime, is left of an access token."""
STEPS = st.one_of(
    st.integers(-5, 5),
    st.integers(-3600, 3600),
    st.sampled_from([-7 * 86400, 86400, 14 * 86400, -366 * 86400, 366 * 86400]),
)


@dataclass
class Server:
    """Issues pairs, and knows of each refresh token whether it was used or refused."""

    clock: MovedClock
    lifetime: float = 3600.0
    grace: bool = False
    """A spent refresh token is taken again, as long as its successor was not used."""
    plan: list[str] = field(default_factory=list)
    """What the next requests come to; those after them are answered."""
    gate: asyncio.Event | None = None
    """Where requests wait before anything is done."""
    answer_gate: asyncio.Event | None = None
    """Where answers wait after it was done."""
    live: str | None = None
    spent: dict[str, str] = field(default_factory=dict)
    """A spent refresh token, and the one that followed it."""
    acted: dict[str, int] = field(default_factory=dict)
    """How often a refresh token was exchanged for a pair."""
    presented: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Refusals of a token that no lost answer explains."""
    refused: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    """Tokens of which some client cannot know what became of them."""
    is_disk_full: bool = False
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    skew: float | None = None

    def issue(self) -> TokenPair:
        number = next(self.numbers)
        self.live = f"refresh-{number}"
        now = self.clock()
        return TokenPair(f"access-{number}", self.live, now, now + self.lifetime)

    async def refresh(self, refresh_token: str) -> TokenPair:
        self._judge(refresh_token)
        if self.gate is not None:
            await self.gate.wait()
        acts, failure = KINDS[self.plan.pop(0) if self.plan else "answers"]
        answer = self.exchange(refresh_token) if acts else failure
        if self.answer_gate is not None:
            await self.answer_gate.wait()
        if failure is not None:
            if acts:
                self.uncertain.add(refresh_token)
            raise type(failure)(failure.description)
        if isinstance(answer, TokenPair):
            return answer
        if not self.is_disk_full:
            self.refused.add(refresh_token)
        raise TokenRefusedError("invalid_grant", "refused: invalid_grant")

    def _judge(self, refresh_token: str) -> None:
        """Note that a token is shown, and whether it should not have been."""
        self.presented.append(refresh_token)
        if refresh_token in self.refused:
            self.wrong.append(f"{refresh_token} again, after it was refused")
        if refresh_token in self.spent and refresh_token not in self.uncertain:
            self.wrong.append(f"{refresh_token} again, after its answer had come")
        if self.is_disk_full:  # nobody else can learn from the store what came of it
            self.uncertain.add(refresh_token)

    def exchange(self, refresh_token: str) -> TokenPair | None:
        """Return the pair that follows; None if this token is not good."""
        follower = self.spent.get(refresh_token)
        in_grace = self.grace and follower is not None and follower == self.live
        if refresh_token != self.live and not in_grace:
            return None
        self.acted[refresh_token] = self.acted.get(refresh_token, 0) + 1
        pair = self.issue()
        assert pair.refresh_token is not None
        self.spent[refresh_token] = pair.refresh_token
        return pair


class Store(FileStore):
    """A file store that can be full, and remembers what was ever in it."""

    def __init__(self, path: Path, clock: MovedClock, kept: set[str]) -> None:
        super().__init__(path, clock=clock)
        self.is_full = False
        self.kept = kept

    async def update(self, account: str, change: Change) -> AccountRecord:
        def checked(record: AccountRecord) -> AccountRecord:
            changed = change(record)
            if self.is_full and changed != record:
                raise StoreError("no space left")
            return changed

        record = await super().update(account, checked)
        if record.tokens is not None:
            self.kept.add(record.tokens.access_token)
        return record


class LoginMachine(RuleBasedStateMachine):
    """Anything that may happen to one login, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="login-"))
        self.clock = MovedClock()
        self.server = Server(self.clock)
        self.kept: set[str] = set()
        self.rejected: set[str] = set()
        self.stores: list[Store] = []
        self.refreshers: list[Refresher] = []
        self.generations = [0] * PROCESSES

    @initialize(
        lifetime=st.sampled_from([1.0, 60.0, 3600.0, 14 * 86400.0, 366 * 86400.0]),
        grace=st.booleans(),
    )
    def begin(self, lifetime: float, grace: bool) -> None:
        self.server.lifetime, self.server.grace = lifetime, grace
        for _ in range(PROCESSES):
            self.stores.append(Store(self._path, self.clock, self.kept))
            self.refreshers.append(self._start(self.stores[-1]))
        self.log_in(0)

    def teardown(self) -> None:
        for store in self.stores:
            store.is_full = False
        for refresher in self.refreshers:
            self._run(refresher.close())
        self._run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    # -- what may happen -------------------------------------------------------------

    @rule(process=st.integers(0, PROCESSES - 1), callers=st.integers(1, 3))
    def call(self, process: int, callers: int) -> None:
        """Requests come in at once; each gets a token, or a reason."""
        self._run(self._calls(process, [None] * callers))

    @rule(process=st.integers(0, PROCESSES - 1))
    def call_at_both(self, process: int) -> None:
        """Requests come in at both processes at once."""
        self._run(self._at_both(process))

    @rule(process=st.integers(0, PROCESSES - 1))
    def call_with_a_rejected_token(self, process: int) -> None:
        """The API refuses the token in use, whatever its lifetime says."""
        token = self.refreshers[process].current()
        if token is not None:
            self.rejected.add(token)
            self._run(self._calls(process, [token]))

    @rule(process=st.integers(0, PROCESSES - 1), before=MOMENTS)
    def call_and_leave(self, process: int, before: float) -> None:
        """A caller goes away while it waits for a refresh."""
        self._come_to_the_end(process, before)
        self._run(self._leave(process))

    @rule(process=st.integers(0, PROCESSES - 1))
    def tick(self, process: int) -> None:
        """The timer looks, and what it begins comes to an end."""
        self._run(self.refreshers[process].tick())
        self._run(self.refreshers[process].settled())

    @rule(process=st.integers(0, PROCESSES - 1))
    def refresh(self, process: int) -> None:
        """A person asks for a refresh."""
        with suppress(ProxyError):
            self._run(self.refreshers[process].refresh())

    @rule(process=st.integers(0, PROCESSES - 1))
    def log_in(self, process: int) -> None:
        """A person logs in; older refresh tokens are dead."""
        pair = self.server.issue()
        with suppress(StoreError):
            self._run(self.refreshers[process].adopt(pair, PHONE))

    @rule(process=st.integers(0, PROCESSES - 1))
    def log_out(self, process: int) -> None:
        """A person logs out."""
        with suppress(StoreError):
            self._run(self.refreshers[process].logout())

    @rule()
    def log_in_elsewhere(self) -> None:
        """Another installation logs in with the same phone."""
        self.server.issue()

    @rule(plan=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3))
    def trouble(self, plan: list[str]) -> None:
        """The next requests to the authorization server come to this."""
        self.server.plan = plan

    @rule(seconds=STEPS)
    def move_the_clock(self, seconds: int) -> None:
        """Time passes, a laptop sleeps, somebody sets the clock."""
        self.clock.advance(seconds)

    @rule(share=st.sampled_from([0.4, 0.6, 0.95, 1.0]))
    def live_on(self, share: float) -> None:
        """A good part of the lifetime passes."""
        self.clock.advance(self.server.lifetime * share)

    @rule(process=st.integers(0, PROCESSES - 1), before=MOMENTS, call=st.booleans())
    def come_to_the_end(self, process: int, before: float, call: bool) -> None:
        """The access token is in its last moments, or has just ended."""
        self._come_to_the_end(process, before)
        if call:
            self._run(self._at_both(process))

    @rule(full=st.booleans())
    def fill_the_disk(self, full: bool) -> None:
        """No change can be saved from now on, or can be again."""
        self.server.is_disk_full = full
        for store in self.stores:
            store.is_full = full

    @rule(process=st.integers(0, PROCESSES - 1))
    def restart(self, process: int) -> None:
        """A process ends in good order, and starts again."""
        self._run(self.refreshers[process].close())
        self._replace(process)

    @rule(process=st.integers(0, PROCESSES - 1))
    def crash(self, process: int) -> None:
        """A process dies between two steps, and starts again."""
        self._replace(process)

    @precondition(lambda self: not self.stores[0].is_full)
    @rule(process=st.integers(0, PROCESSES - 1), acted=st.booleans())
    def crash_in_a_refresh(self, process: int, acted: bool) -> None:
        """A process dies while its refresh is on the way."""
        self._run(self._die_waiting(process, acted=acted))
        self._replace(process)

    # -- what must hold --------------------------------------------------------------

    @invariant()
    def no_token_is_shown_in_vain(self) -> None:
        assert self.server.wrong == []

    @invariant()
    def one_refresh_a_generation(self) -> None:
        twice = {token for token, times in self.server.acted.items() if times > 1}
        # A server with a grace period was asked again after a lost answer.
        assert twice <= self.server.uncertain

    @invariant()
    def generations_only_grow(self) -> None:
        for process, refresher in enumerate(self.refreshers):
            generation = refresher.record.generation
            assert generation >= self.generations[process]
            self.generations[process] = generation

    @invariant()
    def status_tells_the_deadline(self) -> None:
        for refresher in self.refreshers:
            status, tokens = refresher.status(), refresher.record.tokens
            if tokens is not None and tokens.refresh_token in self.server.refused:
                known = refresher.status().refresh_due_at is None
                assert known == (status.login_needed_by == tokens.expires_at)
            if tokens is None:
                assert status.login_needed_by is None

    @invariant()
    def the_file_is_whole(self) -> None:
        if self._path.exists():
            assert self._path.stat().st_mode & 0o777 == 0o600
            assert not list(self._path.parent.glob("*damaged*"))

    # -- how -------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return self.folder / "state" / "tokens.json"

    def _come_to_the_end(self, process: int, before: float) -> None:
        tokens = self.refreshers[process].record.tokens
        if tokens is not None:
            self.clock.now = tokens.expires_at - before * min(tokens.lifetime, 60)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _start(self, store: Store) -> Refresher:
        refresher = Refresher(store, self.server, self.clock, jitter=random.Random(1))
        self._run(refresher.start(timer=False))
        return refresher

    def _replace(self, process: int) -> None:
        self.refreshers[process] = self._start(self.stores[process])
        # What was never saved dies with its process.
        self.generations[process] = self.refreshers[process].record.generation

    async def _calls(self, process: int, rejected: list[str | None]) -> None:
        await asyncio.gather(*(self._call(process, each) for each in rejected))
        await self.refreshers[process].settled()

    async def _at_both(self, first: int) -> None:
        before, is_quiet = len(self.server.presented), not self.server.plan
        processes = [first, *(p for p in range(PROCESSES) if p != first)]
        await asyncio.gather(*(self._calls(p, [None, None]) for p in processes))
        if is_quiet and not self.server.is_disk_full:
            assert len(self.server.presented) - before <= 1, "one would have done"

    async def _call(self, process: int, rejected: str | None) -> None:
        refresher, store = self.refreshers[process], self.stores[process]
        try:
            token = await refresher.access_token(rejected=rejected)
        except LoginRequiredError:
            tokens = refresher.record.tokens
            assert (
                tokens is None
                or tokens.access_token in self.rejected
                or self.clock() >= tokens.expires_at
            ), "a login is required, though the access token is good"
            return
        except ProxyError:
            return
        assert token in self.kept or store.is_full or refresher.status().last_error
        tokens = refresher.record.tokens
        assert tokens is not None
        assert token == tokens.access_token

    async def _sent(self, caller: "asyncio.Future[Any]", before: int) -> None:
        """Wait until what `caller` has begun is with the server, or ended before."""
        while not caller.done() and len(self.server.presented) == before:
            await asyncio.sleep(0.001)

    async def _leave(self, process: int) -> None:
        refresher, server = self.refreshers[process], self.server
        server.answer_gate, before = asyncio.Event(), len(server.presented)
        caller = asyncio.ensure_future(refresher.access_token())
        await self._sent(caller, before)
        caller.cancel()
        await asyncio.wait([caller])
        if not caller.cancelled():
            caller.exception()
        server.answer_gate.set()
        await refresher.settled()
        server.answer_gate = None

    async def _die_waiting(self, process: int, *, acted: bool) -> None:
        """Have a refresh begin, and cut it down as a kill would."""
        refresher, server = self.refreshers[process], self.server
        server.gate, before = asyncio.Event(), len(server.presented)
        caller = asyncio.ensure_future(refresher.refresh())
        await self._sent(caller, before)
        for token in server.presented[before:]:
            server.uncertain.add(token)
            if acted:
                server.exchange(token)
        for task in (refresher._under_way(), caller):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        server.gate = None
        if not caller.cancelled():
            caller.exception()


def settings_of(*, examples: int, short: bool) -> settings:
    """Return the settings of a run; a `short` one is the same each time.

    What it finds is told as it was found, as to make it simpler can take minutes.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,  # nothing is judged by time
        derandomize=short,
        phases=[each for each in Phase if not short or each is not Phase.shrink],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
