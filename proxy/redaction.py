"""The one door to logs, journal, exports and error text: secrets are masked here.

What is known by its place is masked by its place: fields by name, query parameters by
name. `redact_text` is the net below: it knows the syntaxes in which a secret can slip
into a sentence, a traceback or somebody else's log line.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus

MASK = "***"

SECRET_FIELDS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-proxy-key",
    }
)

# Compared without case, "_", "-" and spaces: access_token, accessToken, Access-Token.
_SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "authorization",
        "clientsecret",
        "cookie",
        "idtoken",
        "localkey",
        "password",
        "proxyauthorization",
        "refreshtoken",
        "setcookie",
        "token",
        "username",  # the resource owner's phone number, in the password grant
        "validationcode",
        "xproxykey",
    }
)

# "Basic where Bearer was meant" is the mistake that people look for. Other words
# before a space may be part of a secret.
_SCHEMES = frozenset({"basic", "bearer", "digest", "negotiate", "ntlm"})

_SMS_CALL = "validation-code"
_SMS_PARAMETERS = frozenset({"code", "number"})


def redact_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return `fields` fit for display: order and repeats kept, secrets masked.

    The auth-scheme stays visible.
    """
    return [
        (name, _mask(value) if name.lower() in SECRET_FIELDS else value)
        for name, value in fields
    ]


def _mask(value: str) -> str:
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in _SCHEMES else MASK


def redact_target(target: str) -> str:
    """Return a request target fit for display.

    Masked are the phone number of the SMS call, parameters with the name of a secret,
    what stands before the host in absolute-form, and whatever looks like a token.
    """
    path, question_mark, query = target.partition("?")
    if "@" in path:
        path = _USERINFO.sub(rf"\1{MASK}@", path)
    if not question_mark:
        return _redact_tokens(path)
    sms = _is_sms_call(path)
    if sms or "%" in query or _may_hold_a_secret(query):
        query = _redact_query(query, sms=sms)
    return _redact_tokens(f"{path}?{query}")


def _is_sms_call(path: str) -> bool:
    if "%" in path:
        path = unquote(unquote(path))
    return _SMS_CALL in path.lower()


def _redact_query(query: str, *, sms: bool) -> str:
    # Separators are kept: what is shown differs from what was sent in masks only.
    return "".join(
        part if part in {"&", ";"} else _redact_parameter(part, sms=sms)
        for part in re.split("([&;])", query)
    )


def _redact_parameter(parameter: str, *, sms: bool) -> str:
    name, equals, value = parameter.partition("=")
    plain = unquote_plus(name).lower()
    if value and (_is_secret(plain) or (sms and plain in _SMS_PARAMETERS)):
        return f"{name}{equals}{MASK}"
    return parameter


def redact_data(data: Any) -> Any:
    """Return `data`, as JSON holds it, with secret members and texts masked."""
    if isinstance(data, str):
        return redact_text(data)
    if isinstance(data, Mapping):
        return {
            name: MASK
            if value is not None and _is_secret(str(name))
            else redact_data(value)
            for name, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [redact_data(item) for item in data]
    return data


@lru_cache(maxsize=256)
def _is_secret(name: str) -> bool:
    return _SEPARATORS.sub("", name).lower() in _SECRET_NAMES


# -- Free text ------------------------------------------------------------------------

_SEPARATORS = re.compile("[-_ ]")
_USERINFO = re.compile(r"(//)[^/\s?#]*@")

# Cheap substrings, one of which is in every text that has something to mask. The
# usual line has none.
_HINTS = (
    "bearer",
    "basic",
    "authorization",
    "cookie",
    "token",
    "password",
    "secret",
    "key",
    "validation",
    "username",
    "@",
)
_LONG = 96

_NAME = (
    r"(?:(?:access|refresh|id)[-_ ]?token|client[-_ ]?secret|password"
    r"|username|validation[-_ ]?code|x-proxy-key|local[-_ ]?key)"
)
# A backslash stands before the quotes of a JSON text within a JSON text.
_QUOTED = r"""\\"[^"\\]*(?:\\")?|b?"(?:[^"\\]|\\.)*"?|b?'(?:[^'\\]|\\.)*'?"""
# Name and value as form, query, JSON, Python or a config file write them.
_PAIR = re.compile(
    rf"""({_NAME}(?:\\?["'])?\s*(?:[:=]|%3D)[\s\[({{]*|{_NAME}["']\s*,\s*)"""
    rf"""(?!null\b|none\b)({_QUOTED}|[^\s&;,"'<>)}}\]]+)""",
    re.IGNORECASE | re.DOTALL,
)
# Fields: in quotes, or as a head writes them, to the end of the line.
_FIELD = re.compile(
    rf"""((?:authorization|cookie)(?:\\?["']\s*[:,=]|\s*[:=])\s*)"""
    rf"""({_QUOTED}|[^\s"'][^\r\n]*)""",
    re.IGNORECASE | re.DOTALL,
)
_BEARER = re.compile(
    r"\b(bearer\s+)(?!tokens?\b|scheme\b|realm=|error=)[^\s\"',;<>)}\]\\]+",
    re.IGNORECASE,
)
_BASIC = re.compile(r"\b(Basic )[A-Za-z0-9+/=]{4,}")
# The look behind makes it begin at the beginning of a word only: linear time.
_TARGET = re.compile(r"""(?<![^\s"'<>?])[^\s"'<>?]*\?[^\s"'<>]+""")
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w.-]+")
# The authorization server's tokens are opaque and this long; few other words are.
_LONG_WORD = re.compile(rf"(?<![\w-])[\w-]{{{_LONG},}}", re.ASCII)


def redact_text(text: str) -> str:
    """Return `text` with everything masked that has the shape of a secret."""
    if "?" in text:
        text = _TARGET.sub(lambda match: redact_target(match[0]), text)
    if _may_hold_a_secret(text):
        text = _FIELD.sub(_redacted_pair, text)
        text = _PAIR.sub(_redacted_pair, text)
        text = _BEARER.sub(rf"\1{MASK}", text)
        text = _BASIC.sub(rf"\1{MASK}", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
    return _redact_tokens(text)


def _redact_tokens(text: str) -> str:
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    return _LONG_WORD.sub(MASK, text) if len(text) >= _LONG else text


def _may_hold_a_secret(text: str) -> bool:
    lowered = text.lower()
    for hint in _HINTS:  # noqa: SIM110  any() takes twice the time, for each log line
        if hint in lowered:
            return True
    return False


def _redacted_pair(match: re.Match[str]) -> str:
    start = re.match(r"""b?["']|\\["']""", match[2])
    opening = start[0] if start else ""
    return f"{match[1]}{opening}{MASK}{opening.removeprefix('b')}"
