"""Strip first, add the credential last."""

import pytest

from proxy.forward.fields import (
    outbound_head,
    relayed_lines,
    request_fields,
)

TOKEN = "upstream-token"


def relayed_fields(upstream: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    lines = [line.removesuffix(b"\r\n") for line in relayed_lines(upstream)]
    return [
        (name, value) for name, _, value in (line.partition(b": ") for line in lines)
    ]


def outbound(*fields: tuple[bytes, bytes], with_expect: bool = True) -> list[bytes]:
    head = outbound_head(
        b"GET",
        b"/x",
        b"api.test",
        request_fields(fields),
        TOKEN,
        with_expect=with_expect,
    )
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n")


def test_the_head_is_request_line_host_fields_and_credential() -> None:
    assert outbound((b"Accept", b"*/*")) == [
        b"GET /x HTTP/1.1",
        b"Host: api.test",
        b"Accept: */*",
        b"Authorization: Bearer upstream-token",
    ]


def test_case_order_and_repeats_of_fields_are_kept() -> None:
    sent = [(b"x-B", b"2"), (b"X-a", b"1"), (b"x-B", b"3"), (b"ACCEPT", b"")]
    assert outbound(*sent)[2:-1] == [b"x-B: 2", b"X-a: 1", b"x-B: 3", b"ACCEPT: "]


@pytest.mark.parametrize(
    "name", [b"Authorization", b"authorization", b"AUTHORIZATION", b"aUtHoRiZaTiOn"]
)
def test_the_callers_authorization_never_arrives(name: bytes) -> None:
    head = outbound((name, b"Basic a"), (name, b"Bearer b"))
    assert [line for line in head if line.lower().startswith(b"authorization")] == [
        b"Authorization: Bearer upstream-token"
    ]


@pytest.mark.parametrize(
    "name",
    [
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Proxy-Authorization",
        b"TE",
        b"Trailer",
        b"Upgrade",
        b"X-Proxy-Key",
        b"X-Proxy-Allow-Repeat",
        b"Host",
        b"Connection",
    ],
)
def test_what_is_for_this_hop_or_for_us_is_not_sent_on(name: bytes) -> None:
    assert len(outbound((name, b"something"))) == 3


def test_what_connection_names_goes() -> None:
    head = outbound(
        (b"X-Hop", b"1"), (b"Connection", b"close, X-Hop"), (b"X-End", b"2")
    )
    assert head[2:-1] == [b"X-End: 2"]


@pytest.mark.parametrize(
    "name", [b"Authorization", b"Host", b"Content-Length", b"Content-Type", b"Cookie"]
)
def test_connection_cannot_take_away_what_the_message_needs(name: bytes) -> None:
    head = outbound(
        (b"Content-Length", b"4"),
        (b"Content-Type", b"text/plain"),
        (b"Cookie", b"a=b"),
        (b"Connection", name),
    )
    assert head == [
        b"GET /x HTTP/1.1",
        b"Host: api.test",
        b"Content-Length: 4",
        b"Content-Type: text/plain",
        b"Cookie: a=b",
        b"Authorization: Bearer upstream-token",
    ]


def test_chunked_content_is_announced_anew() -> None:
    fields = request_fields([(b"Transfer-Encoding", b"chunked")])
    assert fields.chunked
    assert b"Transfer-Encoding: chunked" in outbound((b"Transfer-Encoding", b"chunked"))


def test_expect_stays_here_when_the_content_has_come() -> None:
    fields = (b"Expect", b"100-continue")
    assert b"Expect: 100-continue" in outbound(fields)
    assert b"Expect: 100-continue" not in outbound(fields, with_expect=False)


def test_responses_keep_case_order_repeats_and_obs_text() -> None:
    upstream = [
        (b"Set-Cookie", b"a=1"),
        (b"server", b"IIS"),
        (b"Set-Cookie", b"b=2"),
        (b"X-Name", "Имя".encode("cp1251")),
    ]
    assert relayed_fields(upstream) == upstream


def test_responses_lose_what_is_for_this_hop() -> None:
    upstream = [
        (b"Connection", b"close, X-Hop"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Trailer", b"X-T"),
        (b"Upgrade", b"h2c"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"X-Hop", b"1"),
        (b"Content-Length", b"2"),
    ]
    assert relayed_fields(upstream) == [(b"Content-Length", b"2")]


def test_connection_in_a_response_cannot_take_away_its_framing() -> None:
    upstream = [(b"Connection", b"content-length"), (b"Content-Length", b"2")]
    assert relayed_fields(upstream) == [(b"Content-Length", b"2")]


def test_nobody_answers_in_our_name() -> None:
    theirs = (b"Proxy-Status", b"edge.example; hit")
    ours = (b"Proxy-Status", b"Telemed-Proxy; error=proxy_internal_error")
    assert relayed_fields([theirs, ours]) == [theirs]
