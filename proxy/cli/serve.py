"""The commands that run the proxy: serve, and sandbox with a fake upstream."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.command import Command
from proxy.cli.failures import is_debugging
from proxy.cli.options import address, config_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from proxy.config import Address, Config

LEVELS = ("debug", "info", "warning", "error", "critical")


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy serve",
        "telemed-proxy serve -c /etc/telemed-proxy.yaml --log-level debug",
        "telemed-proxy serve --listen 127.0.0.1:9000 --admin 127.0.0.1:9001",
        "telemed-proxy serve --read-only",
    ],
)
@config_option
@click.option(
    "--listen",
    metavar="ADDRESS",
    type=address,
    multiple=True,
    help="Where to take requests: host:port, https://host:port, or unix:PATH. May be"
    " repeated.",
)
@click.option(
    "--admin", metavar="ADDRESS", type=address, help="Where to be administered."
)
@click.option("--read-only", is_flag=True, help="Forward only GET and HEAD.")
@click.option("--log-level", type=click.Choice(LEVELS), help="How much to log.")
def serve(
    config_path: Path | None,
    listen: tuple["Address", ...],
    admin: "Address | None",
    read_only: bool,
    log_level: str | None,
) -> int:
    """Run the proxy until Ctrl-C or SIGTERM.

    Flags win over the environment, the environment over the config file.
    """
    from proxy.config import load_config

    overrides: dict[str, object] = {}
    if listen:
        overrides["listen"] = [str(address) for address in listen]
    if admin is not None:
        overrides["admin.listen"] = str(admin)
    if read_only:
        overrides["access.read_only"] = True
    if log_level is not None:
        overrides["log.level"] = log_level
    config = load_config(config_path, overrides=overrides)

    from proxy.hardening import keep_memory_private
    from proxy.server import run

    if not is_debugging():
        keep_memory_private()
    return run(config)


def _scenario(name: str) -> str:
    names = _scenarios()
    if name not in names:
        raise click.BadParameter(f"{name!r} is none of: {', '.join(names)}")
    return name


def _complete_scenario(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=description)
        for name, description in _scenarios().items()
        if name.startswith(incomplete)
    ]


class SandboxCommand(Command):
    """A command whose help lists the scenarios too."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the scenarios with what they do, then the examples."""
        with formatter.section("Scenarios"):
            formatter.write_dl(list(_scenarios().items()))
        super().format_epilog(ctx, formatter)


@click.command(
    cls=SandboxCommand,
    examples=[
        "telemed-proxy sandbox",
        "telemed-proxy sandbox --scenario short-lived --seed 7",
    ],
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    type=address,
    default="127.0.0.1:8080",
    show_default=True,
    help="Where to take requests.",
)
@click.option(
    "--admin",
    metavar="ADDRESS",
    type=address,
    default="127.0.0.1:8081",
    show_default=True,
    help="Where to be administered.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="The same number makes the same patients, doctors and codes.",
)
@click.option(
    "--scenario",
    metavar="NAME",
    type=_scenario,
    shell_complete=_complete_scenario,
    default="default",
    show_default=True,
    help="How the fake servers behave; the list is below.",
)
def sandbox(listen: "Address", admin: "Address", seed: int, scenario: str) -> int:
    """Run the proxy against a fake API; nothing to configure.

    SMS codes are printed here. Everything is forgotten at the end. No config file
    and no environment variable is read.
    """
    import tempfile  # with shutil and what that unpacks: for the sandbox only

    from proxy.server import SandboxOptions, run

    with tempfile.TemporaryDirectory(prefix="telemed-proxy-sandbox-") as folder:
        config = _sandbox_config(Path(folder), listen, admin)
        return run(config, sandbox=SandboxOptions(seed=seed, scenario=scenario))


def _sandbox_config(folder: Path, listen: "Address", admin: "Address") -> "Config":
    from proxy.config import Config

    return Config.parse(
        {
            "listen": [str(listen)],
            "admin": {"listen": str(admin)},
            "store": {"url": f"file:{folder / 'tokens.json'}"},
        }
    )


def _scenarios() -> Mapping[str, str]:
    """Return the description of each scenario by its name."""
    from proxy.sandbox.scenarios import SCENARIOS

    return {name: scenario.description for name, scenario in SCENARIOS.items()}
