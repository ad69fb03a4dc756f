"""Programs that insist on https: the whole proxy behind a TLS listener."""

import asyncio
import io
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proxy.issuing import CertificateFiles
from tests.certificates import made, trusting
from tests.functional.house import House, house, sha256

PROFILE = "/api/v1/profile/get"


@asynccontextmanager
async def secure_house(
    folder: Path, *, admin: bool = False, **settings: Any
) -> AsyncIterator[tuple[House, CertificateFiles]]:
    """Run the proxy on an https and a plain address; the first is `url`."""
    files = made(folder / "tls")
    document = {
        "listen": ["https://127.0.0.1:0", "127.0.0.1:0"],
        "admin": {"listen": f"{'https://' if admin else ''}127.0.0.1:0"},
        "tls": {"certificate_file": files.certificate, "key_file": files.key},
        **settings,
    }
    async with house(folder, settings=document) as it:
        it.session.connector._ssl = trusting(files)  # type: ignore[union-attr]
        yield it, files


async def test_calls_pass_with_either_address(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, _):
        await it.log_in()
        assert it.url.startswith("https://127.0.0.1:")
        assert it.app.addresses[1].startswith("http://127.0.0.1:")

        for _ in range(3):
            assert await it.get() == 200
        async with it.session.get(it.app.addresses[1] + PROFILE) as answer:
            assert answer.status == 200
        assert (await it.status())["listen"][0] == it.url


async def test_who_does_not_trust_the_authority_does_not_connect(
    tmp_path: Path,
) -> None:
    async with secure_house(tmp_path) as (it, _):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await it.session.get(it.url + PROFILE, ssl=ssl.create_default_context())


async def test_content_crosses_whole_both_ways(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096 * 8  # 8 MiB
    async with secure_house(tmp_path) as (it, _):
        await it.log_in()
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(content), filename="scan.bin")
        async with it.session.post(it.url + "/api/v1/media/add", data=form) as answer:
            assert answer.status == 200, await answer.text()
            media = (await answer.json())["item"]["id"]
        async with it.session.get(it.url + f"/api/v1/media/get/{media}") as answer:
            assert sha256(await answer.read()) == sha256(content)


async def test_a_slow_reader_gets_everything(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, files):
        await it.log_in()
        reader, writer = await _connect(it, files, limit=64 * 1024)
        writer.write(
            b"GET /api/v1/media/get/sample-64m HTTP/1.1\r\n"
            b"Host: localhost\r\nConnection: close\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(0.3)
        got = 0
        while data := await reader.read(1024 * 1024):
            got += len(data)
            if got < 1024 * 1024:
                await asyncio.sleep(0.01)
        assert got == 64 * 1024 * 1024
        writer.transport.abort()


async def test_requests_on_one_connection_and_its_end(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, files):
        await it.log_in()
        reader, writer = await _connect(it, files)
        for last in (False, False, True):
            end = b"Connection: close\r\n" if last else b""
            writer.write(
                b"GET %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
                % (
                    PROFILE.encode(),
                    end,
                )
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            await reader.readexactly(length)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_a_new_certificate_is_taken_up_while_calls_run(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, files):
        await it.log_in()
        _, old = await _connect(it, files)
        before = old.get_extra_info("peercert")["serialNumber"]
        made(files.folder)
        async with asyncio.timeout(10):
            while True:
                await asyncio.sleep(0.2)
                _, new = await _connect(it, files)
                after = new.get_extra_info("peercert")["serialNumber"]
                new.transport.abort()
                if after != before:
                    break
        old.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await old.drain()
        assert await it.get() == 200
        old.transport.abort()


async def test_pages_of_the_listener_are_of_its_own_origin(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, _):
        await it.log_in()
        for origin, status in (
            (it.url, 200),
            (it.url.replace("https", "http"), 403),
            (it.app.addresses[1], 403),
        ):
            fields = {"Origin": origin}
            async with it.session.get(it.url + PROFILE, headers=fields) as answer:
                assert answer.status == status, origin


async def test_the_admin_listener_may_speak_it_too(tmp_path: Path) -> None:
    async with secure_house(tmp_path, admin=True) as (it, _):
        assert it.admin.startswith("https://127.0.0.1:")
        await it.log_in()
        same_site = {"Sec-Fetch-Site": "same-origin", "Origin": it.admin}
        async with it.session.post(
            it.admin + "/api/refresh", json={}, headers=same_site
        ) as answer:
            assert answer.status == 200
        plain = {**same_site, "Origin": it.admin.replace("https", "http")}
        async with it.session.post(
            it.admin + "/api/refresh", json={}, headers=plain
        ) as answer:
            assert answer.status == 403


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_with_the_authority(tmp_path: Path) -> None:
    async with secure_house(tmp_path) as (it, files):
        await it.log_in()
        upload = tmp_path / "upload"
        upload.write_bytes(b"x" * 3_000_000)
        for arguments in (
            [it.url + PROFILE],
            [it.url.replace("127.0.0.1", "localhost") + PROFILE],
            [it.url + "/api/v1/media/add", "-F", f"file=@{upload}"],
        ):
            curl = await asyncio.create_subprocess_exec(
                *("curl", "-sS", "--fail", "--noproxy", "*"),
                *("--cacert", str(files.authority), *arguments),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            said, failed = await curl.communicate()
            assert curl.returncode == 0, failed
            assert b'"item"' in said


async def _connect(
    it: House, files: CertificateFiles, limit: int = 2**20
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        "127.0.0.1",
        int(it.url.rpartition(":")[2]),
        ssl=trusting(files),
        server_hostname="localhost",
        limit=limit,
    )
