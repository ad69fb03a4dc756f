"""Strip first, add the credential last."""

import pytest

from proxy.forward.fields import (
    REQUEST_NOTED,
    RESPONSE_NOTED,
    came_through_us,
    forwards_left,
    keeps_alive,
    outbound_head,
    outbound_lines,
    relayed_lines,
    relayed_trailers,
    upgraded_as_wanted,
    upgrades,
    wants_trailers,
)
from proxy.http1.head import (
    RequestHead,
    ResponseHead,
    parse_request,
    parse_response,
    parse_trailers,
)

TOKEN = "upstream-token"


def request(*lines: bytes, line: bytes = b"GET /x HTTP/1.1") -> RequestHead:
    return parse_request(b"\r\n".join((line, *lines)), REQUEST_NOTED)


def response(*lines: bytes, status: bytes = b"200 OK") -> ResponseHead:
    return parse_response(b"\r\n".join((b"HTTP/1.1 " + status, *lines)), RESPONSE_NOTED)


def outbound(*lines: bytes, line: bytes = b"GET /x HTTP/1.1") -> list[bytes]:
    head = request(*lines, line=line)
    sent = outbound_head(
        head.method, head.target, b"api.test", outbound_lines(head, via=False), TOKEN
    )
    assert sent.endswith(b"\r\n\r\n")
    return sent[:-4].split(b"\r\n")


def test_the_head_is_request_line_host_fields_and_credential() -> None:
    assert outbound(b"Accept: */*") == [
        b"GET /x HTTP/1.1",
        b"Host: api.test",
        b"Accept: */*",
        b"Authorization: Bearer upstream-token",
    ]


def test_case_order_repeats_and_spaces_of_fields_are_kept() -> None:
    sent = [b"x-B: 2", b"X-a:1", b"x-B:  3 ", b"ACCEPT:", b"X-Name: \xc8\xec\xff"]
    assert outbound(*sent)[2:-1] == sent


@pytest.mark.parametrize(
    "name", [b"Authorization", b"authorization", b"AUTHORIZATION", b"aUtHoRiZaTiOn"]
)
def test_the_callers_authorization_never_arrives(name: bytes) -> None:
    head = outbound(name + b": Basic a", name + b": Bearer b")
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
        b"HTTP2-Settings",
        b"X-Proxy-Key",
        b"X-Proxy-Allow-Repeat",
        b"Host",
        b"Connection",
    ],
)
def test_what_is_for_this_hop_or_for_us_is_not_sent_on(name: bytes) -> None:
    assert len(outbound(name + b": something")) == 3


def test_what_connection_names_goes() -> None:
    head = outbound(b"X-Hop: 1", b"Connection: close, X-Hop", b"X-End: 2")
    assert head[2:-1] == [b"X-End: 2"]


@pytest.mark.parametrize(
    "name", [b"Authorization", b"Host", b"Content-Length", b"Content-Type", b"Cookie"]
)
def test_connection_cannot_take_away_what_the_message_needs(name: bytes) -> None:
    needed = [b"Content-Length: 4", b"Content-Type: text/plain", b"Cookie: a=b"]
    head = outbound(*needed, b"Connection: " + name)
    assert head[1:] == [
        b"Host: api.test",
        *needed,
        b"Authorization: Bearer upstream-token",
    ]


def test_chunked_content_is_announced_anew() -> None:
    head = outbound(b"X: 1", b"transfer-encoding: CHUNKED")
    assert head[2:-1] == [b"X: 1", b"Transfer-Encoding: chunked"]


def test_http_1_0_knows_no_expectations() -> None:
    expect = b"Expect: 100-continue"
    assert expect in outbound(expect)
    assert expect not in outbound(expect, line=b"GET /x HTTP/1.0")


def test_a_client_that_takes_trailers_gets_us_to_ask_for_them() -> None:
    wanted = [b"TE: trailers", b"Connection: TE"]
    assert outbound(b"TE: gzip;q=0.5, trailers")[2:-1] == wanted
    assert outbound(b"TE: gzip")[2:-1] == []
    assert outbound(b"TE: trailers", line=b"GET /x HTTP/1.0")[2:-1] == []
    assert not wants_trailers(request(b"TE: x-trailers"))


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ([b"Upgrade: websocket", b"Connection: keep-alive, Upgrade"], b"websocket"),
        ([b"Upgrade: a/1, h2c , b", b"Connection: upgrade"], b"a/1, b"),
        ([b"Upgrade: h2c", b"Connection: upgrade, HTTP2-Settings"], b""),
        ([b"Upgrade: HTTP/2.0", b"Connection: upgrade"], b""),
        ([b"Upgrade: websocket"], b""),
        ([b"Connection: upgrade"], b""),
    ],
    ids=["websocket", "several", "h2c", "HTTP/2.0", "unannounced", "to nothing"],
)
def test_an_upgrade_is_asked_for_anew(sent: list[bytes], wanted: bytes) -> None:
    assert upgrades(request(*sent)) == wanted
    lines = [b"Upgrade: " + wanted, b"Connection: Upgrade"] if wanted else []
    assert outbound(*sent)[2:-1] == lines


def test_http_1_0_cannot_upgrade() -> None:
    sent = (b"Upgrade: websocket", b"Connection: upgrade")
    assert upgrades(request(*sent, line=b"GET / HTTP/1.0")) == b""


@pytest.mark.parametrize(
    ("wanted", "answered", "fine"),
    [
        (b"websocket", b"WebSocket", True),
        (b"a, b", b"b", True),
        (b"a", b"b", False),
        (b"", b"a", False),
        (b"a", b"", False),
    ],
)
def test_only_a_wanted_protocol_is_switched_to(
    wanted: bytes, answered: bytes, fine: bool
) -> None:
    head = response(b"Upgrade: " + answered, status=b"101 Switching Protocols")
    assert upgraded_as_wanted(wanted, head) is fine


def test_a_101_without_upgrade_switches_to_nothing() -> None:
    assert not upgraded_as_wanted(b"a", response(status=b"101 X"))


def test_a_hop_is_counted_for_options_only() -> None:
    options = b"OPTIONS /x HTTP/1.1"
    assert outbound(b"max-forwards: 3", b"X: 1", line=options)[2:-1] == [
        b"Max-Forwards: 2",
        b"X: 1",
    ]
    for odd in (b"x", b"-1", b"1, x", b"", b"1" * 5000):
        odd = b"Max-Forwards: " + odd
        assert outbound(odd, line=options)[2:-1] == [odd]
    assert outbound(b"Max-Forwards: 3")[2:-1] == [b"Max-Forwards: 3"]


@pytest.mark.parametrize(
    ("count", "left"), [(b"0", 0), (b"007", 7), (b"3, 2", 2), (b"x", None), (b"", None)]
)
def test_hops_left(count: bytes, left: int | None) -> None:
    line = b"Max-Forwards: " + count
    assert forwards_left(request(line, line=b"OPTIONS / HTTP/1.1")) == left
    assert forwards_left(request(line)) is None


def test_via_is_added_after_the_others() -> None:
    theirs = b"Via: 1.0 fred, 1.1 p.example (telemed-proxy)"
    assert outbound_lines(request(theirs)) == [theirs, b"Via: 1.1 telemed-proxy"]
    old = request(line=b"GET / HTTP/1.0")
    assert outbound_lines(old) == [b"Via: 1.0 telemed-proxy"]


@pytest.mark.parametrize(
    ("via", "circles"),
    [
        (b"1.1 telemed-proxy", True),
        (b"1.0 fred, HTTP/1.1 Telemed-Proxy (x)", True),
        (b"1.1 fred (telemed-proxy)", False),
        (b"1.1 fred (a (b) \\), 1.1 telemed-proxy)", False),
        (b"1.1 telemed-proxy.example", False),
        (b"telemed-proxy", False),
        (b"", False),
    ],
)
def test_our_own_via_means_a_circle(via: bytes, circles: bool) -> None:
    assert came_through_us(via) is circles


@pytest.mark.parametrize(
    ("connection", "http10", "stays"),
    [
        (None, False, True),
        (None, True, False),
        (b"close", False, False),
        (b"X, Close", False, False),
        (b"keep-alive", True, True),
        (b"keep-alive, close", True, False),
        (b"closed", False, True),
    ],
)
def test_who_keeps_the_connection(
    connection: bytes | None, http10: bool, stays: bool
) -> None:
    seen = {} if connection is None else {b"connection": connection}
    assert keeps_alive(seen, http10=http10) is stays


def test_responses_keep_case_order_repeats_and_obs_text() -> None:
    upstream = [
        b"Set-Cookie: a=1",
        b"server:IIS",
        b"Set-Cookie: b=2",
        b"X-Name: " + "Имя".encode("cp1251"),
    ]
    assert relayed_lines(response(*upstream)) == upstream


def test_responses_lose_what_is_for_this_hop() -> None:
    upstream = [
        b"Connection: close, X-Hop",
        b"Keep-Alive: timeout=5",
        b"Trailer: X-T",
        b"Upgrade: h2c",
        b"Proxy-Authenticate: Basic",
        b"X-Hop: 1",
        b"Content-Length: 2",
    ]
    assert relayed_lines(response(*upstream)) == [b"Content-Length: 2"]


def test_trailers_are_announced_to_those_who_get_them() -> None:
    head = response(b"Trailer: X-T")
    assert relayed_lines(head, announced=True) == [b"Trailer: X-T"]


def test_connection_in_a_response_cannot_take_away_its_framing() -> None:
    head = response(b"Connection: content-length", b"Content-Length: 2")
    assert relayed_lines(head) == [b"Content-Length: 2"]


def test_what_has_no_content_has_no_framing() -> None:
    framing = (b"Content-Length: 5", b"Transfer-Encoding: chunked")
    assert relayed_lines(response(*framing, status=b"204 No Content")) == []
    assert relayed_lines(response(*framing, status=b"103 Early Hints")) == []
    assert relayed_lines(response(*framing, status=b"304 X")) == list(framing)


@pytest.mark.parametrize(
    "value",
    [
        b"Telemed-Proxy; error=proxy_internal_error",
        b'edge.example; hit, "telemed-proxy"',
        b"telemed-proxy",
        b"edge.example; details=telemed-proxy" + b"x" * 60_000,
    ],
)
def test_nobody_answers_in_our_name(value: bytes) -> None:
    assert relayed_lines(response(b"Proxy-Status: " + value)) == []


@pytest.mark.parametrize(
    "value",
    [
        b"edge.example; hit",
        b"telemed-proxy.example",
        b'edge; details="x, telemed-proxy; \\", telemed-proxy"',
    ],
)
def test_others_may_answer_in_theirs(value: bytes) -> None:
    line = b"Proxy-Status: " + value
    assert relayed_lines(response(line)) == [line]


def test_trailers_decide_nothing() -> None:
    section = b"X-Sum: 1\r\nContent-Length: 5\r\nSet-Cookie: a=1\r\nx-proxy-key: k"
    assert relayed_trailers(parse_trailers(section)) == [b"X-Sum: 1"]


@pytest.mark.parametrize(
    ("cookie", "sent"),
    [
        (b"Cookie: telemed-proxy-admin-8081=secret", []),
        (b"cookie:a=1; telemed-proxy-admin-8081=secret;b=2", [b"cookie: a=1;b=2"]),
        (b"Cookie:  a=1 ", [b"Cookie:  a=1 "]),
        (b"Cookie: ", [b"Cookie: "]),
    ],
)
def test_the_upstream_does_not_learn_the_admin_pages_cookie(
    cookie: bytes, sent: list[bytes]
) -> None:
    head = request(b"X: telemed-proxy-admin-", cookie)
    assert outbound_lines(head, via=False) == [b"X: telemed-proxy-admin-", *sent]
