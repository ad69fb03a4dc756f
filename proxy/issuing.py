"""A certificate authority of this machine's own, and certificates by it for listeners.

The authority may sign for the names that it was made for and for no others (RFC 5280,
section 4.2.1.10): whoever steals its key cannot pose as another site to those who trust
it. The library `cryptography` is imported only here, and only when it is needed.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.errors import ConfigError, ProxyError
from proxy.oauth.stores import how_to_install

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

AUTHORITY_DAYS: Final = 3652
SERVER_DAYS: Final = 820
"""Apple's systems take no longer ones, 825 days at most, also from own authorities."""

# A clock that is a little behind must not find them not valid yet.
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the authority and the certificate of the listeners are kept."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate that callers are to trust."""
        return self.folder / "authority.pem"

    @property
    def authority_key(self) -> Path:
        """What signs new certificates."""
        return self.folder / "authority.key"

    @property
    def certificate(self) -> Path:
        """What listeners show."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The listeners' key."""
        return self.folder / "server.key"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate: its names, whether its authority is a new one, and its end."""

    names: Sequence[str]
    new_authority: bool
    ends: datetime


def issue(
    files: CertificateFiles,
    names: Sequence[str],
    *,
    now: datetime,
    new_authority: bool = False,
) -> Issued:
    """Make a certificate, and the authority where there is none yet.

    It is for LOCAL_NAMES and `names`, and for all others that the authority was made
    for: a renewal need not name them again.

    Raises:
        ConfigError: the library is missing, or the authority that is there cannot
            sign for these names.
        ProxyError: the files cannot be written.
    """
    _expect_library()
    try:
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = new_authority or not _exists(files)
        if fresh:
            names = list(dict.fromkeys((*LOCAL_NAMES, *names)))
            authority, authority_key = _new_authority(names, now)
            # The key first: without it the certificate is of no use.
            _write(files.authority_key, _key_text(authority_key))
            _write(files.authority, _text([authority]), mode=0o644)
        else:
            authority, authority_key = _kept_authority(files, now)
            names = _names_of(authority, names, files)
        key = _server_key(files)
        server = _server(names, key, authority, authority_key, now)
        _write(files.key, _key_text(key))
        _write(files.certificate, _text([server]), mode=0o644)
    except OSError as exc:
        raise ProxyError(
            f"{exc.filename or files.folder} cannot be used ({exc.strerror}); "
            "name another folder with --folder"
        ) from exc
    return Issued(names, fresh, server.not_valid_after_utc)


def _expect_library() -> None:
    try:
        import cryptography  # noqa: F401  to know that it is there
    except ImportError as exc:
        raise ConfigError(
            "the library cryptography is missing, which makes certificates; "
            f"run: {how_to_install('cryptography')}"
        ) from exc


def _exists(files: CertificateFiles) -> bool:
    """Say whether there is an authority; half of one is an error, not an invitation."""
    there = [file for file in (files.authority, files.authority_key) if file.exists()]
    if len(there) == 1:
        raise ConfigError(
            f"{there[0]} is there, but not what belongs to it; bring it back, or "
            "make a new authority with --new-authority"
        )
    return bool(there)


# -- The authority -------------------------------------------------------------------


def _new_authority(
    names: Iterable[str], now: datetime
) -> "tuple[x509.Certificate, EllipticCurvePrivateKey]":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = _new_key()
    # An old and a new one, or two machines', must not be taken for the same.
    mark = os.urandom(4).hex()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "telemed-proxy"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"telemed-proxy local {mark}"),
        ]
    )
    certificate = (
        _builder(name, name, key, now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(
            x509.NameConstraints([_subtree(each) for each in names], None),
            critical=True,
        )
        .sign(key, SHA256())
    )
    return certificate, key


def _kept_authority(
    files: CertificateFiles, now: datetime
) -> "tuple[x509.Certificate, EllipticCurvePrivateKey]":
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = load_pem_private_key(files.authority_key.read_bytes(), None)
    except (ValueError, TypeError):
        # Not chained, as is all that has seen the key.
        raise ConfigError(
            f"{files.authority} and {files.authority_key} are not an authority made by "
            "this command; move them away, or replace them with --new-authority"
        ) from None
    if (
        not isinstance(key, EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise ConfigError(
            f"{files.authority_key} is not the key of {files.authority}; bring the "
            "right one back, or replace both with --new-authority"
        )
    if certificate.not_valid_after_utc <= now:
        raise ConfigError(
            f"the authority in {files.authority} is over; make a new one with "
            "--new-authority, and have it trusted instead"
        )
    return certificate, key


def _names_of(
    authority: "x509.Certificate", wanted: Iterable[str], files: CertificateFiles
) -> list[str]:
    """Return all names that `authority` may sign for; those `wanted` are among them."""
    from cryptography import x509

    try:
        found = authority.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        raise ConfigError(
            f"the authority in {files.authority} may sign for any name, so it was not "
            "made by this command; move it away, or name another folder with --folder"
        ) from None
    # An address is there as a network of one: 127.0.0.1/32.
    permitted = found.value.permitted_subtrees or ()
    names = [str(each.value).partition("/")[0] for each in permitted]
    for name in wanted:
        if name not in names:
            raise ConfigError(
                f"the authority in {files.authority} was not made for {name}; make a "
                "new one with --new-authority, and have it trusted instead"
            )
    return names


def _subtree(name: str) -> "x509.GeneralName":
    """Return what the authority may sign for: a name, or one address."""
    from cryptography import x509

    try:
        return x509.IPAddress(ip_network(name))
    except ValueError:
        return x509.DNSName(name)


# -- The certificate of the listeners ------------------------------------------------


def _server(
    names: Sequence[str],
    key: "EllipticCurvePrivateKey",
    authority: "x509.Certificate",
    authority_key: "EllipticCurvePrivateKey",
    now: datetime,
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "telemed-proxy")]
    )
    ends = min(now + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
    return (
        _builder(subject, authority.subject, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                authority_key.public_key()
            ),
            critical=False,
        )
        .sign(authority_key, SHA256())
    )


def _server_key(files: CertificateFiles) -> "EllipticCurvePrivateKey":
    """Return the key that is there: so a running proxy finds a pair at any time."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(files.key.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return _new_key()
    return key if isinstance(key, EllipticCurvePrivateKey) else _new_key()


def _alternative(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


# -- What both have ------------------------------------------------------------------


def _builder(
    subject: "x509.Name",
    issuer: "x509.Name",
    key: "EllipticCurvePrivateKey",
    now: datetime,
    ends: datetime,
) -> "x509.CertificateBuilder":
    from cryptography import x509

    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )


def _usage(*, signs: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import (
        SECP256R1,
        generate_private_key,
    )

    # Programs that insist on https include old ones, and all of them know this curve.
    return generate_private_key(SECP256R1())


def _text(certificates: "Iterable[x509.Certificate]") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _key_text(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` in the place of `file` in one step, never open to others before."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        stream.flush()
        os.fsync(descriptor)
    fresh.replace(file)


def now_utc() -> datetime:
    """Return the present instant, to the second, as certificates have it."""
    return datetime.now(UTC).replace(microsecond=0)
