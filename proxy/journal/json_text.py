"""JSON with its secret and personal values masked, written back as it was. Pure.

Read token by token, without a tree: so the order, repeats, spaces and numbers stay as
they came, and JSON that was cut off can be masked up to its end.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.journal.personal import (
    Level,
    TooMuchError,
    hides,
    is_id,
    is_name,
    level_of,
    plain,
)
from proxy.journal.texts import masked_text
from proxy.redaction import MASK

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<text>"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
    r"""|(?P<bare>[-+\w.]+)|(?P<mark>[{}\[\],:])|(?P<cut>".*)""",
    re.DOTALL,
)
_BARE = re.compile(
    r"true|false|null|-?(?:NaN|Infinity)|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII
)
_MARKS: Final = frozenset("}],:")
_WORDS: Final = frozenset({"true", "false", "null", "NaN"})
_HIDDEN: Final = f'"{MASK}"'

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
_VALUES: Final = frozenset({"value", "values", "val", "data"})

_FRAMEWORK: Final = "Authorization has been denied for this request."
_REFERENCE: Final = frozenset(
    {
        *("region", "degree", "position", "medicalposition"),
        *("specialty", "specialties", "medicalspecialty"),
    }
)
"""Their `name` is that of a place or a trade, not of a person."""

_DEEPEST: Final = 500
"""Of lists and objects in each other; what is deeper is made to do harm."""

_NESTED_LIMIT: Final = 4
"""Of JSON in a text of JSON."""

_TOKENS_LIMIT: Final = 30_000
"""Of names, values, lists and objects that are looked into: an ordinary answer of the
length that is kept has fewer."""

_BLANK: Final = " \t\r\n\v\f\ufeff\u200b\u2060"
_LOOKS_LIKE_JSON = re.compile(r"""[{\[]\s{0,8}\\{0,8}["'{\[]|\\{0,8}["']\s{0,8}:""")


class _NotJsonError(Exception):
    """It is not JSON. Without the text, which must not come into a traceback."""


@dataclass(slots=True)
class _Frame:
    """An object or a list; `name` is that of the member which is read.

    `above` is what it stands in, there as a value called `called`, after the item
    `after` of a list.
    """

    is_object: bool
    above: "_Frame | None" = None
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
class _Piece:
    """A name, or a value with where it stands."""

    text: str
    role: str
    frame: _Frame
    name: str
    after: str = ""


def masked_json(
    text: str, *, unmasked: bool, whole: bool = True, depth: int = 0
) -> str | None:
    """Return JSON `text` with its values masked; None when it is not JSON, or too deep.

    With `whole` false it may end anywhere.

    Raises:
        TooMuchError: it has more values than are looked into.
    """
    try:
        pieces = _read(text, whole)
        return "".join(
            piece if isinstance(piece, str) else _masked(piece, unmasked, depth)
            for piece in pieces
        )
    except _NotJsonError:
        return None


# -- Reading --------------------------------------------------------------------------


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, left = 0, _TOKENS_LIMIT
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _NotJsonError
        at = found.end()
        left -= found["space"] is None and found[0] not in _MARKS
        if left < 0:
            raise TooMuchError
        yield str(found.lastgroup), found[0]


def _read(text: str, whole: bool) -> list[_Piece | str]:
    top = _Frame(is_object=False, wants="value")
    stack, pieces = [top], list[_Piece | str]()
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
            raise _NotJsonError
        else:
            pieces.append(_name_or_value(frame, kind, word))
    if whole and (len(stack) > 1 or top.wants == "value"):
        raise _NotJsonError
    last = pieces[-1] if pieces else ""
    if not whole and isinstance(last, _Piece) and last.role == "bare":
        pieces[-1] = replace(last, role="cut")
    return pieces


def _separate(frame: _Frame, word: str, *, is_top: bool) -> None:
    if word == ":" and frame.wants == "colon":
        frame.wants = "value"
    elif word == "," and frame.wants == "comma" and not is_top:
        frame.wants = "name" if frame.is_object else "value"
    else:
        raise _NotJsonError


def _open_or_close(stack: list[_Frame], word: str) -> None:
    frame = stack[-1]
    if word in "{[":
        is_wanted = frame.wants == "value" or (
            frame.wants == "first" and not frame.is_object
        )
        if not is_wanted or len(stack) > _DEEPEST:
            raise _NotJsonError
        frame.wants = "comma"
        # The items of a list are called as the list is.
        name = "" if word == "{" else frame.name
        stack.append(_Frame(word == "{", frame, frame.name, frame.last, name))
        _count(frame, "")
        return
    closes = frame.is_object == (word == "}") and len(stack) > 1
    if not closes or frame.wants not in {"first", "comma"}:
        raise _NotJsonError
    stack.pop()


def _name_or_value(frame: _Frame, kind: str, word: str) -> _Piece:
    if frame.is_object and frame.wants in {"first", "name"}:
        if kind == "bare":
            raise _NotJsonError
        frame.wants = "colon"
        frame.name = _text(word) if kind == "text" else ""
        frame.members.add(plain(frame.name))
        return _Piece(word, "name" if kind == "text" else "cut", frame, frame.name)
    if frame.wants != "value" and (frame.is_object or frame.wants != "first"):
        raise _NotJsonError
    frame.wants = "comma"
    label = plain(frame.name)
    if kind == "text" and label in _LABELS and len(word) < 80:
        frame.labels[label] = _text(word)
    piece = _Piece(word, kind, frame, frame.name, frame.last)
    is_short = kind == "text" and len(word) < 80 and not frame.is_object
    _count(frame, _text(word) if is_short else "")
    return piece


def _count(frame: _Frame, text: str) -> None:
    frame.items += 1
    frame.last = text


def _text(word: str) -> str:
    if "\\" not in word:
        return word[1:-1]
    try:
        return str(json.loads(word, strict=False))
    except ValueError:
        raise _NotJsonError from None


# -- Masking --------------------------------------------------------------------------


def _level_of_frame(frame: _Frame) -> Level | None:
    """Return the level of all that stands in `frame`. It is found once."""
    chain = []
    each: _Frame | None = frame
    while each is not None and not each.is_levelled:
        chain.append(each)
        each = each.above
    for one in reversed(chain):
        if one.above is not None:
            one.level = _level(one.above, one.called, one.after)
        one.is_levelled = True
    return frame.level


def _level(frame: _Frame, name: str, after: str) -> Level | None:
    """Return the level of the value called `name`, behind the item `after`."""
    own = _own_level(frame, name) if name else None
    if own is None:
        own = _labelled_level(frame, name, after)
    around = frame.level if frame.is_levelled else _level_of_frame(frame)
    if Level.SECRET in (own, around):
        return Level.SECRET
    return own or around


def _own_level(frame: _Frame, name: str) -> Level | None:
    # In {"key": "type", "value": 1} it is a label, and no key to anything.
    is_label = plain(name) == "key" and frame.members & _VALUES
    return None if is_label else level_of(name)


def _labelled_level(frame: _Frame, name: str, after: str) -> Level | None:
    if frame.is_object:
        if not frame.labels or plain(name) not in _VALUES or frame.is_error:
            return None
        found = {level_of(label) for label in frame.labels.values()}
        return next((each for each in Level if each in found), None)
    # ["password", "x"], but not a list of names
    level = level_of(after) if after and is_name(after) else None
    return level if level is Level.SECRET or frame.items == 2 else None


def _masked(piece: _Piece, unmasked: bool, depth: int) -> str:
    if piece.role == "cut":
        # The end of what was cut off may be half of anything.
        return f'"{MASK}'
    if piece.role == "name":
        return _masked_name(piece.text, unmasked)
    level = _level_of_value(piece.frame, piece)
    if piece.role == "bare":
        return _masked_bare(piece.text, level, unmasked)
    text = _text(piece.text)
    if not text:
        return piece.text
    if hides(level, unmasked=unmasked):
        return _HIDDEN
    shown = masked_value(text, unmasked=unmasked, depth=depth)
    return piece.text if shown == text else _written(shown)


def _masked_name(text: str, unmasked: bool) -> str:
    name = _text(text)
    if not unmasked and not is_name(name):
        return _HIDDEN
    shown = masked_text(name, unmasked=unmasked)
    return text if shown == name else _written(shown)


def _level_of_value(frame: _Frame, piece: _Piece) -> Level | None:
    name = piece.name
    level = _level(frame, name, piece.after)
    if level is not Level.PERSONAL:
        return level
    if frame.is_error or (_level_of_frame(frame) is not None and _is_plain_id(name)):
        return None
    if plain(name) == "name" and plain(frame.parent) in _REFERENCE:
        return _level_of_frame(frame)
    is_framework = plain(name) == "message" and piece.text == f'"{_FRAMEWORK}"'
    return None if is_framework else level


def _is_plain_id(name: str) -> bool:
    return is_id(name) and level_of(name) is None


def _masked_bare(word: str, level: Level | None, unmasked: bool) -> str:
    if _BARE.fullmatch(word) is None:
        raise _NotJsonError
    if word in _WORDS:
        return word
    if hides(level, unmasked=unmasked):
        return _HIDDEN
    digits = word.removeprefix("-")
    is_telling = digits.isdigit() and masked_text(digits, unmasked=unmasked) != digits
    return _HIDDEN if is_telling else word


def masked_value(text: str, *, unmasked: bool, depth: int = 0) -> str:
    """Return one text of JSON masked; it may be JSON in its turn.

    Raises:
        TooMuchError: it is, and has more values than are looked into.
    """
    bare = text.lstrip(_BLANK)
    if bare.startswith(("{", "[", '"')):
        if depth >= _NESTED_LIMIT:
            return MASK
        inner = masked_json(bare, unmasked=unmasked, depth=depth + 1)
        if inner is not None:
            return text[: len(text) - len(bare)] + inner
    if not unmasked and _LOOKS_LIKE_JSON.search(text):
        return MASK
    return masked_text(text, unmasked=unmasked)


def _written(text: str) -> str:
    # A lone surrogate has no form in UTF-8, and one of a broken byte would be it again.
    has_surrogates = re.search("[\ud800-\udfff]", text) is not None
    return json.dumps(text, ensure_ascii=has_surrogates)
