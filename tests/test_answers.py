"""An error becomes an answer of one shape."""

import json

import pytest

from proxy.answers import error_body, error_fields, sf_string
from proxy.errors import AccessDeniedError, CooldownError, LocalKeyError, ProxyError


def test_the_body_is_the_upstreams_error_shape() -> None:
    error = AccessDeniedError("Нельзя: «x».", value="host")

    body = error_body(error)

    assert json.loads(body) == {
        "type": "forbidden",
        "value": "host",
        "description": "Нельзя: «x».",
    }
    assert "Нельзя" in body.decode()


def test_the_fields_say_that_the_proxy_answered() -> None:
    fields = dict(error_fields(AccessDeniedError('Not "x".', value="host")))

    assert fields["Content-Type"] == "application/json; charset=utf-8"
    assert fields["Proxy-Status"] == (
        'telemed-proxy; error=http_request_denied; details="Not \\"x\\"."'
    )
    assert fields["Cache-Control"] == "no-store"
    assert not {"Retry-After", "WWW-Authenticate"} & fields.keys()


def test_a_wait_and_a_challenge_have_their_fields() -> None:
    assert ("Retry-After", "7") in error_fields(CooldownError("x", retry_after=7))
    assert ("Retry-After", "0") in error_fields(CooldownError("x", retry_after=-7))
    challenge = dict(error_fields(LocalKeyError("x")))["WWW-Authenticate"]
    assert challenge.startswith('Basic realm="telemed-proxy"')


@pytest.mark.parametrize(
    "text", ["a\r\nSet-Cookie: b", "\0", "ключ", "\udcff", "\x7f", "a" * 100_000]
)
def test_no_description_can_break_out_of_its_field(text: str) -> None:
    error = ProxyError(text)
    for name, value in error_fields(error):
        assert value.isascii()
        assert value.isprintable()
        assert len(f"{name}: {value}") < 1000
    json.loads(error_body(error))


def test_a_string_is_quoted_as_rfc_8941_says() -> None:
    assert sf_string('a "b" \\c') == '"a \\"b\\" \\\\c"'
