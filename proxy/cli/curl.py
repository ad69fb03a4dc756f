"""The curl command: one call through the running proxy, with curl's own options."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.options import admin_option, config_option

if TYPE_CHECKING:
    from proxy.config import Address, Config

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy curl /api/v1/profile/get -i",
        "telemed-proxy curl /api/v1/media/add -F file=@scan.png",
        "telemed-proxy curl --print '/api/v1/doctor/get-all?limit=3'",
    ],
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--print",
    "only_print",
    is_flag=True,
    help="Print the command instead, with $KEY in place of the local key.",
)
@config_option
@admin_option
@click.argument("path", metavar="PATH")
@click.argument(
    "arguments", metavar="[CURL'S OPTIONS]...", nargs=-1, type=click.UNPROCESSED
)
def curl(
    only_print: bool,
    config_path: Path | None,
    admin: "Address | None",
    path: str,
    arguments: tuple[str, ...],
) -> int:
    """Call PATH of the API through the running proxy.

    Address, certificate and local key are those of the proxy; the key is handed over
    so that no list of processes shows it. What follows PATH goes to curl as it is,
    what is for this command goes before. The exit code is curl's.
    """
    from proxy.cli.failures import say
    from proxy.config import load_config

    path = _checked(path)
    config = load_config(config_path, require_client_id=False)
    words = _words(_listener(config, admin), config, path)
    key_file = config.access.local_key_file
    # Whoever sends another key means it.
    needs_key = key_file is not None and "x-proxy-key" not in str(arguments).lower()
    if only_print:
        own = ['-H "X-Proxy-Key: $KEY"'] if needs_key else []
        click.echo(" ".join([*map(shlex.quote, words), *own, shlex.join(arguments)]))
        if needs_key:
            say(f"$KEY stands for a key in {key_file}")
        return exitcodes.DONE
    return _run(words, arguments, key_file if needs_key else None)


def _checked(path: str) -> str:
    """Return PATH with its slash."""
    if path.startswith("-"):
        raise click.UsageError(
            f"the path comes first, then curl's options such as {path.split('=')[0]}"
        )
    if _URL.match(path):
        raise click.UsageError(
            "the path must be one such as /api/v1/profile/get, without scheme and host:"
            " the call goes through the proxy"
        )
    return path if path.startswith("/") else f"/{path}"


def _listener(config: "Config", admin: "Address | None") -> "Address":
    """Return where the running proxy takes requests, or where one would."""
    from proxy.cli.admin_client import NoProxyError
    from proxy.cli.http_call import listening
    from proxy.cli.journal_client import client_of

    try:
        return listening(str(client_of(config, admin).status()["listen"][0]))
    except NoProxyError:
        first = config.listen[0]
        if admin is not None or (first.path is None and not first.port):
            raise
        return first


def _words(listener: "Address", config: "Config", path: str) -> list[str]:
    """Return curl with what it takes to reach the listener."""
    words = ["curl"]
    if listener.path is not None:
        words += ["--unix-socket", str(listener.path)]
        base = "http://localhost"
    else:
        near = listener.reachable
        base = str(near) if near.tls else f"http://{near}"
        certificate = config.tls.certificate_file
        if near.tls and certificate is not None:
            words += ["--cacert", str(_authority(certificate))]
        if any(
            os.environ.get(each) or os.environ.get(each.upper()) for each in _PROXIES
        ):
            words += ["--noproxy", "*"]
    if set(path) & set("[]{}"):
        words.append("--globoff")
    if "/." in path:
        words.append("--path-as-is")
    return [*words, base + path]


def _authority(certificate: Path) -> Path:
    """Return what curl has to trust: the authority that `cert` made, if it did."""
    from proxy.issuing import CertificateFiles

    files = CertificateFiles(certificate.parent)
    is_ours = certificate == files.certificate and files.authority.exists()
    return files.authority if is_ours else certificate


def _run(words: Sequence[str], arguments: Sequence[str], key: Path | None) -> int:
    import shutil
    import subprocess

    from proxy.errors import ProxyError

    program = shutil.which(words[0])
    if program is None:
        raise ProxyError(
            "curl is not installed; install it, or take what --print shows elsewhere"
        )
    with _handed_over(key) as (own, handles):
        done = subprocess.run(  # noqa: S603  what the person typed
            [program, *words[1:], *own, *arguments], pass_fds=handles, check=False
        )
    # A shell tells of a program that a signal ended in the same way.
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


@contextmanager
def _handed_over(key_file: Path | None) -> Iterator[tuple[list[str], list[int]]]:
    """Yield the options by which curl reads the local key, and what it inherits.

    It comes through a pipe of its own: everybody sees what stands on a command line,
    and stdin may be wanted for `-d @-`.
    """
    if key_file is None:
        yield [], []
        return
    from proxy.access.keys import read_keys
    from proxy.errors import ProxyError

    if sys.platform == "win32":
        raise ProxyError(
            "on Windows the local key cannot be handed to curl unseen; use --print"
        )
    _, key = read_keys(key_file)[0]
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(f"X-Proxy-Key: {key}\n".encode())
        yield ["-H", f"@/dev/fd/{reading}"], [reading]
    finally:
        os.close(reading)
