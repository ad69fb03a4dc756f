"""The commands that have the system keep the proxy running."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.lazy import LazyGroup
from proxy.cli.options import config_option

if TYPE_CHECKING:
    from proxy.config import Config
    from proxy.service.systemctl import Systemctl

COMMANDS = {
    "install": "proxy.cli.service:install",
    "uninstall": "proxy.cli.service:uninstall",
    "status": "proxy.cli.service:status",
}

# As text: it is told of each platform what its users need, on whichever this runs.
PLATFORM: str = sys.platform

system_option = click.option(
    "--system", is_flag=True, help="The whole system's service, not this user's."
)


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    examples=[
        "telemed-proxy service install --now",
        "telemed-proxy service status",
    ],
    invoke_without_command=True,
)
@click.pass_context
def service(ctx: click.Context) -> int | None:
    """Have the system start the proxy, and keep it running."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        return exitcodes.USAGE
    return None


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy service install --now",
        "telemed-proxy service install -c ~/telemed/config.yaml --no-socket",
        "sudo telemed-proxy service install --system -c /etc/telemed-proxy/config.yaml",
    ],
)
@system_option
@click.option(
    "--socket/--no-socket",
    "sockets",
    default=True,
    help="Have the service manager open the sockets, so that a restart refuses nobody.",
)
@click.option("--now", is_flag=True, help="Also enable and start it.")
@click.option("--print", "only_print", is_flag=True, help="Only print what to write.")
@click.option("--force", is_flag=True, help="Replace units that somebody else wrote.")
@config_option
def install(
    system: bool,
    sockets: bool,
    now: bool,
    only_print: bool,
    force: bool,
    config_path: Path | None,
) -> int:
    """Write the units of systemd, and say what comes next.

    On macOS and Windows, print what to paste for launchd and the Task Scheduler. The
    config is checked first; variables of this shell do not reach the service.
    """
    from proxy.cli.service_elsewhere import instructions
    from proxy.cli.service_plan import planned
    from proxy.service.unit_files import unit_folder, write_units
    from proxy.service.units import units

    systemd = _has_systemd()
    service = planned(config_path, system=system, sockets=sockets, systemd=systemd)
    if not systemd:
        _expect_no_systemd_options(system=system, now=now)
        click.echo(instructions(PLATFORM, service), nl=False)
        return exitcodes.DONE
    texts = units(service)
    folder = unit_folder(os.environ, system=system)
    if only_print:
        for name, text in texts.items():
            click.echo(f"# {folder / name}\n{text}")
        return exitcodes.DONE
    write_units(folder, texts, force=force)
    for name in texts:
        click.echo(f"Wrote {folder / name}.")
    for address in service.own if service.given else ():
        click.echo(
            f"{address}: systemd opens neither names nor port 0, so the proxy does; "
            "a restart closes it for a moment."
        )
    if now:
        _start(system=system, names=list(texts))
    else:
        click.echo(_next_steps(system=system, names=list(texts)), nl=False)
    return exitcodes.DONE


@click.command(cls=Command, examples=["telemed-proxy service uninstall"])
@system_option
def uninstall(system: bool) -> int:
    """Stop and remove what install wrote, and nothing else: config and tokens stay."""
    if not _has_systemd():
        from proxy.cli.service_elsewhere import removal

        click.echo(removal(PLATFORM), nl=False)
        return exitcodes.DONE
    from proxy.service.systemctl import Systemctl
    from proxy.service.unit_files import (
        UNITS,
        foreign_units,
        is_ours,
        remove_units,
        unit_folder,
    )

    folder = unit_folder(os.environ, system=system)
    ours = [name for name in UNITS if is_ours(folder / name)]
    manager = Systemctl(system=system)
    answers = bool(ours) and manager.answers()
    if answers:
        manager.tell("disable", "--now", *ours)
    for file in remove_units(folder):
        click.echo(f"Removed {file}.")
    if answers:
        manager.tell("daemon-reload")
    for file in foreign_units(folder):
        click.echo(f"{file} was not written by this program, and stays.")
    if not ours:
        click.echo(f"Nothing of this program is installed in {folder}.")
    return exitcodes.DONE


@click.command(cls=Command, examples=["telemed-proxy service status"])
@system_option
def status(system: bool) -> int:
    """Show whether it is installed, enabled and active, and where it is reached.

    The exit code is 0 when it is active, otherwise 1.
    """
    if not _has_systemd():
        from proxy.cli.service_elsewhere import usage

        click.echo(usage(PLATFORM), nl=False)
        return exitcodes.DONE
    from proxy.service.systemctl import Systemctl
    from proxy.service.unit_files import UNITS, is_ours, read_unit, unit_folder
    from proxy.service.units import SERVICE_UNIT, config_of

    folder = unit_folder(os.environ, system=system)
    manager = Systemctl(system=system)
    answers = manager.answers()
    for name in UNITS:
        if (text := read_unit(folder / name)) is None:
            click.echo(f"{name}: not installed")
            continue
        whose = "" if is_ours(folder / name) else ", not written by this program"
        click.echo(f"{name}: installed in {folder}{whose}")
        click.echo(f"  {_state(manager, folder, name, answers=answers)}")
        if name == SERVICE_UNIT and (file := config_of(text)):
            click.echo(f"  {_reached(file)}")
    if answers and (told := manager.status_text()):
        click.echo(f"last heard from it: {told}")
    active = answers and manager.is_active([SERVICE_UNIT])
    return exitcodes.DONE if active else exitcodes.FAILED


def _has_systemd() -> bool:
    return PLATFORM not in {"darwin", "win32"}


def _start(*, system: bool, names: list[str]) -> None:
    """Enable the units and start them, anew where they ran already."""
    from proxy.errors import ProxyError
    from proxy.service.systemctl import Systemctl
    from proxy.service.unit_files import UNITS

    manager = Systemctl(system=system)
    if not manager.answers():
        raise ProxyError(
            "no systemd answers here, so nothing was started; on a machine that runs "
            f"it: {_commands(system=system, names=names)[1]}"
        )
    manager.tell("daemon-reload")
    if manager.is_active(UNITS):
        # Together: a socket of a running service cannot be opened anew.
        manager.tell("stop", *UNITS)
    manager.tell("enable", "--now", *names)
    click.echo(f"Started {' and '.join(names)}.")
    if not system:
        click.echo(_lingering())


def _next_steps(*, system: bool, names: list[str]) -> str:
    commands = "".join(f"  {each}\n" for each in _commands(system=system, names=names))
    steps = f"\nNow start it, today and from now on:\n\n{commands}"
    return steps if system else f"{steps}\n{_lingering()}\n"


def _lingering() -> str:
    return (
        "It runs while you are logged in to this machine. For it to run always: "
        "loginctl enable-linger"
    )


def _commands(*, system: bool, names: list[str]) -> list[str]:
    systemctl = "sudo systemctl" if system else "systemctl --user"
    return [
        f"{systemctl} daemon-reload",
        f"{systemctl} enable --now {' '.join(names)}",
    ]


def _state(manager: "Systemctl", folder: Path, name: str, *, answers: bool) -> str:
    if answers:
        enabled, active = (
            manager.asked(f"is-{w}", name) for w in ("enabled", "active")
        )
        return f"{enabled}, {active}"
    linked = any(folder.glob(f"*.target.wants/{name}"))
    return f"{'enabled' if linked else 'disabled'}; no systemd answers here"


def _reached(config_file: str) -> str:
    from proxy.config import load_config
    from proxy.errors import ConfigError

    try:
        config = load_config(Path(config_file), environ={}, require_client_id=False)
    except ConfigError as exc:
        return f"config: {exc.description}"
    return (
        f"config: {config_file}\n"
        f"  takes requests at: {', '.join(map(str, config.listen))}\n"
        f"  admin page: {_page(config)}"
    )


def _page(config: "Config") -> str:
    address = config.admin.listen
    if address.path is not None or address.tls:
        return str(address.reachable)
    return f"http://{address.reachable}"


def _expect_no_systemd_options(*, system: bool, now: bool) -> None:
    if system or now:
        raise click.UsageError(
            "--system and --now are for systemd; without them, it is printed what to "
            "type here"
        )
