"""What can be taken along: an HTTP archive, and the bundle for a bug report."""

import asyncio
import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from proxy import __version__
from proxy.admin.exchanges import wanted_filter, wants_unmasked
from proxy.admin.viewer import Viewer
from proxy.clock import Clock
from proxy.journal.entry import Entry
from proxy.journal.har import archive
from proxy.journal.masking import masked
from proxy.journal.report import bundle

_JSON: Final = "application/json"


class Exports:
    """Handlers of the two files; `status` returns that of `GET /api/status`.

    What takes long is done in a thread: calls are forwarded meanwhile.
    """

    def __init__(
        self, viewer: Viewer, status: Callable[[], dict[str, Any]], clock: Clock
    ) -> None:
        self._viewer = viewer
        self._status = status
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return the calls."""
        return [
            web.get("/api/exchanges.har", self.archive),
            web.get("/api/report.zip", self.report),
        ]

    async def archive(self, request: web.Request) -> web.Response:
        """Return an HTTP archive of one, of the filtered, or of all."""
        entries, unmasked = (
            await self._entries(request),
            wants_unmasked(request, self._viewer),
        )
        data = await asyncio.to_thread(_archive, entries, unmasked=unmasked)
        return self._file(json.dumps(data, ensure_ascii=False), "har", _JSON)

    async def report(self, request: web.Request) -> web.Response:
        """Return a bundle with all that helps to find a bug."""
        entries, unmasked = (
            await self._entries(request),
            wants_unmasked(request, self._viewer),
        )
        about, config = _versions(), self._viewer.config_text()
        status = self._status()

        def make() -> bytes:
            data = _archive(entries, unmasked=unmasked)
            return bundle(data, about, config, status)

        content = await asyncio.to_thread(make)
        return self._file(content, "zip", "application/zip")

    async def _entries(self, request: web.Request) -> list[Entry]:
        exchange_id = request.query.get("id")
        if exchange_id:
            return [self._viewer.find(exchange_id)]
        entry = self._viewer.entry
        found = await self._viewer.search(wanted_filter(request))
        return [entry(seen.exchange, running=seen.running) for seen in found[::-1]]

    def _file(self, content: str | bytes, kind: str, media_type: str) -> web.Response:
        if isinstance(content, str):
            content = content.encode("utf-8", "replace")
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%d-%H%M%S")
        response = web.Response(body=content, content_type=media_type)
        response.headers["Content-Disposition"] = (
            f'attachment; filename="telemed-proxy-{now}.{kind}"'
        )
        return response


def _archive(entries: list[Entry], *, unmasked: bool) -> dict[str, Any]:
    safe = [masked(entry, unmasked=unmasked) for entry in entries]
    return archive(safe, creator_version=__version__)


def _versions() -> dict[str, str]:
    return {
        "telemed-proxy": __version__,
        "Python": platform.python_version(),
        "system": platform.system(),
        "event loop": type(asyncio.get_running_loop()).__module__,
    }
