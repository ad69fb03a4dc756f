"""What fields of a form of their own hold, masked: cookies, challenges. Pure."""

import re
from typing import Final

from proxy.access.cookies import PREFIX
from proxy.journal.personal import Level, level_of
from proxy.journal.texts import masked_target, masked_text
from proxy.redaction import MASK

_FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})
_ATTRIBUTES: Final = {
    "domain": re.compile(r"[\w.-]*", re.ASCII),
    "expires": re.compile(
        r"[A-Z][a-z]{2,8},? \d\d?[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d"
        r"(?: (?:GMT|UTC))?"
    ),
    "max-age": re.compile(r"-?\d{0,9}", re.ASCII),
    "path": re.compile(r"[\w/.~-]*", re.ASCII),
    "priority": re.compile("low|medium|high", re.IGNORECASE),
    "samesite": re.compile("lax|none|strict", re.IGNORECASE),
}
"""What says how long a cookie lives, and where. Anything else is another cookie."""

_CHALLENGE = re.compile(
    r"""([\w-]++)(\s*+=(?!=|\s*+(?:,|$))\s*+)("(?:[^"\\]|\\.)*+"?|[^\s,"]++)|([^\s,]++)|([\s,]++)"""
)
_TOLD: Final = frozenset(
    {"algorithm", "charset", "error", "error_uri", "qop", "realm", "scope", "stale"}
)
_SCHEMES: Final = frozenset({"basic", "bearer", "digest", "negotiate", "ntlm"})
_TOKENS: Final = frozenset({"auth", "authorization", "bearer", "jwt", "token"})


def masked_cookies(value: str, *, is_set: bool, unmasked: bool) -> str:
    """Return the value of `Cookie`, or of `Set-Cookie`, with the cookies masked."""
    first, *others = re.split(r"(;\s*+)", value)
    rest = [
        each if is_set and _is_attribute(each) else _masked_cookie(each, unmasked)
        for each in others
    ]
    return _masked_cookie(first, unmasked) + "".join(rest)


def _is_attribute(text: str) -> bool:
    name, equals, value = (each.strip() for each in text.partition("="))
    if not equals:
        return name.lower() in _FLAGS
    form = _ATTRIBUTES.get(name.lower())
    if form is None or form.fullmatch(value) is None:
        return False
    return name.lower() != "path" or masked_target(value, unmasked=False) == value


def _masked_cookie(pair: str, unmasked: bool) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return pair if unmasked or pair.strip("; \t") == "" else MASK
    is_ours = name.strip().lower().startswith(PREFIX)
    is_secret = is_ours or level_of(name) is Level.SECRET
    if value and (is_secret or not unmasked):
        return f"{masked_text(name, unmasked=unmasked)}={MASK}"
    return masked_text(pair, unmasked=unmasked)


def masked_challenge(value: str) -> str:
    """Return the value of `WWW-Authenticate`: schemes, and what is told to everyone."""

    def shown(found: re.Match[str]) -> str:
        if found[1]:
            is_told = found[1].lower() in _TOLD
            told = masked_text(found[3], unmasked=False) if is_told else f'"{MASK}"'
            return f"{found[1]}{found[2]}{told}"
        is_scheme = found[4] and found[4].lower() in _SCHEMES
        return found[4] if is_scheme else found[5] or MASK

    return _CHALLENGE.sub(shown, value)


def masked_protocols(value: str, *, unmasked: bool) -> str:
    """Return the value of `Sec-WebSocket-Protocol`, in which browsers send tokens."""
    words = value.split(",")
    if not any(word.strip().lower() in _TOKENS for word in words):
        return masked_text(value, unmasked=unmasked)
    return ",".join(
        word if word.strip().lower() in _TOKENS else f" {MASK}" for word in words
    )
