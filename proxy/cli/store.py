"""The commands about the place where the tokens are kept."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command
from proxy.cli.lazy import LazyGroup
from proxy.cli.options import admin_option, config_option

if TYPE_CHECKING:
    from proxy.config import Address, Config

COMMANDS = {
    "move": "proxy.cli.store:move",
    "key": "proxy.cli.store:key",
    "rekey": "proxy.cli.store:rekey",
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    examples=[
        "telemed-proxy store move keyring:",
        "telemed-proxy store key",
    ],
    invoke_without_command=True,
)
@click.pass_context
def store(ctx: click.Context) -> int | None:
    """Move the tokens to another place, or encrypt their file."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        return exitcodes.USAGE
    return None


def store_url(text: str) -> str:
    """Return the URL of a store; what is wrong with it is told without a part of it."""
    from proxy.config import parse_store_url

    try:
        url = parse_store_url(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc
    if not url:
        raise click.BadParameter("must not be empty")
    return url


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy store move keyring:",
        "telemed-proxy store move file:/var/lib/telemed-proxy/tokens.json",
        "telemed-proxy store move redis://127.0.0.1:6379/0",
    ],
)
@click.argument("to", type=store_url)
@click.option("--force", is_flag=True, help="Replace a login that TO already holds.")
@config_option
@admin_option
def move(
    to: str, force: bool, config_path: Path | None, admin: "Address | None"
) -> int:
    """Move the login from store.url of the config to the store TO.

    It is copied, loaded back, and only then removed where it was. Stop the proxy
    first; start it again with the new store.url.
    """
    from proxy.config import load_config

    config = load_config(config_path, require_client_id=False)
    asyncio.run(_move(config, to, admin or config.admin.listen, force=force))
    return exitcodes.DONE


async def _move(config: "Config", to: str, admin: "Address", *, force: bool) -> None:
    from proxy.clock import system_clock
    from proxy.oauth.stores import open_store
    from proxy.oauth.stores.move import is_plain, move, remove_copies

    keys = config.store.keys
    source, target = open_store(config.store.url, keys), open_store(to, keys)
    try:
        await asyncio.to_thread(
            _expect_no_proxy, config, admin, {source.url, target.url}
        )
        await move(
            source, lambda: open_store(to, keys), now=system_clock(), force=force
        )
        # Told before more is done that could fail.
        click.echo(f"Moved the login to {target.url}.")
        click.echo(f"{source.url} only says where it went.")
        if keys is not None and is_plain(to):
            click.echo(
                f"It is not encrypted in {target.url}: {keys.place} is for files only. "
                "Whoever can read there is logged in."
            )
        for file in await remove_copies(source):
            click.echo(f"Deleted {file}.")
    finally:
        await source.close()
        await target.close()
    click.echo("Now put the new place into the config, and start the proxy:\n")
    click.echo(_config_lines(target.url))


def _expect_no_proxy(config: "Config", admin: "Address", places: set[str]) -> None:
    """Refuse while a proxy runs on one of the `places`."""
    from proxy.cli.admin_client import AdminClient, NoProxyError
    from proxy.errors import ProxyError

    client = AdminClient(
        admin,
        config.admin.password_file,
        certificate_file=config.tls.certificate_file,
    )
    try:
        found = client.status()
    except NoProxyError:
        return
    place = str(found.get("store"))
    if place in places:
        raise ProxyError(
            f"the proxy at {admin} runs on {place}; stop it, move the login, and start "
            "it again with the new store.url"
        )


def _config_lines(place: str) -> str:
    from proxy.redaction import MASK

    lines = f'store:\n  url: "{place}"'
    return f"{lines}   # with the password for {MASK}" if MASK in place else lines


@click.command(
    cls=Command,
    examples=[
        "(umask 077 && telemed-proxy store key > ~/telemed_store_key)",
    ],
)
def key() -> int:
    """Print a new random key, for the file store.encryption_key_file.

    Without the key the tokens cannot be read: keep a copy apart from them. A new key
    goes before the old ones, each on a line of its own.
    """
    from proxy.oauth.stores.encryption import new_key

    click.echo(new_key())
    return exitcodes.DONE


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy store rekey",
    ],
)
@config_option
def rekey(config_path: Path | None) -> int:
    """Encrypt the token file now, with the first key of those configured.

    Without this, it is done at the next save. Afterwards older keys can go.
    """
    from proxy.config import load_config

    config = load_config(config_path, require_client_id=False)
    click.echo(asyncio.run(_rekey(config)))
    return exitcodes.DONE


async def _rekey(config: "Config") -> str:
    from proxy.errors import ConfigError
    from proxy.oauth.stores import open_store
    from proxy.oauth.stores.file import FileStore

    keys = config.store.keys
    store = open_store(config.store.url, keys)
    if not isinstance(store, FileStore):
        raise ConfigError(f"only a token file is encrypted with a key, not {store.url}")
    if keys is None:
        raise ConfigError(
            "no key is configured: make one with telemed-proxy store key, and set "
            "store.encryption_key_file to its file"
        )
    if not await store.rekey():
        return f"{store.url} is not there yet; it will be encrypted."
    return f"{store.url} is encrypted with the first key of {keys.place}."
