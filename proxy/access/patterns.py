"""The rules about calls, "METHOD /path/*", and the spellings of a path.

The raw target is what goes upstream, so a rule has to hold for everything that the
upstream may read into it. A path is therefore looked at in each of its spellings: as
sent, percent-decoded once, twice, and so on. A deny rule holds when any spelling
matches, an allow rule only when all of them do.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxy.access.hosts import shown
from proxy.config import CallRule
from proxy.errors import AccessDeniedError

READ_ONLY = frozenset({"GET", "HEAD"})
"""The methods that change nothing, by RFC 9110, section 9.2.1, and by the API."""

# More layers of percent-encoding than this have no honest use.
_DECODE_LIMIT = 8

# %u0041 is read by http.sys, the front of the likely upstream.
_ESCAPE = re.compile(rb"%(?:u(?P<wide>[0-9a-f]{4})|(?P<byte>[0-9a-f]{2}))", re.I)

# ASP.NET drops a cookieless session segment, as in /(S(x))/api (CVE-2023-36899).
# Each one may begin it, so many of them would take long to tell.
_PARENTHESES_LIMIT = 32
_SESSION_SEGMENT = re.compile(r"\([a-z0-9]+\([^/]*\)\)(?=/|$)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `access.allow` or `access.deny`, ready to be matched."""

    text: str
    method: str
    path: re.Pattern[str]

    @classmethod
    def of(cls, rule: CallRule) -> "Rule":
        """Return `rule` with its path as a pattern."""
        return cls(str(rule), rule.method, _pattern(rule.path))

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule is about `method` and one spelling of a path."""
        return self.method in ("*", method) and self.path.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules: read-only, then deny, then allow; without one, everything passes."""

    allow: Sequence[Rule] = ()
    deny: Sequence[Rule] = ()
    read_only: bool = False

    @classmethod
    def of(
        cls,
        allow: Iterable[CallRule],
        deny: Iterable[CallRule],
        *,
        read_only: bool = False,
    ) -> "Rules":
        """Return what the config says."""
        return cls(list(map(Rule.of, allow)), list(map(Rule.of, deny)), read_only)

    @property
    def any(self) -> bool:
        """Whether there is anything to check."""
        return self.read_only or bool(self.allow or self.deny)

    def check(self, method: str, raw_target: str, also: Iterable[str] = ()) -> None:
        """Refuse a request that a deny rule names, or that no allow rule does.

        `also` are methods that the upstream may take instead of `method`, because a
        field asks for it.
        """
        if not self.any:
            return
        if self.read_only:
            _check_read_only([method, *also])
        methods = dict.fromkeys(each.upper() for each in (method, *also))
        paths = spellings(raw_target)
        calls = [(each, path) for each in methods for path in paths]
        for rule in self.deny:
            if any(rule.matches(*call) for call in calls):
                raise AccessDeniedError(
                    f'The rule "{rule.text}" in access.deny forbids this call.',
                    value="rule",
                )
        if self.allow and not all(
            any(rule.matches(*call) for rule in self.allow) for call in calls
        ):
            raise AccessDeniedError(
                f"No rule in access.allow covers {shown(' or '.join(methods))} "
                f"{shown(raw_target.partition('?')[0])}.",
                value="rule",
            )


def _check_read_only(methods: Iterable[str]) -> None:
    for method in methods:
        # As it is: methods have case (RFC 9110, section 9.1), and "get" is none.
        if method not in READ_ONLY:
            raise AccessDeniedError(
                f"The proxy runs read-only (access.read_only, or --read-only), so "
                f"{shown(method)} is not forwarded, only GET and HEAD are.",
                value="read_only",
            )


def spellings(raw_target: str) -> list[str]:
    """Return each path that an upstream may read in `raw_target`, normalised."""
    raw = _path_of(raw_target).encode("utf-8", "surrogateescape")
    found: dict[str, None] = {}
    for _ in range(_DECODE_LIMIT):
        text = raw.decode("utf-8", "replace")
        found[normalised(text)] = None
        if text.count("(") > _PARENTHESES_LIMIT:
            raise AccessDeniedError(
                "The path has too many parentheses to be judged.", value="rule"
            )
        if "(" in text:
            found[normalised(_SESSION_SEGMENT.sub("", text.lower()))] = None
        decoded = _ESCAPE.sub(_unescape, raw)
        if decoded == raw:
            return list(found)
        raw = decoded
    raise AccessDeniedError(
        "The path is percent-encoded too many times over to be judged.", value="rule"
    )


def normalised(path: str) -> str:
    r"""Return `path` without case, `\`, `//`, dot segments and a trailing slash."""
    segments: list[str] = []
    for segment in path.casefold().replace("\\", "/").split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments)


def _path_of(raw_target: str) -> str:
    path = re.split("[?#]", raw_target, maxsplit=1)[0]
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


def _unescape(match: re.Match[bytes]) -> bytes:
    if match["byte"]:
        return bytes([int(match["byte"], 16)])
    return chr(int(match["wide"], 16)).encode("utf-8", "surrogatepass")


def _pattern(path: str) -> re.Pattern[str]:
    """Return a pattern for normalised paths.

    A trailing `/*` is the folder and all below it; another `*` stays in its segment.
    """
    if path == "*":
        return re.compile(r".*", re.DOTALL)
    folder = path.endswith("/*")
    parts = normalised(path.removesuffix("*") if folder else path).split("*")
    pattern = "[^/]*".join(re.escape(part) for part in parts)
    if folder:
        pattern = f"{pattern.removesuffix('/')}(?:/.*)?"
    return re.compile(pattern, re.DOTALL)
