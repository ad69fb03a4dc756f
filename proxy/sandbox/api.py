"""The fake partner API on a socket: record, authorize, read, call, answer."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aiohttp import web

from proxy.sandbox.answers import (
    Answer,
    ApiError,
    StreamAnswer,
    bad_argument,
    json_answer,
    limit_exceeded,
    not_found,
)
from proxy.sandbox.calls.call import Arguments, Call
from proxy.sandbox.content import AbandonedError, Content
from proxy.sandbox.data.world import World
from proxy.sandbox.faults import FAULTS_OF_CONNECTION, break_off, error_answer, spoil
from proxy.sandbox.records import REQUESTS_KEPT, ReceivedRequest, Ring
from proxy.sandbox.routes import VALIDATION_CODE, Route, find, normal_path
from proxy.sandbox.sms import SmsCentre, SmsLimitError
from proxy.sandbox.switches import Switches
from proxy.sandbox.tokens import TokenBook

_COMPRESS_FROM = 512
# Faults that lose the answer to work that is done; the others come before it.
_AFTER = {"slow", *FAULTS_OF_CONNECTION}
_HEAD = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Server": "Microsoft-IIS/10.0",
    "X-AspNet-Version": "4.0.30319",
    "X-Powered-By": "ASP.NET",
}


@dataclass(slots=True)
class PartnerApi:
    """Answers what the documentation describes, and records what arrives."""

    switches: Switches
    clock: Callable[[], float]
    world: World
    sms: SmsCentre
    tokens: TokenBook
    requests: Ring[ReceivedRequest] = field(default_factory=lambda: Ring(REQUESTS_KEPT))
    served: int = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        received = self._record(request)
        content = Content(request, received)
        raw_path, _, raw_query = request.raw_path.partition("?")
        path = normal_path(_origin_form(raw_path))
        await asyncio.sleep(self.switches.api_delay)
        is_sms = path.lower() == VALIDATION_CODE
        fault = self.switches.take("sms_fault" if is_sms else "api_fault")
        try:
            if fault is not None and fault not in _AFTER:
                await content.drain()
                answer: Answer | StreamAnswer = error_answer(fault)
            else:
                query = Arguments.from_query(raw_query)
                answer = await self._answer(request, path, query, content)
        except AbandonedError:
            return web.Response(status=400)
        received.status = answer.status
        return await self._send(request, answer, fault if fault in _AFTER else None)

    def _record(self, request: web.BaseRequest) -> ReceivedRequest:
        fields = [(_text(name), _text(value)) for name, value in request.raw_headers]
        version = "{}.{}".format(*request.version)
        received = ReceivedRequest(
            request.method, request.raw_path, version, fields, self.clock()
        )
        self.requests.append(received)
        return received

    async def _answer(
        self,
        request: web.BaseRequest,
        path: str,
        query: Arguments,
        content: Content,
    ) -> Answer | StreamAnswer:
        try:
            if path.lower() == VALIDATION_CODE:
                await content.drain()
                return self._validation_code(request, query)
            routes, arguments = find(path)
            if not routes:
                await content.drain()
                raise not_found("path", f"Адрес {path} не найден.")
            phone = self.tokens.holder(_bearer(request))
            if phone is None:
                return await self._reject(content)
            route = next((r for r in routes if r.method == _method(request)), None)
            if route is None:
                await content.drain()
                return _method_not_allowed(request.method, routes)
            body, parts = await content.read(route)
            patient = self.world.patient(phone)
            call = Call(
                self.world, patient, self.clock(), arguments, query, body, parts
            )
            return route.answer(call)
        except ApiError as error:
            return error.answer()

    def _validation_code(self, request: web.BaseRequest, query: Arguments) -> Answer:
        if request.method != "GET":
            raise bad_argument("method", "Используйте GET.")
        code, number = query.text("code"), query.text("number")
        if not _digits(code, 4) or not _digits(number, 14):
            described = "Код страны и номер записываются цифрами."
            raise bad_argument("number" if _digits(code, 4) else "code", described)
        try:
            self.sms.send(code, number)
        except SmsLimitError:
            described = "Слишком много СМС на этот номер. Попробуйте через час."
            raise limit_exceeded("sms", described) from None
        # The body of this answer is not documented.
        return Answer(b"")

    async def _reject(self, content: Content) -> Answer:
        # A small content is read first, a large one is refused before it has come.
        if content.is_small:
            await content.drain()
        if self.switches.reject_with == "403":
            described = "Токен недействителен или истёк."
            return ApiError(403, "oauth", "invalid_token", described).answer()
        return _message(
            401,
            "Authorization has been denied for this request.",
            ("WWW-Authenticate", "Bearer"),
        )

    async def _send(
        self,
        request: web.BaseRequest,
        answer: Answer | StreamAnswer,
        fault: str | None,
    ) -> web.StreamResponse:
        if fault == "slow":
            await asyncio.sleep(self.switches.slow_seconds)
        if isinstance(answer, StreamAnswer):
            return await self._stream(request, answer, fault)
        response = self._response(request, answer)
        if fault in (None, "slow"):
            return response
        return await spoil(str(fault), request, response)

    def _response(self, request: web.BaseRequest, answer: Answer) -> web.Response:
        body = answer.content
        response = web.Response(status=answer.status, headers=answer.fields)
        if answer.content or answer.status != 200:
            response.headers["Content-Type"] = answer.content_type
        if answer.compressible:
            response.headers["Vary"] = "Accept-Encoding"
            if len(body) >= _COMPRESS_FROM and _takes_gzip(request):
                body = gzip.compress(body, compresslevel=5, mtime=0)
                response.headers["Content-Encoding"] = "gzip"
        response.body = body
        self._dress(request, response)
        return response

    async def _stream(
        self, request: web.BaseRequest, answer: StreamAnswer, fault: str | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=answer.fields)
        response.headers["Content-Type"] = answer.content_type
        if answer.with_length:
            response.content_length = answer.size
        self._dress(request, response)
        await response.prepare(request)
        sent = 0
        for chunk in () if request.method == "HEAD" else answer.chunks():
            if fault in FAULTS_OF_CONNECTION and sent * 2 >= answer.size:
                await break_off(str(fault), request)
                break
            try:
                await response.write(chunk)
            except ConnectionError:
                break
            sent += len(chunk)
        return response

    def _dress(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Add the fields that such a server sends with everything."""
        self.served += 1
        number = hashlib.blake2s(b"%d" % self.served, digest_size=16)
        response.headers.update(_HEAD)
        response.headers["X-Request-Id"] = number.hexdigest()
        if "ARRAffinity" in request.headers.get("Cookie", ""):
            return
        # Azure's load balancer sends its cookie twice, for old and new browsers.
        host = request.host.rpartition(":")[0] or request.host
        for name, more in (
            ("ARRAffinity", ""),
            ("ARRAffinitySameSite", "SameSite=None;"),
        ):
            cookie = f"{name}=7f1c{self.world.seed:08x};Path=/;HttpOnly;{more}Secure;"
            response.headers.add("Set-Cookie", f"{cookie}Domain={host}")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _origin_form(target: str) -> str:
    """Return the path of `target`, which may be in absolute-form."""
    if target.startswith("/"):
        return target
    return "/" + target.partition("://")[2].partition("/")[2]


def _method(request: web.BaseRequest) -> str:
    return "GET" if request.method == "HEAD" else request.method


def _bearer(request: web.BaseRequest) -> str:
    """Return the one bearer token; none when the field is missing or repeated."""
    values = request.headers.getall("Authorization", [])
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token if scheme.lower() == "bearer" else ""


def _takes_gzip(request: web.BaseRequest) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "").lower()


def _digits(text: str, longest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= longest


def _method_not_allowed(method: str, routes: list[Route]) -> Answer:
    allowed = ", ".join(sorted({route.method for route in routes}))
    text = f"The requested resource does not support http method '{method}'."
    return _message(405, text, ("Allow", allowed))


def _message(status: int, text: str, *fields: tuple[str, str]) -> Answer:
    """Return an answer in the framework's own shape, which is not the API's."""
    answer = json_answer({"message": text}, status=status)
    return replace(answer, fields=fields)
