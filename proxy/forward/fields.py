"""Which fields cross the proxy, in both directions. Pure.

Fields are pairs of bytes, as they came: case, order and repeats are kept. A field is
dropped when it is hop-by-hop (RFC 9110, section 7.6.1), when `Connection` names it, or
when it is for us. The credential goes in last, so that nothing a client sends can
strip, repeat or precede it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.forward.target import REWRITTEN, Rewrite

Fields = Iterable[tuple[bytes, bytes]]

# Section 7.6.1 names Connection and the next five; the two Proxy-Auth fields are for
# this hop (section 11.7). Trailer goes too: trailer fields are not relayed, so they
# must not be announced.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"trailer",
    }
)

# Ours to write, or meant for us alone.
NOT_FORWARDED = frozenset(
    {b"authorization", b"host", b"x-proxy-key", b"x-proxy-allow-repeat"}
)

# What a message cannot do without: a Connection field that names one of these is an
# attempt to change the message, not a hop-by-hop option (section 7.6.1 forbids it).
NEEDED = frozenset(
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
        b"set-cookie",
        b"transfer-encoding",
        b"www-authenticate",
    }
)

_NOT_OUTBOUND = HOP_BY_HOP | NOT_FORWARDED
_READ = frozenset(
    {b"connection", b"content-length", b"expect", b"host", b"transfer-encoding"}
)
_NOT_RELAYED = HOP_BY_HOP - {b"transfer-encoding"}
_LOOKED_AT = _NOT_RELAYED | REWRITTEN | {b"proxy-status"}


@dataclass(slots=True)
class RequestFields:
    """The inbound fields, sorted out in one pass.

    `lines` are complete field lines ready to send; `content_length` and `chunked` are
    the framing; `expects_continue` that the client waits for a 100 before it sends.
    """

    lines: list[bytes]
    content_length: int | None
    chunked: bool
    expects_continue: bool
    host: bytes


def request_fields(inbound: Fields) -> RequestFields:
    """Return what of the `inbound` request's fields is sent on, and its framing."""
    found = RequestFields([], None, chunked=False, expects_continue=False, host=b"")
    options: set[bytes] = set()
    names: list[bytes] = []
    for name, value in inbound:
        lower = name.lower()
        if lower in _READ:
            _note(found, options, lower, value)
        if lower not in _NOT_OUTBOUND:
            names.append(lower)
            found.lines.append(b"%b: %b\r\n" % (name, value))
    if options:
        found.lines = _unnamed(found.lines, names, options)
    return found


def _note(
    found: RequestFields, options: set[bytes], lower: bytes, value: bytes
) -> None:
    match lower:
        case b"connection":
            options |= connection_options(value)
        case b"transfer-encoding":
            found.chunked = True
        case b"content-length":
            found.content_length = int(value)
        case b"expect":
            found.expects_continue = value.lower() == b"100-continue"
        case _:
            found.host = value


def outbound_head(
    method: bytes,
    target: bytes,
    host: bytes,
    fields: RequestFields,
    access_token: str,
    *,
    with_expect: bool = True,
) -> bytes:
    """Return the head to send upstream, complete with its empty line.

    The credential goes in last. A client that sends `Connection: authorization` would
    otherwise have it stripped again as hop-by-hop. Without `with_expect` the client's
    `Expect` stays here: its content has already come.
    """
    lines = fields.lines
    if fields.expects_continue and not with_expect:
        lines = [line for line in lines if not line.lower().startswith(b"expect:")]
    return b"".join(
        (
            b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (method, target, host),
            *lines,
            b"Transfer-Encoding: chunked\r\n" if fields.chunked else b"",
            b"Authorization: Bearer %b\r\n\r\n" % access_token.encode("ascii"),
        )
    )


def relayed_lines(
    upstream: Fields, rewrite: Rewrite | None = None, own: bytes = b""
) -> list[bytes]:
    """Return what of the `upstream` response's fields is relayed, as lines.

    `rewrite` replaces the upstream's origin by our `own`. Transfer-Encoding stays in
    its place, for a client that can read it. A Proxy-Status in our name is an
    impostor's: callers tell our own answers by it.
    """
    lines: list[bytes] = []
    names: list[bytes] = []
    options: set[bytes] = set()
    for name, value in upstream:
        lower = name.lower()
        if lower in _LOOKED_AT:
            if lower == b"connection":
                options |= connection_options(value)
            if lower in _NOT_RELAYED or _is_impostor(lower, value):
                continue
            if rewrite is not None:
                value = rewrite.value(lower, value, own)
        names.append(lower)
        lines.append(b"%b: %b\r\n" % (name, value))
    return _unnamed(lines, names, options) if options else lines


def _is_impostor(lower: bytes, value: bytes) -> bool:
    return lower == b"proxy-status" and b"telemed-proxy" in value.lower()


def _unnamed(
    lines: list[bytes], names: list[bytes], options: set[bytes]
) -> list[bytes]:
    """Return the lines whose names are not among the Connection `options`."""
    return [
        line
        for name, line in zip(names, lines, strict=True)
        if name not in options or name in NEEDED
    ]


def without(fields: Fields, prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Return `fields` without those whose name begins with `prefix` (lower case)."""
    return [field for field in fields if not field[0].lower().startswith(prefix)]


def field_lines(fields: Iterable[tuple[str, str]]) -> list[bytes]:
    """Return `fields` of ours as lines ready to send."""
    return [f"{name}: {value}\r\n".encode() for name, value in fields]


def connection_options(value: bytes) -> set[bytes]:
    """Return the options that a Connection field names, in lower case."""
    return {option.strip(b" \t").lower() for option in value.split(b",")}
