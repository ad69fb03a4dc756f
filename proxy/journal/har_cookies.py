"""The cookies of a message, as an HTTP Archive lists them. Pure."""

from datetime import UTC
from typing import Any

Json = dict[str, Any]


def cookies_of(fields: list[tuple[str, str]]) -> list[Json]:
    """Return the cookies that a client sent."""
    return [
        _cookie(pair)
        for name, value in fields
        if name.lower() == "cookie"
        for pair in value.split(";")
        if pair.strip()
    ]


def set_cookies_of(fields: list[tuple[str, str]]) -> list[Json]:
    """Return the cookies that a response sets, with their attributes."""
    return [
        _set_cookie(value) for name, value in fields if name.lower() == "set-cookie"
    ]


def _cookie(pair: str) -> Json:
    name, _, value = pair.strip().partition("=")
    return {"name": name, "value": value}


def _set_cookie(value: str) -> Json:
    pair, *attributes = value.split(";")
    cookie = _cookie(pair) | {"httpOnly": False, "secure": False}
    for attribute in attributes:
        name, _, set_to = attribute.strip().partition("=")
        match name.lower():
            case "path" | "domain":
                cookie[name.lower()] = set_to
            case "httponly":
                cookie["httpOnly"] = True
            case "secure":
                cookie["secure"] = True
            case "expires":
                cookie |= _expires(set_to)
            case _:
                pass  # the format has no place for it
    return cookie


def _expires(text: str) -> Json:
    from email.utils import parsedate_to_datetime  # for the few that have a date

    try:
        instant = parsedate_to_datetime(text.replace("-", " "))
        return {"expires": instant.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    except (ValueError, OverflowError):
        return {}
