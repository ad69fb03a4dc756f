"""The decision on one request of a forwarding listener."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from proxy.access.keys import LocalKeys
from proxy.access.rules import AccessRules, Caller, fields_of_interest
from proxy.config import AccessConfig
from proxy.errors import AccessDeniedError, LocalKeyError, ProxyError

PAGE = "https://app.example"
KEY = "a-local-key"


def rules(keys: LocalKeys | None = None, **settings: object) -> AccessRules:
    return AccessRules(AccessConfig.parse(settings), ["127.0.0.1"], keys)


@pytest.fixture
def keyed(tmp_path: Path) -> AccessRules:
    path = tmp_path / "keys"
    path.write_text(f"report {KEY}\n")
    return rules(LocalKeys(path), local_key_file=str(path), allowed_origins=[PAGE])


def raw(*fields: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in fields]


def seen(*fields: tuple[str, str]) -> dict[bytes, bytes]:
    return fields_of_interest(raw(*fields))


LOCAL = ("Host", "127.0.0.1:8080")


def check(
    access: AccessRules,
    *fields: tuple[str, str],
    method: str = "GET",
    target: str = "/api/v1/profile/get",
) -> Caller:
    return access.check(method, target, seen(*fields), "127.0.0.1")


def refusal(
    access: AccessRules, *fields: tuple[str, str], **request: str
) -> str | None:
    with pytest.raises(AccessDeniedError) as caught:
        check(access, *fields, **request)
    return caught.value.value


def test_a_program_passes_without_any_browser_field() -> None:
    assert check(rules(), ("host", "localhost:8080"), ("accept", "*/*")) == Caller()
    assert Caller().answer_fields() == []


@pytest.mark.parametrize(
    "fields",
    [
        [("Host", "evil.example")],
        [],
        [LOCAL, LOCAL],
        [LOCAL, ("host", "evil.example")],
        [("HOST", "evil.example"), ("hOST", "127.0.0.1")],
    ],
    ids=["foreign", "missing", "twice", "a second one", "in odd capitals"],
)
def test_host_is_ours_and_there_is_one(fields: list[tuple[str, str]]) -> None:
    assert refusal(rules(), *fields) == "host"


@pytest.mark.parametrize(
    "target", ["http://evil.example/", "http://evil.example?x", "HTTP://evil.example#x"]
)
def test_in_absolute_form_the_target_names_the_host(target: str) -> None:
    assert refusal(rules(), LOCAL, target=target) == "host"
    assert check(rules(), LOCAL, target="http://localhost:8080/x") == Caller()


def test_a_target_with_a_url_in_its_query_is_not_absolute() -> None:
    assert check(rules(), LOCAL, target="/x?to=http://evil.example/") == Caller()


@pytest.mark.parametrize(
    "fields",
    [
        [("Origin", "https://evil.example")],
        [("oRIGIN", "https://evil.example")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Origin", "null")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", PAGE), ("Origin", PAGE)],
        [("Upgrade", "websocket"), ("Origin", "https://evil.example")],
    ],
)
def test_foreign_pages_are_refused(fields: list[tuple[str, str]]) -> None:
    assert refusal(rules(allowed_origins=[PAGE]), LOCAL, *fields) == "origin"


def test_an_allowed_page_gets_cors_answers() -> None:
    caller = check(rules(allowed_origins=[PAGE]), LOCAL, ("Origin", PAGE))

    assert caller.preflight is None
    assert ("Access-Control-Allow-Origin", PAGE) in caller.answer_fields(["X-Total"])


def test_answers_to_programs_vary_when_pages_are_allowed() -> None:
    caller = check(rules(allowed_origins=[PAGE]), LOCAL)

    assert caller.answer_fields() == [("Vary", "Origin")]


def test_a_preflight_of_an_allowed_page_needs_no_key(keyed: AccessRules) -> None:
    caller = check(
        keyed,
        LOCAL,
        ("Origin", PAGE),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,x-proxy-key"),
        ("Access-Control-Request-Private-Network", "true"),
        method="OPTIONS",
    )

    assert caller.preflight is not None
    fields = dict(caller.preflight)
    assert fields["Access-Control-Allow-Headers"] == "content-type,x-proxy-key"
    assert not [name for name in fields if "Private" in name]


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("OPTIONS", [("Origin", PAGE)]),
        ("GET", [("Origin", PAGE), ("Access-Control-Request-Method", "GET")]),
        ("OPTIONS", [("Access-Control-Request-Method", "GET")]),
    ],
    ids=["plain OPTIONS", "GET with the field", "no origin"],
)
def test_what_only_looks_like_a_preflight_needs_the_key(
    keyed: AccessRules, method: str, fields: list[tuple[str, str]]
) -> None:
    assert refusal(keyed, LOCAL, *fields, method=method) == "local_key"


def test_the_preflight_of_another_page_is_refused(keyed: AccessRules) -> None:
    fields = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "GET"),
    ]
    assert refusal(keyed, LOCAL, *fields, method="OPTIONS") == "origin"


def test_the_key_names_the_caller(keyed: AccessRules) -> None:
    assert check(keyed, LOCAL, ("x-PROXY-key", KEY)).name == "report"
    caller = check(keyed, LOCAL, ("X-Proxy-Key", KEY), ("Origin", PAGE))
    assert (caller.name, caller.origin) == ("report", PAGE)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("X-Proxy-Key", "wrong")],
        [("X-Proxy-Key", KEY), ("X-Proxy-Key", KEY)],
        [("X-Proxy-Key", "wrong"), ("X-Proxy-Key", KEY)],
        [("Authorization", f"Bearer {KEY}")],
    ],
)
def test_a_wrong_key_is_refused(
    keyed: AccessRules, fields: list[tuple[str, str]]
) -> None:
    with pytest.raises(LocalKeyError) as caught:
        check(keyed, LOCAL, *fields)
    assert caught.value.status == 401


def test_a_key_does_not_open_the_door_to_foreign_pages(keyed: AccessRules) -> None:
    key = ("X-Proxy-Key", KEY)
    assert refusal(keyed, ("Host", "evil.example"), key) == "host"
    assert refusal(keyed, LOCAL, key, ("Origin", "https://evil.example")) == "origin"


def test_an_allowed_page_may_read_that_its_key_is_wrong(keyed: AccessRules) -> None:
    page = seen(LOCAL, ("Origin", PAGE), ("X-Proxy-Key", "wrong"))
    assert ("Access-Control-Allow-Origin", PAGE) in keyed.answer_fields(page)


@pytest.mark.parametrize(
    "fields", [[LOCAL], [LOCAL, ("Origin", "https://evil.example")]]
)
def test_nobody_else_may(keyed: AccessRules, fields: list[tuple[str, str]]) -> None:
    assert keyed.answer_fields(seen(*fields)) == [("Vary", "Origin")]
    assert rules().answer_fields(seen(*fields)) == []


def test_rules_come_after_the_key(keyed: AccessRules) -> None:
    access = rules(deny=["POST /api/v1/voiprequest/*"])
    request = {"method": "POST", "target": "/api/v1/VoipRequest/%73tart"}
    assert refusal(access, LOCAL, **request) == "rule"
    assert refusal(access, ("Host", "evil.example"), **request) == "host"


READ_ONLY = rules(read_only=True, allowed_origins=[PAGE])


def test_read_only_still_answers_the_preflights_of_allowed_pages() -> None:
    preflight = ("Access-Control-Request-Method", "POST")
    caller = check(READ_ONLY, LOCAL, ("Origin", PAGE), preflight, method="OPTIONS")

    assert caller.preflight is not None
    assert refusal(READ_ONLY, LOCAL, method="OPTIONS") == "read_only"
    assert refusal(READ_ONLY, LOCAL, ("Origin", PAGE), method="POST") == "read_only"
    assert check(READ_ONLY, LOCAL, ("Origin", PAGE)).origin == PAGE


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"]
)
@pytest.mark.parametrize("value", ["POST", " post ", "GET, DELETE", ""])
def test_no_field_makes_another_method_of_a_get(name: str, value: str) -> None:
    assert refusal(READ_ONLY, LOCAL, (name, value)) == "read_only"
    denied = rules(deny=["* /a", "POST /b", "DELETE /b"])
    if value:
        assert refusal(denied, LOCAL, (name, value), target="/b") == "rule"
    assert check(rules(), LOCAL, (name, value)) == Caller()


def test_a_field_may_ask_for_what_is_allowed() -> None:
    assert check(READ_ONLY, LOCAL, ("X-HTTP-Method", "HEAD")) is not None


def test_read_only_goes_over_to_no_other_protocol() -> None:
    for protocol in ("websocket", "h2c, websocket", "WebSocket", "tls/1.2"):
        assert refusal(READ_ONLY, LOCAL, ("Upgrade", protocol)) == "read_only"
    for protocol in ("h2c", "HTTP/2.0"):
        check(READ_ONLY, LOCAL, ("Upgrade", protocol))
    check(rules(deny=["* /a"]), LOCAL, ("Upgrade", "websocket"))


def test_over_tls_our_own_pages_have_another_origin() -> None:
    origin = ("Origin", "https://127.0.0.1:8080")
    request = ("GET", "/", seen(LOCAL, origin), "127.0.0.1")

    assert rules().check(*request, secure=True) == Caller()
    with pytest.raises(AccessDeniedError):
        rules().check(*request)
    plain = ("GET", "/", seen(LOCAL, ("Origin", "http://127.0.0.1:8080")), "127.0.0.1")
    with pytest.raises(AccessDeniedError):
        rules().check(*plain, secure=True)


def test_a_key_file_is_never_silently_left_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="local_key_file"):
        rules(None, local_key_file=str(tmp_path / "keys"))


def test_only_the_fields_that_decide_are_kept() -> None:
    fields = raw(("Accept", "*/*"), ("HOST", "a"), ("Cookie", "b"), ("host", "c"))
    assert fields_of_interest(fields) == {b"host": b"a, c"}


def refusals(access: AccessRules, requests: Iterable[tuple[str, str]]) -> list[str]:
    texts = []
    for name, value in requests:
        with pytest.raises(ProxyError) as caught:
            check(access, LOCAL, (name, value))
        texts.append(caught.value.description)
    return texts


def test_no_refusal_repeats_a_secret(keyed: AccessRules) -> None:
    secret = "planted-secret"
    texts = refusals(
        keyed,
        [
            ("X-Proxy-Key", secret),
            ("Authorization", f"Basic {secret}"),
            ("Authorization", f"Bearer {secret}"),
        ],
    )
    assert not [text for text in texts if secret in text or KEY in text]
