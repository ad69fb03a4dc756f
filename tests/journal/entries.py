"""Makes entries of the journal, as short as a test can say them."""

import hashlib
from typing import Any

from proxy.journal.entry import Entry, KeptContent, Message

STARTED = 1_795_575_600.1239  # 2026-11-25T03:00:00.123Z

UPSTREAM = "https://api.example"
LISTENER = "http://127.0.0.1:8080"


def kept(data: bytes, *, size: int | None = None) -> KeptContent:
    """Return content of which `data` was kept; with `size`, it is the beginning."""
    size = len(data) if size is None else size
    return KeptContent(data, size, hashlib.sha256(data).hexdigest())


def message(
    data: bytes | None = b"",
    *fields: tuple[str, str],
    kind: str | None = None,
    size: int | None = None,
) -> Message:
    """Return a message with content `data` of media type `kind`; None: not kept."""
    own = [] if kind is None else [("Content-Type", kind)]
    content = None if data is None else kept(data, size=size)
    return Message([*own, *fields], content)


def entry(
    method: str = "GET",
    target: str = "/api/v1/profile/get",
    request: Message | None = None,
    response: Message | None = None,
    **more: Any,
) -> Entry:
    """Return an exchange that was answered 200, if there is a `response`."""
    given: dict[str, Any] = {
        "id": "9f1c2a-2f",
        "number": 47,
        "request_id": "01J",
        "started": STARTED,
        "status": 0 if response is None else 200,
        "reason": "" if response is None else "OK",
        "upstream": UPSTREAM,
        "listener": LISTENER,
    }
    return Entry(
        method=method,
        target=target,
        request=request or message(),
        response=response,
        **(given | more),
    )
