"""Which fields cross, and what valid messages the other parsers refuse.

The first is written down here once more, so as not to share a mistake with the program.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from proxy.forward.fields import NEEDED
from tests.fuzz.readings import Message

# RFC 9110, section 7.6.1, with what is for this hop by other sections.
HOP_BY_HOP = frozenset(
    b"connection proxy-connection keep-alive te transfer-encoding upgrade trailer "
    b"proxy-authenticate proxy-authorization http2-settings".split()
)
FOR_US = frozenset(b"authorization host x-proxy-key x-proxy-allow-repeat".split())
FRAMING = frozenset({b"content-length", b"transfer-encoding"})

# A proxy of this name that answers would be us.
_OUR_NAME = b"telemed-proxy"


def names(lines: Iterable[bytes]) -> list[bytes]:
    """Return the names of the fields in `lines`, in lower case."""
    return [line.partition(b":")[0].lower() for line in lines]


def options(lines: Iterable[bytes]) -> frozenset[bytes]:
    """Return what the Connection fields among `lines` name."""
    split = (line.partition(b":") for line in lines)
    values = [value for name, _, value in split if name.lower() == b"connection"]
    found = b",".join(values).lower().split(b",")
    return frozenset(one.strip(b" \t") for one in found) - {b""}


def persists(lines: Iterable[bytes], minor: int) -> bool:
    """Say whether the sender of a message keeps its connection (RFC 9112, 9.3)."""
    named = options(lines)
    return b"close" not in named and (minor > 0 or b"keep-alive" in named)


def sent_on(lines: Iterable[bytes], *, http10: bool) -> list[bytes]:
    """Return which `lines` of a request go to the upstream, as they are."""
    came = list(lines)
    dropped = HOP_BY_HOP | FOR_US | (options(came) - NEEDED)
    if http10:
        dropped |= {b"expect"}
    return [
        line
        for line, name in zip(came, names(came), strict=True)
        if name not in dropped
    ]


def relayed(
    lines: Iterable[bytes], status: int, *, announced: bool, http10: bool
) -> list[bytes]:
    """Return which `lines` of a response go to the client, as they are.

    Trailers are only `announced` to a client that gets them.
    """
    came = list(lines)
    dropped = (HOP_BY_HOP - FRAMING) | (options(came) - NEEDED)
    if announced:
        dropped -= {b"trailer"}
    if http10:
        dropped |= {b"transfer-encoding"}
    if status < 200 or status == 204:
        dropped |= FRAMING
    return [
        line
        for line, name in zip(came, names(came), strict=True)
        if name not in dropped
        and not (name == b"proxy-status" and _OUR_NAME in line.lower())
    ]


def outbound_form(method: bytes, target: bytes) -> bytes:
    """Return the target that goes to the upstream."""
    rest = re.sub(rb"^(?i:https?)://[^/?#]*", b"", target)
    if not rest and method == b"OPTIONS":
        return b"*"
    return rest if rest[:1] in (b"/", b"*") else b"/" + rest


# -- Other parsers -------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """Why a parser refuses what is accepted here, and when it may."""

    why: str
    applies: Callable[[bytes, Message], bool]


# Of these aiohttp takes one; the trailers that it has seen count.
_SINGLE = (
    *(b"content-length", b"content-location", b"content-range", b"content-type"),
    *(b"etag", b"host", b"max-forwards", b"server", b"transfer-encoding"),
    *(b"user-agent",),
)

_FRAMED_TRAILERS = re.compile(
    rb"\n0+(?:[ \t;].*)?\r\n(?:.+\r\n)*(?i:content-length|transfer-encoding):"
)

_SPACED_EXTENSION = re.compile(rb"\n[0-9A-Fa-f].*(?:[ \t][;=]|[;=][ \t])")
_TAB_AFTER_CODING = re.compile(rb"\n(?i:transfer-encoding):.*chunked *\t")

H11_REFUSES = (
    Known(
        "white space before a chunk's extension, which section 7.1.1 allows",
        lambda data, _: re.search(rb"\n[0-9A-Fa-f]+[ \t]+;", data) is not None,
    ),
    Known(
        "framing fields among the trailers, whose values it checks",
        lambda data, _: _FRAMED_TRAILERS.search(data) is not None,
    ),
)
AIOHTTP_REFUSES = (
    Known(
        "white space in a chunk's extensions, which section 7.1.1 allows",
        lambda data, _: _SPACED_EXTENSION.search(data) is not None,
    ),
    Known(
        "a tab after the transfer coding, white space that section 5 allows",
        lambda data, _: _TAB_AFTER_CODING.search(data) is not None,
    ),
    Known(
        "a Connection field among the trailers, which it takes for one of the head",
        lambda _, message: b"connection" in dict(message.trailers),
    ),
    Known(
        "repeated fields of which there ought to be one",
        lambda _, message: any(
            name in dict(message.trailers) or len(message.values(name)) > 1
            for name in _SINGLE
        ),
    ),
)


# llhttp knows more, but with a meaning of their own, such as RTSP's; after CONNECT it
# expects a tunnel.
AIOHTTP_METHODS = frozenset(
    b"DELETE GET HEAD POST PUT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH "
    b"SEARCH UNLOCK BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH "
    b"NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK UNLINK QUERY".split()
)


def is_known(table: tuple[Known, ...], data: bytes, message: Message) -> bool:
    return any(one.applies(data, message) for one in table)


def has_spaced_names(data: bytes) -> bool:
    """Say whether in a response a name is followed by white space.

    It is removed here, as RFC 9112, section 5.1, asks of a proxy, and nowhere else.
    """
    return re.search(rb"\n[!-9;-~]+[ \t]+:", data) is not None


def has_framed_interim(data: bytes) -> bool:
    """Say whether an interim response has a framing field, which means nothing.

    h11 checks its value, and aiohttp expects content; it does not leave this program.
    """
    return (
        re.search(
            rb"HTTP/1\.[0-9] 1.*\r\n(.+\r\n)*(?i:content-length|transfer-encoding):",
            data,
        )
        is not None
    )
