"""The calls through real sockets, against servers that misbehave."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
import trustme
from yarl import URL

from proxy.errors import (
    CooldownError,
    LoginError,
    ProxyError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from proxy.oauth.endpoints import MAX_ANSWER, Endpoints, open_session
from proxy.oauth.phone import Phone
from tests.clocks import MovedClock
from tests.oauth.fakes import PHONE, START

CLIENT_ID = "98483c47f17f4888b0bf695d1165062e"
TOKENS = (
    b'{"access_token": "A-token", "token_type": "bearer", '
    b'"expires_in": 1209599, "refresh_token": "R-token"}'
)

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: str, body: bytes = b"", *fields: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass
class RawServer:
    """Answers every request with the same bytes, and keeps what it received."""

    reply: bytes = b""
    then: Handler | None = None
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: URL = field(default_factory=URL)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            lengths = [
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            self.bodies.append(await reader.readexactly(sum(lengths)))
            writer.write(self.reply)
            if self.then:
                await self.then(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running(
    server: RawServer, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=ssl_context)
    port = listener.sockets[0].getsockname()[1]
    server.url = URL(f"{'https' if ssl_context else 'http'}://127.0.0.1:{port}")
    try:
        yield server
    finally:
        listener.close()


@asynccontextmanager
async def calling(
    url: URL,
    *,
    proxy: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    connect_timeout: float = 5,
    response_timeout: float = 5,
    clock: MovedClock | None = None,
) -> AsyncIterator[Endpoints]:
    async with open_session(
        ssl_context=ssl_context,
        connect_timeout=connect_timeout,
        response_timeout=response_timeout,
    ) as session:
        yield Endpoints(
            session,
            api_url=url,
            auth_url=url,
            client_id=CLIENT_ID,
            clock=clock or MovedClock(START),
            proxy=proxy,
        )


def fields_of(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:]
    return {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in lines if line)
    }


# -- what is sent ----------------------------------------------------------------


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "299 Odd"])
async def test_the_sms_call_is_the_documented_one_and_any_2xx_will_do(
    status: str,
) -> None:
    async with (
        running(RawServer(answer(status, b"<html>whatever</html>"))) as server,
        calling(server.url) as endpoints,
    ):
        await endpoints.send_validation_code(Phone("1", "1111111111"))

    [head] = server.heads
    assert head.startswith(
        b"GET /api/v1/access/validation-code?code=1&number=1111111111 HTTP/1.1\r\n"
    )
    fields = fields_of(head)
    assert fields["user-agent"].startswith("telemed-proxy/")
    assert not {"authorization", "cookie", "content-type"} & fields.keys()


async def test_the_password_grant_is_a_form_to_token() -> None:
    async with (
        running(
            RawServer(answer("200 OK", TOKENS, "Content-Type: text/html"))
        ) as server,
        calling(server.url) as endpoints,
    ):
        pair = await endpoints.password(PHONE, "7654")

    assert (pair.access_token, pair.refresh_token) == ("A-token", "R-token")
    assert pair.lifetime == 1209599
    assert pair.issued_at == START
    [head], [body] = server.heads, server.bodies
    assert head.startswith(b"POST /token HTTP/1.1\r\n")
    assert fields_of(head)["content-type"] == "application/x-www-form-urlencoded"
    assert (
        body
        == (
            f"grant_type=password&client_id={CLIENT_ID}&username=79161234567&password=7654"
        ).encode()
    )


async def test_a_lifetime_counts_from_before_the_call() -> None:
    """From after it, a slow call would have us use a token that has ended."""
    clock = MovedClock(1000.0)

    async def a_minute_passes(_: asyncio.StreamWriter) -> None:
        clock.advance(60)

    async with (
        running(RawServer(answer("200 OK", TOKENS), a_minute_passes)) as server,
        calling(server.url, clock=clock) as endpoints,
    ):
        pair = await endpoints.refresh("R-token")

    assert clock() == 1060
    assert (pair.issued_at, pair.expires_at) == (1000, 1000 + 1209599)


async def test_a_refresh_sends_the_client_id() -> None:
    async with (
        running(RawServer(answer("200 OK", TOKENS))) as server,
        calling(server.url) as endpoints,
    ):
        await endpoints.refresh("R+/= token")

    assert dict(parse_qsl(server.bodies[0].decode())) == {
        "grant_type": "refresh_token",
        "client_id": CLIENT_ID,
        "refresh_token": "R+/= token",
    }


async def test_hosts_under_a_path_are_kept() -> None:
    async with (
        running(RawServer(answer("200 OK", TOKENS))) as server,
        calling(server.url / "partner") as endpoints,
    ):
        await endpoints.refresh("R-token")
        await endpoints.send_validation_code(PHONE)

    assert server.heads[0].startswith(b"POST /partner/token ")
    assert server.heads[1].startswith(b"GET /partner/api/v1/access/validation-code?")


async def test_no_cookie_of_one_answer_is_sent_with_the_next_call() -> None:
    async with (
        running(RawServer(answer("200 OK", TOKENS, "Set-Cookie: a=b"))) as server,
        # By name: jars leave out the cookies of addresses.
        calling(server.url.with_host("localhost")) as endpoints,
    ):
        await endpoints.refresh("R-token")
        await endpoints.refresh("R-token")

    assert "cookie" not in fields_of(server.heads[1])


async def test_odd_answers_are_accepted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        running(RawServer(answer("200 OK", b'{"access_token": "A-token"}'))) as server,
        calling(server.url) as endpoints,
    ):
        await endpoints.refresh("R-token")

    assert "expires_in is missing" in caplog.text
    assert "A-token" not in caplog.text


# -- sent once -------------------------------------------------------------------

Call = Callable[[Endpoints], Awaitable[object]]

CALLS = [
    pytest.param(lambda it: it.send_validation_code(PHONE), id="sms"),
    pytest.param(lambda it: it.password(PHONE, "7654"), id="password"),
    pytest.param(lambda it: it.refresh("R-token"), id="refresh"),
]


async def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "server",
    [
        pytest.param(lambda: RawServer(b""), id="closed"),
        pytest.param(lambda: RawServer(b"", reset), id="reset"),
        pytest.param(lambda: RawServer(b"HTTP/1.1 200"), id="cut in the head"),
        pytest.param(
            lambda: RawServer(answer("200 OK", TOKENS)[:-5]), id="cut in the content"
        ),
        pytest.param(lambda: RawServer(b"SSH-2.0-OpenSSH\r\n\r\n"), id="not HTTP"),
    ],
)
async def test_a_broken_answer_is_told_and_nothing_is_sent_again(
    call: Call, server: Callable[[], RawServer]
) -> None:
    async with running(server()) as it, calling(it.url) as endpoints:
        with pytest.raises(UpstreamIncompleteError) as caught:
            await call(endpoints)

    assert len(it.heads) == 1
    assert "127.0.0.1" in caught.value.description


@pytest.mark.parametrize("call", CALLS)
async def test_calls_never_share_a_connection_that_may_be_stale(call: Call) -> None:
    """On one, nobody could tell a call that failed from one that never left."""
    async with (
        running(RawServer(answer("200 OK", TOKENS))) as server,
        calling(server.url) as endpoints,
    ):
        await call(endpoints)
        await call(endpoints)

    assert len(server.heads) == 2
    assert all(fields_of(head)["connection"] == "close" for head in server.heads)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 P"])
async def test_a_redirect_is_never_followed(call: Call, status: str) -> None:
    async with running(RawServer(answer("200 OK", TOKENS))) as elsewhere:
        there = f"Location: {elsewhere.url}/token"
        async with (
            running(RawServer(answer(status, b"", there))) as server,
            calling(server.url) as endpoints,
        ):
            with pytest.raises(UpstreamError, match="answered"):
                await call(endpoints)

    assert len(server.heads) == 1
    assert elsewhere.heads == []


# -- refusals --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (
            "400 Bad Request",
            '{"type": "bad_argument", "value": "n", "description": "Нет\\nтакого"}',
            LoginError,
            "the upstream refuses this number: Нет такого",
        ),
        ("422 U", '{"type": "bad_argument", "description": null}', LoginError,
         'refuses this number: {"type"'),
        ("409 Conflict", "busy", LoginError, "busy"),
        ("429 Too Many", "slow\x1b[2J down", CooldownError, "slow [2J down"),
        ("400 Bad Request", '{"type": "limit_exceeded"}', CooldownError, "no more"),
        ("403 Forbidden", '{"type": "forbidden", "description": "not you"}',
         UpstreamError, "403: not you"),
        ("404 Not Found", "<html>" + "x" * 9999, UpstreamError, "<html>xxx"),
        ("500 Oops", "", UpstreamError, "answered with 500"),
        ("503 Maintenance", "back \u0441oon", UpstreamError, "back \u0441oon"),
        ("304 Not Modified", "", UpstreamError, "answered with 304"),
    ],
)  # fmt: skip
async def test_whatever_refuses_an_sms_is_shown(
    status: str, body: str, error: type[ProxyError], told: str
) -> None:
    async with (
        running(RawServer(answer(status, body.encode()))) as server,
        calling(server.url) as endpoints,
    ):
        with pytest.raises(ProxyError) as caught:
            await endpoints.send_validation_code(PHONE)

    assert type(caught.value) is error
    assert told in caught.value.description
    assert len(caught.value.description) < 400
    assert "9161234567" not in caught.value.description


@pytest.mark.parametrize(
    ("field_", "seconds"),
    [
        ("Retry-After: 120", 120),
        ("Retry-After: Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Retry-After: Tue, 14 Nov 2023 22:14:20 -0000", 60),
        ("Retry-After: Mon, 13 Nov 2023 22:14:20 GMT", 0),
        ("Retry-After: soon", None),
        ("Retry-After: 99999999999999999999", 999999999),
        ("X: y", None),
    ],
)
async def test_a_limit_says_how_long_it_lasts(field_: str, seconds: int | None) -> None:
    async with (
        running(RawServer(answer("429 Too Many", b"", field_))) as server,
        calling(server.url) as endpoints,
    ):
        with pytest.raises(CooldownError) as caught:
            await endpoints.send_validation_code(PHONE)

    assert caught.value.retry_after == seconds


async def test_a_refusal_does_not_echo_what_was_sent() -> None:
    body = b'{"error": "invalid_grant", "error_description": "no R-token, code 7654"}'
    async with (
        running(RawServer(answer("400 Bad Request", body))) as server,
        calling(server.url) as endpoints,
    ):
        with pytest.raises(TokenRefusedError) as refresh:
            await endpoints.refresh("R-token")
        with pytest.raises(TokenRefusedError) as password:
            await endpoints.password(PHONE, "7654")

    assert "R-token" not in str(refresh.value)
    assert "7654" not in str(password.value)


async def test_an_endless_answer_is_cut() -> None:
    gone = asyncio.Event()

    async def pour(writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
                await writer.drain()
        finally:
            gone.set()

    endless = RawServer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", pour)
    async with running(endless) as server, calling(server.url) as endpoints:
        with pytest.raises(TokenAnswerError):
            await endpoints.refresh("R-token")
        await asyncio.wait_for(gone.wait(), 5)


async def test_an_answer_over_the_bound_is_not_taken_for_whole() -> None:
    long = TOKENS[:-1] + b" " * MAX_ANSWER + b"}"
    async with (
        running(RawServer(answer("200 OK", long))) as server,
        calling(server.url) as endpoints,
    ):
        with pytest.raises(TokenAnswerError):
            await endpoints.refresh("R-token")


# -- no connection, no time ------------------------------------------------------


async def stay(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(lambda: RawServer(b"", stay), id="no head"),
        pytest.param(
            lambda: RawServer(answer("200 OK", TOKENS)[:-5], stay), id="stuck"
        ),
        pytest.param(
            lambda: RawServer(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", drip),
            id="dripping",
        ),
    ],
)
@pytest.mark.parametrize("call", CALLS)
async def test_an_answer_that_does_not_come_times_out(
    call: Call, server: Callable[[], RawServer]
) -> None:
    async with (
        running(server()) as it,
        calling(it.url, connect_timeout=0.1, response_timeout=0.1) as endpoints,
    ):
        with pytest.raises(UpstreamTimeoutError) as caught:
            await call(endpoints)

    assert caught.value.proxy_error == "http_response_timeout"
    assert len(it.heads) == 1


async def test_a_connection_that_is_never_finished_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = URL(f"https://127.0.0.1:{silent.getsockname()[1]}")
        async with calling(url, connect_timeout=0.05) as endpoints:
            with pytest.raises(UpstreamTimeoutError) as caught:
                await endpoints.refresh("R-token")

    assert caught.value.proxy_error == "connection_timeout"


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("call", CALLS)
async def test_a_refused_connection_is_told(call: Call, closed_port: int) -> None:
    async with calling(URL(f"http://127.0.0.1:{closed_port}")) as endpoints:
        with pytest.raises(UpstreamUnreachableError, match="refused") as caught:
            await call(endpoints)

    assert caught.value.proxy_error == "connection_refused"


async def test_an_unknown_name_is_told() -> None:
    async with calling(URL("http://nowhere.invalid")) as endpoints:
        with pytest.raises(
            UpstreamUnreachableError, match=r"nowhere\.invalid"
        ) as caught:
            await endpoints.refresh("R-token")

    assert caught.value.proxy_error == "dns_error"


async def test_tls_is_verified_against_the_given_trust() -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with running(RawServer(answer("200 OK", TOKENS)), server_side) as server:
        async with calling(server.url, ssl_context=trusting) as endpoints:
            assert (await endpoints.refresh("R-token")).access_token == "A-token"
        async with calling(server.url) as endpoints:
            with pytest.raises(UpstreamUnreachableError, match="certificate") as caught:
                await endpoints.refresh("R-token")

    assert caught.value.proxy_error == "tls_certificate_error"
    assert len(server.heads) == 1


async def test_what_does_not_speak_tls_is_told() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with calling(URL(f"https://127.0.0.1:{port}")) as endpoints:
        with pytest.raises(UpstreamUnreachableError) as caught:
            await endpoints.refresh("R-token")
    listener.close()

    assert caught.value.proxy_error == "tls_protocol_error"


async def test_calls_go_through_the_egress_proxy() -> None:
    async with (
        running(RawServer(answer("200 OK", TOKENS))) as egress,
        calling(URL("http://auth.invalid"), proxy=str(egress.url)) as endpoints,
    ):
        await endpoints.refresh("R-token")

    assert egress.heads[0].startswith(b"POST http://auth.invalid/token HTTP/1.1\r\n")


async def test_an_egress_proxy_that_refuses_is_told_without_its_password(
    closed_port: int,
) -> None:
    async with running(RawServer(answer("403 Forbidden"))) as egress:
        refusing = str(egress.url.with_user("me").with_password("hush"))
        gone = f"http://me:hush@127.0.0.1:{closed_port}"
        for proxy in (refusing, gone):
            async with calling(URL("https://auth.invalid"), proxy=proxy) as endpoints:
                with pytest.raises(UpstreamUnreachableError, match="egress") as caught:
                    await endpoints.refresh("R-token")
            assert "hush" not in caught.value.description
