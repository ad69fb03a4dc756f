"""Start lines and fields (RFC 9112, sections 2 to 5; RFC 9110, section 5).

A field is kept as a pair of its lower-case name and its line as it came: what crosses
the proxy is the line, and what is looked at is the name.
"""

import re
from collections.abc import Set
from functools import lru_cache
from typing import Final

from proxy.http1.errors import MalformedError

Field = tuple[bytes, bytes]
"""Lower-case name, and the whole line without its end."""

MAX_METHOD: Final = 256
MAX_TARGET: Final = 64 * 1024
MAX_FIELD: Final = 64 * 1024
MAX_FIELDS: Final = 256
MAX_HEAD: Final = 256 * 1024
"""Bytes of a request's head before it is refused; the others are parts of it."""

_TOKEN: Final = (
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

# Section 5.5 of RFC 9110: visible ASCII, space, tab and obs-text, in any order.
_TEXT: Final = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-\"$-~\x80-\xff]+) HTTP/1\.([0-9])"
)
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: (.*))?")
ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]+)(.*)", re.DOTALL)
"""The absolute-form of a target: its authority, and the rest."""

# The beginning of a TLS handshake (RFC 8446, section 5.1).
_TLS = b"\x16\x03"

_BLANK = re.compile(rb"(?:\r\n)+")
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.%~_-]+\]|[0-9A-Za-z.%~_-]*)(?::[0-9]*)?")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

# Names come in few spellings, and a look-up is cheaper than a check. A client that
# makes names up cannot make it grow.
_lower_names: dict[bytes, bytes] = {}
_NAMES_KEPT: Final = 1024
_NAME_KEPT: Final = 64


class FieldSection:
    """The fields of a request: as they came, `raw`, and read.

    Clients send the same with most of their requests, so that it need not be read each
    time; nor need be found out again what is sent on of it, which is kept `outbound`.
    """

    __slots__ = ("fields", "outbound", "raw", "seen")

    def __init__(
        self, raw: bytes, fields: list[Field], seen: dict[bytes, bytes]
    ) -> None:
        self.raw = raw
        self.fields = fields
        self.seen = seen
        self.outbound: list[bytes] | None = None


class RequestHead:
    """A request's head; `seen` has the values of the fields that were asked for.

    A field that is repeated stands in `seen` once, its values joined by a comma.
    Neither may be changed: the next request may have the same `section`.
    """

    __slots__ = ("fields", "http10", "method", "section", "seen", "target")

    def __init__(
        self, method: str, target: bytes, section: FieldSection, *, http10: bool
    ) -> None:
        self.method = method
        self.target = target
        self.http10 = http10
        self.section = section
        self.fields = section.fields
        self.seen = section.seen


class ResponseHead:
    """A response's head; `seen` is as a request's, `raw` the head as it came."""

    __slots__ = ("fields", "http10", "raw", "reason", "seen", "status")

    def __init__(
        self,
        status: int,
        reason: bytes,
        fields: list[Field],
        seen: dict[bytes, bytes],
        *,
        http10: bool = False,
        raw: bytes = b"",
    ) -> None:
        self.status = status
        self.reason = reason
        self.raw = raw
        self.http10 = http10
        self.fields = fields
        self.seen = seen


def parse_request(
    head: bytes,
    noted: Set[bytes],
    known: FieldSection | None = None,
    limit: int = MAX_HEAD,
) -> RequestHead:
    """Return the `head` of a request, given without its empty line.

    Bytes of the target beyond ASCII, as old programs write them, come percent-encoded
    one by one; nothing else of it is changed. `noted` are the lower-case names of the
    fields whose values `seen` is to have. `known` are the fields of an earlier request,
    with the same `noted`, which may have come again; `limit` is in bytes. Raises
    MalformedError.
    """
    line, _, raw = head.partition(b"\r\n")
    if len(head) > limit:
        raise MalformedError("the request's head is too long", status=431)
    method, target, minor = _request_line(line)
    if known is None or known.raw != raw:
        known = _section(raw, noted)
    if not target.isascii():
        target = _NOT_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), target)
    # A higher minor version is read as the highest known (RFC 9110, section 2.5).
    return RequestHead(method.decode(), target, known, http10=minor == b"0")


def check_beginning(data: bytes, new: int = 0, limit: int = MAX_HEAD) -> None:
    """Refuse what can become no request's head, without waiting for its end.

    Only what stands from `new` on has not been looked at before; `limit` is in bytes.
    Raises MalformedError.
    """
    if data.startswith(_TLS):
        raise MalformedError("this listener speaks HTTP, not HTTPS: use http://")
    if is_hopeless(data[new - (data[new - 1 : new] == b"\r") :]):
        raise MalformedError("control characters or bare line ends")
    end = data.find(b"\r\n")
    if end >= max(0, new - 1):
        _request_line(data[:end])
    if end < 0 and len(data) > MAX_METHOD + MAX_TARGET:
        raise MalformedError("the request target is too long", status=414)
    # Line ends that have come in part do not count; the whole head is measured again.
    last = len(data) - data.rfind(b"\r\n") if end >= 0 else 0
    if len(data) > limit + 3 or last > MAX_FIELD + 3:
        raise MalformedError("the request's head is too long", status=431)


def parse_response(head: bytes, noted: Set[bytes]) -> ResponseHead:
    """Return the `head` of a response, given without its empty line.

    White space between a field's name and its colon is removed, as section 5.1 asks of
    a proxy. Raises MalformedError.
    """
    lines = _lines(head)
    status, reason, http10 = _status_line(lines.pop(0))
    try:
        fields, seen = _fields(lines, noted)
    except MalformedError:
        fields, seen = _fields([_without_space(line) for line in lines], noted)
    return ResponseHead(status, reason, fields, seen, http10=http10, raw=head)


def parse_trailers(section: bytes) -> list[Field]:
    """Return the fields of a trailer `section`. Raises MalformedError."""
    return _fields(_lines(section), frozenset())[0]


def after_blank_lines(data: bytes) -> bytes:
    """Return `data` without the empty lines at its beginning."""
    match = _BLANK.match(data)
    return data[match.end() :] if match else data


def check_host(head: RequestHead) -> None:
    """Refuse a request without one valid Host field (RFC 9112, section 3.2).

    HTTP/1.0 knows no such field and may come without. Raises MalformedError.
    """
    host = head.seen.get(b"host")
    if host is None:
        if not head.http10:
            raise MalformedError("the request names no host")
    elif not _is_host(host):  # nor has a valid one the comma of a second
        raise MalformedError("the Host field is not one valid host")


def check_target(head: RequestHead) -> None:
    """Refuse a request whose target has no form of RFC 9112, section 3.2.

    The authority-form is CONNECT's alone. Raises MalformedError.
    """
    target = head.target
    if target[:1] == b"/" or (target == b"*" and head.method == "OPTIONS"):
        return
    if head.method != "CONNECT" and ABSOLUTE.fullmatch(target) is None:
        raise MalformedError("the request target must begin with a slash")


def is_hopeless(data: bytes) -> bool:
    """Say whether the beginning of a head holds what no head may hold."""
    return bool(data.removesuffix(b"\r").replace(b"\r\n", b"").translate(None, _TEXT))


def value_of(field: Field) -> bytes:
    """Return the value of `field`, without the white space around it."""
    return field[1][len(field[0]) + 1 :].strip(b" \t")


def elements(value: bytes) -> list[bytes]:
    """Return the elements of a list in lower case, empty ones left out."""
    stripped = (element.strip(b" \t") for element in value.lower().split(b","))
    return [element for element in stripped if element]


@lru_cache(maxsize=64)  # an upstream has few of them
def _status_line(line: bytes) -> tuple[int, bytes, bool]:
    """Return status and reason of a response's first `line`, and if it is HTTP/1.0."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise MalformedError("the status line is not valid HTTP/1.1")
    minor, status, reason = match.groups()
    return int(status), reason or b"", minor == b"0"


@lru_cache(maxsize=64)  # a client calls us by one name
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return method, target and minor version of a request `line`."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise MalformedError("the request line is not valid HTTP/1.1")
    method, target, minor = match.groups()
    if len(method) > MAX_METHOD:
        raise MalformedError("the request method is too long")
    if len(target) > MAX_TARGET:
        raise MalformedError("the request target is too long", status=414)
    return method, target, minor


def _section(raw: bytes, noted: Set[bytes]) -> FieldSection:
    """Return the fields of a request. Raises MalformedError."""
    if not raw:
        return FieldSection(raw, [], {})
    lines = _lines(raw)
    if len(lines) > MAX_FIELDS:
        raise MalformedError("the request has too many fields", status=431)
    if len(raw) > MAX_FIELD and max(map(len, lines)) > MAX_FIELD:
        raise MalformedError("a request field is too long", status=431)
    fields, seen = _fields(lines, noted)
    return FieldSection(raw, fields, seen)


def _lines(head: bytes) -> list[bytes]:
    """Return the lines of `head`, which hold no control character but tab."""
    lines = head.split(b"\r\n")
    if head.translate(None, _TEXT) != b"\r\n" * (len(lines) - 1):
        raise MalformedError("control characters or bare line ends")
    return lines


def _fields(
    lines: list[bytes], noted: Set[bytes]
) -> tuple[list[Field], dict[bytes, bytes]]:
    """Return the fields in `lines`, and the values of those noted."""
    fields: list[Field] = []
    seen: dict[bytes, bytes] = {}
    known = _lower_names
    for line in lines:
        name, colon, value = line.partition(b":")
        lower = known[name] if name in known else _learned(name)
        if not colon:
            raise MalformedError("a field has no colon")
        if lower in noted:
            value = value.strip(b" \t")
            seen[lower] = seen[lower] + b", " + value if lower in seen else value
        fields.append((lower, line))
    return fields, seen


def _learned(name: bytes) -> bytes:
    """Return `name` in lower case, and remember that it is one.

    An empty name, white space in it and a folded line all end here.
    """
    if not name or name.translate(None, _TOKEN):
        raise MalformedError("a field's name is not valid")
    lower = name.lower()
    if len(name) <= _NAME_KEPT:
        if len(_lower_names) >= _NAMES_KEPT:
            _lower_names.clear()
        _lower_names[name] = lower
    return lower


def _without_space(line: bytes) -> bytes:
    name, colon, value = line.partition(b":")
    # A folded line begins with white space, which stays for the check of names to find.
    return name.rstrip(b" \t") + colon + value
