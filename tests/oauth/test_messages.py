import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl

import pytest

from proxy.errors import ProxyError, TokenAnswerError, TokenRefusedError
from proxy.oauth import messages
from proxy.oauth.messages import (
    TokenPair,
    parse_token_response,
    password_body,
    readable,
    refresh_body,
)

NOW = 1_700_000_000.0
DOCUMENTED = {
    "access_token": "A-token",
    "token_type": "bearer",
    "expires_in": 1209599,
    "refresh_token": "R-token",
}


def answer(**changed: Any) -> bytes:
    """The documented answer with members changed, or left out where None."""
    members = {**DOCUMENTED, **changed}
    return json.dumps({k: v for k, v in members.items() if v is not None}).encode()


def parse(body: bytes, status: int = 200) -> TokenPair:
    return parse_token_response(status, body, NOW)


def test_the_password_grant_is_the_documented_form() -> None:
    body = password_body(
        client_id="98483c", username="11111111111", validation_code="7654"
    )

    assert body == (
        "grant_type=password&client_id=98483c&username=11111111111&password=7654"
    )


def test_the_refresh_always_carries_the_client_id() -> None:
    body = refresh_body(client_id="98483c", refresh_token="a+b/c=&d é")

    assert dict(parse_qsl(body)) == {
        "grant_type": "refresh_token",
        "client_id": "98483c",
        "refresh_token": "a+b/c=&d é",
    }
    assert body.isascii()


def test_the_documented_answer_is_read() -> None:
    pair = parse(answer())

    assert pair == TokenPair("A-token", "R-token", NOW, NOW + 1209599)
    assert pair.odd == ()


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [
        pytest.param(answer(expires_in="1209599"), 1209599, id="text"),
        pytest.param(answer(expires_in="3600.0"), 3600, id="text with a fraction"),
        pytest.param(answer(expires_in=" 3600 "), 3600, id="text with spaces"),
        pytest.param(answer(expires_in=0.5), 0.5, id="fraction"),
        pytest.param(answer(expires_in=1), 1, id="a second"),
        pytest.param(answer(expires_in=31536000), 31536000, id="a year"),
        pytest.param(answer(expires_in=10**30), messages.MAX_LIFETIME, id="for ever"),
        pytest.param(answer(expires_in=1e999), messages.MAX_LIFETIME, id="infinite"),
        pytest.param(
            answer(expires_in="9" * 400), messages.MAX_LIFETIME, id="huge text"
        ),
        pytest.param(answer(expires_in=10**400), 3600, id="huge number"),
        pytest.param(answer(expires_in=None), 3600, id="missing"),
        pytest.param(answer(expires_in=0), 3600, id="zero"),
        pytest.param(answer(expires_in=-1), 3600, id="negative"),
        pytest.param(answer(expires_in="soon"), 3600, id="a word"),
        pytest.param(answer(expires_in="NaN"), 3600, id="not a number"),
        pytest.param(answer(expires_in=True), 3600, id="a truth"),
        pytest.param(answer(expires_in=[1]), 3600, id="a list"),
        pytest.param(
            answer(expires_in=None, refresh_token=None),
            1209599,
            id="missing, with nothing to refresh",
        ),
    ],
)
def test_a_lifetime_is_read_or_assumed(body: bytes, lifetime: float) -> None:
    pair = parse(body)

    assert (pair.issued_at, pair.expires_at) == (NOW, NOW + lifetime)
    assert bool(pair.odd) == (
        lifetime in (3600, 1209599) and b'"1209599"' not in body and b"3600" not in body
    )


@pytest.mark.parametrize(
    ("body", "refresh_token"),
    [
        pytest.param(
            answer(scope="a b", userName="x", nested={"a": [1]}),
            "R-token",
            id="unknown members",
        ),
        pytest.param(b"\xef\xbb\xbf" + answer(), "R-token", id="byte order mark"),
        pytest.param(b"\r\n" + answer() + b"\n", "R-token", id="white space"),
        pytest.param(answer(token_type="Bearer"), "R-token", id="Bearer"),
        pytest.param(answer(token_type=None), "R-token", id="no token_type"),
        pytest.param(answer(token_type="mac"), "R-token", id="another token_type"),
        pytest.param(answer(token_type=7), "R-token", id="token_type is a number"),
        pytest.param(answer(refresh_token=None), None, id="no refresh_token"),
        pytest.param(answer(refresh_token=""), None, id="empty refresh_token"),
        pytest.param(answer(refresh_token=5), None, id="refresh_token is a number"),
        pytest.param(answer(refresh_token="\ud800"), None, id="half a character"),
        pytest.param(answer(error=None, scope=["a"]), "R-token", id="scope is a list"),
        pytest.param(answer(error="odd"), "R-token", id="an error beside the tokens"),
    ],
)
def test_an_unusual_answer_is_accepted(body: bytes, refresh_token: str | None) -> None:
    pair = parse(body)

    assert (pair.access_token, pair.refresh_token) == ("A-token", refresh_token)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, b"", id="empty"),
        pytest.param(204, b"", id="no content"),
        pytest.param(200, b"[]", id="a list"),
        pytest.param(200, b'["access_token"]', id="a list of names"),
        pytest.param(200, b"null", id="null"),
        pytest.param(200, b'"A-token"', id="a text"),
        pytest.param(200, b"{}", id="an empty object"),
        pytest.param(200, answer()[:40], id="cut off"),
        pytest.param(200, b"[" * 100_000, id="too deep"),
        pytest.param(200, b"\xff\xfe{", id="not UTF-8"),
        pytest.param(200, b"<html>A-token</html>", id="HTML"),
        pytest.param(200, b"access_token=A-token", id="a form"),
        pytest.param(200, answer(access_token=None), id="no access_token"),
        pytest.param(200, answer(access_token=""), id="empty access_token"),
        pytest.param(200, answer(access_token=7), id="access_token is a number"),
        pytest.param(200, answer(access_token="A-token\r\nX: y"), id="line end"),
        pytest.param(200, answer(access_token="A-token\n"), id="line end at the end"),
        pytest.param(200, answer(access_token="A-token\0"), id="NUL"),
        pytest.param(200, answer(access_token="A-token\u0442"), id="not ASCII"),
        pytest.param(200, answer(access_token=" A-token"), id="space"),
        pytest.param(302, answer(), id="redirect"),
        pytest.param(500, answer(error="invalid_grant"), id="500 with an OAuth error"),
        pytest.param(502, b"<html>Bad Gateway</html>", id="HTML 502"),
        pytest.param(503, b"", id="empty 503"),
        pytest.param(400, b"<html>Bad Request</html>", id="HTML 400"),
        pytest.param(400, b"{}", id="400 with nothing"),
        pytest.param(400, b'{"error": ["invalid_grant"]}', id="error is a list"),
        pytest.param(400, b'{"error": "temporarily_unavailable"}', id="not now"),
        pytest.param(400, b'{"type": "limit_exceeded"}', id="limit"),
        pytest.param(400, b'{"type": ["bad_argument"]}', id="type is a list"),
        pytest.param(404, b'{"error": "not_found"}', id="wrong address"),
        pytest.param(400, b'{"status": 400, "error": "Bad Request"}', id="a gateway"),
        pytest.param(429, b'{"error": "invalid_grant"}', id="too many"),
    ],
)
def test_an_answer_of_no_use_says_so_without_the_token(
    status: int, body: bytes
) -> None:
    with pytest.raises(TokenAnswerError) as caught:
        parse(body, status)

    assert "A-token" not in caught.value.description
    assert "R-token" not in caught.value.description


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (400, {"error": "invalid_grant", "error_description": "Wrong code"},
         "invalid_grant", "(Wrong code)"),
        (400, {"error": "invalid_grant"}, "invalid_grant", "invalid_grant"),
        (400, {"error": "invalid_grant", "error_description": None},
         "invalid_grant", "invalid_grant"),
        (400, {"error": "invalid_grant", "error_description": {"a": 1}},
         "invalid_grant", "invalid_grant"),
        (400, {"error": "invalid_clientId"}, "invalid_clientId", "invalid_clientId"),
        (401, {"error": "invalid_client"}, "invalid_client", "invalid_client"),
        (403, {"error": "login.blocked"}, "login.blocked", "login.blocked"),
        (200, {"error": "bad_refresh_token"}, "bad_refresh_token", "bad_refresh_token"),
        (400, {"type": "bad_argument", "value": "password", "description": "нет"},
         "bad_argument", "(нет)"),
    ],
)  # fmt: skip
def test_a_refusal_carries_its_error(
    status: int, body: dict[str, Any], error: str, told: str
) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        parse(json.dumps(body).encode(), status)

    assert caught.value.error == error
    assert told in caught.value.description


@pytest.mark.parametrize(
    ("error", "value"),
    [
        ("invalid_grant", "token_refused"),
        ("login.blocked", "token_refused"),
        ("invalid_client", "client_refused"),
        ("invalid_clientId", "client_refused"),
        ("unauthorized_client", "client_refused"),
        ("unsupported_grant_type", "client_refused"),
    ],
)
def test_a_refusal_of_the_client_is_told_from_one_of_the_grant(
    error: str, value: str
) -> None:
    with pytest.raises(TokenRefusedError) as caught:
        parse(json.dumps({"error": error}).encode(), 400)

    assert caught.value.value == value


def test_a_refusal_that_echoes_the_secret_is_masked() -> None:
    body = b'{"error": "invalid_grant", "error_description": "bad R-token\\u0007 here"}'

    with pytest.raises(TokenRefusedError) as caught:
        parse_token_response(400, body, NOW, secrets=["R-token"])

    assert "(bad *** here)" in caught.value.description


def test_foreign_text_becomes_one_short_line() -> None:
    text = "\x1b[31mred\r\n\u202e  and " + "long " * 200

    assert readable(text).startswith("[31mred and long long")
    assert len(readable(text)) == 300
    assert readable(None) == ""


def test_a_pair_hides_its_tokens() -> None:
    assert "token'" not in repr(parse(answer()))
    assert "A-token" not in repr(parse(answer()))
    assert "R-token" not in repr(parse(answer()))


def test_strict_settings_of_oauthlib_refuse_nothing() -> None:
    code = (
        "from tests.oauth.test_messages import answer, parse;"
        "parse(answer(token_type=None, scope='other'))"
    )

    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "OAUTHLIB_STRICT_TOKEN_TYPE": "1"},
    )


def test_every_error_is_ours() -> None:
    """Bytes of all kinds end in a pair or in one of our errors, never in another."""
    whole = answer()
    for cut in range(len(whole)):
        for status in (200, 400, 500):
            with pytest.raises(ProxyError):
                parse(whole[:cut], status)
