"""Fields of a form of their own are masked by that form."""

import pytest

from proxy.journal.masking import masked_fields


def shown(name: str, value: str, *, unmasked: bool = False) -> str:
    ((_, found),) = masked_fields([(name, value)], unmasked=unmasked)
    return found


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("a=b; Path=/, session=S3cret", "a=***; Path=***"),
        ("; sid=S3cret", "; sid=***"),
        ("HttpOnly; token=S3cret", "***; token=***"),
        ("a=b; S3cret", "a=***; ***"),
        ("a=b; Domain=S3cret!", "a=***; Domain=***"),
        ("a=b; Expires=S3cret", "a=***; Expires=***"),
        ("a=b; Max-Age=79161234567", "a=***; Max-Age=***"),
        ("a=b; Path=/phone/11111111111", "a=***; Path=***"),
        ("a=b; SameSite=S3cret", "a=***; SameSite=***"),
        ("a=b; secure=S3cret", "a=***; secure=***"),
        (
            "a=b; Path=/api; Domain=.api.example; Max-Age=60; Secure; HttpOnly",
            "a=***; Path=/api; Domain=.api.example; Max-Age=60; Secure; HttpOnly",
        ),
        (
            "a=b; Expires=Wed, 25 Nov 2026 03:00:00 GMT; SameSite=Lax; Partitioned",
            "a=***; Expires=Wed, 25 Nov 2026 03:00:00 GMT; SameSite=Lax; Partitioned",
        ),
    ],
)
@pytest.mark.parametrize("name", ["Set-Cookie", "Set-Cookie2"])
def test_only_known_attributes_of_cookies_stay(
    name: str, value: str, hidden: str
) -> None:
    assert shown(name, value) == hidden


def test_our_cookie_is_hidden_wherever_it_stands() -> None:
    value = "a=b; telemed-proxy-admin-8081=S3cret"

    assert shown("Set-Cookie", value, unmasked=True) == (
        "a=b; telemed-proxy-admin-8081=***"
    )
    assert shown("Cookie2", value, unmasked=True).endswith("=***")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "S3cret") for name in ("X-Auth", "X-Access-Key", "X-Auth-Key")),
        ("X-Amz-Authorization", "S3cret"),
        ("Signature", "S3cret"),
        ("Sec-WebSocket-Protocol", "chat, bearer, S3cret"),
        ("WWW-Authenticate", 'Bearer error_description="token S3cret"'),
        ("WWW-Authenticate", 'Digest realm="api", nonce="S3cret"'),
        ("Proxy-Authenticate", "Negotiate S3cret=="),
        ("Location", "https://h/#access_token=S3cret"),
        ("X-Data", '{"password":{"a":"S3cret"}}'),
        ("X-Data", "pin=S3cret"),
        ("X-Data", "[" + '"S3cret",' * 40_000 + "1]"),
    ],
)
def test_secrets_in_fields_are_hidden_from_everyone(name: str, value: str) -> None:
    for unmasked in (False, True):
        assert "S3cret" not in shown(name, value, unmasked=unmasked)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "Anna") for name in ("From", "X-User", "X-Forwarded-User")),
        *((name, "Anna") for name in ("Cookie2", "X-Session-Id")),
        ("Referer", "http://h/#firstName=Anna"),
        ("X-Original-URL", "/surname/Anna"),
        ("X-Data", '{"firstName":"Anna"}'),
        ("X-Data", "firstName=Anna"),
        ("X-Data", "firstName: Maria Anna"),
        ("Content-Disposition", "attachment; filename*0=Anna"),
        ("Content-Disposition", "attachment; filename=Maria Anna.pdf"),
    ],
)
def test_personal_data_in_fields_is_hidden_until_asked_for(
    name: str, value: str
) -> None:
    assert "Anna" not in shown(name, value)
    assert shown(name, value, unmasked=True) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'),
        ("Sec-WebSocket-Protocol", "chat, v2"),
        ("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="),
        ("Idempotency-Key", "7"),
        ("Cache-Control", "max-age=0, no-store"),
        ("Keep-Alive", "timeout=5"),
        ("NEL", '{"report_to":"x","max_age":60}'),
        ("Accept", "text/html;q=0.9, */*;q=0.1"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("ETag", 'W/"5f"'),
    ],
)
def test_what_helps_to_find_a_bug_stays_in_fields(name: str, value: str) -> None:
    assert shown(name, value) == value
