"""XML and HTML with their secret and personal values masked by the names in tags. Pure.

It is not parsed: where tags are broken, more is hidden than needs to be.
"""

import re

from proxy.journal.personal import hides, is_name, level_of
from proxy.redaction import MASK

_TAG = re.compile(r"(<[^<>]*>)")
_NAME = re.compile(r"</?\s*(?:[\w.-]{1,64}:)?([\w.-]{1,64})")
_ATTRIBUTE = re.compile(r"""([\w:.-]++)(\s*=\s*)("[^"]*+"?|'[^']*+'?|[^\s"'>]++)""")
_VALUES = frozenset({"value", "content", "data", "placeholder"})


def masked_markup(text: str, *, unmasked: bool) -> str:
    """Return `text` with what stands in elements, and attributes, of telling names.

    `<password>x</password>`, `<input name=password value=x>`, and the cell behind one
    that says `password`, are such.
    """
    shown = list[str]()
    within, follows = "", False
    for piece in _TAG.split(text):
        if piece.startswith("<") and piece.endswith(">"):
            is_data = within and piece.startswith("<!")
            within = within if is_data else _within(piece, within, unmasked)
            shown.append(MASK if is_data else _masked_tag(piece, within, unmasked))
        elif piece.strip():
            is_hidden = within or follows
            follows = not is_hidden and _tells(piece.strip().rstrip(":"), unmasked)
            shown.append(MASK if is_hidden else piece)
        else:
            shown.append(piece)
    return "".join(shown)


def _within(tag: str, within: str, unmasked: bool) -> str:
    """Return the telling element that is open behind `tag`; empty if there is none."""
    found = _NAME.match(tag)
    name = found[1] if found else ""
    is_end = tag.startswith("</")
    if within:
        return "" if is_end and name == within else within
    is_open = not is_end and not tag.endswith("/>")
    return name if is_open and hides(level_of(name), unmasked=unmasked) else ""


def _masked_tag(tag: str, within: str, unmasked: bool) -> str:
    if "=" not in tag:
        return tag
    values = [found[3].strip("\"'") for found in _ATTRIBUTE.finditer(tag)]
    is_hidden = bool(within) or any(_tells(value, unmasked) for value in values)

    def shown(found: re.Match[str]) -> str:
        name = found[1].lower()
        is_telling = name != "name" and hides(level_of(name), unmasked=unmasked)
        if is_telling or (is_hidden and name in _VALUES):
            return f'{found[1]}{found[2]}"{MASK}"'
        return found[0]

    return _ATTRIBUTE.sub(shown, tag)


def _tells(text: str, unmasked: bool) -> bool:
    return is_name(text) and hides(level_of(text), unmasked=unmasked)
