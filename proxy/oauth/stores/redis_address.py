"""The URL of a Redis store: what it may say, and what of it may be shown."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from proxy.errors import ConfigError
from proxy.redaction import MASK

FORM = "redis://[user:password@]host[:port][/db][?prefix=NAME]"
DEFAULT_PORT = 6379
DEFAULT_PREFIX = "telemed-proxy"

_TLS = {"redis": False, "rediss": True}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis is, how to log in to it, and under which names to keep things."""

    host: str
    port: int = DEFAULT_PORT
    db: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    prefix: str = DEFAULT_PREFIX
    ca_file: str | None = None
    """Trusted besides the system's."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address that `url` names.

        Raises:
            ConfigError: it is not of this form; the text never holds a part of it, as
                any part may be one of a password with a character in it that splits.
        """
        try:
            parts = urlsplit(url)
            return cls(
                host=_text(parts.hostname),
                port=DEFAULT_PORT if parts.port is None else parts.port,
                db=int(parts.path.removeprefix("/") or 0),
                user=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                tls=_TLS[parts.scheme],
                **_options(parts),
            )
        # Without its cause, as the text of that one has what was not understood.
        except (ValueError, KeyError):
            raise ConfigError(
                f"store.url must be {FORM}, or rediss://... for TLS, where "
                "&ca_file=PATH may be added; in the password, special characters are "
                "written as %XX"
            ) from None

    @property
    def shown(self) -> str:
        """The URL fit for display: it opens the same store if there is no password."""
        scheme = "rediss" if self.tls else "redis"
        mask = f"{MASK}@" if self.user or self.password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = {"prefix": self.prefix, "ca_file": self.ca_file}
        query = "&".join(
            f"{name}={quote(value)}"
            for name, value in options.items()
            if value and value != DEFAULT_PREFIX
        )
        told = f"{scheme}://{mask}{host}:{self.port}/{self.db}"
        return f"{told}?{query}" if query else told


def _options(parts: SplitResult) -> dict[str, str]:
    if parts.fragment:
        raise ValueError("fragment")
    options = dict(
        parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    )
    if options.keys() - {"prefix", "ca_file"}:
        raise ValueError("option")
    if not re.fullmatch(r"[\w.:-]+", options.get("prefix", DEFAULT_PREFIX)):
        raise ValueError("prefix")
    if "ca_file" in options:
        if parts.scheme != "rediss":
            raise ValueError("ca_file without TLS")
        if not Path(options["ca_file"]).is_file():
            raise ConfigError(
                f"the ca_file in store.url is not there: {options['ca_file']}"
            )
    return options


def _text(value: str | None) -> str:
    if not value:
        raise ValueError("host")
    return value
