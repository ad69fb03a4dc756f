"""The login a person makes in two steps: ask for an SMS, hand in its validation code.

Both steps may run in different processes, and either may be repeated by a person; none
is by itself. What is counted (SMS, wrong codes) is saved before it can matter.
"""

import asyncio
import logging
import unicodedata
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from proxy.clock import Clock
from proxy.errors import (
    CLIENT_REFUSED,
    CooldownError,
    LoginError,
    ProxyError,
    StoreError,
    TokenRefusedError,
    UpstreamError,
    UpstreamUnreachableError,
)
from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone
from proxy.oauth.refresher import Refresher
from proxy.oauth.stores import Change
from proxy.oauth.stores.record import MAX_COOLDOWN, AccountRecord, LoginRecord
from proxy.redaction import MASK, redact_text

logger = logging.getLogger(__name__)

FIRST_COOLDOWN = 60
LONGEST_COOLDOWN = 3600
QUIET = 86_400
"""After a day without an SMS the cooldown begins small again."""

FREE_SENDS = 3
"""So many SMS in a row may go to one number after the other without a cooldown."""

WRONG_CODE = "invalid_grant"
"""The error of RFC 6749, section 5.2, for a password that is not right."""

MAX_ATTEMPTS = 5
MAX_CODE = 32

# Spaces, dashes and invisible marks that come along when a code is copied.
_DECORATION = frozenset({"Zs", "Zl", "Zp", "Pd", "Cc", "Cf"})


class LoginEndpoints(Protocol):
    """The two calls that a login needs."""

    async def send_validation_code(self, phone: Phone) -> None:
        """Have an SMS with a validation code sent to `phone`, once."""

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        """Exchange a validation code for a token pair."""


class Login:
    """Logs in the account that `refresher` keeps."""

    def __init__(
        self, endpoints: LoginEndpoints, refresher: Refresher, clock: Clock
    ) -> None:
        self._endpoints = endpoints
        self._refresher = refresher
        self._clock = clock
        self._submitting = asyncio.Lock()

    async def request_code(self, phone: Phone) -> None:
        """Have an SMS sent to `phone`; never more than one by one call.

        Raises:
            CooldownError: the SMS before is too recent; see its `retry_after`.
            LoginError: the upstream refuses the number.
            StoreError: nothing was sent, as it could not be counted.
            UpstreamError: it was not sent, or that is unknown.
        """
        # In a task of its own, as a caller that goes away must not leave an SMS
        # uncounted, or a count without an SMS.
        work = self._request_code(phone)
        await self._refresher.see_through(work, name="validation code")

    async def submit_code(
        self, validation_code: str, phone: Phone | None = None
    ) -> None:
        """Log in with the code from the SMS.

        Args:
            validation_code: what the person read and typed.
            phone: whose code it is; None for the one asked for last, perhaps by
                another process.

        Raises:
            LoginError: the code is wrong; its text says what to do next, and its
                value is "attempts" when no more codes may be tried.
            CooldownError: too many were wrong; a new SMS is needed.
            TokenRefusedError: it was refused for another reason than the code.
            StoreError: the login works, but is not saved.
            UpstreamError: there is no usable answer.
        """
        code = _read_code(validation_code)
        await self._refresher.see_through(self._submit_code(code, phone), name="login")

    async def _request_code(self, phone: Phone) -> None:
        before = counted = LoginRecord()

        def count(record: AccountRecord) -> AccountRecord:
            nonlocal before, counted
            before = record.login
            counted = _counted(before, phone, self._clock())
            return replace(record, login=counted)

        def take_back(record: AccountRecord) -> AccountRecord:
            login = record.login
            if login == counted:
                return replace(record, login=before)
            # Another number's code was asked for meanwhile: its count stays.
            return replace(record, login=replace(login, sends=max(0, login.sends - 1)))

        # Counted before it is sent, and in one step of the store: a crash, a second
        # click or a second process cannot have it sent twice.
        try:
            await self._refresher.update(count)
        except StoreError:
            with suppress(StoreError):  # out of memory too, as nothing is sent
                await self._refresher.update(take_back)
            raise
        await self._send_code(phone, take_back)

    async def _send_code(self, phone: Phone, take_back: Change) -> None:
        try:
            await self._endpoints.send_validation_code(phone)
        except CooldownError as exc:
            exc.retry_after = await self._prolong(phone, exc.retry_after or 0)
            raise
        except (LoginError, UpstreamUnreachableError) as exc:
            if isinstance(exc, UpstreamError):
                _warn("no validation code was sent", exc, phone)
            # Surely no SMS went out, so a mistyped number can be mended at once.
            await self._refresher.update(take_back)
            raise
        except UpstreamError as exc:
            _warn("whether a validation code was sent is unknown", exc, phone)
            raise
        logger.info("a validation code was sent to %s", phone.masked)

    async def _prolong(self, phone: Phone, seconds: int) -> int:
        """Note that the upstream wants `seconds` of quiet; return those to wait."""
        until = self._clock() + min(seconds, MAX_COOLDOWN)

        def change(record: AccountRecord) -> AccountRecord:
            if record.login.phone != phone:
                return record  # another number's code was asked for meanwhile
            login = replace(
                record.login,
                code_sent_at=None,
                cooldown_until=max(record.login.cooldown_until, until),
            )
            return replace(record, login=login)

        record = await self._refresher.update(change)
        return record.login.cooldown_left(self._clock())

    async def _submit_code(self, code: str, phone: Phone | None) -> None:
        async with self._submitting:  # so that no attempt goes uncounted
            await self._refresher.reload()
            login = self._refresher.record.login
            phone = phone or login.phone
            if phone is None:
                raise LoginError("whose code is it? ask for one first", value="phone")
            if login.attempts >= MAX_ATTEMPTS:
                left = login.cooldown_left(self._clock())
                raise CooldownError(
                    f"too many wrong codes; {_new_code(left)}",
                    value="attempts",
                    retry_after=left or None,
                )
            try:
                pair = await self._endpoints.password(phone, code)
            except TokenRefusedError as exc:
                if exc.value == CLIENT_REFUSED:
                    _warn("the login failed", exc, phone)
                    raise
                raise await self._wrong_code(exc, phone) from exc
            except UpstreamError as exc:
                _warn("the login failed", exc, phone)
                raise
            await self._refresher.adopt(pair, phone)
        logger.info("logged in as %s", phone.masked)
        if pair.refresh_token is None:
            logger.warning("this login cannot be refreshed; it ends with its token")

    async def _wrong_code(self, exc: TokenRefusedError, phone: Phone) -> LoginError:
        """Count a wrong code; return the error that says so."""

        def change(record: AccountRecord) -> AccountRecord:
            attempts = record.login.attempts + 1
            return replace(record, login=replace(record.login, attempts=attempts))

        record = await self._refresher.update(change)
        left = max(0, MAX_ATTEMPTS - record.login.attempts)
        logger.info("wrong validation code for %s (%d left)", phone.masked, left)
        logger.debug("wrong validation code: %s", redact_text(exc.description))
        told = "the validation code was not accepted"
        if not left:
            seconds = record.login.cooldown_left(self._clock())
            return LoginError(f"{told}; {_new_code(seconds)}", value="attempts")
        told = f"{told}; try again ({left} left)"
        if exc.error != WRONG_CODE:  # what else it may be, only the server knows
            told = f"{told}: {exc.description}"
        return LoginError(told, value="validation_code")


def _read_code(typed: str) -> str:
    """Return the validation code in what a person typed or pasted."""
    code = "".join(
        char for char in typed if unicodedata.category(char) not in _DECORATION
    )
    if not code or len(code) > MAX_CODE or not code.isprintable():
        raise LoginError(
            "type the validation code from the SMS, such as 7654",
            value="validation_code",
        )
    return code


def _new_code(seconds: int) -> str:
    return "ask for a new one" + (f", possible in {seconds} s" if seconds else "")


def _warn(what: str, error: ProxyError, phone: Phone) -> None:
    # A server may repeat in its answer what it was asked.
    told = error.description.replace(phone.number, MASK).replace(phone.display, MASK)
    logger.warning("%s (%s): %s", what, phone.masked, told)


def _counted(login: LoginRecord, phone: Phone, now: float) -> LoginRecord:
    """Return `login` with one more SMS, or raise `CooldownError`."""
    # A mistyped number must not lock out the right one. After a logout the number is
    # not known any more; it may have been this one.
    mended = login.phone not in {None, phone} and login.sends < FREE_SENDS
    left = login.cooldown_left(now)
    if left and not mended:
        raise CooldownError(
            f"a code was asked for a moment ago; the next one can be in {left} s",
            retry_after=left,
        )
    quiet = login.cooldown_until and now - login.cooldown_until > QUIET
    sends = 0 if quiet else login.sends
    # The exponent is bounded, as 2.0**1024 overflows.
    cooldown = min(LONGEST_COOLDOWN, FIRST_COOLDOWN * 2 ** min(sends, 10))
    return LoginRecord(
        phone=phone,
        code_sent_at=now,
        sends=sends + 1,
        cooldown_until=now + cooldown,
    )
