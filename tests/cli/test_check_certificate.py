"""Whose certificate an upstream shows, through real handshakes."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from proxy.cli import exitcodes, handshake
from proxy.cli.certificate_facts import Facts
from proxy.cli.check_certificate import how_to_trust, whose_authority
from proxy.cli.check_upstream import check_upstream
from proxy.cli.findings import Finding
from proxy.cli.handshake import public_context
from proxy.config import Address, Config
from tests.cli.doors import Door, open_door
from tests.cli.tls_door import open_tls_door

NOW = datetime.now(UTC)
EXPIRED, OTHER_NAME, UNKNOWN = 10, 62, 19


@pytest.fixture(scope="module")
def own() -> trustme.CA:
    """An authority of somebody's own, with a name that says nothing."""
    return trustme.CA(organization_name="Example Clinics")


@pytest.fixture(scope="module")
def kaspersky() -> trustme.CA:
    return trustme.CA(organization_name="AO Kaspersky Lab")


def saved(authority: trustme.CA, folder: Path) -> str:
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return str(folder / "ca.pem")


def checked(address: Address, **more: str) -> list[Finding]:
    url = f"https://{address.host}:{address.port}"
    settings = {"api_url": url, "auth_url": url, **more}
    return list(check_upstream(Config.parse({"upstream": settings})))


def about(findings: list[Finding], subject: str) -> Iterator[str]:
    return (each.line() for each in findings if each.subject.endswith(f" {subject}"))


# -- Trusted -------------------------------------------------------------------------


def test_issuer_version_and_end_are_told(own: trustme.CA, tmp_path: Path) -> None:
    ends = NOW + timedelta(days=200)
    with open_tls_door(own, "localhost", ends=ends) as address:
        findings = checked(address, ca_file=saved(own, tmp_path))

    first, authority = about(findings, "certificate")
    assert first.startswith("ok   API and authorization server localhost:")
    assert f"TLSv1.3, issued by Example Clinics, until {ends:%Y-%m-%d}" in first
    assert authority.startswith("note ")
    assert "the authority is no public one, and upstream.ca_file trusts it" in authority
    assert {each.exit_code for each in findings} == {exitcodes.DONE}


def test_an_authority_that_was_added_to_the_system_is_no_public_one(
    own: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if public_context() is None:
        pytest.skip("no list of the public authorities is on this machine")
    # OpenSSL takes this file for the system's trust.
    monkeypatch.setenv("SSL_CERT_FILE", saved(own, tmp_path))
    with open_tls_door(own, "localhost") as address:
        _, authority = about(checked(address), "certificate")

    assert "is no public one, and this machine trusts it: " in authority
    assert "a company's proxy seems to re-sign" in authority


def test_without_certifi_the_systems_own_list_is_taken_or_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "certifi", None)
    context = public_context()
    if context is not None:
        assert context.cert_store_stats()["x509_ca"] > 50

    monkeypatch.setattr(handshake, "_PUBLIC", Path("/nowhere"))
    assert public_context() is None


def test_a_known_interceptor_is_named_though_it_is_trusted(
    kaspersky: trustme.CA, tmp_path: Path
) -> None:
    with open_tls_door(kaspersky, "localhost") as address:
        findings = checked(address, ca_file=saved(kaspersky, tmp_path))

    _, authority = about(findings, "certificate")
    assert "re-signs what passes, and can read it, the token too" in authority
    assert "the issuer is Kaspersky, and upstream.ca_file trusts it" in authority


def test_a_certificate_that_ends_soon_is_noted(own: trustme.CA, tmp_path: Path) -> None:
    ends = NOW + timedelta(days=9, minutes=5)
    with open_tls_door(own, "localhost", ends=ends) as address:
        findings = checked(address, ca_file=saved(own, tmp_path))

    [_, soon, _] = about(findings, "certificate")
    assert soon.startswith("note ")
    assert "it ends in 9 days; whoever runs the host has to renew it" in soon


def test_a_plain_upstream_has_no_certificate_to_look_at() -> None:
    with open_door(Door()) as address:
        urls = {"api_url": f"http://{address}", "auth_url": f"http://{address}"}
        findings = list(check_upstream(Config.parse({"upstream": urls})))

    assert list(about(findings, "certificate")) == []


@pytest.mark.parametrize(
    ("issuer", "by_system", "public", "told"),
    [
        ("R11 of Let's Encrypt", True, True, None),
        ("R11 of Let's Encrypt", True, None, None),
        ("Example Root", True, False, "no public one, and this machine trusts it"),
        ("Example Root", False, None, "no public one, and upstream.ca_file trusts it"),
        ("Zscaler Root CA", True, None, "the issuer is Zscaler, and this machine"),
        ("Russian Trusted Sub CA", False, False, "the Russian state's authority"),
    ],
)
def test_an_authority_is_judged_by_who_trusts_it_and_by_its_name(
    issuer: str, by_system: bool, public: bool | None, told: str | None
) -> None:
    found = whose_authority(issuer, by_system=by_system, public=public)

    assert (told is None and found is None) or (told and told in str(found))


# -- Not trusted ---------------------------------------------------------------------


def test_who_re_signs_is_seen_where_verification_fails_and_is_sent_nothing(
    kaspersky: trustme.CA,
) -> None:
    received: list[bytes] = []
    with open_tls_door(kaspersky, "localhost", received=received) as address:
        [*_, last] = checked(address)

    assert last.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert "its certificate is not trusted" in last.seen
    assert "it is issued by AO Kaspersky Lab, until " in last.seen
    assert last.mend.startswith("Kaspersky seems to re-sign what passes")
    assert "set upstream.ca_file to its authority" in last.mend
    assert received == []


def test_an_ended_certificate_says_when(own: trustme.CA, tmp_path: Path) -> None:
    ends = NOW - timedelta(days=3)
    with open_tls_door(own, "localhost", ends=ends) as address:
        [*_, last] = checked(address, ca_file=saved(own, tmp_path))

    assert f"issued by Example Clinics, until {ends:%Y-%m-%d}" in last.seen
    assert "else the host's owner must renew" in last.mend


def test_a_certificate_for_another_name_is_about_the_address(
    own: trustme.CA, tmp_path: Path
) -> None:
    with open_tls_door(own, "other.example") as address:
        [*_, last] = checked(address, ca_file=saved(own, tmp_path))

    assert "check the address in the config" in last.mend


@pytest.mark.parametrize(
    ("code", "issuer", "days", "told"),
    [
        (
            UNKNOWN,
            "Example Root",
            9,
            "set upstream.ca_file to the authority that signed",
        ),
        (UNKNOWN, "Russian Trusted Root CA", 9, "https://www.gosuslugi.ru/crt"),
        (UNKNOWN, "Zscaler", 9, "Zscaler seems to re-sign"),
        (OTHER_NAME, "Zscaler", 9, "what answers there is another host"),
        (EXPIRED, "Zscaler", -9, "must renew"),
        # By our clock the leaf has not ended: so it is another one of the chain.
        (EXPIRED, "Example Root", 9, "mend the clock"),
    ],
)
def test_what_to_do_goes_by_what_is_wrong(
    code: int, issuer: str, days: int, told: str
) -> None:
    facts = Facts("", issuer, NOW.timestamp() + days * 86_400)

    assert told in how_to_trust(code, facts, NOW.timestamp())


def test_without_a_look_at_it_there_is_still_an_advice() -> None:
    assert "upstream.ca_file" in how_to_trust(UNKNOWN, None, 0.0)
