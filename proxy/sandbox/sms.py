"""Validation codes and the SMS that would carry them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from proxy.sandbox.records import Ring
from proxy.sandbox.switches import Switches

SMS_WINDOW = 3600.0
_SENT_KEPT = 10_000


class Sms(NamedTuple):
    """A sent message: the phone as `username` writes it, and the validation code."""

    phone: str
    code: str


class SmsLimitError(Exception):
    """This phone has been sent as many SMS as it may be."""


@dataclass(slots=True)
class _Pending:
    code: str
    sent_at: float
    wrong: int = 0


@dataclass(slots=True)
class SmsCentre:
    """Sends validation codes and checks them; a code works once."""

    seed: int
    switches: Switches
    clock: Callable[[], float]
    announce: Callable[[str], None]
    sent: Ring[Sms] = field(default_factory=lambda: Ring(_SENT_KEPT))
    _count: int = 0
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _times: dict[str, list[float]] = field(default_factory=dict)

    def send(self, country_code: str, number: str) -> None:
        """Send a fresh code, which replaces the one before it."""
        phone = country_code + number
        now = self.clock()
        times = [at for at in self._times.get(phone, []) if at > now - SMS_WINDOW]
        limit = self.switches.sms_limit
        if limit is not None and len(times) >= limit:
            raise SmsLimitError(phone)
        self._times[phone] = [*times, now]
        self._count += 1
        source = random.Random(f"{self.seed}:{phone}:{self._count}")  # noqa: S311
        code = f"{source.randrange(10_000):04d}"
        self._pending[phone] = _Pending(code, now)
        self.sent.append(Sms(phone, code))
        self.announce(f"SMS to {spoken_phone(country_code, number)}: {code}")

    def redeem(self, phone: str, code: str) -> bool:
        """Return whether `code` is the one that was sent, and use it up."""
        pending = self._pending.get(phone)
        if pending is None or self.clock() > pending.sent_at + self._lifetime:
            return False
        limit = self.switches.wrong_code_attempt_limit
        if limit is not None and pending.wrong >= limit:
            return False
        if code != pending.code:
            pending.wrong += 1
            return False
        del self._pending[phone]
        return True

    def reset(self) -> None:
        """Forget every message and code."""
        self._count = 0
        self.sent.clear()
        self._pending.clear()
        self._times.clear()

    @property
    def _lifetime(self) -> float:
        return self.switches.code_lifetime


def spoken_phone(country_code: str, number: str) -> str:
    """Return a phone number as people write it: +7 916 123-45-67."""
    if len(number) == 10:
        return f"+{country_code} {number[:3]} {number[3:6]}-{number[6:8]}-{number[8:]}"
    return f"+{country_code} {number}"
