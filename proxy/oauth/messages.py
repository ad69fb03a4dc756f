"""The messages of RFC 6749: built and parsed by oauthlib, made safe around it.

What a real server may answer is wider than what oauthlib reads, so an answer is first
reduced to the members that matter, in their plain types.
"""

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from proxy.errors import CLIENT_REFUSED, TokenAnswerError, TokenRefusedError
from proxy.redaction import MASK

# Lifetimes for an answer that does not tell one (RFC 6749, section 5.1: expires_in is
# only recommended; zero and less are used for "not told" too). Refreshing too early
# costs nothing, so one hour; with nothing to refresh, ending too early would cost a
# person an SMS, so the upstream's documented lifetime.
ASSUMED_LIFETIME = 3600.0
ASSUMED_LIFETIME_WITHOUT_REFRESH = 1_209_599.0
# Longer ones cannot be shown as dates by every platform, and mean "for ever" anyway.
MAX_LIFETIME = 10 * 365 * 86400.0

# What may stand in a field value: RFC 6749, appendix A.12, without spaces at the ends.
_ACCESS_TOKEN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# Without spaces, unlike appendix A.7: {"error": "Not Found"} is a gateway's answer.
_ERROR = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

# Client errors that say nothing about the grant: a wrong address, or not now.
_NOT_ABOUT_THE_GRANT = frozenset({404, 405, 407, 408, 413, 421, 425, 429})
# Errors that mean "not now" whatever their status.
_NOT_NOW = frozenset({"server_error", "temporarily_unavailable", "slow_down"})
# Refusals of the client, or of its way of asking: those of RFC 6749, section 5.2, that
# are not about the grant, and the name that ASP.NET servers use.
_CLIENT_ERRORS = frozenset(
    {
        "invalid_client",
        "invalid_clientid",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_request",
    }
)
# Refusals in the upstream's own error shape.
_UPSTREAM_REFUSALS = frozenset({"bad_argument", "oauth"})


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token with what is needed to replace it.

    `generation` grows with every login, refresh and logout of an account: of two
    pairs the one with the greater generation is the newer.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    issued_at: float
    expires_at: float
    generation: int = 0
    odd: tuple[str, ...] = field(default=(), compare=False)
    """What was strange in the answer that brought it, for the log."""

    @property
    def lifetime(self) -> float:
        """Seconds from issue to expiry."""
        return self.expires_at - self.issued_at


def fingerprint(token: str) -> str:
    """Return a short hash by which `token` can be recognised but not used."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:16]


def password_body(*, client_id: str, username: str, validation_code: str) -> str:
    """Return the form of a password grant (RFC 6749, section 4.3.2)."""
    from oauthlib.oauth2 import LegacyApplicationClient

    body: str = LegacyApplicationClient(client_id).prepare_request_body(
        username=username, password=validation_code, include_client_id=True
    )
    return body


def refresh_body(*, client_id: str, refresh_token: str) -> str:
    """Return the form of a refresh (RFC 6749, section 6)."""
    from oauthlib.oauth2 import LegacyApplicationClient

    # client_id is not optional here: oauthlib leaves it out unless told, and the
    # server may spend the refresh token before it complains.
    body: str = LegacyApplicationClient(client_id).prepare_refresh_body(
        refresh_token=refresh_token, client_id=client_id
    )
    return body


def parse_token_response(
    status: int, body: bytes, now: float, *, secrets: Iterable[str] = ()
) -> TokenPair:
    """Return the pair in a token answer.

    Args:
        status: the answer's status code.
        body: its content.
        now: the instant that its lifetime counts from.
        secrets: what was sent, and must not come back in an error's text.

    Raises:
        TokenRefusedError: the server said no.
        TokenAnswerError: the answer is of no use; whether the server acted is unknown.
    """
    answer = json_object(body)
    if answer is not None and _is_refusal(status, answer):
        raise _refused(answer, secrets)
    if not 200 <= status < 300:
        raise TokenAnswerError(f"the authorization server answered {status}")
    if answer is None:
        raise TokenAnswerError(
            f"the authorization server answered {status} with content that is "
            + ("no JSON object" if body.strip() else "empty")
        )
    return _pair(answer, now)


def readable(text: object, *, secrets: Iterable[str] = (), limit: int = 300) -> str:
    """Return foreign `text` fit for an error's sentence: one line, bounded, masked."""
    if not isinstance(text, str):
        return ""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    printable = "".join(
        " " if unicodedata.category(char)[0] in "ZC" else char for char in text
    )
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `body`, whatever its Content-Type; None if none."""
    try:
        # utf-8-sig: .NET servers may begin with a byte order mark.
        answer = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _is_refusal(status: int, answer: dict[str, Any]) -> bool:
    error = answer.get("error")
    if 200 <= status < 300:
        # Some servers refuse with 200; one that also sends a token does not refuse.
        return _is_error(error) and "access_token" not in answer
    if not 400 <= status < 500 or status in _NOT_ABOUT_THE_GRANT:
        return False
    type_ = answer.get("type")
    return _is_error(error) or (
        error is None and isinstance(type_, str) and type_ in _UPSTREAM_REFUSALS
    )


def _is_error(error: object) -> bool:
    return (
        isinstance(error, str)
        and _ERROR.fullmatch(error) is not None
        and error not in _NOT_NOW
    )


def _refused(answer: dict[str, Any], secrets: Iterable[str]) -> TokenRefusedError:
    from oauthlib.oauth2.rfc6749.errors import OAuth2Error, raise_from_error

    error = str(answer.get("error") or answer["type"])
    told = answer.get("error_description") or answer.get("description")
    description = readable(told, secrets=secrets)
    try:
        raise_from_error(error, {"error_description": description or None})
    except OAuth2Error as known:
        # Where the server gives no reason, oauthlib has the RFC's for its own codes.
        description = description or readable(known.description)
    text = f"the authorization server refused: {readable(error, secrets=secrets)}"
    return TokenRefusedError(
        error,
        f"{text} ({description})" if description else text,
        value=CLIENT_REFUSED if error.lower() in _CLIENT_ERRORS else None,
    )


def _pair(answer: dict[str, Any], now: float) -> TokenPair:
    from oauthlib.oauth2 import LegacyApplicationClient
    from oauthlib.oauth2.rfc6749.errors import OAuth2Error

    odd: list[str] = []
    plain = {
        "access_token": _access_token(answer.get("access_token")),
        "token_type": _token_type(answer.get("token_type"), odd),
        "refresh_token": _refresh_token(answer.get("refresh_token"), odd),
    }
    # Scope stays out: we ask for none, and oauthlib raises a Warning when it differs.
    try:
        parsed = LegacyApplicationClient("").parse_request_body_response(
            json.dumps(plain)
        )
    except (OAuth2Error, ValueError) as exc:
        raise TokenAnswerError(
            "the authorization server's token answer cannot be read"
        ) from exc
    refresh_token = parsed.get("refresh_token")
    lifetime = _lifetime(answer.get("expires_in"), odd)
    if lifetime is None:
        lifetime = (
            ASSUMED_LIFETIME if refresh_token else ASSUMED_LIFETIME_WITHOUT_REFRESH
        )
    return TokenPair(
        access_token=parsed["access_token"],
        refresh_token=refresh_token,
        issued_at=now,
        expires_at=now + lifetime,
        odd=tuple(odd),
    )


def _access_token(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TokenAnswerError("the authorization server's answer has no access_token")
    if not _ACCESS_TOKEN.fullmatch(value):
        raise TokenAnswerError(
            "the authorization server's access_token cannot be sent in a field"
        )
    return value


def _token_type(value: object, odd: list[str]) -> str:
    if not isinstance(value, str) or value.lower() != "bearer":
        odd.append("token_type is not bearer")
    return "bearer"


def _refresh_token(value: object, odd: list[str]) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable():
        odd.append("refresh_token is not a text")
        return None
    return value


def _lifetime(value: object, odd: list[str]) -> float | None:
    if value is None:
        odd.append("expires_in is missing")
        return None
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if isinstance(value, bool) or math.isnan(seconds) or seconds <= 0:
        odd.append("expires_in is not a lifetime")
        return None
    return min(seconds, MAX_LIFETIME)
