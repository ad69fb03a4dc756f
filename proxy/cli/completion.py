"""Shell completion: prints the script that click makes."""

import os
from pathlib import PurePath

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.lazy import PROGRAM

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy completion bash >> ~/.bashrc",
        "telemed-proxy completion zsh >> ~/.zshrc",
        "telemed-proxy completion fish > ~/.config/fish/completions/telemed-proxy.fish",
    ],
)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(ctx: click.Context, shell: str | None) -> int:
    """Print a script that completes commands in your shell.

    Without SHELL, the one you use now is taken from $SHELL.
    """
    from click.shell_completion import get_completion_class

    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell)
    if kind is None or shell not in SHELLS:
        raise click.UsageError(f"name a shell: {', '.join(SHELLS)}")
    variable = f"_{PROGRAM}_COMPLETE".replace("-", "_").upper()
    root = ctx.find_root().command
    click.echo(kind(root, {}, PROGRAM, variable).source())
    return exitcodes.DONE
