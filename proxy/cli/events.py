"""Server-sent events of the running proxy, followed over its restarts."""

import http.client
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from proxy.cli.failures import say
from proxy.cli.http_call import reason
from proxy.cli.journal_client import JournalClient

PAUSE: Final = 1.0
"""Seconds between two looks whether the proxy is back."""

# Where nothing happens, the proxy says so every twenty seconds or so.
PATIENCE: Final = 90.0

# No event of ours is longer; a stranger's endless line must not fill the memory.
_LINE_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its JSON object, and the last id up to and with it."""

    name: str
    members: dict[str, Any]
    last_id: str = ""


def follow(
    client: JournalClient, wanted: str, *, pause: float = PAUSE
) -> Iterator[Event]:
    """Yield what happens from now on, for ever.

    When the proxy goes away, it is waited for, and asked for what was missed.

    Raises:
        ProxyError: it answered with an error.
    """
    target = f"/api/exchanges/stream?filter={quote(wanted, safe='')}"
    last_id, waits = "", False
    while True:
        began, heard, why = time.monotonic(), False, "it ended the connection"
        fields = {"Accept": "text/event-stream"}
        if last_id:
            fields["Last-Event-ID"] = last_id
        try:
            with client.opened(target, fields, patience=PATIENCE) as response:
                for event in read_events(_lines(response)):
                    if waits:
                        say("the proxy is back")
                    waits, heard = False, True
                    last_id = event.last_id or last_id
                    yield event
        except (OSError, http.client.HTTPException) as exc:
            why = reason(exc)
        if heard and time.monotonic() - began >= pause:
            continue  # a stream has its end; whether the proxy has gone shows now
        if not heard and not waits:
            say(f"the proxy at {client.address} has gone ({why}); waiting for it")
            waits = True
        time.sleep(pause)


def read_events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield each event that is complete; what is none of ours is passed over.

    HTML, section 9.2.6, says how a stream is read.
    """
    name, data, last_id = "", list[str](), ""
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            members = _object("\n".join(data))
            if members is not None:
                yield Event(name or "message", members, last_id)
            name, data = "", []
            continue
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            last_id = value


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of a stream as they come."""
    while line := response.readline(_LINE_LIMIT):
        yield line


def _object(text: str) -> dict[str, Any] | None:
    try:
        members = json.loads(text)
    except ValueError:
        return None
    return members if isinstance(members, dict) else None
