"""The content of an inbound request: recorded as it comes, then understood."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from proxy.sandbox.answers import bad_argument, limit_exceeded
from proxy.sandbox.calls.call import Arguments
from proxy.sandbox.multipart import MultipartError, MultipartParser, Part
from proxy.sandbox.records import CONTENT_KEPT, ReceivedRequest
from proxy.sandbox.routes import Route

_JSON_LIMIT = 1024 * 1024
_FORM = "application/x-www-form-urlencoded"


class AbandonedError(Exception):
    """The client left, or its content cannot be read."""


class Content:
    """The content of one request, recorded while it is read."""

    def __init__(self, request: web.BaseRequest, received: ReceivedRequest) -> None:
        self._request = request
        self._received = received
        self._invited = False

    @property
    def is_small(self) -> bool:
        """Whether reading it all costs nothing; unknown when it is chunked."""
        length = self._request.content_length
        if length is None:
            return not self._request.body_exists
        return length <= CONTENT_KEPT

    async def pour(self, take: Callable[[bytes], object]) -> None:
        """Give every piece to `take` as it comes."""
        self._invite()
        try:
            async for chunk in self._request.content.iter_any():
                self._received.note(chunk)
                take(chunk)
        except (ConnectionError, web.RequestPayloadError) as exc:
            raise AbandonedError from exc
        self._received.complete = True

    async def drain(self) -> None:
        """Read it to its end and keep nothing."""
        await self.pour(len)

    async def read(self, route: Route) -> tuple[Arguments, list[Part]]:
        """Return what `route` takes: members of a body, or parts of an upload."""
        if route.body == "multipart":
            return Arguments({}), await self._parts()
        if route.body == "none":
            await self.drain()
            return Arguments({}), []
        body = bytearray()
        await self.pour(lambda chunk: body.extend(chunk[: _JSON_LIMIT + 1 - len(body)]))
        if len(body) > _JSON_LIMIT:
            raise limit_exceeded("content", "Тело запроса больше 1 МБ.")
        return Arguments(self._members(bytes(body))), []

    async def _parts(self) -> list[Part]:
        try:
            parser = MultipartParser(self._request.headers.get("Content-Type", ""))
            await self.pour(parser.feed)
            return parser.close()
        except MultipartError as error:
            await self.drain()
            described = f"Ожидается multipart/form-data: {error}."
            raise bad_argument("content", described) from error

    def _invite(self) -> None:
        """Answer `Expect: 100-continue`, as a server does when it wants the content.

        Not before: who is refused by then need not send it (RFC 9110, 10.1.1).
        """
        expect = self._request.headers.get("Expect", "").lower()
        transport = self._request.transport
        if expect != "100-continue" or self._invited or transport is None:
            return
        self._invited = True
        if self._request.version >= (1, 1):
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _members(self, body: bytes) -> dict[str, Any]:
        if not body.strip():
            return {}
        try:
            if self._request.content_type == _FORM:
                return dict(parse_qsl(body.decode(), keep_blank_values=True))
            members = json.loads(body)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            raise bad_argument("content", "Тело запроса должно быть объектом JSON.")
        return members
