"""What the servers and the client saw in a test, put so that two runs can be compared.

What differs between any two runs goes: addresses become names, and `Date` is left out.
So does what differs for every proxy: the fields of a connection, of which each hop has
its own (RFC 9110, section 7.6.1), and `Via`. And so does what this proxy is for,
`Authorization`. httpbin tells all of these in its answers as well, in JSON.
"""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import ndiff
from itertools import zip_longest
from typing import Any

from tests.third_party.messages import Message
from tests.third_party.suite import Run

INJECTED = frozenset({"authorization", "via"})
OF_A_CONNECTION = frozenset({"connection", "keep-alive"})
UNTOLD = INJECTED | OF_A_CONNECTION | {"date"}

SECURE = re.compile(r"https://127\.0\.0\.1:\d+")
NOTHING = Message("")

Lines = Sequence[str]


def differing(direct: Run, through: Run, test: str) -> list[str]:
    """Return the lines that the messages of `test` differ in."""
    lines = [
        *_differing(_requests(direct, test), _requests(through, test)),
        *_differing(*_answers(direct, through, test)),
    ]
    return [line for line in lines if line[0] in "+-"]


def _differing(one: Lines, other: Lines) -> Iterator[str]:
    # Comparing line by line is slow for what is nearly always the same.
    return iter(()) if one == other else ndiff(one, other)


def _requests(run: Run, test: str) -> Lines:
    lines: list[str] = []
    for head, content in run.tests[test].requests:
        # Targets may hold an address that the client was told.
        lines += (_named(one, run.addresses) for one in _head(Message(head)))
        lines.append(repr(content))
    return lines


def _answers(direct: Run, through: Run, test: str) -> tuple[Lines, Lines]:
    lines: tuple[list[str], list[str]] = [], []
    for one, other in zip_longest(
        map(Message, direct.tests[test].answers),
        map(Message, through.tests[test].answers),
        fillvalue=NOTHING,
    ):
        contents = _content(one, direct), _content(other, through)
        # How far a test reads a stream that it does not finish is chance.
        end = None if one.is_whole and other.is_whole else min(map(len, contents))
        # In a head, the client is to see one address of httpbin: that which it knows.
        lines[0].extend(_named(line, direct.told) for line in _head(one))
        lines[1].extend(_named(line, through.told) for line in _head(other))
        lines[0].extend(contents[0][:end])
        lines[1].extend(contents[1][:end])
    return lines


def _head(message: Message) -> Iterator[str]:
    yield message.start
    for name, value in message.fields:
        if name.lower() == "content-length" and value == str(len(message.content)):
            yield f"{name}: as the content is"
        elif name.lower() not in UNTOLD:
            yield f"{name}: {value}"


def _content(answer: Message, run: Run) -> Lines:
    text = answer.decoded.decode("latin-1")
    try:
        # Some answers are one object, others one in each line.
        lines = [_echo(json.loads(text))]
    except ValueError:
        lines = [_line(line) for line in text.split("\n")]
    return [_named(line, run.addresses) for line in "\n".join(lines).split("\n")]


def _line(text: str) -> str:
    try:
        return _echo(json.loads(text))
    except ValueError:
        return text


def _echo(content: Any) -> str:
    if isinstance(content, dict) and isinstance(content.get("headers"), dict):
        fields = content["headers"].items()
        told = {name: value for name, value in fields if name.lower() not in UNTOLD}
        content = content | {"headers": told}
    return json.dumps(content, indent=1)


def _named(text: str, addresses: Sequence[str]) -> str:
    for address in addresses:
        host, _, port = address.partition(":")
        # A redirect may hold an address in its query, and that another.
        text = re.sub(rf"{re.escape(host)}(:|%3A|%253A){port}\b", "SERVER", text)
    return SECURE.sub("https://SECURE", text)
