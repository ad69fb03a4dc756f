"""A click group that imports the module of a command when the command is used."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.failures import failures_end_the_program

PROGRAM: Final = "telemed-proxy"


class LazyGroup(Command, click.Group):
    """Commands by name, each as "module:attribute".

    `version` must not pay for importing what `serve` needs.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = dict(places)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order given, which is that of first use."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is no such command."""
        if cmd_name not in self.places:
            return None
        module, _, attribute = self.places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a mistyped one, name the one that was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as exc:
            # Imported for who mistyped something, and for nobody else.
            from difflib import get_close_matches

            meant = get_close_matches(args[0].lower(), self.places, n=1)
            if not meant or args[0].startswith("-"):
                raise
            raise click.UsageError(
                f"No such command '{args[0]}', did you mean {meant[0]}?", ctx
            ) from exc

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what the exit codes mean."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_text(exitcodes.MEANINGS)

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and end the program."""
        # The name is fixed: help and completion must not say `python -m proxy`.
        extra |= {"prog_name": PROGRAM, "standalone_mode": False}
        with failures_end_the_program():
            code = super().main(args, **extra)
        raise SystemExit(code or 0)
