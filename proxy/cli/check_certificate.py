"""Checks of the certificate that a host shows: how long it lasts, and who signed it.

Those who sign anew what passes them, such as a company's proxy, are told by their name
where it is a known one. Else only that their authority is not a public one.
"""

import http.client
import ssl
from collections.abc import Iterator
from typing import Final

from yarl import URL

from proxy.certificate import SOON_DAYS
from proxy.cli.certificate_facts import Facts
from proxy.cli.findings import Finding, note, ok, unreachable
from proxy.cli.handshake import (
    Seen,
    blind_context,
    is_trusted,
    look,
    public_context,
)
from proxy.cli.http_call import reason
from proxy.cli.interceptors import interceptor, is_russian_state
from proxy.cli.within import within
from proxy.clock import iso_utc

_LOOK_TIMEOUT: Final = 15.0

# OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_HOSTNAME_MISMATCH.
_EXPIRED: Final = 10
_OTHER_NAME: Final = 62

READ_ALONG = "a company's proxy or an antivirus re-signs what passes, and can read it"


def check_certificate(
    subject: str,
    url: URL,
    context: ssl.SSLContext,
    egress_proxy: URL | None,
    now: float,
) -> Iterator[Finding]:
    """Yield what is to be known of the certificate of `url`, which `context` trusts."""

    def trusted(by: ssl.SSLContext) -> bool:
        return within(_LOOK_TIMEOUT, lambda: is_trusted(url, by, egress_proxy))

    try:
        seen = within(_LOOK_TIMEOUT, lambda: look(url, context, egress_proxy))
        system = trusted(ssl.create_default_context())
        public = public_context()
        known = None if public is None else trusted(public)
    except (OSError, http.client.HTTPException) as exc:
        yield note(subject, f"it was shown once, and not again ({reason(exc)})")
        return
    facts = seen.facts
    yield ok(subject, f"{seen.version}, issued by {facts.issuer}, until {_day(facts)}")
    days = (facts.ends - now) / 86_400
    if days < SOON_DAYS:
        yield note(
            subject,
            f"it ends in {days:.0f} days; whoever runs the host has to renew it",
        )
    if told := whose_authority(facts.issuer, by_system=system, public=known):
        yield note(subject, told)


def whose_authority(issuer: str, *, by_system: bool, public: bool | None) -> str | None:
    """Return what is to be known of an authority that is trusted here, if anything.

    Args:
        issuer: who signed the certificate.
        by_system: this machine trusts it, without upstream.ca_file.
        public: it is one of the public authorities; None if these are not known.
    """
    trust = "this machine trusts it" if by_system else "upstream.ca_file trusts it"
    if name := interceptor(issuer):
        return f"{READ_ALONG}, the token too: the issuer is {name}, and {trust}"
    if by_system and public is not False:
        return None
    if is_russian_state(issuer):
        return f"the issuer is the Russian state's authority, and {trust}"
    return (
        f"the authority is no public one, and {trust}: either the host's owner has one "
        "of their own, or a company's proxy seems to re-sign what passes"
    )


def untrusted(
    subject: str,
    error: ssl.SSLCertVerificationError,
    url: URL,
    egress_proxy: URL | None,
    now: float,
) -> Finding:
    """Return why the certificate of `url` is not trusted, and whose it is."""
    try:
        seen: Seen | None = within(
            _LOOK_TIMEOUT, lambda: look(url, blind_context(), egress_proxy)
        )
    except (OSError, http.client.HTTPException):
        seen = None
    facts = seen.facts if seen else None
    told = f"; it is issued by {facts.issuer}, until {_day(facts)}" if facts else ""
    return unreachable(
        subject, f"{reason(error)}{told}", how_to_trust(error.verify_code, facts, now)
    )


def how_to_trust(code: int, facts: Facts | None, now: float) -> str:
    """Return what to do about a certificate refused with OpenSSL's `code`."""
    issuer = facts.issuer if facts else ""
    if code == _EXPIRED and facts and facts.ends < now:
        return (
            "set this machine's clock if it is fast; else the host's owner must renew"
        )
    if code == _OTHER_NAME:
        return "check the address in the config: what answers there is another host"
    if name := interceptor(issuer):
        return (
            f"{name} seems to re-sign what passes (a company's proxy or an antivirus): "
            "have it leave this host alone, or set upstream.ca_file to its authority"
        )
    if is_russian_state(issuer):
        return (
            "set upstream.ca_file to the Russian state's root certificate, from "
            "https://www.gosuslugi.ru/crt"
        )
    return (
        "set upstream.ca_file to the authority that signed it: the host owner's, or "
        "that of a company's proxy if one seems to re-sign it; or mend the clock"
    )


def _day(facts: Facts) -> str:
    return iso_utc(facts.ends)[:10]
