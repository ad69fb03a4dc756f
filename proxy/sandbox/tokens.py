"""The token pairs that the authorization server has issued. No I/O."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.sandbox.switches import Switches

_TOKEN_BYTES = 96  # Katana's tokens are long: protected tickets, base64url


class RefreshRefusedError(Exception):
    """The refresh token is unknown, spent, killed or too old."""

    def __init__(self, phone: str = "", generation: int = 0) -> None:
        super().__init__("refresh token refused")
        self.phone = phone
        self.generation = generation


@dataclass(slots=True)
class Issued:
    """One token pair; `generation` counts the pairs of this phone from 1."""

    phone: str
    generation: int
    issued_at: float
    lifetime: float
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    access_revoked: bool = False
    refresh_dead: bool = False
    spent_at: float | None = None

    def has_ended(self, now: float) -> bool:
        """Return whether the access token's lifetime is over."""
        return now >= self.issued_at + self.lifetime


@dataclass(slots=True)
class TokenBook:
    """Issues pairs, and says which of their tokens are good now."""

    switches: Switches
    clock: Callable[[], float]
    spent_presented: int = 0
    _by_access: dict[str, Issued] = field(default_factory=dict, repr=False)
    _by_refresh: dict[str, Issued] = field(default_factory=dict, repr=False)
    _generations: dict[str, int] = field(default_factory=dict)

    def login(self, phone: str) -> Issued:
        """Issue a first pair to `phone`."""
        if self.switches.one_per_phone:
            self.revoke_refresh(phone)
        return self._issue(phone, with_refresh=True)

    def refresh(self, refresh_token: str) -> Issued:
        """Issue the pair that follows the one `refresh_token` came with.

        Raises:
            RefreshRefusedError: It is not good, or no longer.
        """
        pair = self._by_refresh.get(refresh_token)
        if pair is None:
            raise RefreshRefusedError
        if pair.spent_at is not None:
            self.spent_presented += 1
        if not self._can_refresh(pair):
            # RFC 9700, section 4.14.2: shown twice, one of the two was stolen.
            if pair.spent_at is not None and self.switches.reuse_kills:
                self.revoke_refresh(pair.phone)
            raise RefreshRefusedError(pair.phone, pair.generation)
        issued = self._issue(pair.phone, with_refresh=self.switches.rotate_refresh)
        if issued.refresh_token is None:
            # A refresh token that no new one replaces stays good (RFC 6749, section
            # 6), from now on as a part of the new pair.
            issued.spent_at = pair.spent_at
            self._by_refresh[refresh_token] = issued
        elif self.switches.single_use and pair.spent_at is None:
            pair.spent_at = self.clock()
        return issued

    def holder(self, access_token: str) -> str | None:
        """Return the phone whose `access_token` is good now, or None."""
        pair = self._by_access.get(access_token)
        if pair is None or pair.access_revoked:
            return None
        if self.switches.access_lifetime_enforced and pair.has_ended(self.clock()):
            return None
        return pair.phone

    def revoke_access(self, phone: str | None = None) -> int:
        """End every access token (of `phone`) early; refresh tokens stay."""
        pairs = [p for p in self._by_access.values() if phone in (None, p.phone)]
        for pair in pairs:
            pair.access_revoked = True
        return len(pairs)

    def revoke_refresh(self, phone: str | None = None) -> int:
        """Kill every refresh token (of `phone`); access tokens stay."""
        pairs = [p for p in self._by_refresh.values() if phone in (None, p.phone)]
        for pair in pairs:
            pair.refresh_dead = True
        return len(pairs)

    def reset(self) -> None:
        """Forget every pair."""
        self._by_access.clear()
        self._by_refresh.clear()
        self._generations.clear()
        self.spent_presented = 0

    def _can_refresh(self, pair: Issued) -> bool:
        now = self.clock()
        if pair.refresh_dead:
            return False
        if self.switches.refresh_dies_with_access and pair.has_ended(now):
            return False
        if pair.spent_at is None:
            return True
        return now < pair.spent_at + self.switches.grace_seconds

    def _issue(self, phone: str, *, with_refresh: bool) -> Issued:
        if self.switches.old_access_dies:
            self.revoke_access(phone)
        self._generations[phone] = self._generations.get(phone, 0) + 1
        with_refresh = with_refresh and not self.switches.omit_refresh_token
        pair = Issued(
            phone=phone,
            generation=self._generations[phone],
            issued_at=self.clock(),
            lifetime=self.switches.lifetime,
            access_token=secrets.token_urlsafe(_TOKEN_BYTES),
            refresh_token=secrets.token_hex(16) if with_refresh else None,
        )
        self._by_access[pair.access_token] = pair
        if pair.refresh_token is not None:
            self._by_refresh[pair.refresh_token] = pair
        return pair
