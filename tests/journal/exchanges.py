"""Exchanges as forwarding records them, for those that keep and show them."""

import itertools
from typing import Any

from proxy.forward.exchange import Exchange
from proxy.forward.fields import RESPONSE_NOTED
from proxy.forward.handler import NOTED
from proxy.http1.head import parse_request, parse_response

_numbers = itertools.count(1)

REQUEST = b"GET /api/v1/profile/get HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test/1 x"
RESPONSE = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-One: 1"


def exchange(
    request: bytes = REQUEST, response: bytes | None = RESPONSE, **members: Any
) -> Exchange:
    """Return an exchange of `request` and `response`, which are heads."""
    head = parse_request(request, NOTED)
    made = Exchange("abcdef", next(_numbers), head.method, head.target.decode())
    made.section, made.http10 = head.section, head.http10
    made.started, made.begun, made.seconds = 1.8e9, 100.0, 0.5
    if response is not None:
        made.answer = response
        made.status = parse_response(response, RESPONSE_NOTED).status
        made.sent_at, made.upstream_seconds = 100.125, 0.25
    for name, value in members.items():
        setattr(made, name, value)
    return made
