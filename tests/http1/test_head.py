"""Start lines and fields: what is read, what is refused, and with which status."""

import pytest

from proxy.http1.errors import MalformedError
from proxy.http1.head import (
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEAD,
    MAX_METHOD,
    MAX_TARGET,
    RequestHead,
    check_beginning,
    check_host,
    check_target,
    elements,
    is_hopeless,
    parse_request,
    parse_response,
    parse_trailers,
    value_of,
)

NOTED = frozenset({b"host", b"a"})


def request(head: bytes) -> RequestHead:
    return parse_request(head, NOTED)


def test_a_request_is_read_as_it_is_written() -> None:
    head = request(b"PATCH /a?b HTTP/1.1\r\nHost:x\r\nX-Y: \xd0\x98 \r\nhOST:\t y ")
    assert (head.method, head.target, head.http10) == ("PATCH", b"/a?b", False)
    assert head.fields == [
        (b"host", b"Host:x"),
        (b"x-y", b"X-Y: \xd0\x98 "),
        (b"host", b"hOST:\t y "),
    ]
    assert head.seen == {b"host": b"x, y"}
    assert [value_of(field) for field in head.fields] == [b"x", b"\xd0\x98", b"y"]


@pytest.mark.parametrize(
    "method", [b"GET", b"PROPFIND", b"get", b"M-SEARCH", b"!#$%&'*+-.^_`|~09"]
)
def test_any_token_is_a_method(method: bytes) -> None:
    assert request(method + b" / HTTP/1.1").method == method.decode()


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/поиск?q=да".encode(), b"/%D0%BF%D0%BE%D0%B8%D1%81%D0%BA?q=%D0%B4%D0%B0"),
        ("/да%2f|+".encode("cp1251"), b"/%E4%E0%2f|+"),
        (b"/a%2Fb%7e;|\"<>{}\\^`'", b"/a%2Fb%7e;|\"<>{}\\^`'"),
    ],
)
def test_only_bytes_beyond_ascii_are_encoded(target: bytes, sent: bytes) -> None:
    assert request(b"GET %b HTTP/1.1" % target).target == sent


@pytest.mark.parametrize(
    ("version", "http10"), [(b"1.0", True), (b"1.1", False), (b"1.9", False)]
)
def test_a_higher_minor_version_is_the_highest_known(
    version: bytes, http10: bool
) -> None:
    assert request(b"GET / HTTP/" + version).http10 is http10


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET /  HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET\t/ HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET /a\tb HTTP/1.1",
        b"GET /a#b HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"G\xd0T / HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.10",
        b"GET / HTTP/01.1",
        b"GET / http/1.1",
        b"GET / HTTP/1.\xb2",
        b"GET /\x00 HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\r HTTP/1.1",
        b"GET / HTTP/1.1\n",
    ],
)
def test_every_other_request_line_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        request(line)
    assert caught.value.status == 400


NOT_FIELDS = [
    b"X",
    b": x",
    b"X : x",
    b"X\t: x",
    b" X: x",
    b"\tfolded",
    b"X(Y): x",
    b"X\xd0: x",
    b"Host",
    b"X: a\x00b",
    b"X: a\rb",
    b"X: a\nb",
    b"X: a\x0bb",
    b"X: a\x7fb",
    b"",
]


@pytest.mark.parametrize("line", NOT_FIELDS)
def test_what_is_no_field_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError):
        request(b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\nA: b" % line)
    with pytest.raises(MalformedError):
        parse_trailers(b"A: b\r\n%b" % line)


@pytest.mark.parametrize("line", [one for one in NOT_FIELDS if b":" not in one[1:3]])
def test_nor_is_it_one_in_a_response(line: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_response(b"HTTP/1.1 200 OK\r\n%b\r\nA: b" % line, NOTED)


def test_a_response_loses_the_space_before_a_colon() -> None:
    head = parse_response(b"HTTP/1.1 200 OK\r\nA \t: b\r\nB: c :d", NOTED)
    assert head.fields == [(b"a", b"A: b"), (b"b", b"B: c :d")]
    assert head.seen == {b"a": b"b"}
    with pytest.raises(MalformedError):
        parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\n folded : c", NOTED)


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_TARGET, None), (MAX_TARGET + 1, 414)]
)
def test_the_target_has_a_limit(size: int, status: int | None) -> None:
    line = b"GET /%b HTTP/1.1" % (b"x" * (size - 1))
    if status is None:
        assert len(request(line).target) == size
        return
    with pytest.raises(MalformedError) as caught:
        request(line)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ([b"A: %b" % (b"x" * (MAX_FIELD - 3))], True),
        ([b"A: %b" % (b"x" * (MAX_FIELD - 2))], False),
        ([b"A: b"] * MAX_FIELDS, True),
        ([b"A: b"] * (MAX_FIELDS + 1), False),
    ],
    ids=["longest", "too long", "most", "too many"],
)
def test_fields_have_limits(fields: list[bytes], fits: bool) -> None:
    head = b"\r\n".join((b"GET / HTTP/1.1", *fields))
    if fits:
        assert len(request(head).fields) == len(fields)
        return
    with pytest.raises(MalformedError) as caught:
        request(head)
    assert caught.value.status == 431


@pytest.mark.parametrize(
    "host",
    [b"a.example", b"a.example:8080", b"127.0.0.1:", b"[::1]:1", b"[fe80::1%25e]", b""],
)
def test_a_host_may_be(host: bytes) -> None:
    check_host(request(b"GET / HTTP/1.1\r\nHost: " + host))


@pytest.mark.parametrize(
    "fields",
    [
        b"A: b",
        b"Host: a\r\nHost: a",
        b"Host: a, b",
        b"Host: a b",
        b"Host: u@a",
        b"Host: a/b",
        b"Host: a?",
        b"Host: a:b",
        b"Host: a:1:2",
        b"Host: [::1",
        b"Host: \xd0\xb0",
        b"Host: http://a",
    ],
)
def test_a_host_may_not_be(fields: bytes) -> None:
    with pytest.raises(MalformedError):
        check_host(request(b"GET / HTTP/1.1\r\n" + fields))


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET http://a HTTP/1.1",
        b"GET HTTPS://a:1?b HTTP/1.1",
        b"CONNECT a:443 HTTP/1.1",
    ],
)
def test_a_target_has_a_form(line: bytes) -> None:
    check_target(request(line))


@pytest.mark.parametrize(
    "target",
    [b"*", b"a", b"a:443", b"?b", b"ftp://a/", b"http:///b", b"http:/a", b"%2F"],
)
def test_and_there_is_no_other(target: bytes) -> None:
    with pytest.raises(MalformedError):
        check_target(request(b"GET %b HTTP/1.1" % target))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /a\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: \x00", 400),
        (b"\x16\x03\x01", 400),
        (b"x" * (MAX_METHOD + 1) + b" / HTTP/1.1\r\n", 400),
        (b"GET /" + b"x" * (MAX_METHOD + MAX_TARGET), 414),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * MAX_FIELD, 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEAD // 6), 431),
    ],
    ids=["0.9", "NUL", "TLS", "method", "target", "field", "head"],
)
def test_a_bad_beginning_is_refused_before_its_end(data: bytes, status: int) -> None:
    with pytest.raises(MalformedError) as caught:
        check_beginning(data)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "data", [b"", b"G", b"GET / HTTP/1.1\r\n", b"A / HTTP/1.1\r\nX"]
)
def test_a_good_one_is_waited_for(data: bytes) -> None:
    check_beginning(data)


@pytest.mark.parametrize("cut", range(30))
def test_what_was_looked_at_is_not_looked_at_again(cut: int) -> None:
    good = b"GET / HTTP/1.1\r\nHost: a\r\nX: b"
    check_beginning(good[:cut])
    check_beginning(good, cut)
    for bad in (good.replace(b"\r", b""), good.replace(b"1.1", b"1.x")):
        assert refused(bad[:cut]) or refused(bad, cut)


def refused(data: bytes, new: int = 0) -> bool:
    try:
        check_beginning(data, new)
    except MalformedError:
        return True
    return False


def test_a_head_has_a_limit() -> None:
    field = b"A: " + b"x" * (MAX_HEAD // 8)
    with pytest.raises(MalformedError) as caught:
        request(b"\r\n".join((b"GET / HTTP/1.1", *[field] * 8)))
    assert caught.value.status == 431


def test_http_1_0_may_come_without_a_host() -> None:
    check_host(request(b"GET / HTTP/1.0"))


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, b"OK"),
        (b"HTTP/1.1 299 \xd0\x9e \t!", 299, b"\xd0\x9e \t!"),
        (b"HTTP/1.0 404 ", 404, b""),
        (b"HTTP/1.1 999", 999, b""),
    ],
)
def test_a_status_line_is_read(line: bytes, status: int, reason: bytes) -> None:
    head = parse_response(line, NOTED)
    assert (head.status, head.reason) == (status, reason)
    assert head.http10 is line.startswith(b"HTTP/1.0")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/2 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 2x0 OK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1",
        b"ICY 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 200 O\x00K",
        b"\r\nHTTP/1.1 200 OK",
    ],
)
def test_every_other_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_response(line, NOTED)


@pytest.mark.parametrize(
    "data", [b"", b"GET", b"GET /\r", b"GET / HTTP/1.1\r\nA: \t\xff"]
)
def test_a_beginning_may_become_a_head(data: bytes) -> None:
    assert not is_hopeless(data)


@pytest.mark.parametrize(
    "data", [b"\n", b"GET / HTTP/1.1\nA", b"\x16\x03", b"a\rb\r", b"\rG", b"\r\r"]
)
def test_a_beginning_may_be_hopeless(data: bytes) -> None:
    assert is_hopeless(data)


def test_made_up_names_are_not_kept_for_ever() -> None:
    for number in range(3000):
        head = request(b"GET / HTTP/1.1\r\nX-%d: a\r\nHost: b" % number)
        assert [name for name, _ in head.fields] == [b"x-%d" % number, b"host"]


def test_the_elements_of_a_list() -> None:
    assert elements(b"a, B ,,\tc") == [b"a", b"b", b"c"]
    assert elements(b"") == []
