"""What cases about refused requests have in common."""

from dataclasses import replace

from tests.conformance.case import (
    CLIENT_ERROR,
    CLOSED,
    After,
    Case,
    Expect,
    Request,
    Response,
    request,
)
from tests.conformance.steps import Script

NEXT = request(target=b"/next")
"""Follows what is refused, and is then not to be read as a request."""


def or_refused(
    case: Case,
    status: frozenset[int] | int = CLIENT_ERROR,
    *,
    after: After = CLOSED,
) -> Case:
    """Return `case`, which ends just as well with a refusal."""
    refusal = Expect(got=(Response(status),), reached=(), after=after)
    return replace(case, expect=(*case.expect, refusal))


def cut_off(id: str, rule: str, section: str, send: Script) -> Case:
    """Return a case whose request goes wrong when part of it may have been sent on.

    What has reached the upstream, if anything has, must not look complete. The client
    may be told so (RFC 9112, section 8).
    """
    response = (Response(CLIENT_ERROR),)
    expect = (
        Expect(got=response, reached=(Request(complete=False),), after=CLOSED),
        Expect(got=(), reached=(Request(complete=False),), after=CLOSED),
        Expect(got=response, reached=(), after=CLOSED),
        Expect(got=(), reached=(), after=CLOSED),
    )
    return Case(id, rule, section, send, expect)
