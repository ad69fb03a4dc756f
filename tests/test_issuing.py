"""The local authority: what it signs, and what it cannot."""

import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from proxy.errors import ConfigError, ProxyError
from proxy.issuing import AUTHORITY_DAYS, CertificateFiles, issue

NOW = datetime.now(UTC).replace(microsecond=0)
LOCAL = ["localhost", "127.0.0.1", "::1"]


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return CertificateFiles(tmp_path / "tls")


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def names(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(each.value) for each in found.value]


def error_of(
    authority: Path, certificate: Path, key: Path, name: str
) -> ssl.SSLError | None:
    """Return why a client that trusts `authority` refuses the server at `name`."""
    client = ssl.create_default_context(cafile=authority)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(one, other, server_hostname=name),
        server.wrap_bio(other, one, server_side=True),
    )
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                return error
    return None


@pytest.mark.parametrize("name", LOCAL)
def test_a_client_that_trusts_the_authority_takes_the_certificate(
    files: CertificateFiles, name: str
) -> None:
    issued = issue(files, [], now=NOW)

    assert issued.new_authority
    assert issued.names == names(read(files.certificate)) == LOCAL
    assert error_of(files.authority, files.certificate, files.key, name) is None


def test_names_are_added_to_the_usual_ones(files: CertificateFiles) -> None:
    issue(files, ["proxy.example", "192.168.1.5", "::1"], now=NOW)

    assert names(read(files.certificate)) == [*LOCAL, "proxy.example", "192.168.1.5"]
    for name in ("proxy.example", "192.168.1.5", "localhost"):
        assert error_of(files.authority, files.certificate, files.key, name) is None


@pytest.mark.parametrize(
    "name", ["bank.example", "localhost.example", "10.0.0.1", "127.0.0.2", "::2"]
)
def test_a_stolen_authority_is_of_no_use_for_other_names(
    files: CertificateFiles, tmp_path: Path, name: str
) -> None:
    issue(files, [], now=NOW)
    stolen = load_pem_private_key(files.authority_key.read_bytes(), None)
    key = generate_private_key(SECP256R1())
    try:
        alternative: x509.GeneralName = x509.IPAddress(ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(read(files.authority).subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                read(files.authority).public_key()  # type: ignore[arg-type]
            ),
            critical=False,
        )
        .sign(stolen, SHA256())  # type: ignore[arg-type]
    )
    certificate, key_file = tmp_path / "forged.pem", tmp_path / "forged.key"
    certificate.write_bytes(forged.public_bytes(Encoding.PEM))
    from proxy.issuing import _key_text

    key_file.write_bytes(_key_text(key))

    error = error_of(files.authority, certificate, key_file, name)

    assert error is not None
    assert "permitted subtree violation" in str(error)


def test_the_authority_signs_no_other_authority(files: CertificateFiles) -> None:
    issue(files, [], now=NOW)
    authority = read(files.authority)
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)

    assert (basic.value.ca, basic.value.path_length, basic.critical) == (True, 0, True)
    assert constraints.critical
    assert authority.not_valid_after_utc == NOW + timedelta(days=AUTHORITY_DAYS)
    server = read(files.certificate)
    basic = server.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not basic.value.ca


@pytest.mark.skipif(sys.platform == "win32", reason="modes say nothing there")
def test_keys_are_for_their_owner_only(files: CertificateFiles) -> None:
    issue(files, [], now=NOW)
    for file, mode in (
        (files.folder, 0o700),
        (files.authority_key, 0o600),
        (files.key, 0o600),
        (files.authority, 0o644),
        (files.certificate, 0o644),
    ):
        assert stat.S_IMODE(file.stat().st_mode) == mode, file
    assert len(list(files.folder.iterdir())) == 4


def test_a_renewal_keeps_authority_key_and_names(files: CertificateFiles) -> None:
    first = issue(files, ["proxy.example"], now=NOW)
    kept = {
        file: file.read_bytes()
        for file in (files.authority, files.authority_key, files.key)
    }
    before = files.certificate.read_bytes()

    again = issue(files, [], now=NOW + timedelta(days=30))

    assert {file: file.read_bytes() for file in kept} == kept
    assert files.certificate.read_bytes() != before
    assert not again.new_authority
    assert again.ends == first.ends + timedelta(days=30)
    assert names(read(files.certificate)) == [*LOCAL, "proxy.example"]


def test_a_certificate_does_not_outlive_its_authority(files: CertificateFiles) -> None:
    issue(files, [], now=NOW)
    late = NOW + timedelta(days=AUTHORITY_DAYS - 7)

    assert issue(files, [], now=late).ends == NOW + timedelta(days=AUTHORITY_DAYS)
    with pytest.raises(ConfigError, match="is over; make a new one"):
        issue(files, [], now=late + timedelta(days=7))


def test_another_name_needs_a_new_authority(files: CertificateFiles) -> None:
    issue(files, [], now=NOW)
    before = files.authority.read_bytes()

    with pytest.raises(ConfigError, match="not made for proxy.example; make a new one"):
        issue(files, ["proxy.example"], now=NOW)

    assert files.authority.read_bytes() == before
    issued = issue(files, ["proxy.example"], now=NOW, new_authority=True)
    assert issued.new_authority
    assert files.authority.read_bytes() != before
    assert error_of(files.authority, files.certificate, files.key, "localhost") is None


@pytest.mark.parametrize("lost", ["authority", "authority_key"])
def test_half_an_authority_is_not_replaced_unasked(
    files: CertificateFiles, lost: str
) -> None:
    issue(files, [], now=NOW)
    getattr(files, lost).unlink()

    with pytest.raises(ConfigError, match="but not what belongs to it"):
        issue(files, [], now=NOW)

    issue(files, [], now=NOW, new_authority=True)


def test_what_is_no_authority_of_ours_is_not_used(
    files: CertificateFiles, tmp_path: Path
) -> None:
    issue(files, [], now=NOW)
    other = CertificateFiles(tmp_path / "other")
    issue(other, [], now=NOW)
    key = files.authority_key.read_bytes()

    files.authority_key.write_bytes(other.authority_key.read_bytes())
    with pytest.raises(ConfigError, match="is not the key of"):
        issue(files, [], now=NOW)

    files.authority_key.write_bytes(b"no key")
    with pytest.raises(ConfigError, match="are not an authority made by") as caught:
        issue(files, [], now=NOW)
    assert caught.value.__cause__ is None

    files.authority_key.write_bytes(key)
    files.key.write_bytes(b"damaged")
    issue(files, [], now=NOW)
    assert error_of(files.authority, files.certificate, files.key, "localhost") is None


def test_an_authority_without_limits_is_not_used(files: CertificateFiles) -> None:
    key = generate_private_key(SECP256R1())
    name = x509.Name([])
    from proxy.issuing import _builder, _key_text

    unlimited = _builder(name, name, key, NOW, NOW + timedelta(days=9)).sign(
        key, SHA256()
    )
    files.folder.mkdir()
    files.authority.write_bytes(unlimited.public_bytes(Encoding.PEM))
    files.authority_key.write_bytes(_key_text(key))

    with pytest.raises(ConfigError, match="may sign for any name"):
        issue(files, [], now=NOW)


def test_without_the_library_one_sentence_says_how_to_add_it(
    files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)

    with pytest.raises(ConfigError, match="-m pip install cryptography$"):
        issue(files, [], now=NOW)
    assert not files.folder.exists()


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ProxyError, match="cannot be used .*; name another folder"):
        issue(CertificateFiles(tmp_path / "file" / "tls"), [], now=NOW)
