"""Which fields cross the proxy, in both directions. Pure.

A field crosses as the line it came as: case, order, repeats and spaces are kept. It is
dropped when it is hop-by-hop (RFC 9110, section 7.6.1), when `Connection` names it, or
when it is for us. The credential goes in last, so that nothing a client sends can
strip, repeat or precede it.
"""

import re
from collections.abc import Iterable, Set
from functools import lru_cache
from typing import Final

from proxy.access.cookies import without_ours
from proxy.answers import PROXY_NAME
from proxy.forward.target import REWRITTEN, Rewrite
from proxy.http1.framing import FRAMING
from proxy.http1.head import Field, RequestHead, ResponseHead, elements, value_of

# Section 7.6.1 names Connection and the next five; the Proxy-Auth fields are for this
# hop (section 11.7). HTTP2-Settings belongs to an upgrade that is not offered on.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"trailer",
        b"http2-settings",
    }
)

# Ours to write, or meant for us alone.
NOT_FORWARDED: Final = frozenset(
    {b"authorization", b"host", b"x-proxy-key", b"x-proxy-allow-repeat"}
)

# What a message cannot do without: a Connection field that names one of these is an
# attempt to change the message, not a hop-by-hop option (section 7.6.1 forbids it).
NEEDED: Final = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"expect",
        b"host",
        b"location",
        b"max-forwards",
        b"set-cookie",
        b"transfer-encoding",
        b"via",
        b"www-authenticate",
    }
)

REQUEST_NOTED: Final = FRAMING | {
    b"connection",
    b"cookie",
    b"expect",
    b"host",
    b"max-forwards",
    b"te",
    b"upgrade",
    b"via",
}
"""The fields of a request whose values decide something on its way."""

_LOOKED_AT = REWRITTEN | {b"proxy-status", b"transfer-encoding"}

RESPONSE_NOTED: Final = (
    FRAMING | _LOOKED_AT | {b"connection", b"content-encoding", b"upgrade"}
)

_NOT_OUTBOUND = HOP_BY_HOP | NOT_FORWARDED
_NOT_RELAYED = HOP_BY_HOP - {b"transfer-encoding"}

# What decides about a message has come too late in its trailers (RFC 9110, 6.5.1).
_NO_TRAILERS = (
    HOP_BY_HOP | NEEDED | {b"age", b"expires", b"proxy-status", b"retry-after", b"vary"}
)

_MEMBER = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_LONG_STATUS = 2048
_OPEN, _CLOSE, _BACKSLASH = b"()\\"
_CODING = b"transfer-encoding"
_COUNT = re.compile(rb"[0-9]{1,30}")
_LONGEST_COUNT = 128

_VIA = b"Via: %b " + PROXY_NAME.encode()


def outbound_lines(head: RequestHead, *, via: bool = True) -> list[bytes]:
    """Return the lines of `head` that are sent on, and those that this hop adds.

    What the client said to this hop, and its credential, is gone. Framing fields are
    the client's, but for Transfer-Encoding, which is announced anew. What is returned
    is not to be changed: a later request may get the same.
    """
    if head.http10 or b"max-forwards" in head.seen:  # then the fields are not all
        return _lines_to_send(head, via=via)
    section = head.section
    if section.outbound is None:
        section.outbound = _lines_to_send(head, via=via)
    return section.outbound


def _lines_to_send(head: RequestHead, *, via: bool) -> list[bytes]:
    dropped = _NOT_OUTBOUND
    seen = head.seen
    if b"connection" in seen:
        dropped = _with_named(dropped, seen[b"connection"])
    if b"expect" in seen and head.http10:
        dropped = dropped | {b"expect"}  # RFC 9110, section 10.1.1
    lines = [line for name, line in head.fields if name not in dropped]
    if b"cookie" in seen:
        lines = _without_our_cookie(head.fields, dropped)
    if (left := forwards_left(head)) is not None:
        lines = _counted_down(lines, left - 1)
    return lines + _lines_of_ours(head, via=via)


def _lines_of_ours(head: RequestHead, *, via: bool) -> list[bytes]:
    """Return what this hop says to the next."""
    lines: list[bytes] = []
    if b"transfer-encoding" in head.seen:
        lines.append(b"Transfer-Encoding: chunked")
    if upgrade := upgrades(head):
        lines += (b"Upgrade: " + upgrade, b"Connection: Upgrade")
    elif wants_trailers(head):
        lines += (b"TE: trailers", b"Connection: TE")
    if via:
        lines.append(_VIA % (b"1.0" if head.http10 else b"1.1"))
    return lines


def outbound_head(
    method: str,
    target: bytes,
    authority: bytes,
    lines: Iterable[bytes],
    access_token: str,
) -> bytes:
    """Return the head to send upstream, complete with its empty line.

    The credential goes in last. A client that sends `Connection: authorization` would
    otherwise have it stripped again as hop-by-hop.
    """
    return b"\r\n".join(
        (
            b"%b %b HTTP/1.1\r\nHost: %b" % (method.encode(), target, authority),
            *lines,
            b"Authorization: Bearer %b\r\n\r\n" % access_token.encode("ascii"),
        )
    )


def relayed_lines(
    head: ResponseHead,
    rewrite: Rewrite | None = None,
    own: bytes = b"",
    *,
    without: Set[bytes] = frozenset(),
    announced: bool = False,
) -> list[bytes]:
    """Return what of the response's fields is relayed, as lines.

    `rewrite` replaces the upstream's origin by our `own`; `without` are more names to
    leave out; trailers are only `announced` to a client that gets them.
    Transfer-Encoding stays in its place, for a client that can read it.
    """
    dropped = _dropped_from(head, without, announced=announced)
    if _LOOKED_AT.isdisjoint(head.seen):
        return [line for lower, line in head.fields if lower not in dropped]
    lines: list[bytes] = []
    for field in head.fields:
        lower, line = field
        if lower in dropped or (lower == b"proxy-status" and _is_impostor(field)):
            continue
        if lower == _CODING:
            line = _plain(field)
        elif lower in REWRITTEN and rewrite is not None:
            line = _rewritten(field, rewrite, own)
        lines.append(line)
    return lines


def relayed_trailers(trailers: Iterable[Field]) -> list[bytes]:
    """Return what of a response's `trailers` is relayed, as lines."""
    return [
        line
        for lower, line in trailers
        if lower not in _NO_TRAILERS and lower not in NOT_FORWARDED
    ]


def keeps_alive(seen: dict[bytes, bytes], *, http10: bool) -> bool:
    """Say whether the sender of a head keeps its connection (RFC 9112, section 9.3)."""
    if b"connection" not in seen:
        return not http10
    options = _options(seen[b"connection"])
    return b"close" not in options and (not http10 or b"keep-alive" in options)


def upgrades(head: RequestHead) -> bytes:
    """Return the protocols that the client wants to go over to, or nothing.

    HTTP/2 is not one: its requests would pass us by without a token (RFC 9113, 3.1).
    """
    seen = head.seen
    if b"upgrade" not in seen or head.http10:
        return b""
    if b"upgrade" not in elements(seen.get(b"connection", b"")):
        return b""
    wanted = [one.strip(b" \t") for one in seen[b"upgrade"].split(b",")]
    return b", ".join(one for one in wanted if one and not _is_http2(one))


def upgraded_as_wanted(wanted: bytes, head: ResponseHead) -> bool:
    """Say whether a 101 goes over to what was `wanted` (RFC 9110, section 7.8)."""
    offered = elements(wanted)
    accepted = elements(head.seen.get(b"upgrade", b""))
    return bool(accepted) and all(one in offered for one in accepted)


def wants_trailers(head: RequestHead) -> bool:
    """Say whether the client takes trailers (RFC 9110, section 6.5.1)."""
    return (
        b"te" in head.seen
        and not head.http10
        and b"trailers" in elements(head.seen[b"te"])
    )


def forwards_left(head: RequestHead) -> int | None:
    """Return how many hops OPTIONS may still take, or nothing where none are counted.

    TRACE counts them, too (RFC 9110, section 7.6.2), but is not forwarded.
    """
    if head.method != "OPTIONS" or b"max-forwards" not in head.seen:
        return None
    value = head.seen[b"max-forwards"]
    counts = elements(value) if len(value) <= _LONGEST_COUNT else []
    if not counts or not all(_COUNT.fullmatch(count) for count in counts):
        return None
    return min(map(int, counts))


def came_through_us(via: bytes) -> bool:
    """Say whether a request's `via` names this program: then it goes in circles."""
    name = PROXY_NAME.encode()
    if b"(" in via:
        via = _without_comments(via)
    return any(name in element.split()[1:2] for element in elements(via))


def field_lines(fields: Iterable[tuple[str, str]]) -> list[bytes]:
    """Return `fields` of ours as lines."""
    return [f"{name}: {value}".encode() for name, value in fields]


@lru_cache(maxsize=64)  # clients and upstreams send few different ones, every time
def _options(connection: bytes) -> frozenset[bytes]:
    return frozenset(elements(connection))


@lru_cache(maxsize=64)
def _with_named(dropped: frozenset[bytes], connection: bytes) -> frozenset[bytes]:
    """Return `dropped` and the fields that `connection` names, less those needed."""
    return dropped | (frozenset(elements(connection)) - NEEDED)


def _dropped_from(
    head: ResponseHead, without: Set[bytes], *, announced: bool
) -> Set[bytes]:
    """Return the names of the fields of a response that stay here."""
    dropped = _NOT_RELAYED
    if without:
        dropped = dropped | without
    if head.status == 204 or head.status < 200:
        dropped = dropped | FRAMING  # RFC 9110, section 8.6, and RFC 9112, section 6.1
    if b"connection" in head.seen:
        dropped = _with_named(dropped, head.seen[b"connection"])
    return dropped - {b"trailer"} if announced else dropped


def _is_impostor(field: Field) -> bool:
    """Say whether a Proxy-Status is in our name: callers tell our answers by it."""
    value = value_of(field).lower()
    name = PROXY_NAME.encode()
    if name not in value:
        return False
    # Each member begins with who speaks (RFC 9209, section 2). What is long enough to
    # make the search slow is not from anyone honest.
    members = _MEMBER.findall(value) if len(value) < _LONG_STATUS else [name]
    return any(one.partition(b";")[0].strip(b' \t"') == name for one in members)


def _without_comments(value: bytes) -> bytes:
    """Return `value` less its comments, nested ones too (RFC 9110, section 5.6.5)."""
    kept, depth, escaped = bytearray(), 0, False
    for byte in value:
        if escaped:
            escaped = False
        elif depth and byte == _BACKSLASH:
            escaped = True
        elif byte == _OPEN:
            depth += 1
        elif depth:
            depth -= byte == _CLOSE
        else:
            kept.append(byte)
    return bytes(kept)


def _without_our_cookie(fields: Iterable[Field], dropped: Set[bytes]) -> list[bytes]:
    """Return the lines to send less the cookie of the admin page.

    Browsers send it to our other ports, too, and the upstream must not learn it.
    """
    lines: list[bytes] = []
    for field in fields:
        lower, line = field
        if lower in dropped:
            continue
        if lower == b"cookie":
            value = value_of(field)
            kept = without_ours(value)
            if kept != value:
                if not kept:
                    continue  # there was nothing else
                line = line[: len(lower)] + b": " + kept
        lines.append(line)
    return lines


def _counted_down(lines: Iterable[bytes], left: int) -> list[bytes]:
    """Return `lines` with `left` more hops allowed."""
    counted = b"Max-Forwards: %d" % left
    return [
        counted if line.lower().startswith(b"max-forwards:") else line for line in lines
    ]


def _plain(field: Field) -> bytes:
    """Return the line of a Transfer-Encoding with one space in it and no other.

    Some parsers take a tab at its end for another coding than chunked.
    """
    return field[1][: len(field[0])] + b": " + value_of(field)


def _rewritten(field: Field, rewrite: Rewrite, own: bytes) -> bytes:
    value = value_of(field)
    changed = rewrite.value(field[0], value, own)
    if changed == value:
        return field[1]
    return field[1][: len(field[0])] + b": " + changed


def _is_http2(protocol: bytes) -> bool:
    return protocol.lower().partition(b"/")[0] in (b"h2c", b"h2", b"http")
