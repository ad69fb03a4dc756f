"""The tail command: exchanges on the terminal as they happen."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.filtering import filter_option
from proxy.cli.options import admin_option, config_option

if TYPE_CHECKING:
    from proxy.cli.events import Event
    from proxy.config import Address


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy tail",
        "telemed-proxy tail --filter 'status:5xx -is:proxy'",
        "telemed-proxy tail --json | jq -r 'select(.seconds > 1).target'",
    ],
)
@filter_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print each as JSON, one a line, when over."
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Whether to use colours; auto: on a terminal, unless NO_COLOR is set.",
)
@config_option
@admin_option
def tail(
    wanted: str,
    as_json: bool,
    color: str,
    config_path: Path | None,
    admin: "Address | None",
) -> int:
    """Show what passes through the running proxy, until Ctrl-C.

    A line has the time, the status, the method, how long it took, the bytes of the
    answer, and the target with personal data masked. When the proxy is restarted, it
    is waited for.
    """
    from proxy.cli.events import follow
    from proxy.cli.journal_client import running_proxy

    show = _JsonLines() if as_json else _Lines(color=_wants_color(color))
    for event in follow(running_proxy(config_path, admin), wanted):
        show.take(event)
    return exitcodes.DONE


def _wants_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


class _JsonLines:
    """Prints exchanges that are over as JSON."""

    def take(self, event: "Event") -> None:
        """Print what the event tells, if it is an exchange that is over."""
        from proxy.cli.tail_lines import json_line

        _tell_of_gap(event)
        if event.name == "exchange" and not event.members["running"]:
            _print(json_line(event.members), color=False)


class _Lines:
    """Prints a line for an exchange that is over, and one when it was seen to run."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._running: dict[str, None] = {}

    def take(self, event: "Event") -> None:
        """Print what the event tells, if it is new."""
        from proxy.cli.tail_lines import line

        _tell_of_gap(event)
        if event.name == "exchange" and self._is_news(event.members):
            text = line(event.members, width=_width(), color=self._color)
            _print(text, color=self._color)

    def _is_news(self, summary: dict[str, Any]) -> bool:
        if not summary["running"]:
            self._running.pop(summary["id"], None)
            return True
        if summary["id"] in self._running:
            return False
        self._running[summary["id"]] = None
        if len(self._running) > 1000:  # those of a proxy that was killed never end
            del self._running[next(iter(self._running))]
        return True


def _tell_of_gap(event: "Event") -> None:
    from proxy.cli.failures import say

    if event.name == "skipped":
        say(f"{event.members['count']} exchanges were too many to be shown")


def _width() -> int | None:
    """Return the columns of the terminal now, as its window may change."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def _print(text: str, *, color: bool) -> None:
    # What the terminal's encoding lacks must not end the program.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(shown, color=color)
