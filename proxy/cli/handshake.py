"""TLS with a host, only to see what it shows: nothing is sent on such a connection."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from yarl import URL

from proxy.cli.certificate_facts import Facts, read_facts
from proxy.cli.http_call import to_origin
from proxy.config import Address

# Debian's own list of public authorities, without those that were added here.
_PUBLIC: Final = Path("/usr/share/ca-certificates/mozilla")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host showed: the version of TLS, and its certificate."""

    version: str
    facts: Facts


def look(url: URL, context: ssl.SSLContext, egress_proxy: URL | None = None) -> Seen:
    """Return what the host of `url` shows to who trusts what `context` does.

    Raises:
        OSError: it cannot be reached, or is not trusted.
        http.client.HTTPException: the egress proxy does not speak HTTP.
    """
    with _open(url, context, egress_proxy) as connection:
        der = connection.getpeercert(binary_form=True) or b""
        try:
            return Seen(connection.version() or "TLS", read_facts(der))
        except ValueError as exc:
            raise OSError("its certificate cannot be read") from exc


def is_trusted(
    url: URL, context: ssl.SSLContext, egress_proxy: URL | None = None
) -> bool:
    """Say whether `context` trusts the host of `url`. Raises as `look` does else."""
    try:
        with _open(url, context, egress_proxy):
            return True
    except ssl.SSLCertVerificationError:
        return False


def speaks_tls(address: Address) -> bool:
    """Say whether what listens at `address` answers to TLS."""
    near = address.reachable
    if near.path is not None:
        return False
    url = URL.build(scheme="https", host=near.host, port=near.port)
    try:
        with _open(url, blind_context(), None):
            return True
    except (OSError, http.client.HTTPException):
        return False


def blind_context() -> ssl.SSLContext:
    """Return the context of who only looks, and so trusts everybody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def public_context() -> ssl.SSLContext | None:
    """Return one that trusts the public authorities alone, None where none is known.

    The system's own trust does not tell which ones were added on this machine.
    """
    try:
        file: str = import_module("certifi").where()
    except ImportError:
        files = [str(each) for each in sorted(_PUBLIC.glob("*.crt"))]
    else:
        files = [file]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        for each in files:
            context.load_verify_locations(each)
    except OSError:
        return None
    return context if files else None


@contextmanager
def _open(
    url: URL, context: ssl.SSLContext, egress_proxy: URL | None
) -> Iterator[ssl.SSLSocket]:
    connection = to_origin(url, context=context, egress_proxy=egress_proxy)
    try:
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)  # noqa: S101  it is https
        yield connection.sock
    finally:
        connection.close()
