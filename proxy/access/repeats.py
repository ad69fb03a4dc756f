"""Paid calls: the same one twice within a short time is sent only if that is meant.

A double click, or the retry of a program that did not wait for the answer, would cost
the patient money a second time. What counts is whether the first call may have been
carried out; where nobody knows, it may.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from proxy.access.patterns import Rule, spellings
from proxy.config import CallRule
from proxy.errors import AccessDeniedError, RepeatedCallError

ALLOW_REPEAT = b"x-proxy-allow-repeat"
"""The field that a caller sends, with the value 1, to repeat a paid call on purpose."""

_USUAL = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

_REMEMBERED = 1024
_PATHS = 256
_LONG_PATH = 1024

# The upstream waited in vain for the request: what it made of its beginning, only it
# knows. All other 4xx say that it did nothing.
_REQUEST_TIMEOUT = 408


@dataclass(slots=True)
class _Call:
    """A call that was begun; `ended` is when one that may have cost something was."""

    sent: float
    under_way: int = 0
    ended: float | None = None


class PaidCalls:
    """Remembers the calls that `rules` name, for `window` seconds after their end."""

    def __init__(
        self,
        rules: Iterable[CallRule],
        window: float,
        clock: Callable[[], float],
    ) -> None:
        self._rules = [Rule.of(rule) for rule in rules] if window > 0 else []
        self._methods = frozenset(rule.method for rule in self._rules)
        self._never = frozenset() if "*" in self._methods else _USUAL - self._methods
        self._window = window
        self._clock = clock
        self._calls: dict[bytes, _Call] = {}
        self._known_path = lru_cache(maxsize=_PATHS)(self._paid_path)

    def concerns(self, method: str, raw_target: str) -> bool:
        """Whether it is a paid call, for which all of its content is to be read."""
        # Nearly no call is one, and most are told by their method.
        if method in self._never:
            return False
        method = method.upper()
        if method not in self._methods and "*" not in self._methods:
            return False
        return self._spelling(method, raw_target.partition("?")[0]) is not None

    def key(
        self, method: str, raw_target: str, content: bytes | None, caller: str | None
    ) -> bytes | None:
        """Return what two submissions of the same call have in common.

        None is for what is not a paid call, and for `content` of None, which is too
        long to be compared.
        """
        if content is None or not self.concerns(method, raw_target):
            return None
        method = method.upper()
        raw_path, _, query = raw_target.partition("?")
        digest = hashlib.blake2b(digest_size=16)
        for part in (
            method,
            self._spelling(method, raw_path) or "",
            query.partition("#")[0],
            caller or "",
        ):
            encoded = part.encode("utf-8", "surrogateescape")
            digest.update(b"%d:%b" % (len(encoded), encoded))
        digest.update(content)
        return digest.digest()

    def begin(self, key: bytes | None, *, repeat: bool = False) -> "Submission":
        """Note that the call with `key` is about to be sent; to be settled later.

        `repeat` says that the caller means it, see `means_it`.

        Raises:
            RepeatedCallError: it was sent before, and that may have cost something.
        """
        if key is None:
            return Submission(self, None)
        now = self._clock()
        call = self._calls.get(key)
        if call is None or self._is_over(call, now):
            self._make_room(now)
            call = _Call(now)
        elif not repeat:
            raise _refusal(call, now, self._window)
        call.sent = now
        call.under_way += 1
        # The last to be begun is the last to be forgotten.
        self._calls.pop(key, None)
        self._calls[key] = call
        return Submission(self, key, call)

    def _settle(self, key: bytes, call: _Call, *, counts: bool) -> None:
        call.under_way -= 1
        if counts:
            call.ended = self._clock()
        elif not call.under_way and call.ended is None and self._calls.get(key) is call:
            del self._calls[key]

    def _is_over(self, call: _Call, now: float) -> bool:
        if call.under_way or call.ended is None:
            return False
        return now - call.ended >= self._window

    def _make_room(self, now: float) -> None:
        if len(self._calls) < _REMEMBERED:
            return
        for key in [
            key for key, call in self._calls.items() if self._is_over(call, now)
        ]:
            del self._calls[key]
        while len(self._calls) >= _REMEMBERED:
            del self._calls[next(iter(self._calls))]

    def _spelling(self, method: str, raw_path: str) -> str | None:
        # Long ones would take memory, and nobody sends them often.
        judge = self._known_path if len(raw_path) < _LONG_PATH else self._paid_path
        return judge(method, raw_path)

    def _paid_path(self, method: str, raw_path: str) -> str | None:
        """Return the spelling of a path in which it is a paid one, if there is any."""
        try:
            paths = spellings(raw_path)
        except AccessDeniedError:
            return None  # no upstream decodes a path so often
        for rule in self._rules:
            for path in paths:
                if rule.matches(method, path):
                    return path
        return None


class Submission:
    """One paid call on its way, or a call that is none, for which nothing is noted."""

    __slots__ = ("_call", "_calls", "_key")

    def __init__(
        self, calls: PaidCalls, key: bytes | None, call: _Call | None = None
    ) -> None:
        self._calls = calls
        self._key = key
        self._call = call

    def settle(self, *, sent: bool, status: int | None) -> None:
        """Say how it ended; a second time says nothing.

        `sent` is whether a byte of it may have gone out to the upstream, `status` that
        of the upstream's answer, None where none came.
        """
        call, self._call = self._call, None
        if call is None or self._key is None:
            return
        self._calls._settle(  # noqa: SLF001  of the same module
            self._key, call, counts=may_have_cost(sent=sent, status=status)
        )


def may_have_cost(*, sent: bool, status: int | None) -> bool:
    """Say whether a call may have been carried out.

    A 4xx is a definite refusal. A 5xx is none: the upstream may have failed after it
    had begun.
    """
    if not sent:
        return False
    return status is None or status == _REQUEST_TIMEOUT or not 400 <= status < 500


def means_it(field: bytes | None) -> bool:
    """Say whether the value of X-Proxy-Allow-Repeat asks for a repetition."""
    return field is not None and field.strip() == b"1"


def _refusal(call: _Call, now: float, window: float) -> RepeatedCallError:
    # No Retry-After: a program that obeys it would pay a second time, only later.
    ago = round(now - call.sent)
    since = f"was sent {f'{ago} seconds' if ago > 1 else 'a moment'} ago"
    if call.under_way:
        since = f"{since} and is still under way"
    return RepeatedCallError(
        f"This call costs money, and the same one {since}, so it was not sent again; "
        "to repeat it on purpose, send X-Proxy-Allow-Repeat: 1 with it "
        f"(forward.paid_window is {window:g} s)."
    )
