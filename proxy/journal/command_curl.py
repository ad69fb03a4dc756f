"""A request as a curl command for a POSIX shell. Pure."""

import re
from typing import Final

from proxy.journal.command_parts import Call
from proxy.journal.shell import (
    can_be_quoted,
    joined,
    printf_lines,
    quoted,
    word,
)

_GLOBS: Final = frozenset("[]{}")
_EXPECTS_FROM: Final = 1024 * 1024
# curl takes these as they are; a fragment, say, it would keep for itself.
_USUAL = re.compile(r"/[\w/?&=%.~!$'()*+,;:@\[\]{}-]*", re.ASCII)


def curl(call: Call) -> str:
    """Return the command; the secrets in it are `$KEY` and `$TOKEN`."""
    words = ["curl", *_method(call), *_address(call)]
    words += [f"-H {field}" for field in _fields(call)]
    before = ""
    if call.content is not None and can_be_quoted(call.content):
        words.append(f"--data-raw {quoted(call.content.decode())}")
    elif call.content is not None:
        words.append("--data-binary @-")
        before = f"{printf_lines(call.content)} |\n"
    remarks = "".join(f"# {remark}\n" for remark in call.remarks)
    return remarks + before + joined(words)


def _method(call: Call) -> list[str]:
    if call.method == "HEAD" and call.content is None:
        return ["--head"]
    usual = "GET" if call.content is None else "POST"
    return [] if call.method == usual else [f"-X {word(call.method)}"]


def _address(call: Call) -> list[str]:
    words = []
    if call.socket is not None:
        words.append(f"--unix-socket {word(call.socket)}")
    if _USUAL.fullmatch(call.target) is None:
        words.append(f"--request-target {word(call.target)}")
        return [*words, word(f"{call.base}/")]
    if call.has_dots:
        words.append("--path-as-is")
    if _GLOBS & set(call.target):
        words.append("--globoff")
    return [*words, word(call.base + call.target)]


def _fields(call: Call) -> list[str]:
    fields = [
        word(f"{name}: {value}" if value else f"{name};") for name, value in call.fields
    ]
    # curl's own, which an empty one with a colon takes back.
    added = ["User-Agent", "Accept"]
    if call.content is not None:
        added.append("Content-Type")
    fields += [f"{name}:" for name in added if not call.has(name.lower())]
    if call.content is not None and len(call.content) >= _EXPECTS_FROM:
        fields.append("Expect:")
    if call.needs_key:
        fields.append('"X-Proxy-Key: $KEY"')
    if call.needs_token:
        fields.append('"Authorization: Bearer $TOKEN"')
    return fields
