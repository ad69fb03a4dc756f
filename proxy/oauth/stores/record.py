"""What a token store keeps for one account, and its form in JSON.

The form is shared by all stores. Members that this version does not know are kept, so
that an older program beside a newer one loses nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone

DEFAULT_ACCOUNT = "default"

MOVED = "the login was moved to "
"""How the news of a move begins, in the record that stays behind."""

MAX_COOLDOWN = 86_400
"""No cooldown between two SMS is longer, in seconds."""


@dataclass(frozen=True, slots=True)
class LoginRecord:
    """A login under way, and the SMS budget, which outlives it."""

    phone: Phone | None = None
    """Where the latest validation code went."""
    code_sent_at: float | None = None
    sends: int = 0
    """SMS since the last login: the more, the longer the cooldown."""
    attempts: int = 0
    """Wrong codes since the latest SMS."""
    cooldown_until: float = 0.0

    def cooldown_left(self, now: float) -> int:
        """Return the whole seconds until the next SMS may be asked for."""
        left = math.ceil(self.cooldown_until - now)
        # More than the longest cooldown: the clock was set back in between.
        return left if 0 < left <= MAX_COOLDOWN else 0


@dataclass(frozen=True, slots=True)
class RefreshStart:
    """A refresh that was about to be sent, and whose outcome is not known yet."""

    at: float
    """When it was first tried."""
    generation: int = 0
    """That of the pair that it was to replace."""
    token: str = ""
    """Fingerprint of the refresh token; empty as older versions wrote it."""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """All that is kept for one account; empty for one that is not known yet."""

    tokens: TokenPair | None = None
    previous: TokenPair | None = None
    phone: Phone | None = None
    """Who is logged in."""
    issuer: str | None = None
    """The origins that the tokens are for, and may be sent to: API, then
    authorization server. None: not known, as an older version wrote it."""
    generation: int = 0
    """The latest one given out; greater than that of `tokens` after a logout."""
    refused: tuple[str, ...] = ()
    """Fingerprints of refresh tokens that the server refused: never sent again."""
    refresh_started: RefreshStart | None = None
    """Open from before a refresh is sent until its answer is saved."""
    last_refresh: float | None = None
    last_error: str | None = None
    login: LoginRecord = field(default_factory=LoginRecord)

    @property
    def moved(self) -> str | None:
        """The news that the login is in another store now, if `store move` left it."""
        told = self.last_error or ""
        return told if told.startswith(MOVED) else None


class RecordError(ValueError):
    """A stored record is not of the form that `encode` writes."""


def encode(
    record: AccountRecord, onto: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return `record` as JSON members, written over those of `onto`."""
    login = record.login
    return {
        **(onto or {}),
        "tokens": _encode_pair(record.tokens),
        "previous": _encode_pair(record.previous),
        "phone": _encode_phone(record.phone),
        "issuer": record.issuer,
        "generation": record.generation,
        "refused": list(record.refused),
        "refresh_started": _encode_start(record.refresh_started),
        "last_refresh": record.last_refresh,
        "last_error": record.last_error,
        "login": {
            "phone": _encode_phone(login.phone),
            "code_sent_at": login.code_sent_at,
            "sends": login.sends,
            "attempts": login.attempts,
            "cooldown_until": login.cooldown_until,
        },
    }


def decode(raw: object) -> AccountRecord:
    """Return the record that `raw` holds.

    Raises:
        RecordError: it is not of the form that `encode` writes.
    """
    members = _members(raw)
    login = _members(members.get("login") or {})
    return AccountRecord(
        tokens=_decode_pair(members.get("tokens")),
        previous=_decode_pair(members.get("previous")),
        phone=_decode_phone(members.get("phone")),
        issuer=_optional_text(members, "issuer"),
        generation=_integer(members, "generation"),
        refused=_texts(members.get("refused") or []),
        refresh_started=_decode_start(members),
        last_refresh=_optional_instant(members, "last_refresh"),
        last_error=_optional_text(members, "last_error"),
        login=LoginRecord(
            phone=_decode_phone(login.get("phone")),
            code_sent_at=_optional_instant(login, "code_sent_at"),
            sends=_integer(login, "sends"),
            attempts=_integer(login, "attempts"),
            cooldown_until=_optional_instant(login, "cooldown_until") or 0.0,
        ),
    )


def _encode_pair(pair: TokenPair | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "issued_at": pair.issued_at,
        "expires_at": pair.expires_at,
        "generation": pair.generation,
    }


def _decode_pair(raw: object) -> TokenPair | None:
    if raw is None:
        return None
    members = _members(raw)
    access_token = _optional_text(members, "access_token")
    if not access_token:
        raise RecordError("access_token is missing")
    return TokenPair(
        access_token=access_token,
        refresh_token=_optional_text(members, "refresh_token"),
        issued_at=_instant(members, "issued_at"),
        expires_at=_instant(members, "expires_at"),
        generation=_integer(members, "generation"),
    )


def _encode_start(start: RefreshStart | None) -> dict[str, Any] | None:
    if start is None:
        return None
    return {
        "at": start.at,
        "generation": start.generation,
        "token": start.token,
        "tries": start.tries,
    }


def _decode_start(members: Mapping[str, Any]) -> RefreshStart | None:
    raw = members.get("refresh_started")
    if not isinstance(raw, dict):
        at = _optional_instant(members, "refresh_started")  # as older versions have it
        return None if at is None else RefreshStart(at)
    return RefreshStart(
        at=_instant(raw, "at"),
        generation=_integer(raw, "generation"),
        token=_optional_text(raw, "token") or "",
        tries=_integer(raw, "tries"),
    )


def _encode_phone(phone: Phone | None) -> dict[str, str] | None:
    if phone is None:
        return None
    return {"code": phone.country_code, "number": phone.number}


def _decode_phone(raw: object) -> Phone | None:
    if raw is None:
        return None
    members = _members(raw)
    code, number = _optional_text(members, "code"), _optional_text(members, "number")
    if not code or not number:
        raise RecordError("phone is not in two parts")
    return Phone(code, number)


# The errors name members, never values: a value may be a token.


def _members(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise RecordError("an object was expected")
    return raw


def _optional_text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise RecordError(f"{name} is not a text")
    return value


def _optional_instant(members: Mapping[str, Any], name: str) -> float | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RecordError(f"{name} is not an instant")
    return float(value)


def _instant(members: Mapping[str, Any], name: str) -> float:
    value = _optional_instant(members, name)
    if value is None:
        raise RecordError(f"{name} is missing")
    return value


def _integer(members: Mapping[str, Any], name: str) -> int:
    value = members.get(name, 0)
    if not isinstance(value, int):
        raise RecordError(f"{name} is not a whole number")
    return value


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise RecordError("a list of texts was expected")
    return tuple(raw)
