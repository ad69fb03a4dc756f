"""What of a request a command repeats: address, fields, content. Pure."""

import re
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final
from urllib.parse import quote

from proxy.journal.entry import Entry
from proxy.journal.media import ShownContent
from proxy.journal.shell import to_bytes

_NOT_REPEATED: Final = frozenset(
    {
        *("authorization", "connection", "content-length", "expect", "host"),
        *("http2-settings", "keep-alive", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""Of one connection, or written anew by whoever sends."""

_OURS: Final = frozenset({"x-proxy-key", "x-proxy-allow-repeat"})
_KEY: Final = "x-proxy-key"

_OF_TARGETS: Final = "%/?!$&'()*+,;=:@-._~"
_PROPER = re.compile(r"/(?:[\w/?!$&'()*+,;=:@.~-]|%[\da-fA-F]{2})*", re.ASCII)
_UNRESERVED: Final = frozenset(ascii_letters + digits + "-._~")

# curl reads fields from a file where @ begins them, HTTPie options where a hyphen does.
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)

_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to be written down as a command.

    `base` is what stands before `target`, `socket` the path of the Unix socket to
    connect to. `needs_key` and `needs_token` say which secret the caller puts in.
    `content` is None where it is left out; `remarks` say why.
    """

    method: str
    base: str
    target: str
    fields: list[tuple[str, str]]
    content: bytes | None
    remarks: list[str]
    socket: str | None = None
    needs_key: bool = False
    needs_token: bool = False

    @property
    def has_dots(self) -> bool:
        """Whether the path has segments that programs like to fold."""
        return _DOTS.search(self.target.partition("?")[0]) is not None

    @property
    def url(self) -> str:
        """The URL for programs that want a proper one: odd characters are coded."""
        target = self.target if self.target.startswith("/") else f"/{self.target}"
        return self.base + quote(to_bytes(target), safe=_OF_TARGETS)

    @property
    def is_kept_by_requests(self) -> bool:
        """Whether `requests`, and what is built on it, sends the target as it is."""
        proper = _PROPER.fullmatch(self.target) is not None
        codes = re.findall("%(..)", self.target)
        return proper and all(
            code == code.upper() and chr(int(code, 16)) not in _UNRESERVED
            for code in codes
        )

    def has(self, name: str) -> bool:
        """Return whether there is a field called `name`, in lower case."""
        return any(each.lower() == name for each, _ in self.fields)


def call_of(entry: Entry, *, direct: bool) -> Call:
    """Return the call that sends the request of `entry` again.

    With `direct` it goes to the upstream, with a token; otherwise through the proxy.
    """
    content, remarks = _content(entry)
    fields = _fields(entry, direct)
    proper = [each for each in fields if _NAME.fullmatch(each[0])]
    if len(proper) < len(fields):
        remarks.append("A field is left out, as its name is none.")
    socket = None
    base = entry.upstream if direct else entry.listener
    if base.startswith("unix:"):
        socket, base = base.removeprefix("unix:"), "http://localhost"
    key = entry.request.value(_KEY) is not None
    return Call(
        method=entry.method,
        base=base.rstrip("/"),
        target=_origin_form(entry.target),
        fields=proper,
        content=content,
        remarks=remarks,
        socket=socket,
        needs_key=key and not direct,
        needs_token=direct,
    )


def _origin_form(target: str) -> str:
    """Return what stands behind the authority, if there is one."""
    found = re.match(r"[a-z][a-z0-9+.-]*://[^/?]*", target, re.IGNORECASE)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest.startswith("/") else f"/{rest}"


def _fields(entry: Entry, direct: bool) -> list[tuple[str, str]]:
    # A Connection field names others of that connection (RFC 9110, section 7.6.1).
    options = {
        word.strip().lower()
        for name, value in entry.request.fields
        if name.lower() == "connection"
        for word in value.split(",")
    }
    dropped = set(_NOT_REPEATED | (options - {"content-type", "cookie"}))
    dropped |= _OURS if direct else {_KEY}
    if isinstance(entry.request.content, ShownContent):
        dropped.add("content-encoding")  # what is shown is no longer in that coding
    return [
        (name, value)
        for name, value in entry.request.fields
        if name.lower() not in dropped
    ]


def _content(entry: Entry) -> tuple[bytes | None, list[str]]:
    content = entry.request.content
    if content is None:
        return None, ["The content of the request was not kept, so it is not in here."]
    if isinstance(content, ShownContent) and content.hidden:
        return None, ["The content of the request is hidden, so it is not in here."]
    if not content.is_whole:
        return None, [
            "The content of the request is not in here: "
            f"only its beginning was kept, of {content.size} bytes."
        ]
    is_masked = entry.masked and b"***" in content.data
    remarks = (
        ["The content is masked: put in what *** stands for."] if is_masked else []
    )
    if not content.data and entry.request.value("content-length") is None:
        return None, remarks
    return content.data, remarks
