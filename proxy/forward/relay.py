"""What of a response goes to the client, and how its content is framed there. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from proxy.access.rules import Caller
from proxy.forward.fields import (
    field_lines,
    relayed_lines,
    relayed_trailers,
    wants_trailers,
)
from proxy.forward.target import Rewrite
from proxy.http1.head import Field, RequestHead, ResponseHead

_CORS = b"access-control-"
_CODING = frozenset({b"transfer-encoding"})
_NOTHING: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """What the config says about forwarding."""

    rewrite: Rewrite | None = None
    server_timing: bool = False
    via: bool = True


class Framing(NamedTuple):
    """What tells the client the content's end: chunks, the close, or else its length.

    `announced` says whether it was the upstream that began to send in chunks.
    """

    chunked: bool
    by_close: bool
    announced: bool


COUNTED = Framing(chunked=False, by_close=False, announced=False)


def framing(*, chunked: bool, http10: bool, can_cut: bool) -> Framing:
    """Return how content of unknown length reaches a client.

    It comes `chunked`, or until the close. HTTP/1.0 knows no chunks. Where a close
    cannot be told from a cut, as on a Unix socket, chunks take its place.
    """
    chunks = chunked or not can_cut
    return Framing(chunks and not http10, not chunks or http10, chunked)


def response_lines(
    head: ResponseHead,
    asked: RequestHead,
    caller: Caller,
    framed: Framing,
    options: ForwardOptions,
    scheme: bytes,
) -> list[bytes]:
    """Return the lines to relay of the response `head` to what was `asked`.

    `scheme` is that of our own origin, such as `http://`.
    """
    own = scheme + asked.seen[b"host"]
    if framed is COUNTED and not caller.varies and not asked.http10:
        return [status_line(head), *relayed_lines(head, options.rewrite, own)]
    without = _CODING if asked.http10 else _NOTHING
    present: list[str] = []
    if caller.origin is not None:
        # Two of a kind are none, so the page gets our CORS fields only.
        names = {lower for lower, _ in head.fields}
        without |= {name for name in names if name.startswith(_CORS)}
        present = [name.decode("latin-1") for name in names - without]
    announced = framed.chunked and wants_trailers(asked)
    lines = [status_line(head)]
    lines += relayed_lines(
        head,
        options.rewrite,
        own,
        without=without,
        announced=announced,
    )
    if framed.chunked and not framed.announced:
        lines.append(b"Transfer-Encoding: chunked")
    if caller.varies:
        lines += field_lines(caller.answer_fields(present))
    return lines


def status_line(head: ResponseHead) -> bytes:
    """Return the status line of `head`, for a client of ours."""
    if head.status == 200 and head.reason == b"OK":
        return b"HTTP/1.1 200 OK"
    return b"HTTP/1.1 %d %b" % (head.status, head.reason)


def last_chunk(trailers: list[Field], asked: RequestHead) -> bytes:
    """Return what ends chunked content: the last chunk, and trailers if wanted."""
    if not trailers or not wants_trailers(asked):
        return b"0\r\n\r\n"
    return b"\r\n".join((b"0", *relayed_trailers(trailers), b"", b""))
