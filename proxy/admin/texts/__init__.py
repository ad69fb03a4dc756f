"""What the page says, in English and Russian.

`login` and `sandbox` are about the login, `requests` is written into the page's other
half, `script` and `reasons` go to the scripts, which show what happens there.
"""

import math
from typing import Final

from proxy.admin.texts import reasons, requests, script
from proxy.admin.texts.login import ENGLISH, RUSSIAN, Texts
from proxy.admin.texts.sandbox import BY_LANGUAGE as _SANDBOX

__all__ = [
    "ENGLISH",
    "RUSSIAN",
    "Texts",
    "duration",
    "reason_texts",
    "request_texts",
    "script_texts",
    "texts_for",
]

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def texts_for(accept_language: str, *, sandbox: bool = False) -> Texts:
    """Return the texts in the language that `Accept-Language` likes best."""
    best, best_weight = ENGLISH, 0.0
    for item in accept_language.lower().split(",")[:20]:
        tag, _, parameters = item.partition(";")
        texts = {"en": ENGLISH, "ru": RUSSIAN}.get(tag.strip().partition("-")[0])
        weight = _weight(parameters)
        if texts is not None and weight > best_weight:
            best, best_weight = texts, weight
    return {**best, **_SANDBOX[best["lang"]]} if sandbox else best


def request_texts(language: str) -> Texts:
    """Return what stands in the requests' half of the page; `language` is ours."""
    return {"en": requests.ENGLISH, "ru": requests.RUSSIAN}[language]


def script_texts(language: str) -> Texts:
    """Return what the scripts say; `language` is ours."""
    return {"en": script.ENGLISH, "ru": script.RUSSIAN}[language]


def reason_texts(language: str) -> Texts:
    """Return why a request failed, by its reason; none where English will do."""
    return reasons.RUSSIAN if language == "ru" else {}


def duration(seconds: int, texts: Texts) -> str:
    """Return `seconds` as people say it: in minutes when there are many."""
    if seconds < 120:
        return f"{seconds}{_NO_BREAK}{texts['seconds']}"
    return f"{math.ceil(seconds / 60)}{_NO_BREAK}{texts['minutes']}"


def _weight(parameters: str) -> float:
    name, _, number = parameters.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
