"""The sockets we accept on, plain and with TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.certificate import ServerCertificate
from proxy.config import Address
from proxy.issuing import CertificateFiles
from proxy.listeners import HANDSHAKE_TIME, Listener
from tests.certificates import made, trusting


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return made(tmp_path_factory.mktemp("tls"))


def context(files: CertificateFiles) -> ssl.SSLContext:
    return ServerCertificate(files.certificate, files.key).context


@asynccontextmanager
async def opened(listener: Listener) -> AsyncIterator[str]:
    await listener.open(Greeter)
    try:
        yield listener.url
    finally:
        listener.close()


async def greeting(port: int, tls: ssl.SSLContext | None) -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
    )
    try:
        return await reader.read()
    finally:
        writer.transport.abort()


async def test_an_https_address_speaks_tls(files: CertificateFiles) -> None:
    address = Address.parse("https://127.0.0.1:0")
    async with opened(Listener(address, "listen", context(files))) as url:
        assert url.startswith("https://127.0.0.1:")
        port = Address.parse(url).port

        assert await greeting(port, trusting(files)) == b"hello"


async def test_it_speaks_nothing_else(files: CertificateFiles) -> None:
    address = Address.parse("https://127.0.0.1:0")
    async with opened(Listener(address, "listen", context(files))) as url:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", Address.parse(url).port
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"hello" not in await reader.read()
        writer.close()


async def test_other_addresses_do_not_speak_it(files: CertificateFiles) -> None:
    async with opened(
        Listener(Address("127.0.0.1", 0), "listen", context(files))
    ) as url:
        assert url.startswith("http://127.0.0.1:")
        port = int(url.rpartition(":")[2])
        assert await greeting(port, None) == b"hello"


async def test_who_does_not_agree_on_tls_in_time_is_left(
    files: CertificateFiles,
) -> None:
    assert HANDSHAKE_TIME == 10
    address = Address.parse("https://127.0.0.1:0")
    listener = Listener(address, "listen", context(files), handshake_time=0.1)
    async with opened(listener) as url:
        silent = socket.create_connection(("127.0.0.1", Address.parse(url).port))
        silent.setblocking(False)
        with silent:
            got = await asyncio.get_running_loop().sock_recv(silent, 1)
    assert got == b""


def test_an_https_address_without_a_certificate_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no context"):
        Listener(Address.parse("https://127.0.0.1:0"), "listen")


async def test_a_socket_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    async with opened(Listener(Address("", 0, path), "listen")) as url:
        assert url == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
