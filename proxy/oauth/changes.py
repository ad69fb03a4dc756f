"""What becomes of an account's record at each event: pure functions.

Of two records the one with the greater generation is right, wherever it comes from:
another process, a login in the middle of a refresh, a save that is still to succeed.
"""

from dataclasses import replace

from proxy.oauth.messages import TokenPair, fingerprint
from proxy.oauth.phone import Phone
from proxy.oauth.stores.record import AccountRecord, LoginRecord, RefreshStart

REFUSED_KEPT = 8


def newer(stored: AccountRecord, mine: AccountRecord) -> AccountRecord:
    """Return the record with the greater generation; what is stored, if equal.

    The login under way always comes from the store, which all processes share, and
    a refusal, once known, is never forgotten.
    """
    right = mine if mine.generation > stored.generation else stored
    refused = tuple(dict.fromkeys((*stored.refused, *mine.refused)))
    return replace(right, login=stored.login, refused=refused[-REFUSED_KEPT:])


def is_foreign(record: AccountRecord, issuer: str | None) -> bool:
    """Say whether the tokens in `record` are for others than `issuer`.

    They must not be sent to it then: each side could use the other's.
    """
    known = record.tokens is not None and record.issuer is not None
    return known and issuer is not None and record.issuer != issuer


def logged_in(
    record: AccountRecord,
    pair: TokenPair,
    phone: Phone,
    now: float,
    issuer: str | None = None,
) -> AccountRecord:
    """Return `record` after a login at `issuer`: its SMS budget is whole again."""
    generation = _next(record, now)
    return AccountRecord(
        tokens=replace(pair, generation=generation),
        previous=None if is_foreign(record, issuer) else record.tokens,
        phone=phone,
        issuer=issuer,
        generation=generation,
        refused=record.refused,
    )


def logged_out(record: AccountRecord, now: float) -> AccountRecord:
    """Return `record` without its tokens, also those of the generation before.

    The SMS budget stays: logging out must not be a way around it.
    """
    if record.tokens is None and record.previous is None:
        return record
    login = record.login
    return AccountRecord(
        generation=_next(record, now),
        refused=record.refused,
        login=LoginRecord(sends=login.sends, cooldown_until=login.cooldown_until),
    )


def refresh_started(
    record: AccountRecord, pair: TokenPair, now: float
) -> AccountRecord:
    """Return `record` as it is while `pair` may or may not be spent.

    Of several tries with the same refresh token the first instant is kept.
    """
    token = fingerprint(pair.refresh_token or "")
    before = record.refresh_started
    if before is not None and before.token == token:
        start = replace(before, tries=before.tries + 1)
    else:
        start = RefreshStart(now, pair.generation, token)
    return replace(record, refresh_started=start)


def is_uncertain(record: AccountRecord) -> bool:
    """Say whether the refresh token in `record` may have been spent unseen.

    That is so from before a refresh is sent until its answer is saved, and stays so
    when the answer was lost, or the process that waited for it.
    """
    start, pair = record.refresh_started, record.tokens
    if start is None or pair is None or pair.refresh_token is None:
        return False
    return start.token in ("", fingerprint(pair.refresh_token))


def refreshed(
    record: AccountRecord,
    pair: TokenPair,
    fresh: TokenPair,
    now: float,
    issuer: str | None = None,
) -> AccountRecord:
    """Return `record` after `pair` was exchanged for `fresh` at `issuer`."""
    if record.generation > pair.generation:
        return record  # a login or a logout got ahead while the call ran
    generation = pair.generation + 1
    # An answer without a refresh token leaves the old one valid (RFC 6749, section 6).
    refresh_token = fresh.refresh_token or pair.refresh_token
    return replace(
        record,
        tokens=replace(fresh, generation=generation, refresh_token=refresh_token),
        previous=pair,
        issuer=record.issuer or issuer,
        generation=generation,
        refresh_started=None,
        last_refresh=now,
        last_error=None,
    )


def refused(record: AccountRecord, refresh_token: str, told: str) -> AccountRecord:
    """Return `record` after the server refused `refresh_token`, and `told` why."""
    known = (*record.refused, fingerprint(refresh_token))
    return replace(
        record,
        refresh_started=None,
        refused=known[-REFUSED_KEPT:],
        last_error=told,
    )


def _next(record: AccountRecord, now: float) -> int:
    # Counted from the clock, so that a store that was lost and begun anew is still
    # ahead of what any process remembers.
    return max(record.generation + 1, int(now))
