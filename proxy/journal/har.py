"""Exchanges as an HTTP Archive 1.2, which browsers and other tools open. Pure.

The entries are masked already. Members whose names begin with `_` are ours, as the
format allows; everything else means what it does in a browser's archive.
"""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from proxy.journal.entry import Entry, KeptContent, Message
from proxy.journal.har_cookies import cookies_of, set_cookies_of
from proxy.journal.media import ShownContent, codings, decoded, media_type, text_of

Json = dict[str, Any]

_UNKNOWN: Final = "x-unknown"
_FORM: Final = "application/x-www-form-urlencoded"
_OF_URLS: Final = "%/?#[]@!$&'()*+,;=:-._~"

MASKED: Final = (
    "Secrets, personal data and cookies are masked with ***, and content that cannot "
    "be looked into is hidden."
)
UNMASKED: Final = "Personal data is in here. Tokens, codes and passwords are masked."

_OURS: Final = (
    *("id", "number", "request_id", "answered_by", "error", "detail", "caller"),
    *("running", "warm", "replayed", "resent", "paid", "replay_of", "masked"),
)


def archive(entries: Iterable[Entry], *, creator_version: str) -> Json:
    """Return masked `entries` as an archive, in their order."""
    shown = list(entries)
    is_masked = all(entry.masked for entry in shown)
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "telemed-proxy", "version": creator_version},
            "pages": [],
            "entries": [_entry(entry) for entry in shown],
            "comment": MASKED if is_masked else UNMASKED,
        }
    }


def _entry(entry: Entry) -> Json:
    timings = _timings(entry)
    parts = (
        "blocked",
        "dns",
        "connect",
        "send",
        "wait",
        "receive",
    )  # ssl is in connect
    started = datetime.fromtimestamp(entry.started, UTC)
    ours = {name: getattr(entry, name) for name in _OURS}
    return {
        "startedDateTime": started.isoformat(timespec="milliseconds")[:-6] + "Z",
        "time": round(sum(timings[part] for part in parts if timings[part] >= 0), 3),
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": timings,
        **{f"_{name}": _visible(value) for name, value in ours.items()},
        "_timing": {name: _ms(seconds) for name, seconds in entry.timing.items()},
    }


def _visible(value: Any) -> Any:
    """Return a text fit for JSON: bytes that are no UTF-8 become U+FFFD."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _ms(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)


def _timings(entry: Entry) -> dict[str, float]:
    """Return the time by the format's parts, -1 for what did not take place."""

    def spent(*stages: str) -> float:
        took_place = [entry.timing[stage] for stage in stages if stage in entry.timing]
        return _ms(sum(took_place)) if took_place else -1

    timings = {
        "blocked": spent("earlier", "access", "token", "connection"),
        "dns": spent("dns"),
        "connect": spent("tcp", "tls"),
        "ssl": spent("tls"),
        "send": 0.0,
        "wait": max(0.0, spent("first_byte")),
        "receive": max(0.0, spent("content")),
    }
    # What no stage accounts for was waited for, by somebody: the sum must be the time.
    rest = _ms(entry.seconds - sum(entry.timing.values()))
    timings["receive" if "content" in entry.timing else "wait"] += rest
    return {name: round(value, 3) for name, value in timings.items()}


# -- Messages -------------------------------------------------------------------------


def _request(entry: Entry) -> Json:
    request = entry.request
    shown: Json = {
        "method": _visible(entry.method),
        "url": url_of(entry),
        "httpVersion": f"HTTP/{entry.http_version}",
        "cookies": cookies_of(_shown_fields(request)),
        "headers": _headers(request),
        "queryString": _query(entry.target),
        "headersSize": -1,
        "bodySize": _body_size(request, 0),
    }
    if shown["bodySize"] != 0:
        shown["postData"] = _post_data(request)
    return shown


def url_of(entry: Entry) -> str:
    """Return the URL that was asked for, at the upstream."""
    target = entry.target
    if not target.startswith("/") and "://" not in target:
        target = f"/{target}"  # such as *, which no URL can say
    url = target if "://" in target.partition("?")[0] else entry.upstream + target
    return quote(url.encode("utf-8", "surrogateescape"), safe=_OF_URLS)


def _query(target: str) -> list[Json]:
    # A plus stays one: so the API reads its dates.
    pairs = (
        part.partition("=") for part in target.partition("?")[2].split("&") if part
    )
    return [_pair(unquote(name), unquote(value)) for name, _, value in pairs]


def _pair(name: str, value: str) -> Json:
    return {"name": _visible(name), "value": _visible(value)}


def _shown_fields(message: Message) -> list[tuple[str, str]]:
    return [(_visible(name), _visible(value)) for name, value in message.fields]


def _headers(message: Message) -> list[Json]:
    return [{"name": name, "value": value} for name, value in _shown_fields(message)]


def _body_size(message: Message, unknown: int) -> int:
    """Return the true size of the content; `unknown` where nothing tells it."""
    if message.content is not None:
        return message.content.size
    length = message.value("content-length") or ""
    if length.isascii() and length.isdigit() and len(length) < 20:
        return int(length)
    return -1 if message.value("transfer-encoding") is not None else unknown


def _response(entry: Entry) -> Json:
    response = entry.response
    if response is None:
        # As browsers write a request that was never answered.
        return {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": _UNKNOWN},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        }
    return {
        "status": entry.status,
        "statusText": _visible(entry.reason),
        "httpVersion": "HTTP/1.1",
        "cookies": set_cookies_of(_shown_fields(response)),
        "headers": _headers(response),
        "content": _content(response),
        "redirectURL": _visible(response.value("location") or ""),
        "headersSize": -1,
        "bodySize": _body_size(response, -1),
    }


# -- Content --------------------------------------------------------------------------


def _mime_type(message: Message) -> str:
    return str(_visible(message.value("content-type") or "")) or _UNKNOWN


def _post_data(request: Message) -> Json:
    shown: Json = {"mimeType": _mime_type(request)}
    data = _plain_data(request)
    text = None if data is None else text_of(data)
    if data is not None and text is None:
        # The format has no binary here; the name is that of a response's content.
        shown |= {"text": base64.b64encode(data).decode(), "_encoding": "base64"}
    elif text is not None and media_type(request) == _FORM and "=" in text:
        pairs = (part.partition("=") for part in text.split("&") if part)
        shown["params"] = [
            _pair(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs
        ]
    elif text is not None:
        shown["text"] = text
    return shown | _commented(request)


def _content(response: Message) -> Json:
    shown: Json = {"mimeType": _mime_type(response)}
    data = _plain_data(response)
    true_size = max(0, _body_size(response, 0))
    if data is None:
        return {"size": true_size} | shown | _commented(response)
    text = text_of(data)
    if text is None:
        shown |= {"text": base64.b64encode(data).decode(), "encoding": "base64"}
    else:
        shown["text"] = text
    size = true_size
    if codings(response) and response.content is not None and response.content.is_whole:
        size = len(data)
        shown["compression"] = size - true_size
    return {"size": size} | shown | _commented(response)


def _plain_data(message: Message) -> bytes | None:
    """Return the content without its coding, as the format wants it, if it was kept."""
    content = message.content
    if content is None or isinstance(content, ShownContent):
        return None if content is None else content.data
    read = decoded(message)
    return content.data if read is None else read.data


def _commented(message: Message) -> Json:
    """Return the comment that says what is not as it was."""
    remarks = list(_remarks(message.content))
    return {"comment": " ".join(remarks)} if remarks else {}


def _remarks(content: KeptContent | None) -> Iterable[str]:
    if content is None:
        yield "The content was not kept."
        return
    if isinstance(content, ShownContent):
        yield "The content is hidden." if content.hidden else "The content is masked."
    if not content.is_whole:
        yield f"Only the beginning was kept, of {content.size} bytes."
        if content.sha256:
            yield f"The SHA-256 of all is {content.sha256}."
