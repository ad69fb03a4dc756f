"""The option that says which exchanges are meant."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def expression(text: str) -> str:
    """Return a filter's text, if it is one."""
    from proxy.errors import RequestError
    from proxy.journal.filters import Filter

    try:
        Filter.parse(text)
    except RequestError as exc:
        raise click.BadParameter(exc.description) from exc
    return text


def filter_option(command: F) -> F:
    """Add `--filter EXPR`."""
    return click.option(
        "--filter",
        "wanted",
        metavar="EXPR",
        type=expression,
        default="",
        help="Only what matches, as on the page: method:POST, status:4xx, path:/api/*,"
        " caller:NAME, is:error|proxy|running|replayed|paid|slow, or any words; a -"
        " before one means its contrary.",
    )(command)
