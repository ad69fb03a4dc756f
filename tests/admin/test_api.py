"""The admin calls for programs."""

import pytest

from tests.admin.conftest import PHONE, Admin

MEMBERS = [
    "state",
    "phone",
    "code_sent",
    "retry_after",
    "expires_at",
    "expires_in",
    "refresh_due_at",
    "login_needed_by",
    "last_refresh",
    "last_error",
    "store",
    "listen",
    "upstream",
    "version",
    "clock_skew",
]


async def test_the_status_has_its_members_in_their_order(admin: Admin) -> None:
    status = await admin.status()

    assert list(status) == MEMBERS
    assert status["state"] == "logged_out"
    assert (status["code_sent"], status["retry_after"]) == (False, 0)
    assert status["listen"] == ["127.0.0.1:8080"]
    assert status["upstream"] == admin.sandbox.api_url
    assert status["version"] == "1.2.3"
    assert status["store"].startswith("file:")
    unknown = {"phone", "expires_at", "expires_in", "refresh_due_at", "last_refresh"}
    assert {status[name] for name in unknown} == {None}


async def test_the_listeners_are_named_as_in_the_config(admin: Admin) -> None:
    admin.listen = lambda: ["http://127.0.0.1:8080", "unix:/run/p.sock", "[::1]:80"]

    listen = (await admin.status())["listen"]

    assert listen == ["127.0.0.1:8080", "unix:/run/p.sock", "[::1]:80"]


async def test_a_login_in_two_calls(admin: Admin) -> None:
    answer = await admin.post("/api/login/code", {"phone": PHONE})

    assert answer.status == 202
    members = await answer.json()
    assert members["phone"] == PHONE
    assert members["retry_after"] == 60
    assert members["status"]["state"] == "code_sent"
    assert members["status"]["phone"] == "+7******4567"
    assert members["status"]["code_sent"] is True
    assert members["status"]["retry_after"] == 60

    answer = await admin.post("/api/login/token", {"validation_code": admin.code})

    assert answer.status == 200
    status = await answer.json()
    assert list(status) == MEMBERS
    assert status["state"] == "active"
    assert status["phone"] == "+7******4567"
    assert status["expires_at"] == "2027-01-29T07:59:59Z"
    assert status["expires_in"] == 1209599
    assert status["refresh_due_at"].endswith("Z")
    assert await admin.status() == status


@pytest.mark.parametrize(
    "members",
    [
        {"phone": "8 (916) 123-45-67"},
        {"phone": 79161234567},
        {"code": "7", "number": "9161234567"},
        {"code": 7, "number": 9161234567},
    ],
    ids=["as people write it", "an integer", "in parts", "in parts of integers"],
)
async def test_a_phone_may_come_in_many_forms(
    admin: Admin, members: dict[str, object]
) -> None:
    assert (await admin.post("/api/login/code", members)).status == 202
    assert admin.sandbox.sms[-1].phone == "79161234567"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"phone": ""},
        {"phone": "abc"},
        {"phone": None},
        {"phone": True},
        {"phone": ["+7"]},
        {"phone": 7.5},
        {"phone": "1" * 5000},
        {"code": "7"},
        {"number": "9161234567"},
        {"code": {}, "number": "9161234567"},
    ],
)
async def test_a_phone_that_cannot_be_dialled_is_a_bad_argument(
    admin: Admin, members: dict[str, object]
) -> None:
    answer = await admin.post("/api/login/code", members)

    assert answer.status == 400
    assert (await answer.json())["type"] == "bad_argument"
    assert admin.sandbox.sms == []


async def test_a_second_sms_has_to_wait(admin: Admin) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    admin.time.now += 20

    answer = await admin.post("/api/login/code", {"phone": PHONE})

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "40"
    assert (await answer.json())["type"] == "limit_exceeded"
    assert len(admin.sandbox.sms) == 1


async def test_a_wrong_code_can_be_tried_again(admin: Admin) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    wrong = f"{(int(admin.code) + 1) % 10_000:04d}"

    answer = await admin.post("/api/login/token", {"validation_code": wrong})

    assert answer.status == 400
    members = await answer.json()
    assert (members["type"], members["value"]) == ("bad_argument", "validation_code")
    assert wrong not in members["description"]
    answer = await admin.post("/api/login/token", {"validation_code": admin.code})
    assert answer.status == 200


async def test_a_code_that_was_sent_before_needs_its_phone(admin: Admin) -> None:
    admin.sandbox._sms.send("7", "9161234567")
    code = {"validation_code": admin.code}

    assert (await admin.post("/api/login/token", code)).status == 400
    answer = await admin.post("/api/login/token", {**code, "phone": PHONE})

    assert answer.status == 200
    assert (await answer.json())["state"] == "active"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"validation_code": ""},
        {"validation_code": []},
        {"validation_code": True},
        {"code": "1"},
    ],
)
async def test_a_missing_code_is_a_bad_argument(
    admin: Admin, members: dict[str, object]
) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    assert (await admin.post("/api/login/token", members)).status == 400
    assert admin.sandbox.token_requests == []


async def test_refresh_and_logout(admin: Admin) -> None:
    await admin.log_in()
    before = admin.refresher.record.tokens
    admin.time.now += 60

    answer = await admin.post("/api/refresh")

    assert answer.status == 200
    assert (await answer.json())["last_refresh"] == "2027-01-15T08:01:00Z"
    assert admin.refresher.record.tokens != before

    answer = await admin.post("/api/logout")

    assert answer.status == 200
    assert (await answer.json())["state"] == "logged_out"
    assert admin.refresher.record.tokens is None


async def test_a_refresh_without_a_login_asks_for_one(admin: Admin) -> None:
    answer = await admin.post("/api/refresh")

    assert answer.status == 503
    assert answer.headers["Retry-After"]
    members = await answer.json()
    assert (members["type"], members["value"]) == ("oauth", "login_required")
    assert answer.headers["Proxy-Status"].startswith(
        "telemed-proxy; error=destination_unavailable; details="
    )


@pytest.mark.parametrize("path", ["/api/refresh", "/api/logout"])
@pytest.mark.parametrize("content", [b"", b"{}", b" \n"])
async def test_no_content_is_an_empty_object(
    admin: Admin, path: str, content: bytes
) -> None:
    await admin.log_in()
    fields = {"Content-Type": "application/json; charset=utf-8"}

    assert (await admin.send("POST", path, fields, data=content)).status == 200


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 60_000, b"9" * 6000, b"{}{}"],
    ids=["cut", "list", "text", "null", "binary", "deep", "a long number", "two"],
)
@pytest.mark.parametrize(
    "path", ["/api/login/code", "/api/login/token", "/api/refresh", "/api/logout"]
)
async def test_bad_json_is_one_sentence(
    admin: Admin, path: str, content: bytes
) -> None:
    fields = {"Content-Type": "application/json"}
    answer = await admin.send("POST", path, fields, data=content)

    assert answer.status == 400
    members = await answer.json()
    assert members["value"] == "content"
    assert members["description"].count(".") == 1


async def test_much_content_is_refused(admin: Admin) -> None:
    content = b'{"phone": "' + b"1" * 70_000 + b'"}'
    fields = {"Content-Type": "application/json"}

    answer = await admin.send("POST", "/api/login/code", fields, data=content)

    assert answer.status == 413
    assert (await answer.json())["type"] == "bad_argument"


@pytest.mark.parametrize(
    "path",
    [
        "/api/exchanges/7",
        "/api/exchange",
        "/x",
        "/static/",
        "/static/../api.py",
        "/static/%2e%2e/api.py",
    ],
)
async def test_there_is_nothing_else(admin: Admin, path: str) -> None:
    answer = await admin.get(path)

    assert answer.status == 404
    assert (await answer.json())["type"] == "not_found"
    assert answer.headers["Proxy-Status"].startswith("telemed-proxy; ")


async def test_the_wrong_method_names_the_right_one(admin: Admin) -> None:
    answer = await admin.get("/api/refresh")

    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert (await answer.json())["value"] == "method"


async def test_an_upstream_that_is_down_is_told(admin: Admin) -> None:
    await admin.sandbox.api_listener.stop()

    answer = await admin.post("/api/login/code", {"phone": PHONE})

    assert answer.status == 502
    assert (await answer.json())["type"] == "upstream"
    assert "connection_refused" in answer.headers["Proxy-Status"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/status", 200),
        ("POST", "/api/login/code", 400),
        ("POST", "/api/refresh", 503),
        ("POST", "/api/nothing", 404),
        ("PUT", "/api/status", 405),
    ],
)
async def test_every_json_answer_ends_its_line(
    admin: Admin, method: str, path: str, status: int
) -> None:
    answer = await admin.send(method, path, json=None if method == "GET" else {})

    assert answer.status == status
    text = await answer.text()
    assert text.endswith("}\n")
    assert int(answer.headers["Content-Length"]) == len(text.encode())


async def test_a_fault_of_ours_is_told_without_its_insides(
    admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    def fault() -> list[str]:
        raise ZeroDivisionError("an inner detail")

    admin.listen = fault

    answer = await admin.get("/api/status")

    assert answer.status == 500
    members = await answer.json()
    assert members["type"] == "internal_server_error"
    assert "detail" not in members["description"]
    assert "error=proxy_internal_error" in answer.headers["Proxy-Status"]
    assert "GET /api/status failed" in caplog.text


@pytest.mark.parametrize(
    ("started", "stopping", "logged_in", "startup", "readiness"),
    [
        (False, False, False, 503, 503),
        (True, False, False, 200, 503),
        (True, False, True, 200, 200),
        (True, True, True, 200, 503),
    ],
)
async def test_the_probes(
    admin: Admin,
    started: bool,
    stopping: bool,
    logged_in: bool,
    startup: int,
    readiness: int,
) -> None:
    if logged_in:
        await admin.log_in()
    admin.health.started, admin.health.stopping = started, stopping

    assert (await admin.get("/startup")).status == startup
    assert (await admin.get("/readiness")).status == readiness
    assert (await admin.get("/liveness")).status == 200


async def test_the_metrics_tell_the_token_times(admin: Admin) -> None:
    await admin.log_in()

    answer = await admin.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = await answer.text()
    assert "telemed_proxy_token_expires_timestamp_seconds 1801209599" in text
    assert "9161234567" not in text


async def test_no_secret_is_in_any_answer(admin: Admin) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    codes = [admin.code]
    secrets = ["planted-code"]
    await admin.post("/api/login/token", {"validation_code": "planted-code"})
    await admin.post("/api/login/token", {"validation_code": codes[0]})
    for _ in range(2):
        tokens = admin.refresher.record.tokens
        assert tokens is not None
        secrets += [tokens.access_token, tokens.refresh_token or ""]
        await admin.post("/api/refresh")
    admin.sandbox.revoke_refresh()
    await admin.post("/api/refresh")
    for path in ("/", "/api/status", "/metrics", "/readiness"):
        await admin.get(path)
    await admin.post("/api/logout")

    everything = "\n".join(admin.answered)
    assert [secret for secret in secrets if secret in everything] == []
    assert f'"{codes[0]}"' not in everything
    assert f">{codes[0]}<" not in everything
