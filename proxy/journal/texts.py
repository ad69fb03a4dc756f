"""Secrets and personal data in free text, in targets and in queries. Pure.

What has a shape is known by `masked_shapes`; here is what stands in the parts of a
target, and what hides behind percent signs.
"""

import re
from urllib.parse import unquote, unquote_plus

from proxy.journal.personal import (
    Level,
    TooMuchError,
    hides,
    is_name,
    level_of,
    plain,
)
from proxy.journal.shapes import masked_shapes
from proxy.redaction import MASK, redact_target

_QUERY = re.compile(r"""(?<![^\s"'<>])[^\s"'<>?#]*+[?#][^\s"'<>]++""")
# What a filter is made of: firstName eq 'x', contains(firstName,'x')
_OPERATOR = re.compile(
    r"(?<![\w.-])([\w.-]{1,64}+)\s{0,4}"
    r"(?:[:=~<>!](?!(?:asc|desc)\b)|,\s{0,4}['\"]"
    r"|\s(?:eq|ne|like|ilike|contains|in|is|ct|co|sw|lt|gt|le|ge)\s)"
)

_SHORT = 16
"""A word of fewer letters has no shape: most names and many values are that."""
_SHAPELESS = re.compile(r"[A-Za-z_-]{1,15}|\d{1,7}|[A-Za-z]\d?|", re.ASCII)

_SEPARATORS = frozenset("&;\r\n")
_PARAMETERS_LIMIT = 2000
"""Of parameters in a query, and of queries in a text, that are looked into."""

_FREE_TEXTS = frozenset({"q", "query", "search", "searchtext", "keyword", "keywords"})
"""Parameters that people fill in as they like."""

_LAYERS = 3
"""Of percent signs upon each other that are taken off a name."""

_SHOWS_NEXT = frozenset({"phone", "email", "snils", "policy", "passport"})
_SHOWS_NEXT_ENDS = ("name", "patronymic", "birthdate")
"""A path segment after one of these is somebody's."""
_VERBS = frozenset(
    {
        *("add", "check", "confirm", "delete", "get", "introspect", "refresh"),
        *("remove", "revoke", "send", "set", "update", "validate", "verify"),
    }
)
_USERINFO = re.compile(r"((?:[a-z][a-z0-9+.-]*:)?)[^@:]*:[^@]*@", re.IGNORECASE)
_CONTROLS = re.compile(r"[\0-\x1f\x7f]")


def masked_text(text: str, *, unmasked: bool) -> str:
    """Return `text` with everything masked that has a shape to be known by."""
    if len(text) < _SHORT and (text.isalpha() or _SHAPELESS.fullmatch(text)):
        return text
    try:
        if "?" in text or "#" in text:
            text = _masked_queries(text, unmasked)
    except TooMuchError:
        return MASK
    text = masked_shapes(text, unmasked)
    return MASK if _hides_more(text, unmasked) else text


def _masked_queries(text: str, unmasked: bool) -> str:
    left = _PARAMETERS_LIMIT

    def shown(found: re.Match[str]) -> str:
        nonlocal left
        if "=" not in found[0] and ":" not in found[0]:
            return found[0]
        left -= 1
        if left < 0:
            raise TooMuchError
        return _masked_query(found[0], unmasked)

    return _QUERY.sub(shown, text)


def _hides_more(text: str, unmasked: bool) -> bool:
    """Return whether percent signs hide what would be masked without them."""
    if "%" not in text:
        return False
    bare = unquote(unquote(text))
    return bare != text and bare != masked_shapes(bare, unmasked)


def masked_target(target: str, *, unmasked: bool) -> str:
    """Return a request target, or a URL, fit to show: parameters by their names.

    The phone number of the SMS call stays hidden when `unmasked`, as in the logs. Of a
    target with too many parameters, only the path is shown.
    """
    target, number_sign, fragment = target.partition("#")
    path, question_mark, query = redact_target(target).partition("?")
    path = _masked_path(path, unmasked)
    try:
        if question_mark:
            path += f"?{masked_parameters(query, unmasked=unmasked)}"
        if number_sign:
            path += f"#{_masked_fragment(fragment, unmasked)}"
    except TooMuchError:
        return f"{path.partition('?')[0]}?{MASK}"
    return path


def _masked_query(word: str, unmasked: bool) -> str:
    path, mark, rest = re.split("([?#])", word, maxsplit=1)
    if mark == "#":
        return f"{path}#{_masked_fragment(rest, unmasked)}"
    query, number_sign, fragment = rest.partition("#")
    shown = f"{path}?{masked_parameters(query, unmasked=unmasked)}"
    if number_sign:
        shown += f"#{_masked_fragment(fragment, unmasked)}"
    return shown


def _masked_fragment(fragment: str, unmasked: bool) -> str:
    # It may be a query, or the end of a value in which it was not coded.
    if "=" in fragment or ":" in fragment:
        path, question_mark, query = fragment.rpartition("?")
        path = path and (MASK if not unmasked else masked_text(path, unmasked=True))
        return path + question_mark + masked_parameters(query, unmasked=unmasked)
    if not fragment or unmasked:
        return masked_text(fragment, unmasked=unmasked)
    return MASK


def _masked_path(path: str, unmasked: bool) -> str:
    if path.count("/") > _PARAMETERS_LIMIT:
        return f"/{MASK}"
    shown: list[str] = []
    level: Level | None = None
    for segment in path.split("/"):
        if not segment:
            shown.append(segment)
            continue
        bare = unquote(unquote(segment)) if "%" in segment else segment
        if hides(level, unmasked=unmasked) and bare.lower() not in _VERBS:
            shown.append(MASK)
        else:
            shown.append(_masked_segment(segment, bare, unmasked))
        if bare.lower() not in _VERBS:
            level = _level_of_next(bare)
    return "/".join(shown)


def _level_of_next(segment: str) -> Level | None:
    """Return how well the segment after this one is hidden."""
    level = level_of(segment)
    word = plain(segment)
    is_somebodys = word in _SHOWS_NEXT or word.endswith(_SHOWS_NEXT_ENDS)
    return level if level is Level.SECRET or is_somebodys else None


def _masked_segment(segment: str, bare: str, unmasked: bool) -> str:
    if _SHAPELESS.fullmatch(segment):
        return segment
    if "@" in bare and ":" in bare and "@" in segment and ":" in segment:
        segment = _USERINFO.sub(rf"\1{MASK}@", segment, count=1)
    elif "@" in bare and _USERINFO.match(bare):
        return MASK
    head, semicolon, parameters = segment.partition(";")
    if "=" in head or ":" in head:
        head = _masked_parameter(head, unmasked)
    else:
        head = masked_text(head, unmasked=unmasked)
    try:
        return head + semicolon + masked_parameters(parameters, unmasked=unmasked)
    except TooMuchError:
        return MASK


def masked_parameters(text: str, *, unmasked: bool) -> str:
    """Return a query, or a form, with its values masked; separators stay.

    Raises:
        TooMuchError: there are more of them than are looked into.
    """
    if not text:
        return text
    parts = re.split("([&;\r\n])", text)
    if len(parts) > 2 * _PARAMETERS_LIMIT:
        raise TooMuchError
    return "".join(
        part if not part or part in _SEPARATORS else _masked_parameter(part, unmasked)
        for part in parts
    )


def _masked_parameter(parameter: str, unmasked: bool) -> str:
    sign = "=" if "=" in parameter else ":"
    name, equals, value = parameter.partition(sign)
    bare_name = _without_layers(name)
    # A name that is in one more coding, or cut in two, could be any.
    is_unclear = "%" in bare_name or _CONTROLS.search(bare_name) is not None
    is_odd = not unmasked and not is_name(bare_name)
    if is_odd or bare_name != _masked_name(bare_name, unmasked):
        return f"{MASK}{equals}{MASK if value else ''}"
    if not value or value == MASK:
        return parameter
    level = Level.PERSONAL if plain(bare_name) in _FREE_TEXTS else level_of(bare_name)
    if is_unclear or hides(level, unmasked=unmasked) or _is_telling(value, unmasked):
        return f"{name}{equals}{MASK}"
    return parameter


def _without_layers(name: str) -> str:
    for _ in range(_LAYERS):
        bare = unquote_plus(name)
        if bare == name:
            break
        name = bare
    return name


def _masked_name(name: str, unmasked: bool) -> str:
    return name if _SHAPELESS.fullmatch(name) else masked_shapes(name, unmasked)


def _is_telling(value: str, unmasked: bool) -> bool:
    if _SHAPELESS.fullmatch(value):
        return False
    # A plus is a space to some, and itself to those who read dates.
    readings = {value, unquote(value), unquote_plus(value), unquote(unquote(value))}
    for bare in readings:
        # Members and parameters within a value are not looked for by their names.
        holds_more = bare.lstrip().startswith(("{", "[")) or (
            "?" in bare and "=" in bare
        )
        if holds_more and not unmasked:
            return True
        for found in _OPERATOR.finditer(bare):
            if hides(level_of(found[1]), unmasked=unmasked):
                return True
        if bare != masked_shapes(bare, unmasked):
            return True
    return False
