"""What is read from a certificate that nobody trusts; `cryptography` reads it, too."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proxy.cli.certificate_facts import Facts, read_facts
from proxy.cli.interceptors import interceptor, is_russian_state

NOW = datetime.now(UTC).replace(microsecond=0)


def signed_by(issuer: x509.Name, ends: datetime) -> bytes:
    key = generate_private_key(SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@pytest.mark.parametrize("ends", [NOW, datetime(2060, 2, 29, 1, 2, 3, tzinfo=UTC)])
def test_the_issuer_and_the_end_are_read_in_both_forms_of_time(ends: datetime) -> None:
    facts = read_facts(signed_by(name("АО Пример", "Root 7"), ends))

    assert facts == Facts("АО Пример", "Root 7", ends.timestamp())
    assert facts.issuer == "Root 7 of АО Пример"


def test_an_issuer_may_have_one_name_or_none() -> None:
    pem = trustme.CA(organization_name="Example").cert_pem.bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    assert read_facts(der).issuer == "Example"
    assert read_facts(signed_by(x509.Name([]), NOW)).issuer == "somebody without a name"


def test_a_name_cannot_write_on_the_terminal() -> None:
    issuer = read_facts(signed_by(name("x\x1b[2J\ny", "z" * 64), NOW)).issuer

    assert issuer.isprintable()


@pytest.mark.parametrize("at", range(0, 300, 7))
def test_half_a_certificate_is_none(at: int) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        read_facts(signed_by(name("a", "b"), NOW)[:at])


@pytest.mark.parametrize(
    "der", [b"\x30", b"\x30\x00", b"\x30\x84", b"GET /", b"\x02\x01\x00"]
)
def test_what_is_no_certificate_is_told(der: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        read_facts(der)


@pytest.mark.parametrize(
    ("issuer", "told"),
    [
        (
            "Kaspersky Anti-Virus Personal Root Certificate of AO Kaspersky Lab",
            "Kaspersky",
        ),
        ("ESET SSL Filter CA of ESET, spol. s r. o.", "ESET"),
        ("DO_NOT_TRUST_FiddlerRoot", "DO_NOT_TRUST"),
        ("avast! Web/Mail Shield Root", "avast"),
        ("Dr.Web SpIDer Gate", "Dr.Web"),
        ("mitmproxy of mitmproxy", "mitmproxy"),
        ("FGT60F of Fortinet", "Fortinet"),
        ("Preset CA of Reset Avastone", None),
        ("DigiCert TLS RSA SHA256 2020 CA1 of DigiCert Inc", None),
        ("R11 of Let's Encrypt", None),
    ],
)
def test_who_signs_anew_is_known_by_name(issuer: str, told: str | None) -> None:
    assert interceptor(issuer) == told


def test_the_state_authority_is_no_interceptor() -> None:
    issuer = "Russian Trusted Sub CA of The Ministry of Digital Development"

    assert is_russian_state(issuer)
    assert interceptor(issuer) is None
    assert not is_russian_state("R11 of Let's Encrypt")
