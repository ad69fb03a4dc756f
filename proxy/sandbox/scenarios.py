"""Named sets of switches, for the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Scenario:
    """Switches under a name, and the sentence that `--help` shows for them."""

    description: str
    switches: Mapping[str, object] = field(default_factory=dict)


SCENARIOS: dict[str, Scenario] = {
    "default": Scenario("what the real servers most likely do"),
    "short-lived": Scenario(
        "access tokens live ten seconds, so refreshes can be watched",
        {"lifetime": 10.0},
    ),
    "no-rotation": Scenario(
        "one refresh token for ever; a refresh answers with no new one",
        {"rotate_refresh": False, "single_use": False},
    ),
    "reusable": Scenario(
        "a refresh answers with a new refresh token, and the old one stays good",
        {"single_use": False, "one_per_phone": False},
    ),
    "grace": Scenario(
        "a spent refresh token is taken again for thirty seconds",
        {"grace_seconds": 30.0},
    ),
    "strict": Scenario(
        "tokens live a minute and end with a refresh; three SMS, three wrong codes",
        {
            "lifetime": 60.0,
            "old_access_dies": True,
            "refresh_dies_with_access": True,
            "reuse_kills": True,
            "client_error": "invalid_client",
            "wrong_code_attempt_limit": 3,
            "sms_limit": 3,
        },
    ),
    "lenient": Scenario(
        "no client_id needed, tokens never refused for their age",
        {
            "require_client_id": False,
            "access_lifetime_enforced": False,
            "single_use": False,
            "one_per_phone": False,
        },
    ),
    "no-refresh-token": Scenario(
        "no answer carries a refresh token: a login lasts two minutes",
        {"omit_refresh_token": True, "lifetime": 120.0},
    ),
    "odd-answers": Scenario(
        "expires_in as text, unknown members, errors without a description",
        {
            "expires_in_as_string": True,
            "extra_members": True,
            "error_without_description": True,
        },
    ),
    "lost-answers": Scenario(
        "the first refresh is carried out, but its answer is lost; tokens live 10 s",
        {
            "lifetime": 10.0,
            "drop_after_commit": "reset",
            "drop_count": 1,
            "drop_only": "refresh_token",
        },
    ),
    "html-errors": Scenario(
        "the first three refreshes fail with an HTML page; tokens live ten seconds",
        {
            "lifetime": 10.0,
            "token_fault": "html502",
            "token_fault_count": 3,
            "drop_only": "refresh_token",
        },
    ),
    "rejects-403": Scenario(
        "the API refuses tokens with 403 and type oauth; they live ten seconds",
        {"reject_with": "403", "lifetime": 10.0},
    ),
    "flaky": Scenario(
        "the next ten API calls are cut off after they were carried out",
        {"api_fault": "reset", "api_fault_count": 10},
    ),
    "maintenance": Scenario(
        "the API answers 503 with an HTML page until switched off",
        {"api_fault": "maintenance"},
    ),
    "slow": Scenario(
        "every answer of the API is two seconds late, those of /token five",
        {"api_delay": 2.0, "delay": 5.0},
    ),
    "sms-limit": Scenario(
        "two SMS for a phone in an hour, three wrong codes",
        {"sms_limit": 2, "wrong_code_attempt_limit": 3},
    ),
}


def switches_of(scenario: str) -> Switches:
    """Return new switches, set as `scenario` says.

    Raises:
        ValueError: There is no such scenario; the text lists those there are.
    """
    if scenario not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise ValueError(f"there is no scenario {scenario!r}; there are: {known}")
    switches = Switches()
    switches.set(SCENARIOS[scenario].switches)
    return switches
