"""The status command."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.options import admin_option, config_option

if TYPE_CHECKING:
    from proxy.cli.verify import Verdict
    from proxy.config import Address

STATES = {
    "active": "logged in",
    "ended": "logged in; the access token has ended: the next call refreshes it",
    "logged_out": "logged out; run: telemed-proxy login",
    "code_sent": "an SMS was sent; run: telemed-proxy login",
    "login_required": "the login has ended; run: telemed-proxy login",
}
SKEW_ALLOWED = 5
"""Seconds between two clocks that nobody needs to hear of."""

LINES = (
    ("phone", "phone"),
    ("expires_at", "access token until"),
    ("refresh_due_at", "next refresh due"),
    ("login_needed_by", "login needed by"),
    ("last_refresh", "last refresh"),
    ("last_error", "last error"),
    ("store", "tokens kept in"),
    ("listen", "takes requests at"),
    ("upstream", "upstream"),
)


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy status",
        "telemed-proxy status --verify",
        "telemed-proxy status --json | jq -r .expires_at",
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
@click.option(
    "--verify", is_flag=True, help="Also call GET /api/v1/profile/get with the token."
)
@config_option
@admin_option
def status(
    as_json: bool, verify: bool, config_path: Path | None, admin: "Address | None"
) -> int:
    """Show whether somebody is logged in, and until when.

    The exit code is 0 when logged in, and 4 when a login is required.
    """
    from proxy.cli.reach import reach

    way = reach(config_path, admin)
    found = way.status()
    active = found.get("state") == "active"
    verdict = way.verify() if verify and active else None
    if as_json:
        if verdict is not None:
            found = {**found, "verify": verdict.shape()}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found, way.where, verdict)
    if verdict is not None:
        return verdict.exit_code
    return exitcodes.DONE if active else exitcodes.LOGIN_REQUIRED


def _print(found: dict[str, Any], where: str, verdict: "Verdict | None") -> None:
    from proxy.oauth.stores.record import MOVED

    state = str(found.get("state"))
    if state == "active" and not found.get("expires_in"):
        state = "ended"
    error = str(found.get("last_error"))
    moved = state == "logged_out" and error.startswith(MOVED)
    _line("state", f"logged out: {error}" if moved else STATES.get(state, state))
    if moved:
        found = {**found, "last_error": None}  # it is told
    for key, label in LINES:
        if text := _as_text(found.get(key)):
            _line(label, text)
    if abs(skew := int(found.get("clock_skew") or 0)) > SKEW_ALLOWED:
        way = "slow" if skew > 0 else "fast"
        _line("clock", f"this machine's clock is about {abs(skew)} s {way}")
    _line("asked", where)
    if verdict is not None:
        _line("verified", verdict.sentence)


def _line(label: str, text: str) -> None:
    click.echo(f"{label + ':':20}{text}")


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items() if v is not None)
    return "" if value is None else str(value)
