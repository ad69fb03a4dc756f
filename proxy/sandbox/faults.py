"""Ways in which an answer goes wrong on its way."""

import asyncio

from aiohttp import web

from proxy.sandbox.answers import Answer, ApiError
from proxy.sandbox.listener import reset_transport

FAULTS_OF_CONNECTION = {"reset", "timeout", "truncated"}

_PAGES = {
    "html500": (500, "Runtime Error"),
    "html502": (502, "502 Bad Gateway"),
    "maintenance": (503, "Ведутся технические работы"),
}
_LOOK_EVERY = 0.05
_MISSING = 64


async def spoil(
    fault: str, request: web.BaseRequest, answer: web.Response
) -> web.StreamResponse:
    """Return what becomes of `answer` to `request` under `fault`."""
    if fault == "empty":
        return web.Response(status=200)
    if fault == "truncated":
        return await _truncate(request, answer)
    if fault in FAULTS_OF_CONNECTION:
        await break_off(fault, request)
        # aiohttp finds the connection gone and sends nothing.
        return answer
    return error_page(fault)


async def break_off(fault: str, request: web.BaseRequest) -> None:
    """End the connection in the way of `fault`, whatever was sent.

    Under `timeout` it ends when the client has given up, or the sandbox closes.
    """
    if fault == "timeout":
        # aiohttp does not tell a handler that its client has left.
        while request.transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY)
    elif request.transport is not None:
        if fault == "truncated":
            request.transport.close()
        else:
            reset_transport(request.transport)


async def _truncate(
    request: web.BaseRequest, answer: web.Response
) -> web.StreamResponse:
    content = answer.body if isinstance(answer.body, bytes) else b""
    cut = web.StreamResponse(status=answer.status, headers=answer.headers)
    cut.content_length = len(content) + _MISSING
    await cut.prepare(request)
    await cut.write(content[: len(content) // 2])
    await break_off("truncated", request)
    return cut


def error_answer(fault: str) -> Answer:
    """Return what a broken server answers, or what stands in front of it."""
    if fault == "json500":
        described = "Внутренняя ошибка сервера."
        return ApiError(500, "internal_server_error", None, described).answer()
    status, title = _PAGES[fault]
    html = (
        f"<!DOCTYPE html>\r\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1></body></html>\r\n"
    )
    fields = (("Retry-After", "120"),) if status == 503 else ()
    return Answer(html.encode(), "text/html; charset=utf-8", status, fields)


def error_page(fault: str) -> web.Response:
    """Return the same as a response."""
    answer = error_answer(fault)
    headers = {"Content-Type": answer.content_type, **dict(answer.fields)}
    return web.Response(status=answer.status, body=answer.content, headers=headers)
