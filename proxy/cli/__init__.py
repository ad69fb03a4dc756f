"""What people type: `telemed-proxy COMMAND`.

One module a command family; each parses, calls, prints and returns an exit code
(`exitcodes`). `failures` says how an error ends the program. Modules of commands are
imported only when used, and import what is heavy inside their functions.
"""

import click

from proxy.cli import exitcodes
from proxy.cli.lazy import LazyGroup

COMMANDS = {
    "sandbox": "proxy.cli.serve:sandbox",
    "serve": "proxy.cli.serve:serve",
    "login": "proxy.cli.login:login",
    "status": "proxy.cli.status:status",
    "token": "proxy.cli.tokens:token",
    "refresh": "proxy.cli.tokens:refresh",
    "logout": "proxy.cli.tokens:logout",
    "tail": "proxy.cli.tail:tail",
    "curl": "proxy.cli.curl:curl",
    "har": "proxy.cli.har:har",
    "store": "proxy.cli.store:store",
    "cert": "proxy.cli.cert:cert",
    "check": "proxy.cli.check:check",
    "service": "proxy.cli.service:service",
    "version": "proxy.cli.version:version",
    "completion": "proxy.cli.completion:completion",
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    examples=["telemed-proxy sandbox", "telemed-proxy login +7 916 123-45-67"],
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.option("--version", "show_version", is_flag=True, help="Show the version.")
@click.pass_context
def main(ctx: click.Context, show_version: bool) -> int | None:
    """Log in to the Telemedicine Partner API once, and call it without a login.

    The proxy adds the bearer token to every request and keeps it fresh.
    """
    if show_version:
        from proxy import __version__

        click.echo(f"telemed-proxy {__version__}")
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        return exitcodes.USAGE
    return None
