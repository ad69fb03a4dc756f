"""Which web pages may call, and the CORS answers they get.

Programs send neither `Origin` nor `Sec-Fetch-Site`; browsers send them and pages cannot
change them (Fetch standard, forbidden request-header names).
"""

import re
from collections.abc import Iterable

from proxy.access.hosts import shown
from proxy.authority import WebOrigin, parse_web_origin
from proxy.errors import AccessDeniedError

Fields = list[tuple[str, str]]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN_LIST = re.compile(rf"{_TOKEN.pattern}(?:[ \t]*,[ \t]*{_TOKEN.pattern})*")

# Seconds for which a browser keeps the answer to a preflight.
_MAX_AGE = "600"

# What a page is likely to need besides the safelisted fields. With credentials, `*`
# is a field name and not a wildcard (Fetch standard), so they are named.
_EXPOSED = (
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Date",
    "ETag",
    "Location",
    "Proxy-Status",
    "Retry-After",
    "Server-Timing",
    "X-Request-Id",
)


def own_origin(host: str, *, secure: bool = False) -> WebOrigin | None:
    """Return the origin of pages that were loaded with `Host: host`."""
    return parse_web_origin(f"{'https' if secure else 'http'}://{host.strip()}")


class Pages:
    """The web pages that may call a listener: its own, and those in `allowed`."""

    def __init__(self, allowed: Iterable[WebOrigin] = ()) -> None:
        self._allowed = frozenset(allowed)

    @property
    def any_allowed(self) -> bool:
        """Whether answers depend on `Origin` at all."""
        return bool(self._allowed)

    def check(
        self,
        origin: bytes | None,
        fetch_site: bytes | None,
        host: bytes | None,
        *,
        secure: bool = False,
    ) -> str | None:
        """Refuse a page that may not call; return the origin to answer with CORS.

        None is for programs, and for our own pages, which need no CORS. `secure` says
        that the request came by TLS.
        """
        sent = origin.decode("latin-1") if origin is not None else None
        if sent is not None and parse_web_origin(sent) in self._allowed:
            return sent
        if fetch_site is not None and fetch_site not in (b"same-origin", b"none"):
            raise _refused(sent, f"a {shown(fetch_site.decode('latin-1'))} request")
        if sent is not None and not _is_own(sent, host, secure=secure):
            raise _refused(sent, "another origin")
        return None


def cors_fields(origin: str, present: Iterable[str] = ()) -> Fields:
    """Return what lets the page at `origin` read an answer with fields `present`.

    The same fields coming from upstream must go first: two of a kind are none.
    """
    exposed = dict.fromkeys(name.title() for name in (*_EXPOSED, *present))
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", ", ".join(exposed)),
        ("Vary", "Origin"),
    ]


def preflight_fields(origin: str, method: str, names: str | None) -> Fields:
    """Return the answer to a preflight by `origin` for `method` and field `names`.

    It never has `Access-Control-Allow-Private-Network`: a page on the internet stays
    out of this machine even if its origin is allowed, unless the browser lets it.
    """
    fields = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Max-Age", _MAX_AGE),
        (
            "Vary",
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        ),
    ]
    if _TOKEN.fullmatch(method):
        fields.append(("Access-Control-Allow-Methods", method))
    if names is not None and _TOKEN_LIST.fullmatch(names):
        fields.append(("Access-Control-Allow-Headers", names))
    return fields


def _is_own(origin: str, host: bytes | None, *, secure: bool) -> bool:
    parsed = parse_web_origin(origin)
    named = (host or b"").decode("latin-1")
    return parsed is not None and parsed == own_origin(named, secure=secure)


def _refused(origin: str | None, what: str) -> AccessDeniedError:
    page = f'The web page at "{shown(origin)}"' if origin else "A web page"
    return AccessDeniedError(
        f"{page} may not call this listener ({what}); if it is one of yours, "
        "add its origin to access.allowed_origins.",
        value="origin",
    )
