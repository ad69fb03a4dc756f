"""The certificate of our own TLS listeners, and how our own commands trust it."""

import logging
import re
import ssl
from contextlib import suppress
from pathlib import Path

from proxy.clock import Clock, system_clock
from proxy.errors import ConfigError

logger = logging.getLogger(__name__)

# Seconds between two looks at the files' times.
_LOOK_EVERY = 1.0

SOON_DAYS = 14
"""Days before its end in which a certificate had better be renewed."""

_FIRST_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)

Stamp = tuple[tuple[int, int, int] | None, ...]


class ServerCertificate:
    """What TLS listeners show, read again when one of its two files changes.

    `context` is for `create_server`. Connections go on with what they began with.

    Raises:
        ConfigError: the files are not a certificate and its key.
    """

    def __init__(
        self,
        certificate_file: Path,
        key_file: Path,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._files = (certificate_file, key_file)
        self._clock = clock
        self._stamp = self._stamped()
        self._looked = clock()
        self.context = self._latest = self._load()
        # Called at the beginning of each handshake, whether a name is sent or not.
        self.context.sni_callback = self._hello

    def _hello(
        self,
        connection: ssl.SSLObject | ssl.SSLSocket,
        _: str | None,
        __: ssl.SSLContext,
    ) -> None:
        self._look()
        if self._latest is not self.context:
            connection.context = self._latest

    def _look(self) -> None:
        now = self._clock()
        if 0 <= now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._latest = self._load()
        except ConfigError as error:
            # Half of the two may be written yet; the other half is seen in its turn.
            logger.warning("the earlier certificate stays in use: %s", error)
        else:
            logger.info("read the new certificate in %s", self._files[0])

    def _load(self) -> ssl.SSLContext:
        certificate_file, key_file = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        for name, file in zip(
            ("certificate_file", "key_file"), self._files, strict=True
        ):
            _expect_readable(f"tls.{name}", file)
        try:
            context.load_cert_chain(certificate_file, key_file, _no_passphrase)
        except _PassphraseError:
            raise ConfigError(
                f"tls.key_file: {key_file} needs a passphrase, which nobody can type "
                "here; store the key without one, with mode 0600"
            ) from None
        except ssl.SSLError as exc:
            raise ConfigError(_why(exc, certificate_file, key_file)) from exc
        self._warn_of_end(context)
        return context

    def _warn_of_end(self, context: ssl.SSLContext) -> None:
        try:
            days = (ends_at(self._files[0], context) - self._clock()) / 86_400
        except ConfigError as error:
            # The clock may be what is wrong, and some callers look at no dates.
            logger.warning("%s", error)
            return
        if days < SOON_DAYS:
            logger.warning(
                "the certificate in %s ends in %d days; renew it, with telemed-proxy "
                "cert if that made it",
                self._files[0],
                days,
            )

    def _stamped(self) -> Stamp:
        """Return what changes when one of the files does."""
        return tuple(map(_stamp, self._files))


def pinned_context(certificate_file: Path) -> ssl.SSLContext:
    """Return the context of a client that trusts this one certificate and no other.

    For our own commands, which read the same config: neither its authority has to be
    trusted by this machine, nor the name to fit by which the listener is called.

    Raises:
        ConfigError: there is no certificate in the file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # What it is itself signed by would be a reason to trust others.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    found = _FIRST_CERTIFICATE.search(_text(certificate_file))
    try:
        context.load_verify_locations(cadata=found[0] if found else "")
    except (ssl.SSLError, ValueError) as exc:
        raise ConfigError(
            f"tls.certificate_file: no certificate is in {certificate_file}"
        ) from exc
    return context


def ends_at(certificate_file: Path, server: ssl.SSLContext) -> float:
    """Return when the certificate that `server` shows ends, as seconds since 1970.

    Raises:
        ConfigError: it is not valid now.
    """
    # ssl tells what is in a certificate to those only who verified it: so be both.
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = pinned_context(certificate_file).wrap_bio(here, there)
    theirs = server.wrap_bio(there, here, server_side=True)
    try:
        for _ in range(4):
            for side in (ours, theirs):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
        told = ours.getpeercert() or {}
    except ssl.SSLCertVerificationError as exc:
        raise ConfigError(
            f"tls.certificate_file: {certificate_file} is not valid "
            f"({exc.verify_message}); renew it, with telemed-proxy cert if that made it"
        ) from exc
    return ssl.cert_time_to_seconds(str(told["notAfter"]))


class _PassphraseError(Exception):
    """The key is encrypted."""


def _no_passphrase() -> str:
    raise _PassphraseError


def _expect_readable(setting: str, file: Path) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as exc:
        raise ConfigError(f"{setting}: {file} cannot be read ({exc.strerror})") from exc


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError as exc:
        raise ConfigError(
            f"tls.certificate_file: {file} cannot be read ({exc.strerror})"
        ) from exc


def _why(error: ssl.SSLError, certificate_file: Path, key_file: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"tls.key_file: {key_file} is not the key of {certificate_file}"
    return (
        f"tls: {certificate_file} and {key_file} are not a certificate and its private "
        "key in PEM form"
    )


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
