"""The har command: what passed through the running proxy, as a file for others."""

import http.client
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.filtering import filter_option
from proxy.cli.options import admin_option, config_option
from proxy.errors import ProxyError

if TYPE_CHECKING:
    from proxy.cli.journal_client import JournalClient
    from proxy.config import Address

_PIECE: Final = 64 * 1024


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy har -o calls.har",
        "telemed-proxy har --filter is:error | jq '.log.entries | length'",
        "telemed-proxy har --report -o report.zip",
    ],
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default="-",
    help="Where to write it, readable by you alone. Else, or with -: stdout.",
)
@filter_option
@click.option(
    "--unmasked",
    is_flag=True,
    help="Leave personal data in, such as names and messages. Tokens, codes and"
    " passwords are in it never.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Write a bundle for a bug report instead: a ZIP with the HAR, the config"
    " without secrets, and versions.",
)
@config_option
@admin_option
def har(
    output: Path,
    wanted: str,
    unmasked: bool,
    report: bool,
    config_path: Path | None,
    admin: "Address | None",
) -> int:
    """Write what passed through the running proxy as HAR 1.2.

    Browsers' developer tools open it, and so do many other programs. Contents of
    messages are in it if the proxy kept them (journal.content).
    """
    from proxy.cli.journal_client import running_proxy

    to_stdout = output == Path("-")
    if report and to_stdout and sys.stdout.isatty():
        raise click.UsageError("a ZIP is nothing for a terminal; name a file with -o")
    client = running_proxy(config_path, admin)
    query = {"filter": wanted} if wanted else {}
    query |= {"unmasked": "true"} if unmasked else {}
    name = "report.zip" if report else "exchanges.har"
    pieces = _pieces(client, f"/api/{name}?{urlencode(query)}")
    if to_stdout:
        sys.stdout.buffer.writelines(pieces)
        return exitcodes.DONE
    _write(output, pieces)
    what = "with personal data: keep it to yourself" if unmasked else "masked"
    click.echo(f"Wrote {output}, {what}.")
    return exitcodes.DONE


def _pieces(client: "JournalClient", target: str) -> Iterator[bytes]:
    """Yield what the proxy answers, and raise ProxyError if it does not come whole."""
    from proxy.cli.http_call import reason

    try:
        with client.opened(target, {}) as response:
            while piece := response.read(_PIECE):
                yield piece
            # The library does not tell of content that ends before its length.
            is_cut = bool(response.length)
    except http.client.IncompleteRead:
        is_cut = True
    except (OSError, http.client.HTTPException) as exc:
        raise ProxyError(
            f"the proxy at {client.address} did not send it all: {reason(exc)}"
        ) from exc
    if is_cut:
        raise ProxyError(
            f"the proxy at {client.address} broke off in the middle; try again"
        )


def _write(output: Path, pieces: Iterable[bytes]) -> None:
    """Write a file as a whole or not at all, for this user alone."""
    from proxy.cli.http_call import reason

    # Resolved, as a rename would replace a symbolic link and not its target.
    output = output.expanduser().resolve()
    try:
        if output.exists() and not output.is_file():  # such as a pipe
            with output.open("wb") as file:
                file.writelines(pieces)
        else:
            _replace(output, pieces)
    except OSError as exc:
        raise ProxyError(f"{output} cannot be written: {reason(exc)}") from exc


def _replace(output: Path, pieces: Iterable[bytes]) -> None:
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
        fresh.replace(output)
    except BaseException:
        fresh.unlink()
        raise
