"""The partner API and its authorization server in one, which lets in everybody.

It is as careless as an upstream can be: every page may call it and read its answers. So
what a page cannot do through the proxy, the proxy has prevented.
"""

import asyncio
import gzip
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, parse_qsl

from aiohttp import WSMsgType, web

SECRET = "what only the patient may read"

CODE = "73164928"
# A gigabyte of nothing, as a megabyte of gzip.
BOMB = gzip.compress(bytes(2**24), 9, mtime=0) * 64

# As small as what is read of an answer to see whether it is a rejected token.
SMALL_BOMB = gzip.compress(bytes(60 * 2**20), 9, mtime=0)

CLIENT_ID = "c11e57" + "0" * 26

_KINDS = {
    "gif": ("image/gif", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\0\0,"),
    "css": ("text/css", b"html { outline-style: dotted }"),
    "js": ("text/javascript", f"globalThis.stolen = '{SECRET}'".encode()),
    "html": ("text/html", f"<title>{SECRET}</title>{SECRET}".encode()),
    "vtt": ("text/vtt", f"WEBVTT\n\n00:00.000 --> 01:00.000\n{SECRET}".encode()),
}
_GIF_END = b"\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    content: bytes = field(repr=False)

    @property
    def by(self) -> str:
        """The name that the caller has put into the query."""
        return dict(parse_qsl(self.target.partition("?")[2])).get("by", "")

    def get(self, name: str) -> list[str]:
        """Return the values of all fields called `name`."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


class Upstream:
    """A server on a free port; `requests` is everything that arrived for the API."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.issued: list[tuple[str, str]] = []
        """Access and refresh token of each pair."""
        self.granted: list[str] = []
        self.codes_sent = 0
        self.refuses: set[str] = set()
        """The grant types that the authorization server refuses."""
        self.rejects: set[str] = set()
        """Access tokens that the API does not accept."""
        self.grant_fault: str | None = None
        """What the authorization server answers instead; `{}` is what it was sent."""
        self.port = 0
        self.keeps_content = True

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(
            web.Server(self._serve, auto_decompress=False), shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def names(self) -> set[str]:
        """What the query of each request calls its sender."""
        return {one.by for one in self.requests}

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/token":
            form = await request.text()
            if self.grant_fault is not None:
                self.granted.append("fault")
                text = self.grant_fault.replace("{}", form)
                return web.Response(status=500 if "<" in text else 200, text=text)
            return self._token(parse_qs(form))
        if path.lower().endswith("/access/validation-code"):
            self.codes_sent += 1
            return web.json_response({})
        content = await self._content(request)
        fields = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.raw_headers
        )
        received = Received(request.method, request.raw_path, fields, content)
        self.requests.append(received)
        if any(token in str(received.get("authorization")) for token in self.rejects):
            return web.json_response({"type": "oauth", "value": "token"}, status=401)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(request)
        if path.startswith("/odd/"):
            return await self._odd(request, str(received.get("authorization")))
        return await self._answer(request)

    async def _odd(self, request: web.BaseRequest, token: str) -> web.StreamResponse:
        """Answer in the way that the path names, or not at all; and tell the token."""
        answers = {
            "/odd/garbage": f"{token} is no status line\r\n\r\n",
            "/odd/field": f"HTTP/1.1 200 OK\r\n{token}: \0\r\n\r\n",
            "/odd/length": f"HTTP/1.1 200 OK\r\nContent-Length: {token}\r\n\r\n",
            "/odd/huge": f"HTTP/1.1 200 OK\r\nX: {token * 40_000}\r\n\r\n",
            "/odd/chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"{token}\r\n",
            "/odd/cut": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
            "/odd/nothing": "",
        }
        if request.path == "/odd/slow":
            await asyncio.sleep(5)
        elif request.path == "/odd/endless":
            return await _without_end(request)
        elif request.path == "/odd/bomb":
            headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            return web.Response(status=403, headers=headers, body=SMALL_BOMB)
        elif request.transport is not None:
            request.transport.write(answers[request.path].encode())
            request.transport.close()
        return web.Response(status=500)

    async def _content(self, request: web.BaseRequest) -> bytes:
        if self.keeps_content:
            return await request.read()
        length = 0
        async for piece in request.content.iter_any():
            length += len(piece)
        return b"%d" % length

    def _token(self, form: dict[str, list[str]]) -> web.Response:
        [grant] = form.get("grant_type", [""])
        self.granted.append(grant)
        right = {"password": CODE, "refresh_token": self.issued and self.issued[-1][1]}
        given = form.get({"password": "password"}.get(grant, grant), [""])[0]
        if grant in self.refuses or given != right.get(grant):
            return web.json_response(
                {"error": "invalid_grant", "error_description": f"no: {given}"},
                status=400,
            )
        # Short ones: what hides a secret only for its length must not hide these.
        pair = f"a-{secrets.token_urlsafe(30)}", f"r-{secrets.token_urlsafe(30)}"
        self.issued.append(pair)
        return web.json_response(
            {
                "access_token": pair[0],
                "refresh_token": pair[1],
                "token_type": "bearer",
                "expires_in": 1209599,
            }
        )

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = _open_to_all(request)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        if request.headers.get("Accept") == "text/event-stream":
            return await self._events(request, headers)
        suffix = request.path.rpartition(".")[2]
        if suffix in _KINDS:
            kind, content = _KINDS[suffix]
            content += _GIF_END if suffix == "gif" else b""
        else:
            kind, content = "application/json", json.dumps({"item": SECRET}).encode()
        return web.Response(body=content, content_type=kind, headers=headers)

    async def _events(
        self, request: web.BaseRequest, headers: dict[str, str]
    ) -> web.StreamResponse:
        answer = web.StreamResponse(headers=headers)
        answer.content_type = "text/event-stream"
        await answer.prepare(request)
        await answer.write(f"data: {SECRET}\n\n".encode())
        # Ends by itself: an upstream that waits for its clients would not be closed.
        await asyncio.sleep(0.5)
        return answer

    async def _talk(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(SECRET)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(f"{SECRET}: {message.data}")
        return socket


async def _without_end(request: web.BaseRequest) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    with suppress(ConnectionError):
        while True:
            await answer.write(bytes(64 * 1024))
    return answer


def _open_to_all(request: web.BaseRequest) -> dict[str, str]:
    asked = request.headers.get
    return {
        "Access-Control-Allow-Origin": asked("Origin", "*"),
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Private-Network": "true",
        "Access-Control-Allow-Methods": asked("Access-Control-Request-Method", "GET"),
        "Access-Control-Allow-Headers": asked("Access-Control-Request-Headers", "A"),
        "Access-Control-Expose-Headers": "X-Total",
        "X-Total": "3",
        "ETag": '"one"',
    }
