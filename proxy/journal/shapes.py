"""Secrets and personal data in free text, by their shape. Pure.

`redact_text` knows the shapes of secrets. Here are those of personal data, names with
their values, and what hides in base64.
"""

import base64
import binascii
import re
from urllib.parse import unquote

from proxy.journal.markup import masked_markup
from proxy.journal.personal import Level, hides, level_of
from proxy.redaction import MASK, redact_text

# Any name that ends as those of secrets do, where no form of a message shows it.
_PAIR = re.compile(
    r"""((?:token|passw(?:or)?d|secret|api[-_ ]?key)\\?["']?\s*[:=]\s*)"""
    r"""(?!null\b|none\b)(\\?["'][^"'\\]*|[^\s&;,"'<>)}\]]+)""",
    re.IGNORECASE,
)
# A name and what stands before its value in a form, JSON, YAML, a field or a sentence.
# The look behind makes it begin at the beginning of a word only: linear time.
_NAMED = re.compile(
    r"""(?<![\w.\[\]%-])([\w.\[\]%-]{1,64}+)\\{0,8}+["']?\s{0,8}+[:=]"""
    r"""(?:[\s\[({]|[|>]-?(?=\s)){0,8}+(?!null\b|none\b|//|\*\*\*|(?:asc|desc)(?:,|$))"""
)
_VALUE = re.compile(
    r""""(?:[^"\\]|\\.)*+|'(?:[^'\\]|\\.)*+|\\{1,8}+["'][^"'\\]*+"""
    r"""|[^\s&;,"'<>)}\]]*+""",
    re.DOTALL,
)
_REST_OF_LINE = re.compile(
    r"""\\{1,8}+["'][^"'\\\r\n]*+|"(?:[^"\\\r\n]|\\.)*+"""
    r"""|'(?:[^'\\\r\n]|\\.)*+|[^\r\n&;<>]*+"""
)
# `name: password, value: x`, however it is written
_LABELLED = re.compile(
    r"""(?<![\w-])((?:name|key|header|field|id|label|type)["']?\s{0,4}[:=]\s{0,4}["']?"""
    r"""([\w.-]{1,64}+)["']?[\s,;]{1,8}+[\\"']{0,4}value["']?\s{0,4}[:=]\s{0,4})"""
    r"""(["'][^"'\\]*+|[^\s&;,"'<>)}\]]++)""",
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
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*")
_BASE64 = re.compile(r"(?<![\w+/=-])[\w+/-]{16,}={0,2}", re.ASCII)
_LONG = 120
"""No path, id or hash in base64's alphabet is as long; pictures and documents are."""


def masked_shapes(text: str, unmasked: bool) -> str:
    """Return `text` with everything masked whose shape is not that of a query."""
    text = redact_text(text)
    if "<" in text and ">" in text:
        text = masked_markup(text, unmasked=unmasked)
    text = _PAIR.sub(_hide_pair, text)
    if "=" in text or ":" in text:
        text = _masked_pairs(text, unmasked)
    text = _CODE.sub(rf"\1{MASK}", text)
    if not unmasked:
        text = _NUMBER.sub(lambda found: found["kept"] or MASK, text)
        text = _EMAIL.sub(MASK, text)
    return _BASE64.sub(lambda found: _masked_base64(found[0], unmasked), text)


def _masked_pairs(text: str, unmasked: bool) -> str:
    if "alue" in text:
        text = _LABELLED.sub(lambda found: _masked_label(found, unmasked), text)
    shown, at = list[str](), 0
    for found in _NAMED.finditer(text):
        if found.start() < at:
            continue
        name = unquote(found[1]) if "%" in found[1] else found[1]
        level = level_of(name)
        if not hides(level, unmasked=unmasked):
            continue
        # A sentence has no other end, a secret has no spaces.
        kind = _VALUE if level is Level.SECRET else _REST_OF_LINE
        value = kind.match(text, found.end())
        if value is None or not value[0]:
            continue
        shown += [text[at : found.end()], _opening(value[0]), MASK]
        at = value.end()
    return "".join([*shown, text[at:]]) if shown else text


def _masked_label(found: re.Match[str], unmasked: bool) -> str:
    before, name, value = found.groups()
    if not hides(level_of(name), unmasked=unmasked):
        return found[0]
    return f"{before}{_opening(value)}{MASK}"


def _hide_pair(found: re.Match[str]) -> str:
    return f"{found[1]}{_opening(found[2])}{MASK}"


def _opening(value: str) -> str:
    quote = re.match(r"""\\*["']""", value)
    return quote[0] if quote else ""


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
