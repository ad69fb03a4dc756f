"""The allow and deny rules cannot be slipped by."""

import pytest

from proxy.access.patterns import Rules, normalised, spellings
from proxy.config.values import parse_rule
from proxy.errors import AccessDeniedError


def rules(allow: list[str], deny: list[str]) -> Rules:
    return Rules.of(map(parse_rule, allow), map(parse_rule, deny))


DENY = rules([], ["POST /api/v1/profile/update", "* /api/v1/medicalcard/*"])
ALLOW = rules(["GET /api/v1/doctor/*", "GET /api/*/region/get-all"], [])
BOTH = rules(["* /api/v1/*"], ["GET /api/v1/media/*"])

PROFILE = {
    "as it is": "/api/v1/profile/update",
    "with a query": "/api/v1/profile/update?a=/x",
    "with a fragment": "/api/v1/profile/update#x",
    "in capitals": "/API/V1/Profile/UPDATE",
    "with a trailing slash": "/api/v1/profile/update/",
    "with doubled slashes": "//api///v1/profile//update",
    "with a dot segment": "/api/./v1/profile/./update",
    "with a detour": "/api/v1/doctor/../profile/update",
    "from above the root": "/../../api/v1/profile/update",
    "with one letter encoded": "/api/v1/%70rofile/update",
    "with capitals in the encoding": "/api/v1/%5Arofile/../%50rofile/update",
    "with encoded dots": "/api/v1/doctor/%2e%2e/profile/update",
    "with an encoded slash": "/api/v1%2fprofile/update",
    "encoded twice": "/api/v1/%2570rofile/update",
    "encoded three times": "/api/v1/doctor/%25252e%25252e/profile/update",
    "with backslashes": "/api\\v1\\profile\\update",
    "with encoded backslashes": "/api%5cv1%5Cprofile/update",
    "with a %u escape": "/api/v1/%u0070rofile/update",
    "with a cookieless session": "/(S(lit3py55t21z5v55vlm25s55))/api/v1/profile/update",
    "with a session in the middle": "/api/v1/(A(x))/profile/update",
    "with an encoded session": "/%28S(x)%29/api/v1/profile/update",
    "in absolute-form": "http://localhost:8080/api/v1/profile/update",
    "with a Kelvin sign for k": "/api/v1/medicalcard/x%e2%84%aa",
    "with a long s": "/api/v1/medicalcard/%c5%bfhare",
}


def check(judge: Rules, method: str, target: str) -> str | None:
    try:
        judge.check(method, target)
    except AccessDeniedError as error:
        return f"{error.status} {error.value}: {error.description}"
    return None


@pytest.mark.parametrize("target", PROFILE.values(), ids=PROFILE)
def test_a_denied_path_is_denied(target: str) -> None:
    assert (check(DENY, "POST", target) or "").startswith("403 rule: ")


@pytest.mark.parametrize("method", ["POST", "post", "Post"])
def test_the_case_of_a_method_does_not_matter(method: str) -> None:
    assert check(DENY, method, "/api/v1/profile/update") is not None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v1/profile/update"),
        ("POST", "/api/v1/profile/updates"),
        ("POST", "/api/v1/profile/update/2"),
        ("POST", "/api/v1/profile"),
        ("POST", "/x/api/v1/profile/update"),
        ("POST", "/api/v1/medicalcards"),
        ("POST", "/?/api/v1/profile/update"),
    ],
)
def test_a_deny_rule_is_about_its_method_and_path_only(
    method: str, target: str
) -> None:
    assert check(DENY, method, target) is None


@pytest.mark.parametrize(
    "target", ["/api/v1/medicalcard", "/api/v1/medicalcard/", "/api/v1/medicalcard/a/b"]
)
def test_a_trailing_star_is_the_folder_and_all_below(target: str) -> None:
    assert check(DENY, "DELETE", target) is not None


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/doctor/get/7",
        "/API/v1/Doctor/Get-All?name=%D0%98&x=/../",
        "/api/v2/region/get-all",
        "/api/v1/doctor/%D0%98%D0%B2%D0%B0%D0%BD",
    ],
)
def test_an_allowed_path_passes(target: str) -> None:
    assert check(ALLOW, "GET", target) is None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/api/v1/doctor/get/7"),
        ("GET", "/api/v1/profile/get"),
        ("GET", "/api/v1/doctor/../profile/get"),
        ("GET", "/api/v1/doctor/%2e%2e/profile/get"),
        ("GET", "/api/v1/doctor/%252e%252e/profile/get"),
        ("GET", "/api/v1/doctor%2f..%2fprofile/get"),
        ("GET", "/api/v1/doctor\\..\\profile\\get"),
        ("GET", "/api/v1/doctor/..%5cprofile/get"),
        ("GET", "/api/v1/doctor/%u002e%u002e/profile/get"),
        ("GET", "/(S(/api/v1/doctor/))/../../profile"),
        ("GET", "/api/v1/v2/region/get-all"),
        ("GET", "*"),
        ("GET", ""),
    ],
)
def test_an_allow_rule_holds_for_every_spelling(method: str, target: str) -> None:
    description = check(ALLOW, method, target)
    assert description is not None
    assert "access.allow" in description


def test_deny_goes_before_allow() -> None:
    assert check(BOTH, "GET", "/api/v1/profile/get") is None
    description = check(BOTH, "GET", "/api/v1/media/get/7")
    assert description is not None
    assert '"GET /api/v1/media/*"' in description
    assert "access.deny" in description


def test_a_refusal_does_not_repeat_the_query() -> None:
    description = check(ALLOW, "GET", "/x?code=7&number=9161234567")
    assert description is not None
    assert "9161234567" not in description


def test_no_rules_allow_everything() -> None:
    assert check(Rules(), "BREW", "/%25%2525%ff/../..") is None


def test_a_rule_may_be_about_everything() -> None:
    assert check(rules(["GET *"], []), "GET", "/a/b%0ac") is None
    assert check(rules(["GET /*"], []), "GET", "/") is None
    assert check(rules([], ["* /*"]), "GET", "/a\nb") is not None


def test_a_path_encoded_too_often_is_refused() -> None:
    assert check(DENY, "GET", "/%" + "25" * 20 + "41") is not None


def test_a_path_that_would_take_long_to_judge_is_refused() -> None:
    assert check(rules([], ["* /secret"]), "GET", "/" + "(a" * 20_000) is not None
    assert check(rules([], ["* /secret"]), "GET", "/(a)(b)") is None


def test_bytes_that_are_not_utf_8_do_no_harm() -> None:
    assert spellings("/%ff%fe") == ["/%ff%fe", "/\ufffd\ufffd"]
    assert spellings("/a\udcff") == ["/a\ufffd"]
    assert spellings("/%ud800") == ["/%ud800", "/\ufffd\ufffd\ufffd"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/"), ("/", "/"), ("/..", "/"), ("/a/b/../c/", "/a/c"), ("a", "/a")],
)
def test_a_path_has_one_normal_form(path: str, expected: str) -> None:
    assert normalised(path) == expected


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_read_only_lets_reading_through(method: str) -> None:
    assert check(Rules(read_only=True), method, "/api/v1/profile/get") is None


@pytest.mark.parametrize(
    "method",
    ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"],
)
def test_read_only_lets_nothing_else_through(method: str) -> None:
    description = check(Rules(read_only=True), method, "/api/v1/profile/get")

    assert description is not None
    assert "access.read_only, or --read-only" in description
    assert method in description


def test_read_only_holds_whatever_allow_says() -> None:
    both = Rules.of([parse_rule("POST /a"), parse_rule("GET /b")], [], read_only=True)

    assert check(both, "POST", "/a") is not None
    assert check(both, "GET", "/a") is not None
    assert check(both, "GET", "/b") is None


def test_a_method_that_is_asked_for_counts_as_well() -> None:
    with pytest.raises(AccessDeniedError, match=r"in access\.deny"):
        DENY.check("GET", "/api/v1/profile/update", ["post"])
    with pytest.raises(AccessDeniedError, match=r"covers GET or DELETE /api/v1/doctor"):
        ALLOW.check("GET", "/api/v1/doctor/get/7", ["DELETE"])
    with pytest.raises(AccessDeniedError, match="POST is not forwarded"):
        Rules(read_only=True).check("GET", "/", ["POST"])
    ALLOW.check("GET", "/api/v1/doctor/get/7", ["get"])
