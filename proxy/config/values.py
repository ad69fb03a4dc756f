"""From the text of one setting to its value.

Every function takes what YAML, the environment or a flag gave, or a value that is
already right. Otherwise it raises `ValueError`; its text follows the name of the
setting in a sentence ("must be ..."), and never repeats what was given.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_UNITS_OF_TIME = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS_OF_SIZE = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

# Far above any use, and far below what timers and counters overflow at.
_LONGEST = 366 * 86400.0
_LARGEST = 1024**4


@dataclass(frozen=True, slots=True)
class CallRule:
    """A rule about calls; a method of `*` is any."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def parse_duration(value: object) -> float:
    """Return seconds; text needs a unit, so that nobody guesses wrong."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"([0-9]{1,12})(ms|s|m|h|d)", parse_text(value, "a duration"))
    if match is None:
        raise ValueError(
            "must be a duration such as 500ms, 10s, 5m, 2h or 14d "
            "(a whole number and its unit)"
        )
    seconds = int(match[1]) * _UNITS_OF_TIME[match[2]]
    if seconds > _LONGEST:
        raise ValueError("must be at most 366d")
    return seconds


def parse_positive_duration(value: object) -> float:
    """Return seconds, more than none."""
    seconds = parse_duration(value)
    if not seconds > 0:
        raise ValueError("must be longer than 0s")
    return seconds


def parse_size(value: object) -> int:
    """Return bytes; text needs a unit."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = re.fullmatch(r"([0-9]{1,15})(B|KiB|MiB|GiB)", parse_text(value, "a size"))
    if match is None:
        raise ValueError(
            "must be a size such as 64KiB or 12MiB "
            "(a whole number and its unit: B, KiB, MiB or GiB)"
        )
    size = int(match[1]) * _UNITS_OF_SIZE[match[2]]
    if size > _LARGEST:
        raise ValueError("must be at most 1024GiB")
    return size


def parse_count(lowest: int, highest: int) -> Callable[[object], int]:
    """Return a parser of whole numbers from `lowest` to `highest`."""

    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return value

    return parse


def parse_share(value: object) -> float:
    """Return a number strictly between 0 and 1."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{0,3}\.[0-9]{1,17}", value):
        value = float(value)
    if not isinstance(value, float) or not 0 < value < 1:
        raise ValueError("must be a number between 0 and 1, such as 0.5")
    return value


def parse_flag(value: object) -> bool:
    """Return a truth value, in any of YAML's spellings."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in {"true", "yes", "on"}:
        return True
    if word in {"false", "no", "off"}:
        return False
    raise ValueError("must be true or false")


def parse_choice(*allowed: str) -> Callable[[object], str]:
    """Return a parser of one of the `allowed` words."""

    def parse(value: object) -> str:
        word = value.lower() if isinstance(value, str) else ""
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return word

    return parse


def parse_path(value: object) -> Path:
    """Return a path, with `~` expanded."""
    if isinstance(value, Path):
        return value
    text = parse_text(value, "the path of a file")
    if not text or not text.isprintable():
        raise ValueError("must be the path of a file")
    try:
        return Path(text).expanduser()
    except RuntimeError as exc:
        raise ValueError("begins with ~, but no home folder is known") from exc


def parse_file(value: object) -> Path | None:
    """Return the path of a file, if one is named."""
    return None if value is None or value == "" else parse_path(value)


def parse_client_id(value: object) -> str:
    """Return a client_id as it is: usually, but not always, 32 hex digits."""
    if not isinstance(value, str) or " " in value or not value.isprintable():
        raise ValueError("must be text without spaces and control characters")
    return value


def parse_store_url(value: object) -> str:
    """Return where tokens are kept; empty for the platform's state folder."""
    text = parse_text(value)
    if not text:
        return ""
    scheme, colon, place = text.partition(":")
    parse = _STORES.get(scheme)
    if not colon or parse is None:
        raise ValueError(
            "must be file:PATH, keyring: (or keyring:SERVICE), redis://HOST or "
            "rediss://HOST, or empty for a file in the usual place"
        )
    return f"{scheme}:{parse(place)}"


def _parse_store_file(path: str) -> str:
    if path.startswith("//"):  # file:///var/lib/tokens.json
        host, slash, below = path[2:].partition("/")
        if host not in {"", "localhost"}:
            raise ValueError("must be file:PATH without a host")
        # A Windows path follows the slash: file:///C:/tokens.json
        path = below if Path(below).drive else slash + below
    return str(parse_path(path))


def _parse_keyring_service(service: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,64}", service):
        raise ValueError(
            "must be keyring: or keyring:SERVICE, a name of letters, digits, . _ and -"
        )
    return service or _KEYRING_SERVICE


def _parse_redis_place(place: str) -> str:
    # What else may stand there is the library's to know.
    if not re.fullmatch(r"//[^/\s]\S*", place):
        raise ValueError("must be redis://HOST:PORT/NUMBER, or rediss:// for TLS")
    return place


_KEYRING_SERVICE = "telemed-proxy"
_STORES = {
    "file": _parse_store_file,
    "keyring": _parse_keyring_service,
    "redis": _parse_redis_place,
    "rediss": _parse_redis_place,
}


def parse_rule(value: object) -> CallRule:
    """Return the rule that a text such as "METHOD /path/*" states."""
    if isinstance(value, CallRule):
        return value
    method, _, path = " ".join(parse_text(value).split()).partition(" ")
    if not re.fullmatch(r"\*|[A-Za-z]+", method) or not re.fullmatch(r"\*|/\S*", path):
        raise ValueError(
            'must be rules such as "GET /api/v1/doctor/*", a method or * and a path'
        )
    # Rules meet the decoded, normalised path: such a rule would never match, and a
    # deny that never matches is an open door.
    if re.search(r"[?#%\\]|//|/\.{1,2}(/|$)", path):
        raise ValueError("must be rules with plain paths: no query, %, \\, // or ..")
    return CallRule(method.upper(), path)


def parse_text(value: object, form: str = "text") -> str:
    """Return text; `form` says which kind is wanted."""
    if not isinstance(value, str):
        raise ValueError(f"must be {form}")  # noqa: TRY004  as all parsers do
    return value
