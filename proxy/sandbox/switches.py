"""The switches: how the fake servers behave, changeable while they run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

DropAfterCommit = Literal["reset", "timeout", "truncated", "empty", "html502"]
TokenFault = Literal["reset", "timeout", "html500", "html502", "maintenance"]
ApiFault = Literal[
    "html500", "json500", "maintenance", "slow", "reset", "timeout", "truncated"
]
RejectWith = Literal["401", "403"]
GrantType = Literal["password", "refresh_token"]

FOURTEEN_DAYS_LESS_A_SECOND = 1209599.0

# Switches with a count beside them: after so many times the switch is off again.
COUNTED = {
    "drop_after_commit": "drop_count",
    "token_fault": "token_fault_count",
    "api_fault": "api_fault_count",
    "sms_fault": "sms_fault_count",
}


class SwitchError(ValueError):
    """A switch that does not exist, or a value it cannot take; says what is allowed."""


def _switch(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(slots=True)
class Switches:
    """What the authorization server, the API and the SMS service do.

    The defaults are what the real servers most likely do.
    """

    # -- tokens
    lifetime: float = _switch(
        FOURTEEN_DAYS_LESS_A_SECOND, "seconds an access token lives"
    )
    access_lifetime_enforced: bool = _switch(
        True, "the API refuses an access token after its lifetime"
    )
    rotate_refresh: bool = _switch(True, "a refresh answers with a new refresh token")
    single_use: bool = _switch(True, "a refresh token that was used is dead at once")
    grace_seconds: float = _switch(
        0.0, "a spent refresh token is taken again for so long"
    )
    one_per_phone: bool = _switch(
        True, "a new login kills the refresh tokens of older ones"
    )
    reuse_kills: bool = _switch(
        False, "a spent refresh token that is shown again kills the live one too"
    )
    refresh_dies_with_access: bool = _switch(
        False, "a refresh token is dead once its access token has ended"
    )
    old_access_dies: bool = _switch(
        False, "a refresh or a new login ends the access tokens before it"
    )
    require_client_id: bool = _switch(True, "client_id must be sent to /token")
    client_error: str = _switch(
        "invalid_clientId", "the error code for a missing or unknown client_id"
    )
    reject_with: RejectWith = _switch("401", "how the API refuses an access token")

    # -- the answer of /token
    expires_in_as_string: bool = _switch(False, "expires_in is a string of digits")
    omit_refresh_token: bool = _switch(False, "no answer carries a refresh token")
    extra_members: bool = _switch(False, "the answer carries unknown members")
    error_without_description: bool = _switch(
        False, "OAuth errors have no error_description"
    )

    # -- validation codes
    sms_limit: int | None = _switch(None, "SMS a phone can be sent in an hour")
    wrong_code_attempt_limit: int | None = _switch(
        None, "wrong codes after which the right one is refused too"
    )
    code_lifetime: float = _switch(300.0, "seconds a validation code can be used")

    # -- faults; without a count they stay until switched off
    drop_after_commit: DropAfterCommit | None = _switch(
        None, "/token does its work, but the answer is lost in this way"
    )
    drop_count: int | None = _switch(None, "how many times drop_after_commit happens")
    drop_only: GrantType | None = _switch(
        None, "the one grant_type that drop_after_commit and token_fault touch"
    )
    token_fault: TokenFault | None = _switch(
        None, "/token fails in this way before it has done anything"
    )
    token_fault_count: int | None = _switch(None, "how many times token_fault happens")
    delay: float = _switch(0.0, "seconds by which every answer of /token is late")
    api_fault: ApiFault | None = _switch(None, "every other API call fails in this way")
    api_fault_count: int | None = _switch(None, "how many times api_fault happens")
    slow_seconds: float = _switch(3.0, "how late the fault slow makes an answer")
    sms_fault: ApiFault | None = _switch(
        None, "the call for a validation code fails in this way"
    )
    sms_fault_count: int | None = _switch(None, "how many times sms_fault happens")
    api_delay: float = _switch(0.0, "seconds by which every answer of the API is late")

    def set(self, changes: Mapping[str, object]) -> None:
        """Apply all of `changes`, or none of them and raise `SwitchError`."""
        checked = {name: _checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return every switch and its value."""
        return {switch.name: getattr(self, switch.name) for switch in fields(self)}

    def restore(self, other: "Switches") -> None:
        """Take over every value of `other`."""
        self.set(other.as_dict())

    def take(self, name: str) -> str | None:
        """Return what the fault switch `name` asks for now, and count it."""
        fault: str | None = getattr(self, name)
        left: int | None = getattr(self, COUNTED[name])
        if fault is None or left is None:
            return fault
        left -= 1
        if left <= 0:
            setattr(self, name, None)
            setattr(self, COUNTED[name], None)
        else:
            setattr(self, COUNTED[name], left)
        return fault if left >= 0 else None


CHOICES: dict[str, tuple[str, ...]] = {
    "drop_after_commit": get_args(DropAfterCommit),
    "token_fault": get_args(TokenFault),
    "api_fault": get_args(ApiFault),
    "sms_fault": get_args(ApiFault),
    "reject_with": get_args(RejectWith),
    "drop_only": get_args(GrantType),
}
MAY_BE_NULL = {
    "sms_limit",
    "wrong_code_attempt_limit",
    "drop_only",
    *COUNTED,
    *COUNTED.values(),
}
_TYPES = {
    switch.name: (
        str
        if switch.name in {*CHOICES, "client_error"}
        else int
        if switch.name in MAY_BE_NULL
        else type(switch.default)
    )
    for switch in fields(Switches)
}


def describe_switches() -> dict[str, str]:
    """Return what each switch does, by its name."""
    return {switch.name: switch.metadata["doc"] for switch in fields(Switches)}


def _checked(name: str, value: object) -> object:
    if name not in _TYPES:
        raise SwitchError(f"there is no switch {name!r}; there are: {_listed(_TYPES)}")
    if value is None and name in MAY_BE_NULL:
        return None
    if name in CHOICES and value not in CHOICES[name]:
        raise SwitchError(f"{name} must be one of: {_listed(CHOICES[name])}")
    return _of_type(name, value, _TYPES[name])


def _of_type(name: str, value: object, wanted: type) -> object:
    # bool is an int in Python, but 1 is no answer to "on or off".
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise SwitchError(f"{name} must be {_SPOKEN[wanted]}")
    if isinstance(value, int | float) and value < 0:
        raise SwitchError(f"{name} must not be negative")
    return value


_SPOKEN = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
