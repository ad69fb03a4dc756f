"""Checks of the upstream: the way to it, TLS, what it answers, the clocks."""

import http.client
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final

from yarl import URL

from proxy.cli.check_certificate import check_certificate, untrusted
from proxy.cli.check_way import check_way
from proxy.cli.findings import Finding, note, ok, unreachable, wrong
from proxy.cli.http_call import call, reason, to_origin
from proxy.cli.within import within
from proxy.clock import Clock, system_clock
from proxy.config import Config
from proxy.errors import ConfigError

# Certificates and tokens are judged by the clock; a minute harms neither.
SKEW_ALLOWED: Final = 60.0

# An answer may come in small pieces; nobody waits for the last of them.
_ANSWER_TIMEOUT: Final = 30.0


def check_upstream(config: Config, clock: Clock = system_clock) -> Iterator[Finding]:
    """Yield what is found of the way to each host."""
    from proxy.app import tls_context

    upstream = config.upstream
    try:
        context = tls_context(upstream)
    except ConfigError as exc:
        yield wrong("upstream.ca_file", exc.description, "mend upstream.ca_file")
        return
    if upstream.ca_file is not None:
        yield ok("upstream.ca_file", str(upstream.ca_file))
    if upstream.egress_proxy is not None:
        found = list(
            check_way(
                _named("egress proxy", upstream.egress_proxy), upstream.egress_proxy
            )
        )
        yield from found
        if not all(finding.ok for finding in found):
            return
    roles = {"API": upstream.api_url, "authorization server": upstream.auth_url}
    if upstream.api_url == upstream.auth_url:
        roles = {"API and authorization server": upstream.api_url}
    for role, url in roles.items():
        yield from check_host(
            _named(role, url), url, context, upstream.egress_proxy, clock
        )


def check_host(
    subject: str,
    url: URL,
    context: ssl.SSLContext,
    egress_proxy: URL | None,
    clock: Clock,
) -> Iterator[Finding]:
    """Yield what is found of one host, as far as it can be reached."""
    if egress_proxy is None:
        # Behind an egress proxy, names are its business.
        found = list(check_way(subject, url))
        yield from found
        if not all(finding.ok for finding in found):
            return
    found = list(check_answer(subject, url, context, egress_proxy, clock))
    yield from found
    if url.scheme == "https" and found[0].ok:
        yield from check_certificate(
            f"{subject} certificate", url, context, egress_proxy, clock()
        )


def check_answer(
    subject: str,
    url: URL,
    context: ssl.SSLContext,
    egress_proxy: URL | None,
    clock: Clock,
) -> Iterator[Finding]:
    """Yield what one harmless request shows of TLS, HTTP and the clocks."""
    connection = to_origin(url, context=context, egress_proxy=egress_proxy)
    layer = f"{subject} {'TLS' if url.scheme == 'https' else 'HTTP'}"
    try:
        answer = within(
            _ANSWER_TIMEOUT,
            lambda: call(connection, "HEAD", "/", fields={"Accept": "*/*"}),
        )
    except ssl.SSLCertVerificationError as exc:
        yield untrusted(layer, exc, url, egress_proxy, clock())
        return
    except (OSError, http.client.HTTPException) as exc:
        yield unreachable(layer, reason(exc), _mend(egress_proxy))
        return
    yield ok(layer, "certificate trusted" if url.scheme == "https" else "answers")
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        yield note(f"{subject} HTTP", f"answers {answer.status}: it has a fault itself")
    yield check_clock(f"{subject} clock", answer.fields.get("Date"), clock())


def check_clock(subject: str, date: str | None, now: float) -> Finding:
    """Return how far our clock is from the `Date` of an answer."""
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return ok(subject, "the answer has no date to compare with")
    skew = now - theirs
    if abs(skew) <= SKEW_ALLOWED:
        return ok(subject, f"differs by {abs(skew):.0f} s")
    way = "fast" if skew > 0 else "slow"
    return wrong(
        subject,
        f"this machine's clock is {abs(skew):.0f} s {way}",
        "set the clock, best by NTP",
    )


def _named(role: str, url: URL) -> str:
    """Return the role with host and port: two services may share a host."""
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host
    return f"{role} {host}:{url.port}"


def _mend(egress_proxy: URL | None) -> str:
    if egress_proxy is not None:
        return "check that the egress proxy lets you connect to this host"
    return "check that the address in the config is the right one"
