"""Requests that show whether a listener's rules hold, and that cost nothing.

Where a rule did not hold, its probe would go on as if it were a call. So each is one
that the forwarding listener answers itself: OPTIONS with Max-Forwards: 0 (RFC 9110,
section 7.6.2) ends here. On the admin listener it is a look at /liveness, or at the
status. No probe carries a key, a password or a token.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Final

from proxy.answers import PROXY_NAME
from proxy.cli.http_call import Answer, call

PROBE_TIMEOUT: Final = 5.0

# Reserved by RFC 2606: never one of our names, nor a page that anybody allows.
FOREIGN: Final = "check.invalid"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, our word for the reason, whether it is ours."""

    status: int
    value: str | None
    ours: bool


def refused_by_host(
    connection: http.client.HTTPConnection, *, admin: bool = False
) -> Reply:
    """Call a listener by a name that is not its own, as DNS rebinding does."""
    return _probe(connection, {"Host": FOREIGN}, admin=admin)


def refused_by_origin(
    connection: http.client.HTTPConnection, *, admin: bool = False
) -> Reply:
    """Call a listener as a web page of somebody else would."""
    page = {"Origin": f"http://{FOREIGN}", "Sec-Fetch-Site": "cross-site"}
    return _probe(connection, page, admin=admin)


def without_secret(
    connection: http.client.HTTPConnection, *, admin: bool = False
) -> Reply:
    """Call a listener with no local key, or no password."""
    if admin:
        return _reply(_call(connection, "GET", "/api/status", {}))
    return _probe(connection, {}, admin=False)


def _probe(
    connection: http.client.HTTPConnection, fields: dict[str, str], *, admin: bool
) -> Reply:
    if admin:
        return _reply(_call(connection, "GET", "/liveness", fields))
    fields = {"Max-Forwards": "0", **fields}
    return _reply(_call(connection, "OPTIONS", "*", fields))


def _call(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    fields: dict[str, str],
) -> Answer:
    fields = {"Accept": "application/json", **fields}
    return call(connection, method, target, fields=fields, patience=PROBE_TIMEOUT)


def _reply(answer: Answer) -> Reply:
    ours = answer.fields.get("Proxy-Status", "").startswith(PROXY_NAME)
    try:
        shape = json.loads(answer.content)
    except ValueError:
        shape = {}
    if not isinstance(shape, dict):
        shape = {}
    value = shape.get("value")
    # Only what the proxy answers itself has the field; its status object is its own.
    ours = ours or {"state", "version"} <= shape.keys()
    return Reply(answer.status, value if isinstance(value, str) else None, ours)
