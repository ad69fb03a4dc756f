"""The decision on one request of a forwarding listener.

It stands on the path of every request: for a program that sends none of a browser's
fields it is a few look-ups in a dict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from proxy.access.hosts import OwnNames
from proxy.access.origins import Fields, Pages, cors_fields, preflight_fields
from proxy.access.patterns import Rules
from proxy.access.repeats import ALLOW_REPEAT
from proxy.config import AccessConfig
from proxy.errors import AccessDeniedError

RawFields = Sequence[tuple[bytes, bytes]]

OF_INTEREST = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"upgrade",
        ALLOW_REPEAT,
        b"x-proxy-key",
        b"authorization",
        b"access-control-request-method",
        b"access-control-request-headers",
        b"x-http-method-override",
        b"x-http-method",
        b"x-method-override",
    }
)

# By which frameworks let a caller ask for another method than it sends: a rule about
# POST has to hold for a GET that asks to be one.
_OVERRIDES = (b"x-http-method-override", b"x-http-method", b"x-method-override")


class Keys(Protocol):
    """Knows whose a local key is."""

    def caller(self, key: bytes | None, authorization: bytes | None) -> str:
        """Return the name of the key's owner, or raise LocalKeyError."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A request that may pass.

    `preflight` is None, or the fields of the 204 to answer instead of forwarding.
    """

    name: str | None = None
    origin: str | None = None
    preflight: Fields | None = field(default=None, compare=False)
    varies: bool = False

    def answer_fields(self, present: Iterable[str] = ()) -> Fields:
        """Return what to add to an answer that has fields called `present`.

        When there are any, the upstream's own Access-Control fields are to be dropped.
        """
        if self.origin is not None:
            return cors_fields(self.origin, present)
        return [("Vary", "Origin")] if self.varies else []


class AccessRules:
    """Who may use the forwarding listeners called `listen_names`, and for what."""

    def __init__(
        self,
        settings: AccessConfig,
        listen_names: Iterable[str],
        keys: Keys | None = None,
    ) -> None:
        if settings.local_key_file is not None and keys is None:
            raise ValueError("access.local_key_file is set, but no keys were given")
        self._names = OwnNames(listen_names, settings.allowed_hosts)
        self._pages = Pages(settings.allowed_origins)
        self._rules = Rules.of(
            settings.allow, settings.deny, read_only=settings.read_only
        )
        self._ruled = self._rules.any
        self._keys = keys
        self._program = Caller(varies=self._pages.any_allowed)

    def knows(self, host: bytes) -> bool:
        """Say whether `host` will do, whatever address the client connected to."""
        return self._names.has(host)

    def check(
        self,
        method: str,
        raw_target: str,
        seen: Mapping[bytes, bytes],
        local_address: str | None,
        *,
        secure: bool = False,
    ) -> Caller:
        """Return who calls, or raise AccessDeniedError or LocalKeyError.

        `seen` has the values of at least the fields in OF_INTEREST, by lower-case name,
        those of a repeated field joined by a comma. `secure` says that it came by TLS.
        """
        host = seen.get(b"host")
        self._names.check(host, local_address)
        if raw_target[:1] != "/" and "://" in raw_target:
            # RFC 9112, section 3.2.2: in absolute-form, this is the host that counts.
            host = _target_authority(raw_target)
            self._names.check(host, local_address)
        caller = self._program
        if b"origin" in seen or b"sec-fetch-site" in seen:
            caller = self._page(method, seen, host, secure=secure)
        if caller.preflight is not None:
            # Browsers send no key with it, and it asks for nothing but these fields.
            return caller
        if self._keys is not None:
            key, authorization = seen.get(b"x-proxy-key"), seen.get(b"authorization")
            name = self._keys.caller(key, authorization)
            caller = Caller(name, caller.origin, varies=caller.varies)
        if self._ruled:
            self._rules.check(method, raw_target, _asked_methods(seen))
            if self._rules.read_only and b"upgrade" in seen:
                _check_upgrade(seen[b"upgrade"])
        return caller

    def answer_fields(self, seen: Mapping[bytes, bytes]) -> Fields:
        """Return what to add to the answer to a request that `check` refused.

        A page that may call can read only with these that its key was wrong.
        """
        if not self._pages.any_allowed:
            return []
        try:
            return self._page("", seen, seen.get(b"host")).answer_fields()
        except AccessDeniedError:
            return self._program.answer_fields()

    def _page(
        self,
        method: str,
        seen: Mapping[bytes, bytes],
        host: bytes | None,
        *,
        secure: bool = False,
    ) -> Caller:
        origin, site = seen.get(b"origin"), seen.get(b"sec-fetch-site")
        if origin is None and site is None:
            return self._program
        allowed = self._pages.check(origin, site, host, secure=secure)
        if allowed is None:
            return self._program
        asked = seen.get(b"access-control-request-method")
        if method != "OPTIONS" or asked is None:
            return Caller(origin=allowed, varies=True)
        names = seen.get(b"access-control-request-headers")
        preflight = preflight_fields(
            allowed,
            asked.decode("latin-1"),
            names.decode("latin-1") if names is not None else None,
        )
        return Caller(origin=allowed, preflight=preflight, varies=True)


def fields_of_interest(raw_fields: RawFields) -> dict[bytes, bytes]:
    """Return the fields that decide on access, by lower-case name.

    A repeated field comes joined by a comma and so fails every comparison: two `Host`
    or two keys are a trick, not a choice.
    """
    seen: dict[bytes, bytes] = {}
    for name, value in raw_fields:
        lower = name.lower()
        if lower in OF_INTEREST:
            seen[lower] = seen[lower] + b", " + value if lower in seen else value
    return seen


def _check_upgrade(protocols: bytes) -> None:
    """Refuse to go over to a protocol in which anything may be written.

    HTTP/2 is never gone over to, but some programs offer it with each request.
    """
    for protocol in protocols.lower().split(b","):
        if not protocol.strip().startswith((b"h2c", b"http/2")):
            raise AccessDeniedError(
                "The proxy runs read-only (access.read_only, or --read-only), so no "
                "other protocol can be gone over to.",
                value="read_only",
            )


def _asked_methods(seen: Mapping[bytes, bytes]) -> list[str]:
    return [
        method.strip().decode("latin-1")
        for name in _OVERRIDES
        if name in seen
        # A repeated field comes joined.
        for method in seen[name].split(b",")
    ]


def _target_authority(raw_target: str) -> bytes:
    authority = raw_target.partition("://")[2]
    for end in "/?#":
        authority = authority.partition(end)[0]
    return authority.encode("utf-8", "replace")
