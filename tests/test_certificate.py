"""What our TLS listeners show, and how it changes while they run."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from proxy.certificate import ServerCertificate, ends_at, pinned_context
from proxy.errors import ConfigError
from proxy.issuing import CertificateFiles
from tests.certificates import made, trusting
from tests.clocks import MovedClock


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return made(tmp_path / "tls")


def served(files: CertificateFiles, clock: MovedClock | None = None) -> ssl.SSLContext:
    clock = clock or MovedClock()
    return ServerCertificate(files.certificate, files.key, clock=clock).context


@dataclass
class Client:
    """A connection to the server, and what the server showed on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def serial(self) -> str:
        shown = self.writer.get_extra_info("peercert")
        return str(shown["serialNumber"])

    async def says(self, text: bytes) -> bytes:
        self.writer.write(text)
        return await self.reader.readexactly(len(text))


@dataclass
class Served:
    port: int
    trusting: ssl.SSLContext

    @asynccontextmanager
    async def client(
        self, name: str = "localhost", context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context or self.trusting, server_hostname=name
        )
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    async def serial(self, name: str = "localhost") -> str:
        async with self.client(name) as client:
            return client.serial


@asynccontextmanager
async def serving(files: CertificateFiles, clock: MovedClock) -> AsyncIterator[Served]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=served(files, clock))
    async with server:
        yield Served(server.sockets[0].getsockname()[1], trusting(files))


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"], ids=["a name", "no name"])
async def test_a_new_certificate_is_taken_up_and_connections_go_on(
    files: CertificateFiles, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = MovedClock()
    async with serving(files, clock) as server, server.client(name) as old:
        before = old.serial
        assert await server.serial(name) == before
        made(files.folder)
        assert await server.serial(name) == before  # nobody has looked yet
        clock.now += 1

        after = await server.serial(name)

        assert after != before
        assert await server.serial(name) == after
        assert await old.says(b"still here") == b"still here"
    assert caplog.text.count("read the new certificate") == 1


@pytest.mark.parametrize("broken", ["certificate", "key"])
@pytest.mark.parametrize("content", [b"", b"half a", None])
async def test_a_broken_new_file_leaves_the_earlier_one_in_use(
    files: CertificateFiles,
    broken: str,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = MovedClock()
    file: Path = getattr(files, broken)
    async with serving(files, clock) as server:
        before = await server.serial()
        whole = file.read_bytes()
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        for _ in range(3):
            clock.now += 1
            assert await server.serial() == before
        assert caplog.text.count("the earlier certificate stays in use") == 1

        file.write_bytes(whole)
        made(files.folder)
        clock.now += 1
        assert await server.serial() != before


async def test_of_two_new_files_one_alone_is_not_taken(
    files: CertificateFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An authority may give out a new key: for a moment, the two do not fit."""
    clock = MovedClock()
    other = made(tmp_path / "other")
    async with serving(files, clock) as server:
        before = await server.serial()
        files.key.write_bytes(other.key.read_bytes())
        clock.now += 1
        assert await server.serial() == before
        assert "is not the key of" in caplog.text

        files.certificate.write_bytes(other.certificate.read_bytes())
        clock.now += 1
        async with server.client(context=trusting(other)) as client:
            assert client.serial != before


async def test_it_is_tls_1_2_or_newer_and_http_1_1(files: CertificateFiles) -> None:
    async with serving(files, MovedClock()) as server:
        modern = trusting(files)
        modern.set_alpn_protocols(["h2", "http/1.1"])
        async with server.client(context=modern) as client:
            spoken = client.writer.get_extra_info("ssl_object")
            assert spoken.selected_alpn_protocol() == "http/1.1"
            assert spoken.version() == "TLSv1.3"
        old = trusting(files)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with server.client(context=old) as client:
            assert client.writer.get_extra_info("ssl_object").version() == "TLSv1.2"
    assert served(files).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_key_of_another_certificate_is_refused(
    files: CertificateFiles, tmp_path: Path
) -> None:
    other = made(tmp_path / "other")

    with pytest.raises(ConfigError, match=r"tls\.key_file: .*is not the key of"):
        ServerCertificate(files.certificate, other.key)


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(
    files: CertificateFiles,
) -> None:
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2")
        )
    )

    with pytest.raises(ConfigError, match="needs a passphrase"):
        ServerCertificate(files.certificate, files.key)


@pytest.mark.parametrize("name", ["certificate", "key"])
def test_what_cannot_be_read_is_one_sentence(
    files: CertificateFiles, name: str
) -> None:
    file: Path = getattr(files, name)
    file.write_text("hunter2")
    with pytest.raises(ConfigError, match="are not a certificate and its") as caught:
        ServerCertificate(files.certificate, files.key)
    assert "hunter2" not in str(caught.value)
    file.unlink()
    with pytest.raises(ConfigError, match=rf"tls\.{name}(_file)?: .*No such file"):
        ServerCertificate(files.certificate, files.key)


# -- Our own commands ----------------------------------------------------------------


async def test_our_own_commands_trust_this_certificate_by_any_name(
    files: CertificateFiles,
) -> None:
    context = pinned_context(files.certificate)
    async with serving(files, MovedClock()) as server:
        for name in ("localhost", "proxy.example", "192.168.1.5"):
            async with server.client(name, context) as client:
                assert client.serial


async def test_they_trust_no_other_one_of_the_same_authority(
    files: CertificateFiles,
) -> None:
    context = pinned_context(files.certificate)
    made(files.folder)
    async with serving(files, MovedClock()) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with server.client(context=context):
                pass


async def test_the_authority_after_the_certificate_opens_nothing(
    files: CertificateFiles, tmp_path: Path
) -> None:
    """Whoever has a certificate of the same intermediate must not pass for us."""
    chain = tmp_path / "chain.pem"
    chain.write_bytes(files.certificate.read_bytes() + files.authority.read_bytes())
    context = pinned_context(chain)
    made(files.folder)
    async with serving(files, MovedClock()) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with server.client(context=context):
                pass


def test_without_a_certificate_there_is_nothing_to_trust(tmp_path: Path) -> None:
    file = tmp_path / "server.pem"
    with pytest.raises(ConfigError, match="cannot be read"):
        pinned_context(file)
    for content in (b"", b"\xff", b"-----BEGIN CERTIFICATE-----\nx\n"):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="no certificate is in"):
            pinned_context(file)


def test_the_end_of_a_certificate_is_known(tmp_path: Path) -> None:
    files = made(tmp_path)
    until = ends_at(files.certificate, served(files))
    assert until == pytest.approx(_ends(files), abs=1)

    files = made(tmp_path / "old", days_ago=821)
    with pytest.raises(ConfigError, match=r"is not valid \(certificate has expired\)"):
        ends_at(files.certificate, served(files))


def _ends(files: CertificateFiles) -> float:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return certificate.not_valid_after_utc.timestamp()


def test_a_certificate_that_ends_soon_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = made(tmp_path)
    end = _ends(files)
    served(files, MovedClock(end - 14 * 86_400))
    assert caplog.text == ""

    served(files, MovedClock(end - 13 * 86_400))
    assert "ends in 13 days; renew it, with telemed-proxy cert" in caplog.text


def test_one_that_has_ended_is_shown_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served(made(tmp_path, days_ago=821))

    assert "certificate has expired" in caplog.text
