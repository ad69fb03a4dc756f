"""Which web pages may call, and what they are answered."""

import pytest

from proxy.access.origins import Pages, cors_fields, preflight_fields
from proxy.config.network import parse_origin
from proxy.errors import AccessDeniedError

ALLOWED = "https://app.example:8443"
PAGES = Pages(
    map(parse_origin, [ALLOWED, "http://localhost:3000/", "chrome-extension://abcdef"])
)
HOST = b"127.0.0.1:8080"

# origin, Sec-Fetch-Site; the answer is the origin that gets CORS
PASSES = {
    "a program": (None, None, None),
    "typed into the address bar": (None, b"none", None),
    "a same-origin link": (None, b"same-origin", None),
    "a same-origin POST": (b"http://127.0.0.1:8080", b"same-origin", None),
    "an old browser's same-origin POST": (b"http://127.0.0.1:8080", None, None),
    "an allowed page": (ALLOWED.encode(), b"cross-site", ALLOWED),
    "an allowed page in an old browser": (ALLOWED.encode(), None, ALLOWED),
    "an allowed page on another port": (
        b"http://localhost:3000",
        b"same-site",
        "http://localhost:3000",
    ),
    "an allowed extension": (
        b"chrome-extension://abcdef",
        b"cross-site",
        "chrome-extension://abcdef",
    ),
}

REFUSED = {
    "a simple cross-site POST": (b"https://evil.example", b"cross-site"),
    "a cross-site image": (None, b"cross-site"),
    "another port of this machine": (b"http://127.0.0.1:9000", b"same-site"),
    "another port, in an old browser": (b"http://127.0.0.1:9000", None),
    "a link from another site": (None, b"same-site"),
    "a sandboxed frame": (b"null", b"cross-site"),
    "a file on disk": (b"null", None),
    "null that claims to be same-origin": (b"null", b"same-origin"),
    "https where we speak http": (b"https://127.0.0.1:8080", None),
    "another name of ours": (b"http://localhost:8080", None),
    "an allowed origin as a prefix": (b"https://app.example:84430", b"cross-site"),
    "an allowed origin as a subdomain": (
        b"https://app.example.evil.example:8443",
        b"cross-site",
    ),
    "an allowed host with another port": (b"https://app.example", b"cross-site"),
    "an allowed host with another scheme": (
        b"http://app.example:8443",
        b"cross-site",
    ),
    "an allowed origin with a path": (b"https://app.example:8443/x", b"cross-site"),
    "an allowed origin with a user": (
        b"https://app.example:8443@evil.example",
        b"cross-site",
    ),
    "two origins": (f"{ALLOWED}, {ALLOWED}".encode(), b"cross-site"),
    "a line break in the origin": (f"{ALLOWED}\r\nX: y".encode(), b"cross-site"),
    "an empty origin": (b"", b"cross-site"),
    "an empty origin in an old browser": (b"", None),
    "an unknown fetch site": (None, b"elsewhere"),
    "two fetch sites": (None, b"same-origin, cross-site"),
    "another extension": (b"chrome-extension://evil", b"none"),
    "our own origin, reported as cross-site": (b"http://127.0.0.1:8080", b"cross-site"),
}


@pytest.mark.parametrize(("origin", "site", "answer"), PASSES.values(), ids=PASSES)
def test_programs_own_pages_and_allowed_pages_may_call(
    origin: bytes | None, site: bytes | None, answer: str | None
) -> None:
    assert PAGES.check(origin, site, HOST) == answer


@pytest.mark.parametrize(("origin", "site"), REFUSED.values(), ids=REFUSED)
def test_every_other_page_is_refused(origin: bytes | None, site: bytes | None) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        PAGES.check(origin, site, HOST)
    assert (caught.value.status, caught.value.value) == (403, "origin")
    assert "access.allowed_origins" in caught.value.description
    assert caught.value.description.isprintable()


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"localhost", b"http://localhost"),
        (b"localhost", b"http://localhost:80"),
        (b"LOCALHOST.:8080", b"http://localhost:8080"),
        (b"[::1]:8080", b"http://[::1]:8080"),
    ],
)
def test_a_page_of_ours_is_known_in_any_spelling_of_host(
    host: bytes, origin: bytes
) -> None:
    assert Pages().check(origin, None, host) is None


def test_the_default_port_of_https_is_not_the_one_of_http() -> None:
    with pytest.raises(AccessDeniedError):
        Pages().check(b"https://localhost", b"same-site", b"localhost")


def test_answers_depend_on_the_page_only_where_some_may_call() -> None:
    assert PAGES.any_allowed
    assert not Pages().any_allowed


def test_a_cors_answer_names_the_one_origin_and_every_field() -> None:
    fields = dict(cors_fields(ALLOWED, ["x-total", "content-type", "X-Total"]))

    assert fields["Access-Control-Allow-Origin"] == ALLOWED
    assert fields["Access-Control-Allow-Credentials"] == "true"
    assert fields["Vary"] == "Origin"
    exposed = fields["Access-Control-Expose-Headers"].split(", ")
    assert "X-Total" in exposed
    assert "Proxy-Status" in exposed
    assert len(exposed) == len(set(exposed))


def test_a_preflight_allows_what_was_asked() -> None:
    fields = dict(preflight_fields(ALLOWED, "PUT", "content-type,x-proxy-key"))

    assert fields["Access-Control-Allow-Origin"] == ALLOWED
    assert fields["Access-Control-Allow-Methods"] == "PUT"
    assert fields["Access-Control-Allow-Headers"] == "content-type,x-proxy-key"
    assert fields["Access-Control-Allow-Credentials"] == "true"
    assert int(fields["Access-Control-Max-Age"]) > 0
    assert "Origin" in fields["Vary"]


@pytest.mark.parametrize(
    ("method", "names"),
    [("P UT", "a b"), ("PUT\r\nX: y", "x\r\nSet-Cookie: a=b"), ("", "")],
)
def test_a_preflight_echoes_only_tokens(method: str, names: str) -> None:
    fields = dict(preflight_fields(ALLOWED, method, names))

    assert "Access-Control-Allow-Methods" not in fields
    assert "Access-Control-Allow-Headers" not in fields


def test_no_answer_allows_private_network_access() -> None:
    fields = preflight_fields(ALLOWED, "GET", None) + cors_fields(ALLOWED)

    assert not [name for name, _ in fields if "private" in name.lower()]
