"""The language in which exchanges are looked for. Pure.

    status:4xx path:/api/v1/doctor -is:proxy "no such doctor"

The terms are separated by spaces, and all of them have to match; `-` before one means
its contrary. Quotes keep spaces together, and take what they hold as plain text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from proxy.errors import RequestError

LONGEST: Final = 1000
"""Characters of an expression."""

MOST_TERMS: Final = 30

SLOW: Final = 1.0
"""Seconds; what takes longer is slow."""

Summary = Mapping[str, Any]
"""An exchange as `GET /api/exchanges` lists it."""

Text = Callable[[], str]
"""Returns what plain words are looked for in beside the summary, without case."""

Test = Callable[[Summary, Text], bool]

_KINDS: Final[dict[str, Callable[[Summary], bool]]] = {
    "error": lambda one: (
        one["error"] is not None
        or one["status"] >= 400
        or (not one["status"] and not one["running"])
    ),
    "proxy": lambda one: one["answered_by"] == "proxy",
    "running": lambda one: bool(one["running"]),
    "replayed": lambda one: (
        bool(one["replayed"] or one["resent"]) or one["replay_of"] is not None
    ),
    "paid": lambda one: bool(one["paid"]),
    "slow": lambda one: one["seconds"] > SLOW,
}

_WORDS: Final = (
    "id",
    "request_id",
    "method",
    "target",
    "endpoint",
    "status",
    "error",
    "caller",
    "agent",
)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, or its contrary."""

    test: Test
    negated: bool = False
    looks_inside: bool = False

    def matches(self, summary: Summary, text: Text) -> bool:
        """Say whether an exchange is as the term says."""
        return self.test(summary, text) is not self.negated


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions of an expression; without any, everything matches."""

    terms: tuple[Term, ...] = ()

    @property
    def looks_inside(self) -> bool:
        """Whether `matches` may ask for the text of an exchange."""
        return any(term.looks_inside for term in self.terms)

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """Return the filter that `text` means.

        What is not finished is no mistake, as people look while they type: a quote
        that is still open ends with the text, and a term without a value is left out.

        Raises:
            RequestError: a term says what cannot be; the text or the list is too long.
        """
        if len(text) > LONGEST:
            raise _error(f"A filter has at most {LONGEST} characters.")
        words = _split(text)
        if len(words) > MOST_TERMS:
            raise _error(f"A filter has at most {MOST_TERMS} terms.")
        terms = (_term(word, plain) for word, plain in words)
        return cls(tuple(term for term in terms if term is not None))

    def matches(self, summary: Summary, text: Text) -> bool:
        """Say whether an exchange is one of those that are looked for.

        `text` is called only for plain words that are not in the summary, once each.
        """
        return all(term.matches(summary, text) for term in self.terms)


def _split(text: str) -> list[tuple[str, int]]:
    """Return the words, each with how many of its characters stand before a quote."""
    words: list[tuple[str, int]] = []
    word: list[str] = []
    bare: int | None = None
    inside = False
    for char in f"{text} ":
        if char == '"':
            inside = not inside
            bare = len(word) if bare is None else bare
        elif inside or not char.isspace():
            word.append(char)
        elif word:
            words.append(("".join(word), len(word) if bare is None else bare))
            word, bare = [], None
        else:
            bare = None  # a pair of quotes with nothing in it
    if word:
        # The space that ends all words was taken for a part of this one.
        words.append(("".join(word[:-1]), len(word) if bare is None else bare))
    return words


def _term(word: str, bare: int) -> Term | None:
    """Return the term that `word` means; only its `bare` beginning has a meaning."""
    negated = bare > 0 and word.startswith("-")
    if negated:
        word, bare = word[1:], bare - 1
    name, colon, value = word.partition(":")
    make = _TERMS.get(name.lower()) if colon and len(name) < bare else None
    if make is None:
        name, value, make = "", word, _plain
    inside = make is _plain
    return Term(make(value), negated, inside) if value else None


def _method(value: str) -> Test:
    wanted = value.upper()
    return lambda summary, _: summary["method"].upper() == wanted


def _status(value: str) -> Test:
    if value == "0" or (len(value) == 3 and value.isascii() and value.isdecimal()):
        number = int(value)
        return lambda summary, _: summary["status"] == number
    if len(value) == 3 and value[0] in "123456789" and value[1:].lower() == "xx":
        hundreds = int(value[0])
        return lambda summary, _: summary["status"] // 100 == hundreds
    raise _error(
        "status: takes a status such as 404, a class such as 4xx, or 0 for none."
    )


def _path(value: str) -> Test:
    parts = [part for part in value.casefold().split("*") if part]

    def test(summary: Summary, _text: Text) -> bool:
        path = summary["target"].partition("?")[0]
        return any(_in_order(parts, form.casefold()) for form in _forms(path))

    return test


def _in_order(parts: list[str], path: str) -> bool:
    """Say whether the parts follow one another in `path`.

    The first place where a part fits leaves most room for the others, so that nothing
    has to be tried twice.
    """
    place = 0
    for part in parts:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def _caller(value: str) -> Test:
    wanted = value.casefold()
    return lambda summary, _: (summary["caller"] or "").casefold() == wanted


def _is(value: str) -> Test:
    kind = _KINDS.get(value.lower())
    if kind is None:
        raise _error(f"is: takes {', '.join(_KINDS)}.")
    return lambda summary, _: kind(summary)


def _plain(value: str) -> Test:
    wanted = value.casefold()

    def test(summary: Summary, text: Text) -> bool:
        members = (summary[name] for name in _WORDS)
        told = [str(member) for member in members if member is not None]
        told += _forms(summary["target"])[1:]
        return wanted in "\n".join(told).casefold() or wanted in text()

    return test


def _forms(target: str) -> list[str]:
    """Return `target` as it is, and as people read it where that is something else."""
    return [target, unquote(target)] if "%" in target else [target]


_TERMS: Final[dict[str, Callable[[str], Test]]] = {
    "method": _method,
    "status": _status,
    "path": _path,
    "caller": _caller,
    "is": _is,
}


def _error(sentence: str) -> RequestError:
    return RequestError(sentence, value="filter")
