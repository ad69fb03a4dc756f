"""What was found by trying, each as its smallest case."""

import asyncio

import pytest

from proxy.forward.fields import RESPONSE_NOTED, relayed_lines
from proxy.http1.head import is_hopeless, parse_response
from tests.fuzz.readings import aiohttp_responses
from tests.fuzz.strategies import SMUGGLED
from tests.fuzz.test_exchange import Answer, Origin, attack, between, read_to_end
from tests.fuzz.test_legs import listen

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_line_ends_that_are_apart_are_not_one() -> None:
    assert is_hopeless(b"HTTP/1.1 200 OK\r\nX: y\r\tZ: z\n")
    assert not is_hopeless(b"HTTP/1.1 200 OK\r\nX: y\r")


async def test_content_that_cannot_come_any_more_is_not_awaited() -> None:
    """The client ended its side before the request, which came early, had its turn."""
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\nok"
    await attack(GET + post, [], hasty=False)


async def test_the_end_of_a_client_that_has_ended_is_not_awaited() -> None:
    """A refusal lingers for what still comes: here nothing can."""
    listener = await listen([GET + b"(\r\n\r\n"], patient=False, rest=0)
    assert listener.refused
    assert listener.ended


@pytest.mark.parametrize("space", [b"\t", b" \t"], ids=["tab", "space and tab"])
def test_the_coding_is_relayed_as_every_client_reads_it(space: bytes) -> None:
    """Node.js, too, has llhttp: after a tab it takes chunks for the content."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + space
    lines = relayed_lines(parse_response(head, RESPONSE_NOTED))
    relayed = b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b"2\r\nok\r\n0\r\n\r\n"))
    [message] = aiohttp_responses(b"GET", [relayed]).messages
    assert message.content == b"ok"


async def test_what_was_meant_for_a_tunnel_is_no_request() -> None:
    """A refused CONNECT is its connection's last request (RFC 9931, for RFC 9112)."""
    answer = Answer([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
    origin = Origin(lambda *_: answer)
    async with asyncio.timeout(10), between(origin) as (_, client):
        await client.send(b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n")
        await client.send(SMUGGLED)
        client.writer.write_eof()
        await read_to_end(client)
    assert origin.requests == []
