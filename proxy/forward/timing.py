"""What a response tells of its exchange on request: `forward.server_timing`. Pure."""

from collections.abc import Mapping

from proxy.forward.exchange import REQUEST_ID, Exchange
from proxy.http1.head import ResponseHead


def told_lines(exchange: Exchange, head: ResponseHead) -> list[bytes]:
    """Return the lines to add to the response `head`: what the journal would tell."""
    name = exchange.request_id
    lines = [server_timing(exchange.stages(), name)]
    if all(lower != REQUEST_ID for lower, _ in head.fields):
        lines.append(b"X-Request-Id: " + name.encode())
    return lines


def server_timing(stages: Mapping[str, float], request_id: str) -> bytes:
    """Return the field that tells how long each part took, up to the answer's head.

    Durations are milliseconds (Server Timing, section 3); `stages` has seconds. The
    request's id is in it, too, as the API may have an X-Request-Id of its own.
    """
    told = {**stages, "upstream": stages.get("first_byte", 0.0)}
    durations = [
        b"%b;dur=%.1f" % (name.encode(), seconds * 1000)
        for name, seconds in told.items()
        if name not in ("first_byte", "content")
    ]
    named = b'id;desc="%b"' % request_id.encode()
    return b"Server-Timing: " + b", ".join((*durations, named))
