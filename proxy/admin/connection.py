"""The admin listener's connections: what is no HTTP is told so in our own shape."""

import asyncio

from aiohttp import hdrs, web

from proxy.admin.guard import SECURITY_FIELDS, error_response
from proxy.answers import PROXY_NAME
from proxy.errors import RequestError


class AdminConnection(web.RequestHandler):
    """aiohttp's, less its own error pages and the log's echo of what was refused."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what aiohttp would not read as a request."""
        response = error_response(
            RequestError("The request is not valid HTTP/1.1.", value="http")
        )
        response.headers.update(SECURITY_FIELDS)
        response.headers[hdrs.SERVER] = PROXY_NAME
        response.force_close()
        return response


class AdminConnections:
    """Makes an `AdminConnection` of every connection to `server`."""

    def __init__(self, server: web.Server) -> None:
        self._server = server

    def __call__(self) -> AdminConnection:
        """Return the protocol of a new connection."""
        return AdminConnection(
            self._server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,  # nobody needs it here, and it can bring a bomb
        )
