"""What may be told about a login: no secret, and the phone number masked."""

from dataclasses import dataclass
from typing import Literal

State = Literal["logged_out", "code_sent", "active", "login_required"]


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """The state of one account; instants are seconds since the epoch."""

    state: State
    phone: str | None
    """Masked: who is logged in, or where the validation code went."""
    code_sent: bool
    """A validation code is awaited; may be true beside `active` too."""
    retry_after: int
    """Seconds until the next SMS may be asked for."""
    expires_at: float | None
    expires_in: int | None
    refresh_due_at: float | None
    """None if nothing can be refreshed."""
    login_needed_by: float | None
    """When calls will fail unless someone logs in; None while refreshes work."""
    last_refresh: float | None
    last_error: str | None
    store: str
    """Where the tokens are kept."""
    clock_skew: float | None = None
    """How many seconds the authorization server's clock is ahead of ours."""
