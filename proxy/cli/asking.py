"""Questions on the terminal."""

import select
import sys

import click

# Seconds; only how long a signal may go unheard that comes at the wrong moment.
_LISTEN_EVERY = 0.2


def can_ask() -> bool:
    """Return whether somebody is there to answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str) -> str:
    """Return what is typed, spaces around it removed; asks again while it is nothing.

    Raises:
        KeyboardInterrupt, EOFError: there will be no answer.
    """
    while True:
        click.echo(f"{question}: ", nl=False)
        _wait_for_line()
        if answer := input().strip():
            return answer


def _wait_for_line() -> None:
    # input() would miss a Ctrl-C that comes just before it begins to read: Python
    # notes the signal, then sleeps in the system until a key is pressed.
    if sys.platform == "win32":  # which can select sockets only
        return
    while not select.select([sys.stdin], [], [], _LISTEN_EVERY)[0]:
        pass
