"""The upstream connection alone, on a transport that notes what it is told."""

import asyncio

from proxy.forward.connection import UpstreamConnection


class NotingTransport(asyncio.Transport):
    """Takes what is written, and knows whether reading goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return False


async def test_reading_goes_on_after_a_client_was_too_slow_for_the_last_piece() -> None:
    transport = NotingTransport()
    connection = UpstreamConnection(asyncio.get_running_loop())
    connection.connection_made(transport)
    connection.start("GET")
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    connection.relay_to(lambda _: connection.pause())
    connection.data_received(b"67890")
    assert connection.reusable
    assert transport.reading


async def test_nothing_pauses_a_connection_between_exchanges() -> None:
    transport = NotingTransport()
    connection = UpstreamConnection(asyncio.get_running_loop())
    connection.connection_made(transport)
    connection.pause()
    assert transport.reading
