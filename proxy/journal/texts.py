"""Secrets and personal data in free text and in targets, by their shape. Pure.

`redact_text` knows the shapes of secrets. Here are those of personal data, and what
hides in a coding: percent signs, base64, a query within a text.
"""

import base64
import binascii
import re
from urllib.parse import unquote, unquote_plus

from proxy.journal.personal import hides, is_name, level_of, plain
from proxy.redaction import MASK, redact_target, redact_text

# Any name that ends as those of secrets do, where no form of a message shows it.
_PAIR = re.compile(
    r"""((?:token|passw(?:or)?d|secret|api[-_ ]?key)\\?["']?\s*[:=]\s*)"""
    r"""(?!null\b|none\b)(\\?["'][^"'\\]*|[^\s&;,"'<>)}\]]+)""",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?<!\w)((?:код\w*|code)[\s:=—–-]{1,5})\d{4,8}(?!\d)", re.IGNORECASE
)

_GAP = r"[\s()\u2010-\u2015\u2212-]{0,3}"
# No digits before it; no part of a number with a point.
_ALONE = r"(?<!\d)(?<!\d\.)"
_END = r"(?!\d)"
# Of ids and hashes, whose digits would make phone numbers now and then.
_KEPT = (
    r"(?<![\da-fA-F])[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}(?![\da-fA-F])"
    r"|(?<!\w)[\da-fA-F]{24,}(?!\w)"
)
_PHONE = (
    rf"(?<![\d+])\+\d(?:{_GAP}\d){{6,14}}{_END}"
    rf"|{_ALONE}(?:00)?[78](?:{_GAP}\d){{10}}{_END}"
    rf"|{_ALONE}9(?:{_GAP}\d){{9}}{_END}"
    rf"|{_ALONE}[78]?[ .(-]{{0,3}}9\d\d[ .)-]{{1,3}}\d{{3}}[ .-]\d\d[ .-]\d\d{_END}"
)
# SNILS, passport, and the sixteen digits of a policy or a card.
_DOCUMENT = (
    rf"{_ALONE}(?:\d{{3}}-\d{{3}}-\d{{3}}[ -]\d\d|\d\d ?\d\d \d{{6}}"
    rf"|\d{{4}}(?:[ -]?\d{{4}}){{3}}){_END}"
)
_NUMBER = re.compile(rf"(?P<kept>{_KEPT})|{_PHONE}|{_DOCUMENT}")
# The look behind makes it begin at the beginning of a word only: linear time.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*")
_QUERY = re.compile(r"""(?<![^\s"'<>?])[^\s"'<>?]*\?[^\s"'<>]*=[^\s"'<>]*""")

_SHORT = 16
"""A word of fewer letters has no shape: most names and many values are that."""

_SEPARATORS = frozenset("&;\r\n")

_BASE64 = re.compile(r"(?<![\w+/=-])[\w+/-]{16,}={0,2}", re.ASCII)
_LONG = 120
"""No path, id or hash in base64's alphabet is as long; pictures and documents are."""

_SHOWS_NEXT = frozenset({"phone", "email", "snils", "policy", "passport"})
"""A path segment after one of these is somebody's."""


def masked_text(text: str, *, unmasked: bool) -> str:
    """Return `text` with everything masked that has a shape to be known by."""
    if len(text) < _SHORT and text.isalpha():
        return text
    if "?" in text:
        text = _QUERY.sub(lambda found: _masked_query(found[0], unmasked), text)
    text = _masked_shapes(text, unmasked)
    return MASK if _hides_more(text, unmasked) else text


def _masked_shapes(text: str, unmasked: bool) -> str:
    text = redact_text(text)
    text = _PAIR.sub(_hide_pair, text)
    text = _CODE.sub(rf"\1{MASK}", text)
    if not unmasked:
        text = _NUMBER.sub(lambda found: found["kept"] or MASK, text)
        text = _EMAIL.sub(MASK, text)
    return _BASE64.sub(lambda found: _masked_base64(found[0], unmasked), text)


def _hides_more(text: str, unmasked: bool) -> bool:
    """Return whether percent signs hide what would be masked without them."""
    if "%" not in text:
        return False
    bare = unquote(unquote(text))
    return bare != text and bare != _masked_shapes(bare, unmasked)


def _hide_pair(found: re.Match[str]) -> str:
    quote = re.match(r"""\\?["']""", found[2])
    return f"{found[1]}{quote[0] if quote else ''}{MASK}"


def _masked_base64(word: str, unmasked: bool) -> str:
    if not unmasked and len(word) >= _LONG:
        return MASK
    text = _decoded(word)
    if text is None or (unmasked and redact_text(text) == text):
        return word
    return MASK


def _decoded(word: str) -> str | None:
    """Return the text that `word` is in base64; None when it is none."""
    bare = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        text = data.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if re.sub(r"[\r\n\t]", "", text).isprintable() else None


def masked_target(target: str, *, unmasked: bool) -> str:
    """Return a request target, or a URL, fit to show: parameters by their names.

    The phone number of the SMS call stays hidden when `unmasked`, as in the logs.
    """
    path, question_mark, query = redact_target(target).partition("?")
    path = _masked_path(path, unmasked)
    if not question_mark:
        return path
    return f"{path}?{masked_parameters(query, unmasked=unmasked)}"


def _masked_query(word: str, unmasked: bool) -> str:
    path, _, query = word.partition("?")
    return f"{path}?{masked_parameters(query, unmasked=unmasked)}"


def _masked_path(path: str, unmasked: bool) -> str:
    shown: list[str] = []
    before = ""
    for segment in path.split("/"):
        level = level_of(before) if plain(before) in _SHOWS_NEXT else None
        if segment and hides(level, unmasked=unmasked):
            shown.append(MASK)
        else:
            shown.append(masked_text(segment, unmasked=unmasked))
        before = unquote(segment)
    return "/".join(shown)


def masked_parameters(text: str, *, unmasked: bool) -> str:
    """Return a query, or a form, with its values masked; separators stay."""
    return "".join(
        part if part in _SEPARATORS else _masked_parameter(part, unmasked)
        for part in re.split("([&;\r\n])", text)
    )


def _masked_parameter(parameter: str, unmasked: bool) -> str:
    name, equals, value = parameter.partition("=")
    bare_name = unquote_plus(name)
    is_odd = not unmasked and not is_name(bare_name)
    if is_odd or bare_name != _masked_shapes(bare_name, unmasked):
        return f"{MASK}{equals}{MASK if value else ''}"
    if not value or value == MASK:
        return parameter
    hidden = hides(level_of(bare_name), unmasked=unmasked)
    if hidden or _is_telling(value, unmasked):
        return f"{name}{equals}{MASK}"
    return parameter


def _is_telling(value: str, unmasked: bool) -> bool:
    # A plus is a space to some, and itself to those who read dates.
    readings = {value, unquote(value), unquote_plus(value), unquote(unquote(value))}
    for bare in readings:
        # Members and parameters within a value are not looked for by their names.
        holds_more = bare.lstrip().startswith(("{", "[")) or (
            "?" in bare and "=" in bare
        )
        if holds_more and not unmasked:
            return True
        if bare != _masked_shapes(bare, unmasked):
            return True
    return False
