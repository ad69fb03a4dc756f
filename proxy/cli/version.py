"""The version command: ours, and of the parts that matter in a bug report."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version as version_of
from importlib.util import find_spec
from pathlib import Path

import click

from proxy import __version__
from proxy.cli import exitcodes
from proxy.cli.command import Command


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy version",
    ],
)
def version() -> int:
    """Show the version, Python, the event loop and the parsers."""
    click.echo(f"telemed-proxy {__version__}")
    click.echo(
        f"Python {platform.python_version()}"
        f" ({platform.python_implementation()}, {sys.platform})"
    )
    click.echo(f"event loop: {_event_loop()}")
    click.echo(f"parser: {_parsers()}")
    return exitcodes.DONE


def _event_loop() -> str:
    """Return the event loop that `serve` takes."""
    name = "winloop" if sys.platform == "win32" else "uvloop"
    try:
        return f"{name} {version_of(name)}"
    except PackageNotFoundError:
        return f"asyncio (Python {platform.python_version()})"


def _parsers() -> str:
    # Versions are read from the metadata: importing aiohttp takes longer than
    # everything else here together.
    coding = "C" if _has_c_parser() else "pure Python"
    return (
        "its own for forwarded messages,"
        f" aiohttp {version_of('aiohttp')} ({coding}) for the admin listener"
    )


def _has_c_parser() -> bool:
    spec = find_spec("aiohttp")
    folders = (spec.submodule_search_locations if spec else None) or []
    return any(
        path.suffix in {".so", ".pyd"}
        for folder in folders
        for path in Path(folder).glob("_http_parser.*")
    )
