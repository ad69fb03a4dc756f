"""The journal's calls on the admin listener: list, show, send again, forget."""

import asyncio
from typing import Any, Final

from aiohttp import web

from proxy.admin.api import json_response, read_members
from proxy.admin.shown import detail_of
from proxy.admin.viewer import Viewer
from proxy.clock import Clock, iso_utc
from proxy.errors import (
    AccessDeniedError,
    ConflictError,
    NotFoundError,
    RequestError,
)
from proxy.forward.keeping import LIMIT
from proxy.journal.again import Edit, named_fields, request_again
from proxy.journal.commands import KINDS, command
from proxy.journal.content_switch import LONGEST
from proxy.journal.entry import Entry, Message
from proxy.journal.filters import Filter
from proxy.journal.masking import masked
from proxy.journal.media import image_type, media_type

_MOST: Final = 1000
_DEFAULT: Final = 200
_TEXT_LIMIT: Final = 64 * 1024


class Exchanges:
    """Handlers under /api/exchanges; the guard has looked at each request before."""

    def __init__(self, viewer: Viewer, clock: Clock) -> None:
        self._viewer = viewer
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return the calls."""
        return [
            web.get("/api/exchanges", self.show_all),
            web.delete("/api/exchanges", self.clear),
            web.post("/api/exchanges/content", self.switch_content),
            web.get("/api/exchanges/{id}", self.show),
            web.get("/api/exchanges/{id}/command", self.command),
            web.get("/api/exchanges/{id}/{message}/content", self.content),
            web.post("/api/exchanges/{id}/replay", self.replay),
        ]

    async def show_all(self, request: web.Request) -> web.Response:
        """List what matches, newest first."""
        journal = self._viewer.journal
        wanted = wanted_filter(request)
        found = await self._viewer.search(wanted, _limit(request))
        members = {
            "exchanges": [seen.summary for seen in found],
            "content": content_state(self._viewer, self._clock),
            "limits": {"exchanges": journal.most, "bytes": journal.most_bytes},
            "forgotten": journal.forgotten,
        }
        return json_response(members)

    async def show(self, request: web.Request) -> web.Response:
        """Show one, masked unless asked otherwise."""
        unmasked = wants_unmasked(request, self._viewer)
        entry = self._viewer.find(request.match_info["id"])
        return json_response(await asyncio.to_thread(detail_of, entry, unmasked))

    async def clear(self, request: web.Request) -> web.Response:
        """Forget everything."""
        self._viewer.expect_trust()
        return json_response({"forgotten": self._viewer.journal.clear()})

    async def command(self, request: web.Request) -> web.Response:
        """Write one as a command or a program that would send it."""
        kind = request.query.get("as", "curl")
        if kind not in KINDS:
            raise RequestError(f"as is one of {', '.join(KINDS)}.", value="as")
        entry = await self._masked(request)
        # What a field holds beyond UTF-8 is written out by the command itself.
        text = command(entry, kind).encode("utf-8", "replace").decode()
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    async def _masked(self, request: web.Request) -> Entry:
        """Return the exchange that is asked for, masked unless asked otherwise.

        Masking takes its time, and is done in a thread: calls are forwarded meanwhile.
        """
        unmasked = wants_unmasked(request, self._viewer)
        entry = self._viewer.find(request.match_info["id"])
        return await asyncio.to_thread(masked, entry, unmasked=unmasked)

    async def content(self, request: web.Request) -> web.Response:
        """Return the content of a request or response: images as such."""
        if not wants_unmasked(request, self._viewer):
            raise AccessDeniedError(
                "Content is shown as it is with unmasked=true only.", value="unmasked"
            )
        # Masked all the same: what is secret stays so.
        entry = await self._masked(request)
        message = _message(entry, request.match_info["message"])
        if message is None or message.content is None:
            raise NotFoundError("Its content was not kept.", value="content")
        data = message.content.data
        image = image_type(data) if media_type(message).startswith("image/") else None
        response = web.Response(
            body=data, content_type=image or "application/octet-stream"
        )
        if image is None:
            kind = "gz" if data.startswith(b"\x1f\x8b") else "bin"
            name = f'attachment; filename="{entry.id}.{kind}"'
            response.headers["Content-Disposition"] = name
        return response

    async def replay(self, request: web.Request) -> web.Response:
        """Send one again, as it was or edited."""
        viewer, members = self._viewer, await read_members(request)
        viewer.expect_trust()
        exchange = viewer.exchange(request.match_info["id"])
        edit = _edit(members)
        shown = await asyncio.to_thread(masked, viewer.as_it_is(exchange))
        again = request_again(exchange, shown, edit, _authority(viewer))
        # The edited one may cost money though the first did not, and the reverse.
        if not edit.confirmed and viewer.replays.is_paid(again.method, again.target):
            raise ConflictError(
                "This call costs the patient money. If it is meant to be made again, "
                'send {"confirm": true}.',
                value="paid",
            )
        made = await viewer.replays.send(again.data, exchange.id)
        entry = viewer.as_it_is(made)
        return json_response(await asyncio.to_thread(detail_of, entry, False))

    async def switch_content(self, request: web.Request) -> web.Response:
        """Keep content for so many seconds, or no more."""
        journal = self._viewer.journal
        seconds = _whole((await read_members(request)).get("seconds"))
        if seconds is None or not 0 <= seconds <= LONGEST:
            raise RequestError(
                f'Send {{"seconds": 600}}: from 0, which stops, to {LONGEST:.0f}.',
                value="seconds",
            )
        self._viewer.expect_trust()
        if seconds and not journal.most:
            raise ConflictError(
                "The journal is switched off; set journal.exchanges in the config."
            )
        if seconds:
            journal.content.keep_for(seconds)
        else:
            journal.content.stop()
            journal.forget_content()
        return json_response(content_state(self._viewer, self._clock))


def content_state(viewer: Viewer, clock: Clock) -> dict[str, Any]:
    """Return whether content is kept, and for how long."""
    content = viewer.journal.content
    left = content.seconds_left
    return {
        "kept": content.is_on,
        "until": None if left is None else iso_utc(clock() + left),
        "seconds_left": None if left is None else round(left),
        "limit": LIMIT,
    }


def wants_unmasked(request: web.Request, viewer: Viewer) -> bool:
    """Say whether personal data is asked for; only the one word will do.

    Raises RequestError, or AccessDeniedError for who may not see any.
    """
    given = request.query.get("unmasked")
    if given not in (None, "", "true", "false"):
        raise RequestError("unmasked is true or false.", value="unmasked")
    if given == "true":
        viewer.expect_trust()
    return given == "true"


def wanted_filter(request: web.Request) -> Filter:
    """Return the filter of `request`. Raises RequestError for one that is none."""
    return Filter.parse(request.query.get("filter", ""))


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", str(_DEFAULT))
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:9]) <= _MOST:
        raise RequestError(f"limit is a number from 1 to {_MOST}.", value="limit")
    return int(given)


def _message(entry: Entry, which: str) -> Message | None:
    if which == "request":
        return entry.request
    if which == "response":
        return entry.response
    raise NotFoundError("There is only request/content and response/content.")


def _edit(members: dict[str, Any]) -> Edit:
    fields = members.get("fields")
    if fields is not None and not isinstance(fields, list):
        raise RequestError(
            'Fields are pairs: [["Name", "value"], ...].', value="fields"
        )
    return Edit(
        method=_text(members, "method"),
        target=_text(members, "target"),
        fields=None if fields is None else named_fields(fields),
        content=_text(members, "content"),
        confirmed=members.get("confirm") is True,
    )


def _whole(value: object) -> int | None:
    """Return `value` if it is a whole number, as 600.0 is in JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > _TEXT_LIMIT):
        raise RequestError(
            f"{name} is a text of up to {_TEXT_LIMIT} characters.", value=name
        )
    return value


def _authority(viewer: Viewer) -> bytes:
    """Return a name of ours that requests may be addressed to."""
    listener = viewer.place().listener
    _, is_url, authority = listener.partition("://")
    return authority.encode() if is_url else b"localhost"
