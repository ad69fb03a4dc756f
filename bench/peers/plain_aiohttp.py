"""The obvious alternative: an aiohttp handler that calls `ClientSession` and relays.

`python plain_aiohttp.py PORT UPSTREAM CA_FILE TOKEN LOG_FILE`, on uvloop.
"""

import logging
import ssl
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

HOP_BY_HOP = ("Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding")
SESSION = web.AppKey("session", aiohttp.ClientSession)


def end_to_end(fields: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    kept = CIMultiDict(fields)
    for name in (*HOP_BY_HOP, "Host", "Authorization"):
        kept.popall(name, None)
    return kept


async def forward(request: web.Request) -> web.StreamResponse:
    async with request.app[SESSION].request(
        request.method,
        request.raw_path,
        headers=end_to_end(request.headers),
        data=request.content if request.body_exists else None,
        allow_redirects=False,
    ) as answer:
        response = web.StreamResponse(
            status=answer.status, headers=end_to_end(answer.headers)
        )
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    return response


def main(port: str, upstream: str, ca_file: str, token: str, log_file: str) -> None:
    async def session(app: web.Application) -> AsyncIterator[None]:
        app[SESSION] = aiohttp.ClientSession(
            upstream,
            connector=aiohttp.TCPConnector(
                limit=256, ssl=ssl.create_default_context(cafile=ca_file)
            ),
            headers={"Authorization": f"Bearer {token}"},
            auto_decompress=False,
        )
        yield
        await app[SESSION].close()

    logging.basicConfig(filename=log_file, level=logging.INFO)
    app = web.Application(client_max_size=0)
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{tail:.*}", forward)
    loop = uvloop.new_event_loop()
    web.run_app(
        app, host="127.0.0.1", port=int(port), backlog=8192, print=None, loop=loop
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
