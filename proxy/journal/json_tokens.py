"""JSON read token by token, with where each value stands. Pure.

There is no tree: so the order, repeats, spaces and numbers stay as they came, and JSON
that was cut off can be read up to its end.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.journal.personal import Level, TooMuchError, plain

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<text>"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
    r"""|(?P<bare>[-+\w.]+)|(?P<mark>[{}\[\],:])|(?P<cut>".*)""",
    re.DOTALL,
)
_MARKS: Final = frozenset("}],:")

_ERRORS: Final = frozenset(
    {
        *("bad_argument", "limit_exceeded", "insufficient_funds", "oauth", "forbidden"),
        *("not_found", "conflict", "internal_server_error", "upstream"),
    }
)
_ERROR_MEMBERS: Final = frozenset({"type", "value", "description"})
_LABELS: Final = frozenset(
    {
        *("attribute", "field", "fieldname", "header", "key", "label", "name"),
        *("param", "parameter", "property", "title", "type"),
    }
)
"""What tells in `{"name": "phone", "value": "..."}` whose data the value is."""

_DEEPEST: Final = 500
"""Of lists and objects in each other; what is deeper is made to do harm."""

_TOKENS_LIMIT: Final = 30_000
"""Of names, values, lists and objects that are looked into: an ordinary answer of the
length that is kept has fewer."""


class NotJsonError(Exception):
    """It is not JSON. Without the text, which must not come into a traceback."""


@dataclass(slots=True)
class Frame:
    """An object or a list; `name` is that of the member which is read.

    `above` is what it stands in, there as a value called `called`, after the item
    `after` of a list.
    """

    is_object: bool
    above: "Frame | None" = None
    called: str = ""
    after: str = ""
    name: str = ""
    wants: str = "first"
    members: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    items: int = 0
    last: str = ""
    level: Level | None = None
    is_levelled: bool = False

    @property
    def parent(self) -> str:
        """The name of the nearest value with one, in which this is a list or object."""
        if self.called or self.above is None:
            return self.called
        return self.above.called

    @property
    def is_error(self) -> bool:
        """Whether it is an error as the API and this proxy word it."""
        return (
            self.labels.get("type") in _ERRORS
            and self.members - _ERROR_MEMBERS == set()
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A name, or a value with where it stands."""

    text: str
    role: str
    frame: Frame
    name: str
    after: str = ""


def read(text: str, whole: bool) -> list[Piece | str]:
    """Return the names and values of JSON `text`, and what stands between them.

    With `whole` false it may end anywhere.

    Raises:
        NotJsonError: it is none, or too deep.
        TooMuchError: it has more values than are looked into.
    """
    top = Frame(is_object=False, wants="value")
    stack, pieces = [top], list[Piece | str]()
    for kind, word in _tokens(text):
        frame = stack[-1]
        if kind == "space" or (kind == "mark" and word in ",:"):
            if kind == "mark":
                _separate(frame, word, is_top=frame is top)
            pieces.append(word)
        elif kind == "mark":
            _open_or_close(stack, word)
            pieces.append(word)
        elif kind == "cut" and whole:
            raise NotJsonError
        else:
            pieces.append(_name_or_value(frame, kind, word))
    if whole and (len(stack) > 1 or top.wants == "value"):
        raise NotJsonError
    last = pieces[-1] if pieces else ""
    if not whole and isinstance(last, Piece) and last.role == "bare":
        pieces[-1] = replace(last, role="cut")
    return pieces


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, left = 0, _TOKENS_LIMIT
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotJsonError
        at = found.end()
        left -= found["space"] is None and found[0] not in _MARKS
        if left < 0:
            raise TooMuchError
        yield str(found.lastgroup), found[0]


def _separate(frame: Frame, word: str, *, is_top: bool) -> None:
    if word == ":" and frame.wants == "colon":
        frame.wants = "value"
    elif word == "," and frame.wants == "comma" and not is_top:
        frame.wants = "name" if frame.is_object else "value"
    else:
        raise NotJsonError


def _open_or_close(stack: list[Frame], word: str) -> None:
    frame = stack[-1]
    if word in "{[":
        is_wanted = frame.wants == "value" or (
            frame.wants == "first" and not frame.is_object
        )
        if not is_wanted or len(stack) > _DEEPEST:
            raise NotJsonError
        frame.wants = "comma"
        # The items of a list are called as the list is.
        name = "" if word == "{" else frame.name
        stack.append(Frame(word == "{", frame, frame.name, frame.last, name))
        _count(frame, "")
        return
    closes = frame.is_object == (word == "}") and len(stack) > 1
    if not closes or frame.wants not in {"first", "comma"}:
        raise NotJsonError
    stack.pop()


def _name_or_value(frame: Frame, kind: str, word: str) -> Piece:
    if frame.is_object and frame.wants in {"first", "name"}:
        if kind == "bare":
            raise NotJsonError
        frame.wants = "colon"
        frame.name = word_text(word) if kind == "text" else ""
        frame.members.add(plain(frame.name))
        return Piece(word, "name" if kind == "text" else "cut", frame, frame.name)
    if frame.wants != "value" and (frame.is_object or frame.wants != "first"):
        raise NotJsonError
    frame.wants = "comma"
    label = plain(frame.name)
    if kind == "text" and label in _LABELS and len(word) < 80:
        frame.labels[label] = word_text(word)
    piece = Piece(word, kind, frame, frame.name, frame.last)
    is_short = kind == "text" and len(word) < 80 and not frame.is_object
    _count(frame, word_text(word) if is_short else "")
    return piece


def _count(frame: Frame, text: str) -> None:
    frame.items += 1
    frame.last = text


def word_text(word: str) -> str:
    """Return what a text, given with its quotes, means. Raises NotJsonError."""
    if "\\" not in word:
        return word[1:-1]
    try:
        return str(json.loads(word, strict=False))
    except ValueError:
        raise NotJsonError from None
