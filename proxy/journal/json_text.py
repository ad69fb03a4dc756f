"""JSON with its secret and personal values masked, written back as it was. Pure.

It is read by `json_tokens`.
"""

import json
import re
from typing import Final

from proxy.journal.json_tokens import Frame, NotJsonError, Piece, read, word_text
from proxy.journal.personal import (
    Level,
    hides,
    is_id,
    is_name,
    level_of,
    plain,
)
from proxy.journal.texts import masked_text
from proxy.redaction import MASK

_BARE = re.compile(
    r"true|false|null|-?(?:NaN|Infinity)|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII
)
_WORDS: Final = frozenset({"true", "false", "null", "NaN"})
_HIDDEN: Final = f'"{MASK}"'

_VALUES: Final = frozenset({"value", "values", "val", "data"})

_FRAMEWORK: Final = "Authorization has been denied for this request."
_REFERENCE: Final = frozenset(
    {
        *("region", "degree", "position", "medicalposition"),
        *("specialty", "specialties", "medicalspecialty"),
    }
)
"""Their `name` is that of a place or a trade, not of a person."""

_NESTED_LIMIT: Final = 4
"""Of JSON in a text of JSON."""

_BLANK: Final = " \t\r\n\v\f\ufeff\u200b\u2060"
_LOOKS_LIKE_JSON = re.compile(r"""[{\[]\s{0,8}\\{0,8}["'{\[]|\\{0,8}["']\s{0,8}:""")


def masked_json(
    text: str, *, unmasked: bool, whole: bool = True, depth: int = 0
) -> str | None:
    """Return JSON `text` with its values masked; None when it is not JSON, or too deep.

    With `whole` false it may end anywhere.

    Raises:
        TooMuchError: it has more values than are looked into.
    """
    try:
        pieces = read(text, whole)
        return "".join(
            piece if isinstance(piece, str) else _masked(piece, unmasked, depth)
            for piece in pieces
        )
    except NotJsonError:
        return None


def _level_of_frame(frame: Frame) -> Level | None:
    """Return the level of all that stands in `frame`. It is found once."""
    chain = []
    each: Frame | None = frame
    while each is not None and not each.is_levelled:
        chain.append(each)
        each = each.above
    for one in reversed(chain):
        if one.above is not None:
            one.level = _level(one.above, one.called, one.after)
        one.is_levelled = True
    return frame.level


def _level(frame: Frame, name: str, after: str) -> Level | None:
    """Return the level of the value called `name`, behind the item `after`."""
    own = _own_level(frame, name) if name else None
    if own is None:
        own = _labelled_level(frame, name, after)
    around = frame.level if frame.is_levelled else _level_of_frame(frame)
    if Level.SECRET in (own, around):
        return Level.SECRET
    return own or around


def _own_level(frame: Frame, name: str) -> Level | None:
    # In {"key": "type", "value": 1} it is a label, and no key to anything.
    is_label = plain(name) == "key" and frame.members & _VALUES
    return None if is_label else level_of(name)


def _labelled_level(frame: Frame, name: str, after: str) -> Level | None:
    if frame.is_object:
        if not frame.labels or plain(name) not in _VALUES or frame.is_error:
            return None
        found = {level_of(label) for label in frame.labels.values()}
        return next((each for each in Level if each in found), None)
    # ["password", "x"], but not a list of names
    level = level_of(after) if after and is_name(after) else None
    return level if level is Level.SECRET or frame.items == 2 else None


def _masked(piece: Piece, unmasked: bool, depth: int) -> str:
    if piece.role == "cut":
        # The end of what was cut off may be half of anything.
        return f'"{MASK}'
    if piece.role == "name":
        return _masked_name(piece.text, unmasked)
    level = _level_of_value(piece.frame, piece)
    if piece.role == "bare":
        return _masked_bare(piece.text, level, unmasked)
    text = word_text(piece.text)
    if not text:
        return piece.text
    if hides(level, unmasked=unmasked):
        return _HIDDEN
    shown = masked_value(text, unmasked=unmasked, depth=depth)
    return piece.text if shown == text else _written(shown)


def _masked_name(text: str, unmasked: bool) -> str:
    name = word_text(text)
    if not unmasked and not is_name(name):
        return _HIDDEN
    shown = masked_text(name, unmasked=unmasked)
    return text if shown == name else _written(shown)


def _level_of_value(frame: Frame, piece: Piece) -> Level | None:
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
        raise NotJsonError
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
