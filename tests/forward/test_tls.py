"""TLS to the upstream is verified; an egress proxy is only a pipe."""

import asyncio
import os
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from proxy.app import tls_context
from proxy.config import UpstreamConfig
from proxy.errors import ConfigError
from proxy.forward.dial import Origin
from proxy.forward.pool import PoolLimits
from tests.forward.rig import Peer, answer, rig, settled


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def serve(peer: Peer) -> None:
    while True:
        await peer.read_message()
        await peer.send(answer(b"x" * 300_000))


async def test_ca_file_is_trusted(authority: trustme.CA, ca_file: Path) -> None:
    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with rig(serve, serve_tls=served, tls=context, host="localhost") as it:
        for _ in range(3):
            assert (await it.get()).endswith(b"x" * 300_000)
        assert it.upstream.connections == 1


@pytest.mark.parametrize(
    ("name", "trusted"),
    [("localhost", False), ("other.test", True)],
    ids=["unknown authority", "another name"],
)
async def test_another_certificate_is_refused(
    authority: trustme.CA, ca_file: Path, name: str, trusted: bool
) -> None:
    context = tls_context(UpstreamConfig(ca_file=ca_file if trusted else None))
    served = server_context(authority, name)
    async with rig(serve, serve_tls=served, tls=context, host="localhost") as it:
        got = await it.get()
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"error=tls_certificate_error" in got
    assert b"upstream.ca_file" in got


async def test_a_server_without_tls_is_told_apart(ca_file: Path) -> None:
    async def plain(peer: Peer) -> None:
        await peer.reader.read(10)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    async with rig(plain, tls=context, host="localhost") as it:
        got = await it.get()
    assert b"error=tls_protocol_error" in got


@pytest.mark.parametrize("in_order", [True, False], ids=["ended", "cut"])
async def test_content_that_ends_with_tls_is_told_from_content_that_was_cut(
    authority: trustme.CA, ca_file: Path, in_order: bool
) -> None:
    relayed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await relayed.wait()
        if in_order:
            peer.writer.close()
            await peer.writer.wait_closed()
        else:  # the TCP connection ends, and TLS on it does not
            descriptor = peer.writer.get_extra_info("socket").fileno()
            with socket.socket(fileno=os.dup(descriptor)) as same:
                same.shutdown(socket.SHUT_WR)
            await peer.gone()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with (
        rig(script, serve_tls=served, tls=context, host="localhost") as it,
        it.client() as client,
    ):
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.read_head()
        assert await client.reader.readexactly(5) == b"hello"
        relayed.set()
        if in_order:
            assert await client.reader.read() == b""
        else:
            with pytest.raises(ConnectionResetError):
                await client.reader.read()


async def test_a_cut_tls_answer_is_cut_visibly(
    authority: trustme.CA, ca_file: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        peer.reset()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with rig(script, serve_tls=served, tls=context, host="localhost") as it:
        got = await it.get()
        assert (await it.exchange()).error is not None
    assert not got.endswith(b"helloworld")


async def test_an_abandoned_tls_transfer_stops(
    authority: trustme.CA, ca_file: Path
) -> None:
    stopped = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        try:
            while not peer.writer.is_closing():
                await peer.send(bytes(100_000))
                await asyncio.sleep(0)
        finally:
            stopped.set()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with rig(script, serve_tls=served, tls=context, host="localhost") as it:
        async with it.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await client.read_head()
        await stopped.wait()


@pytest.mark.parametrize("content", ["", "not a certificate"], ids=["empty", "other"])
def test_a_useless_ca_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"upstream\.ca_file: .*ca\.pem"):
        tls_context(UpstreamConfig(ca_file=path))


class TestEgressProxy:
    async def test_the_pipe_carries_tls_end_to_end(
        self, authority: trustme.CA, ca_file: Path
    ) -> None:
        asked = []

        async def egress(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            there, back = await asyncio.open_connection("127.0.0.1", upstream_port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(pump(reader, back), pump(there, writer))
            writer.transport.abort()

        context = tls_context(UpstreamConfig(ca_file=ca_file))
        served = server_context(authority, "api.test")
        proxy = await asyncio.start_server(egress, "127.0.0.1", 0)
        egress_port = proxy.sockets[0].getsockname()[1]
        origin = Origin("api.test", 443, context, ("127.0.0.1", egress_port))
        async with rig(serve, serve_tls=served, origin=origin) as it:
            upstream_port = it.upstream_port
            assert (await it.get()).endswith(b"x" * 300_000)
            assert (await it.get()).endswith(b"x" * 300_000)
            assert it.upstream.connections == 1
        proxy.close()
        assert asked == [b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n"]

    @pytest.mark.parametrize(
        "reply",
        [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b""],
        ids=["refuses", "closes"],
    )
    async def test_its_refusal_is_told(self, reply: bytes) -> None:
        async def egress(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            writer.close()

        proxy = await asyncio.start_server(egress, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        context = tls_context(UpstreamConfig())
        origin = Origin("api.test", 443, context, ("127.0.0.1", port))
        async with rig(serve, origin=origin) as it:
            got = await it.get()
        proxy.close()
        assert got.startswith(b"HTTP/1.1 502 ")
        assert b'"value": "egress_proxy"' in got


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_what_a_slow_reader_leaves_stays_with_the_upstream(
    authority: trustme.CA, ca_file: Path
) -> None:
    size, sent = 64 * 1024 * 1024, 0
    content = os.urandom(1024 * 1024)

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.read_message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(content)):
            await peer.send(content)
            sent += len(content)
        await peer.gone()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with (
        rig(script, serve_tls=served, tls=context, host="localhost") as it,
        it.client() as client,
    ):
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.read_head()
        assert await settled(lambda: sent) < size / 2
        for _ in range(size // len(content)):
            assert await client.reader.readexactly(len(content)) == content


async def test_an_upload_that_the_upstream_takes_slowly_arrives_whole(
    authority: trustme.CA, ca_file: Path
) -> None:
    content = os.urandom(16 * 1024 * 1024)
    go_on = asyncio.Event()
    got = b""

    async def script(peer: Peer) -> None:
        nonlocal got
        await peer.read_head()
        await go_on.wait()
        got = await peer.reader.readexactly(len(content))
        await peer.send(answer())
        await peer.gone()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with (
        rig(script, serve_tls=served, tls=context, host="localhost") as it,
        it.client() as client,
    ):
        client.writer.write(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
            % (len(content), content)
        )
        waits = client.writer.transport.get_write_buffer_size
        assert await settled(waits)  # it is made to wait
        go_on.set()
        assert (await client.read_message()).endswith(b"ok")
    assert got == content


async def test_an_upstream_that_never_shakes_hands_is_given_up(ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    limits = PoolLimits(connect_timeout=0.2)
    async with rig(script, tls=context, host="localhost", limits=limits) as it:
        got = await it.get()
    assert got.startswith(b"HTTP/1.1 504 ")
    assert b"error=connection_timeout" in got


async def test_what_the_upstream_says_after_its_answer_ends_the_connection(
    authority: trustme.CA, ca_file: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_message()
        await peer.send(answer() + b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await peer.gone()

    context = tls_context(UpstreamConfig(ca_file=ca_file))
    served = server_context(authority, "localhost")
    async with rig(script, serve_tls=served, tls=context, host="localhost") as it:
        for _ in range(2):
            assert (await it.get()).endswith(b"ok")
        assert it.upstream.connections == 2
