"""Checks of files: who may read the tokens and the keys."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from proxy.certificate import SOON_DAYS, ServerCertificate, ends_at
from proxy.cli.findings import Finding, note, ok, wrong
from proxy.clock import iso_utc, system_clock
from proxy.config import Config, StoreConfig, TlsConfig
from proxy.errors import ConfigError, StoreError
from proxy.oauth.stores import open_store
from proxy.oauth.stores.record import DEFAULT_ACCOUNT
from proxy.secret_files import open_to_others


def check_files(config: Config) -> Iterator[Finding]:
    """Yield what is found of the token store and of every file of secrets."""
    if config.store.url.startswith("file:"):
        found = list(check_store(config.store.url))
        yield from found
        if all(each.ok for each in found):
            yield from check_content(config.store)
    else:
        yield asyncio.run(ask_store(config.store))
    for name, file in config.secret_files.items():
        yield check_secret_file(name, file)
    yield from check_certificate(config.tls)


def check_certificate(tls: TlsConfig) -> Iterator[Finding]:
    """Yield whether our own TLS listeners can show a certificate that is valid."""
    if tls.certificate_file is None or tls.key_file is None:
        return
    try:
        served = ServerCertificate(tls.certificate_file, tls.key_file)
        ends = ends_at(tls.certificate_file, served.context)
    except ConfigError as exc:
        seen, _, mend = exc.description.partition("; ")
        yield wrong("tls", seen, mend or "make both files with: telemed-proxy cert")
        return
    yield ok("tls", f"{tls.certificate_file} (valid until {iso_utc(ends)[:10]})")
    days = (ends - system_clock()) / 86_400
    if days < SOON_DAYS:
        yield note(
            "tls",
            f"it ends in {days:.0f} days; renew it, with telemed-proxy cert if that "
            "made it",
        )


def check_store(url: str) -> Iterator[Finding]:
    """Yield what is found of the folder and the file of the store at `url`."""
    file = Path(url.removeprefix("file:"))
    try:
        exists = file.parent.exists()
        writable = os.access(_nearest(file.parent), os.W_OK | os.X_OK)
    except OSError as exc:
        yield wrong("store", f"{url}: {exc.strerror}", "set store.url to another place")
        return
    if not writable:
        yield wrong(
            "store",
            f"{file.parent} cannot be written",
            "let this user write there, or set store.url to another place",
        )
        return
    if not exists:
        yield ok("store", f"{file} (made at the first login)")
        return
    # The folder may be a shared one that the user chose: the file is what matters.
    if file.exists():
        yield check_secret_file("store", file)
    else:
        yield ok("store", f"{file} (made at the first login)")


def check_content(config: StoreConfig) -> Iterator[Finding]:
    """Yield what is wrong with the content of the token file, or with its keys."""
    try:
        asyncio.run(open_store(config.url, config.keys).accounts())
    except (ConfigError, StoreError) as exc:
        yield _wrong_store(exc)


async def ask_store(config: StoreConfig) -> Finding:
    """Return whether a store that is no file answers; its URL may hold a password."""
    try:
        store = open_store(config.url, config.keys)
        try:
            await store.load(DEFAULT_ACCOUNT)
            return ok("store", store.url)
        finally:
            await store.close()
    except (ConfigError, StoreError) as exc:
        return _wrong_store(exc)


def _wrong_store(error: ConfigError | StoreError) -> Finding:
    seen, _, mend = error.description.partition("; ")
    return wrong("store", seen, mend or "mend store.url")


def check_secret_file(subject: str, file: Path) -> Finding:
    """Return whether `file` can be read by us and by nobody else."""
    try:
        found = file.stat()
    except OSError as exc:
        return wrong(
            subject, f"{file}: {exc.strerror}", "make the file, or mend the path"
        )
    if not stat.S_ISREG(found.st_mode):
        return wrong(subject, f"{file} is no plain file", "mend the path")
    if not os.access(file, os.R_OK):
        return wrong(
            subject, f"{file} cannot be read by this user", f"chown {_user()} {file}"
        )
    if (open_wide := open_to_others(file)) is not None:
        return wrong(subject, *open_wide)
    return ok(subject, f"{file} (mode {stat.S_IMODE(found.st_mode):04o})")


def _nearest(folder: Path) -> Path:
    """Return `folder`, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _user() -> str:
    return os.environ.get("USER") or "$USER"
