"""The three calls of a login and its upkeep: each is sent once, whatever happens.

An SMS costs money and a refresh token may be good for one use only, so nothing here is
repeated by itself, redirected, or read without bound.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from proxy import __version__
from proxy.clock import Clock
from proxy.errors import (
    CooldownError,
    LoginError,
    ProxyError,
    UpstreamError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from proxy.oauth.late import issuer_of
from proxy.oauth.messages import (
    TokenPair,
    json_object,
    parse_token_response,
    password_body,
    readable,
    refresh_body,
)
from proxy.oauth.phone import Phone

logger = logging.getLogger(__name__)

VALIDATION_CODE_PATH = "api/v1/access/validation-code"
MAX_ANSWER = 64 * 1024
USER_AGENT = f"telemed-proxy/{__version__}"

# The statuses by which the upstream blames the number, not itself.
_NUMBER_REFUSED = frozenset({400, 409, 422})


@asynccontextmanager
async def open_session(
    *,
    ssl_context: ssl.SSLContext | None = None,
    connect_timeout: float = 10.0,
    response_timeout: float = 100.0,
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the session that the OAuth calls go through."""
    connector = aiohttp.TCPConnector(
        ssl=True if ssl_context is None else ssl_context,
        # Calls are rare, so a kept connection would be a stale one; and on a fresh
        # one a failure to connect is known to be just that.
        force_close=True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # no login may leak into the next one
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        # Answers are small; unasked for, nobody compresses them to inflate beyond.
        skip_auto_headers=("Accept-Encoding",),
        timeout=aiohttp.ClientTimeout(
            # The total covers what the other two do not: DNS, and an answer that
            # drips in for ever.
            total=connect_timeout + response_timeout,
            sock_connect=connect_timeout,
            sock_read=response_timeout,
        ),
    ) as session:
        yield session


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    retry_after: str | None


class Endpoints:
    """The SMS call of the API, and the token endpoint of the authorization server.

    `session` comes from `open_session`; `proxy` is the URL of an egress proxy.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: URL,
        auth_url: URL,
        client_id: str,
        clock: Clock,
        proxy: str | URL | None = None,
    ) -> None:
        self.issuer = issuer_of(api_url, auth_url)
        self._session = session
        self._validation_code_url = api_url / VALIDATION_CODE_PATH
        self._token_url = auth_url / "token"
        self._client_id = client_id
        self._clock = clock
        self._proxy = proxy
        self.skew: float | None = None
        """How many seconds the upstream's clock is ahead, by its last answer."""

    async def send_validation_code(self, phone: Phone) -> None:
        """Have an SMS with a validation code sent to `phone`.

        Raises:
            LoginError: the upstream refuses the number; `CooldownError`: too often.
            UpstreamError: it did not do it, or that is unknown.
        """
        answer = await self._send(
            "GET",
            self._validation_code_url.with_query(
                code=phone.country_code, number=phone.number
            ),
        )
        if not 200 <= answer.status < 300:
            raise _code_refused(answer, self._clock())

    async def password(self, phone: Phone, validation_code: str) -> TokenPair:
        """Exchange a validation code for a token pair.

        Raises:
            TokenRefusedError: most likely the code is wrong.
            UpstreamError: there is no usable answer.
        """
        # Built in a thread: the first time imports oauthlib, which takes 80 ms, and
        # the same loop forwards requests.
        body = await asyncio.to_thread(
            password_body,
            client_id=self._client_id,
            username=phone.username,
            validation_code=validation_code,
        )
        return await self._token(body, secret=validation_code)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair.

        The answer may have no refresh token: then this one stays valid.

        Raises:
            TokenRefusedError: this refresh token is dead.
            UpstreamError: there is no usable answer; the token may be spent or not.
        """
        body = await asyncio.to_thread(
            refresh_body, client_id=self._client_id, refresh_token=refresh_token
        )
        return await self._token(body, secret=refresh_token)

    async def _token(self, body: str, *, secret: str) -> TokenPair:
        # The lifetime counts from before the call: late by its length at most, where
        # counting from after it could have us use a token that has ended.
        asked_at = self._clock()
        answer = await self._send("POST", self._token_url, body)
        pair = parse_token_response(
            answer.status, answer.body, asked_at, secrets=(secret,)
        )
        for oddity in pair.odd:
            logger.warning("token answer accepted, although %s", oddity)
        return pair

    async def _send(self, method: str, url: URL, form: str | None = None) -> _Answer:
        fields = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        with _upstream_errors(url):
            async with self._session.request(
                method,
                url,
                data=form and form.encode("ascii"),
                headers=fields,
                # A redirect would take the token to a place nobody configured.
                allow_redirects=False,
                proxy=self._proxy,
                middlewares=(_once,),
            ) as response:
                self._note_time(response.headers.get("Date", ""))
                return _Answer(
                    status=response.status,
                    body=await _bounded(response.content),
                    retry_after=response.headers.get("Retry-After"),
                )

    def _note_time(self, date: str) -> None:
        with suppress(ValueError):
            self.skew = parsedate_to_datetime(date).timestamp() - self._clock()


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep ClientSession from sending an idempotent request a second time.

    It does so when the connection breaks off before an answer, even on a fresh one,
    but only for its own two exceptions.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, TimeoutError):
        raise  # never sent again
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise _incomplete(request.url) from exc


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            # Cut, so that JSON in it is not taken for whole.
            return bytes(body[:MAX_ANSWER])
    return bytes(body)


@contextmanager
def _upstream_errors(url: URL) -> Iterator[None]:
    """Turn aiohttp's exceptions into ours, here and nowhere else in `oauth`."""
    try:
        yield
    except TimeoutError as exc:  # first: aiohttp's timeouts are ClientErrors too
        connecting = isinstance(exc, aiohttp.ConnectionTimeoutError)
        raise UpstreamTimeoutError(
            f"{url.host} did not {'accept a connection' if connecting else 'answer'} "
            "in time",
            proxy_error="connection_timeout" if connecting else None,
        ) from exc
    except aiohttp.ClientError as exc:
        raise _translated(exc, url) from exc


def _translated(exc: aiohttp.ClientError, url: URL) -> ProxyError:
    match exc:
        case aiohttp.ClientConnectorDNSError():
            why, error = "its name is not known (DNS)", "dns_error"
        case aiohttp.ClientConnectorCertificateError():
            why, error = "its certificate is not trusted", "tls_certificate_error"
        case aiohttp.ClientSSLError():
            why, error = "TLS failed", "tls_protocol_error"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            why, error = "the egress proxy did not let us", "destination_unavailable"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            why, error = "the connection was refused", "connection_refused"
        case aiohttp.ClientConnectorError():
            why = readable(exc.os_error.strerror) or "no connection"
            error = "destination_unavailable"
        case _:
            return _incomplete(url)
    value = {"dns_error": "dns", "connection_refused": "refused"}.get(
        error, "tls" if error.startswith("tls") else None
    )
    return UpstreamUnreachableError(
        f"{url.host} cannot be reached: {why}", value=value, proxy_error=error
    )


def _incomplete(url: URL) -> UpstreamIncompleteError:
    return UpstreamIncompleteError(f"{url.host} broke off before a whole HTTP answer")


def _code_refused(answer: _Answer, now: float) -> ProxyError:
    """Return the error for an SMS call that was answered with anything but 2xx."""
    error = json_object(answer.body) or {}
    told = readable(error.get("description")) or readable(
        answer.body.decode("utf-8", "replace")
    )
    said = f": {told}" if told else ""
    if answer.status == 429 or error.get("type") == "limit_exceeded":
        return CooldownError(
            f"the upstream sends no more validation codes for now{said}",
            retry_after=_seconds(answer.retry_after, now),
        )
    if answer.status in _NUMBER_REFUSED:
        return LoginError(f"the upstream refuses this number{said}")
    return UpstreamError(
        f"the validation code call was answered with {answer.status}{said}",
        value="validation_code",
    )


def _seconds(retry_after: str | None, now: float) -> int | None:
    """Return the seconds in a Retry-After field, which may also be a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return int(retry_after.strip()[:9])
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if when.tzinfo is None:  # "-0000": UTC, by RFC 5322
        when = when.replace(tzinfo=UTC)
    return max(0, round((when - datetime.fromtimestamp(now, UTC)).total_seconds()))
