"""Options that several commands share, and the types of their values."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from proxy.config import Address

F = TypeVar("F", bound=Callable[..., Any])


def address(text: str) -> "Address":
    """Return the listener's address that `text` names; the ready line's URL will do."""
    from proxy.config import Address

    try:
        return Address.parse(text.removeprefix("http://").rstrip("/"))
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


def duration(text: str) -> float:
    """Return the seconds that `text`, such as 90s or 1h, means."""
    from proxy.config import parse_duration

    try:
        return parse_duration(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


def config_option(command: F) -> F:
    """Add `-c FILE`."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Config file. Else $TELEMED_PROXY_CONFIG, ./config.yaml, the platform's.",
    )(command)


def admin_option(command: F) -> F:
    """Add `--admin ADDRESS` of a running proxy."""
    return click.option(
        "--admin",
        "admin",
        metavar="ADDRESS",
        type=address,
        help="Admin address of the running proxy. Else admin.listen of the config.",
    )(command)
