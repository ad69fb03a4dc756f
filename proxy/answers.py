"""How an error becomes an answer: one shape for both listeners.

The body is the upstream's own error shape; the fields say that it was this proxy that
answered (RFC 9209), which no relayed response does.
"""

import json

from proxy.errors import ProxyError

PROXY_NAME = "telemed-proxy"

CHALLENGE = f'Basic realm="{PROXY_NAME}", charset="UTF-8"'
"""`WWW-Authenticate` of every 401: programs that know only Basic can send the key."""

# A field is not the place for an essay, and some servers limit a line to 8 KiB.
_DETAILS_LIMIT = 512


def error_body(error: ProxyError) -> bytes:
    """Return `error` as JSON in the upstream's error shape, in UTF-8."""
    shape = {
        "type": error.type,
        "value": error.value,
        "description": error.description,
    }
    # A lone surrogate can come in with a broken target and has no UTF-8 form.
    return json.dumps(shape, ensure_ascii=False).encode("utf-8", "replace")


def error_fields(error: ProxyError) -> list[tuple[str, str]]:
    """Return the fields that go with `error_body`, all of them plain ASCII.

    `Content-Length` is left to the caller, who knows what it sends.
    """
    fields = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Proxy-Status", proxy_status(error)),
        ("Cache-Control", "no-store"),
    ]
    if error.retry_after is not None:
        fields.append(("Retry-After", str(max(0, error.retry_after))))
    if error.status == 401:
        fields.append(("WWW-Authenticate", CHALLENGE))
    return fields


def proxy_status(error: ProxyError) -> str:
    """Return the `Proxy-Status` value of RFC 9209 that tells `error`."""
    details = sf_string(error.description[:_DETAILS_LIMIT])
    return f"{PROXY_NAME}; error={error.proxy_error}; details={details}"


def sf_string(text: str) -> str:
    r"""Return `text` quoted as a String of RFC 8941, section 3.3.3.

    Only printable ASCII may stand in one, so that nothing a client sent can start a
    new field; everything else becomes `?`.
    """
    printable = "".join(char if " " <= char <= "~" else "?" for char in text)
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
