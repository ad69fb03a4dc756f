"""The commands about tokens: token, refresh, logout."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.options import admin_option, config_option, duration

if TYPE_CHECKING:
    from proxy.config import Address


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy token",
        'curl -H "Authorization: Bearer $(telemed-proxy token --min-ttl 1h)" ...',
    ],
)
@click.option(
    "--min-ttl",
    metavar="DURATION",
    type=duration,
    help="Refresh first if the token lives shorter than this, such as 90s or 1h.",
)
@config_option
@admin_option
def token(
    min_ttl: float | None, config_path: Path | None, admin: "Address | None"
) -> int:
    """Print the access token, refreshed first if needed.

    Nothing else is printed. Whoever sees the token can call the API as the patient:
    keep it out of logs and files.
    """
    from proxy.cli.reach import reach

    click.echo(reach(config_path, admin).access_token(min_ttl))
    return exitcodes.DONE


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy refresh",
    ],
)
@config_option
@admin_option
def refresh(config_path: Path | None, admin: "Address | None") -> int:
    """Refresh the token pair now.

    Not needed in everyday use: the proxy does it long before the token ends.
    """
    from proxy.cli.reach import reach

    found = reach(config_path, admin).refresh()
    click.echo(f"Refreshed; the access token lives until {found.get('expires_at')}.")
    return exitcodes.DONE


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy logout",
    ],
)
@config_option
@admin_option
def logout(config_path: Path | None, admin: "Address | None") -> int:
    """Forget the tokens; the next call needs a new login by SMS."""
    from proxy.cli.reach import reach

    reach(config_path, admin).logout()
    click.echo("Logged out; the tokens are forgotten.")
    return exitcodes.DONE
