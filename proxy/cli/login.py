"""The login command: a phone number, an SMS, a validation code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proxy.cli import exitcodes
from proxy.cli.asking import ask, can_ask
from proxy.cli.command import Command
from proxy.cli.failures import WrongCodeError, say
from proxy.cli.options import admin_option, config_option
from proxy.errors import CooldownError, LoginError

if TYPE_CHECKING:
    from proxy.cli.reach import Reach
    from proxy.config import Address
    from proxy.oauth.phone import Phone

FINAL = {"attempts", "phone"}
"""What is wrong when typing another code would not help."""


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy login",
        "telemed-proxy login +7 916 123-45-67",
        "telemed-proxy login +7 916 123-45-67 --code 7654",
    ],
)
@click.argument("phone", nargs=-1)
@click.option(
    "--code",
    metavar="CODE",
    help="The validation code, when it is known already: no SMS is sent.",
)
@config_option
@admin_option
def login(
    phone: tuple[str, ...],
    code: str | None,
    config_path: Path | None,
    admin: "Address | None",
) -> int:
    """Log in with the code of an SMS; asks for what is missing.

    PHONE is read as people write it, in one word or several. The running proxy logs
    in; when none runs, the tokens go straight to the store.
    """
    from proxy.cli.reach import reach

    number = _read_phone(" ".join(phone)) if phone else None
    if not can_ask() and code is None:
        missing = "--code CODE" if number else "PHONE and --code CODE"
        raise click.UsageError(f"stdin is no terminal to ask on: give {missing}")
    way = reach(config_path, admin)
    way.expect_login()
    if code is not None:
        status = _log_in_with(way, code, number)
    else:
        number = number or _ask_phone()
        _send_code(way, number)
        status = _ask_code(way, number)
    _tell_success(status)
    return exitcodes.DONE


def _read_phone(text: str) -> "Phone":
    from proxy.oauth.phone import parse_phone

    try:
        return parse_phone(text)
    except LoginError as exc:
        raise click.UsageError(exc.description) from exc


def _ask_phone() -> "Phone":
    from proxy.oauth.phone import parse_phone

    while True:
        text = ask("Phone number, such as +7 916 123-45-67")
        try:
            return parse_phone(text)
        except LoginError as exc:
            say(exc.description)


def _log_in_with(way: "Reach", code: str, phone: "Phone | None") -> dict[str, Any]:
    """Log in with a code that is there already."""
    if phone is None and way.status().get("phone") is None:
        if not can_ask():
            raise click.UsageError("for which phone is the code? give PHONE")
        phone = _ask_phone()
    try:
        return way.submit_code(code, phone)
    except LoginError as exc:
        raise WrongCodeError(exc.description) from exc


def _send_code(way: "Reach", phone: "Phone") -> None:
    try:
        way.request_code(phone)
    except CooldownError as exc:
        # Whoever has a code must not wait for the right to get another one.
        if not _may_have_code(way, phone):
            raise
        say(exc.description)
        click.echo(f"If {phone.display} has got a code already, type that one.")
    else:
        click.echo(f"A validation code is on its way to {phone.display}.")


def _may_have_code(way: "Reach", phone: "Phone") -> bool:
    """Return whether a code for `phone` may be on its way."""
    status = way.status()
    if status["state"] == "code_sent":
        return bool(status["phone"] == phone.masked)
    # Beside a login that still works, the status names that one's phone.
    return bool(status["code_sent"])


def _ask_code(way: "Reach", phone: "Phone") -> dict[str, Any]:
    """Ask until a code is accepted, or no more are."""
    while True:
        code = ask("Code from the SMS")
        try:
            return way.submit_code(code, phone)
        except LoginError as exc:
            if exc.value in FINAL:
                raise WrongCodeError(exc.description) from exc
            say(exc.description)


def _tell_success(status: dict[str, Any]) -> None:
    click.echo(f"Logged in as {status.get('phone')}.")
    if status.get("expires_at"):
        click.echo(f"The access token lives until {status['expires_at']}.")
    if status.get("login_needed_by"):
        click.echo("It cannot be refreshed: log in again before then.")
    elif status.get("refresh_due_at"):
        click.echo(f"It is refreshed from {status['refresh_due_at']} on.")
