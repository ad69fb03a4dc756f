"""What arrived is remembered byte for byte."""

import asyncio
import hashlib
import io

import aiohttp
from yarl import URL

from proxy.sandbox import Sandbox
from proxy.sandbox.records import Ring
from tests.sandbox.conftest import Patient


async def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """Send bytes and return all that comes until the connection ends."""
    url = URL(sandbox.api_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def authorization(patient: Patient) -> bytes:
    return f"Authorization: Bearer {patient.tokens['access_token']}\r\n".encode()


async def test_target_and_fields_are_kept_as_they_came(sandbox: Sandbox) -> None:
    await raw(
        sandbox,
        b"GET /api/v1/%70rofile//get?a=%2F+%7e&&a=|;b HTTP/1.1\r\n"
        b"hOsT: x\r\nx-Two: 1\r\nB: 2\r\nX-two: \xd0\xb6\xff\r\n"
        b"Connection: close\r\n\r\n",
    )

    [received] = sandbox.requests
    assert received.target == "/api/v1/%70rofile//get?a=%2F+%7e&&a=|;b"
    assert received.fields == [
        ("hOsT", "x"),
        ("x-Two", "1"),
        ("B", "2"),
        ("X-two", "ж\udcff"),
        ("Connection", "close"),
    ]
    assert received.values("X-TWO") == ["1", "ж\udcff"]
    assert (received.method, received.version, received.status) == ("GET", "1.1", 401)


async def test_content_is_kept_when_small_and_hashed_always(patient: Patient) -> None:
    small, large = "Привет".encode(), bytes(range(256)) * 1024
    for content in (small, large):
        async with patient.call("PURGE", "/none", data=io.BytesIO(content)):
            pass

    first, second = patient.sandbox.requests[-2:]
    assert (first.method, first.content) == ("PURGE", small)
    assert second.content is None
    assert second.content_length == len(large)
    assert second.content_sha256 == hashlib.sha256(large).hexdigest()
    assert second.complete


async def test_compressed_content_is_recorded_as_it_came(patient: Patient) -> None:
    headers = {"Content-Encoding": "gzip"}
    async with patient.call(
        "POST", "/api/v1/profile/update", data=b"\x1f\x8b no gzip", headers=headers
    ) as answer:
        assert answer.status == 400

    assert patient.sandbox.requests[-1].content == b"\x1f\x8b no gzip"


async def test_an_upload_that_breaks_off_is_incomplete(patient: Patient) -> None:
    url = URL(patient.sandbox.api_url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        b"POST /api/v1/profile/update HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
        + authorization(patient)
        + b"\r\n{"
    )
    while patient.sandbox.requests[-1].content != b"{":
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    await patient.get("/api/v1/profile/get")

    assert not patient.sandbox.requests[-2].complete
    assert patient.sandbox.requests[-2].status is None


async def test_the_oldest_are_forgotten() -> None:
    ring: Ring[int] = Ring(3)
    for number in range(5):
        ring.append(number)

    assert ring == [2, 3, 4]


async def test_a_repeated_authorization_is_no_authorization(patient: Patient) -> None:
    field = authorization(patient)
    head = b"GET /api/v1/profile/get HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

    once = await raw(patient.sandbox, head + field + b"\r\n")
    twice = await raw(patient.sandbox, head + field + field + b"\r\n")

    assert once.startswith(b"HTTP/1.1 200 ")
    assert twice.startswith(b"HTTP/1.1 401 ")


async def test_absolute_form_is_served(patient: Patient) -> None:
    answer = await raw(
        patient.sandbox,
        b"GET http://x/api/v1/profile/get HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + authorization(patient)
        + b"\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert patient.sandbox.requests[-1].target == "http://x/api/v1/profile/get"


async def test_a_client_that_expects_100_is_invited_to_go_on(patient: Patient) -> None:
    async with patient.call(
        "POST", "/api/v1/profile/update", json={"city": "Томск"}, expect100=True
    ) as answer:
        assert answer.status == 200
        assert (await answer.json())["item"]["city"] == "Томск"


async def test_who_is_refused_is_not_invited(sandbox: Sandbox) -> None:
    answer = await raw(
        sandbox,
        b"POST /api/v1/media/add HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
    )

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_large_upload_is_refused_before_it_has_come(
    stranger: Patient,
) -> None:
    async def endless() -> object:
        for _ in range(4):
            yield bytes(1024 * 1024)

    async with stranger.call("POST", "/api/v1/media/add", data=endless()) as answer:
        assert answer.status == 401
    assert stranger.sandbox.requests[-1].content_length == 0


async def test_http_1_0_is_answered(patient: Patient) -> None:
    answer = await raw(
        patient.sandbox,
        b"GET /api/v1/media/get/stream-1m HTTP/1.0\r\n"
        + authorization(patient)
        + b"\r\n",
    )

    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert len(content) == 1024 * 1024


async def test_https_is_spoken_when_asked_for(
    tls: tuple[object, object], session: aiohttp.ClientSession
) -> None:
    server, client = tls
    async with Sandbox(announce=lambda _: None, ssl_context=server) as sandbox:  # type: ignore[arg-type]
        assert sandbox.api_url.startswith("https://127.0.0.1:")
        assert sandbox.auth_url.startswith("https://")
        assert sandbox.control_url.startswith("http://")
        url = f"{sandbox.api_url}/api/v1/profile/get"
        async with session.get(url, ssl=client) as answer:  # type: ignore[arg-type]
            assert answer.status == 401
