"""What stands before every route of the admin listener."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

import proxy.admin
from proxy.admin.guard import FORM_PATHS, OPEN_PATHS
from tests.admin.conftest import PASSWORD, PHONE, SAME_ORIGIN, Admin

STATIC = Path(proxy.admin.__file__).with_name("static")
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def routes() -> list[tuple[str, str]]:
    """Return every route there is, known to these tests or not."""
    return [
        ("GET", "/"),
        ("GET", "/api/status"),
        ("POST", "/api/login/code"),
        ("POST", "/api/login/token"),
        ("POST", "/api/refresh"),
        ("POST", "/api/logout"),
        ("POST", "/login/code"),
        ("POST", "/login/token"),
        ("POST", "/refresh"),
        ("POST", "/logout"),
        ("GET", "/session"),
        ("POST", "/session"),
        ("POST", "/session/end"),
        ("GET", "/startup"),
        ("GET", "/readiness"),
        ("GET", "/liveness"),
        ("GET", "/metrics"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/exchanges"),
        ("DELETE", "/api/exchanges"),
        ("GET", "/api/exchanges/stream"),
        ("POST", "/api/exchanges/content"),
        ("GET", "/api/exchanges/{id}"),
        ("GET", "/api/exchanges/{id}/command"),
        ("GET", "/api/exchanges/{id}/{message}/content"),
        ("POST", "/api/exchanges/{id}/replay"),
        ("GET", "/api/exchanges.har"),
        ("GET", "/api/report.zip"),
        *(("GET", f"/static/{file.name}") for file in sorted(STATIC.iterdir())),
    ]


ROUTES = pytest.mark.parametrize(
    ("method", "path"), [*routes(), ("GET", "/nothing"), ("DELETE", "/nothing")]
)
UNSAFE = pytest.mark.parametrize(
    "path", [path for method, path in routes() if method == "POST"]
)


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"admin:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def fields_for(admin: Admin, method: str, path: str) -> dict[str, str]:
    """Return what a legitimate caller of this route sends."""
    if method == "GET":
        return {}
    if path in FORM_PATHS:
        return {**FORM, "Origin": own_origin(admin)}
    return dict(JSON)


def own_origin(admin: Admin) -> str:
    return f"http://127.0.0.1:{admin.client.port}"


async def csrf(admin: Admin, **fields: str) -> str:
    response = await admin.client.get("/", headers=fields)
    match = re.search(r'name="csrf" value="(\w+)"', await response.text())
    assert match is not None
    return match[1]


def unchanged(admin: Admin) -> bool:
    """Say whether nothing reached the upstream."""
    return not admin.sandbox.requests and not admin.sandbox.token_requests


async def test_these_tests_know_every_route(admin: Admin) -> None:
    server: Any = admin.client.server
    known = {
        (route.method, route.resource.canonical)
        for route in server.app.router.routes()
        if route.method != "HEAD"
    }
    assert known == set(routes())


@ROUTES
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "0.0.0.0:{port}", "localhost.evil.example"],
)
async def test_every_route_refuses_another_host(
    admin: Admin, method: str, path: str, host: str
) -> None:
    fields = fields_for(admin, method, path)
    host = host.format(port=admin.client.port)

    answer = await admin.send(method, path, {**fields, "Host": host})

    assert answer.status == 403
    members = await answer.json()
    assert (members["type"], members["value"]) == ("forbidden", "host")
    assert unchanged(admin)


@pytest.mark.parametrize(
    "host", ["localhost", "[::1]:1", "ADMIN.example.", "127.0.0.1"]
)
async def test_its_own_names_pass(admin: Admin, host: str) -> None:
    assert (await admin.get("/api/status", Host=host)).status == 200


@ROUTES
@pytest.mark.parametrize(
    "browser",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:8080"},
    ],
    ids=["another site", "another port", "foreign", "null", "the API", "old browser"],
)
async def test_every_route_refuses_other_pages(
    admin: Admin, method: str, path: str, browser: dict[str, str]
) -> None:
    fields = {**fields_for(admin, method, path), **browser}

    answer = await admin.send(method, path, fields)

    assert answer.status == 403
    assert (await answer.json())["value"] == "origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert unchanged(admin)


@UNSAFE
@pytest.mark.parametrize(
    "media_type", ["text/plain", "multipart/form-data; boundary=x", "", "text/json"]
)
async def test_unsafe_routes_want_their_content_type(
    admin: Admin, path: str, media_type: str
) -> None:
    fields = {**fields_for(admin, "POST", path), "Content-Type": media_type}

    answer = await admin.send("POST", path, fields, data=b"{}")

    assert answer.status == 415
    assert (await answer.json())["value"] == "content_type"
    assert unchanged(admin)


async def test_a_form_cannot_reach_the_api(admin: Admin) -> None:
    fields = {**FORM, **SAME_ORIGIN}
    answer = await admin.send("POST", "/api/logout", fields, data=b"{}")
    assert answer.status == 415


@pytest.mark.parametrize("path", sorted({p for _, p in routes() if "/api/l" in p}))
async def test_the_api_wants_a_browser_to_say_same_origin(
    admin: Admin, path: str
) -> None:
    fields = {**JSON, "Origin": own_origin(admin)}
    assert (await admin.send("POST", path, fields, data=b"{}")).status == 403
    fields = {**JSON, "Sec-Fetch-Site": "none"}
    assert (await admin.send("POST", path, fields, data=b"{}")).status == 403
    fields = {**JSON, "Origin": own_origin(admin), **SAME_ORIGIN}
    assert (await admin.send("POST", path, fields, data=b"{}")).status != 403


@pytest.mark.parametrize("path", sorted(FORM_PATHS))
async def test_forms_come_from_our_page_only(admin: Admin, path: str) -> None:
    data = {"csrf": await csrf(admin), "phone": PHONE}

    assert (await admin.send("POST", path, FORM, data=data)).status == 403
    for page in (SAME_ORIGIN, {"Origin": own_origin(admin)}):
        answer = await admin.send("POST", path, {**FORM, **page}, data=data)
        assert answer.status == 303


# The form that asks for the password comes before anything secret is shown, and ending
# a session without its form only shows the page again: see test_lock.
@pytest.mark.parametrize("path", sorted(FORM_PATHS - {"/session", "/session/end"}))
@pytest.mark.parametrize("token", [None, "", "0" * 64, "\u0416"])
async def test_forms_carry_a_secret_of_this_process(
    admin: Admin, path: str, token: str | None
) -> None:
    await csrf(admin)
    data = {"phone": PHONE} | ({} if token is None else {"csrf": token})

    answer = await admin.send("POST", path, {**FORM, **SAME_ORIGIN}, data=data)

    assert answer.status == 403
    assert answer.content_type == "text/html"
    assert "out of date" in await answer.text()
    assert unchanged(admin)


async def test_two_processes_have_two_secrets(admin: Admin, guarded: Admin) -> None:
    assert await csrf(admin) != await csrf(guarded, **basic(PASSWORD))


@ROUTES
async def test_every_answer_wears_the_security_fields(
    admin: Admin, method: str, path: str
) -> None:
    for fields in (fields_for(admin, method, path), {"Host": "evil.example"}):
        answer = await admin.send(method, path, fields)
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in answer.headers
        assert "Set-Cookie" not in answer.headers


async def test_a_script_that_lacks_the_password_has_nobody_asked(
    guarded: Admin,
) -> None:
    by_script = {**SAME_ORIGIN, "Sec-Fetch-Dest": "empty"}

    answer = await guarded.get("/api/status", **by_script)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Page realm="telemed-proxy"'
    answer = await guarded.get("/api/status")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@ROUTES
async def test_every_route_but_the_probes_asks_for_the_password(
    guarded: Admin, method: str, path: str
) -> None:
    answer = await guarded.send(method, path, fields_for(guarded, method, path))

    if path in OPEN_PATHS:
        assert answer.status != 401
    else:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith(
            'Basic realm="telemed-proxy"'
        )
        assert (await answer.json())["value"] == "password"
    assert unchanged(guarded)


async def test_the_right_password_opens(guarded: Admin) -> None:
    assert (await guarded.get("/api/status", **basic(PASSWORD))).status == 200
    assert (await guarded.get("/", **basic(PASSWORD))).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !",
        f"Bearer {PASSWORD}",
        basic("")["Authorization"],
        basic(PASSWORD + "x")["Authorization"],
        basic(PASSWORD.upper())["Authorization"],
        basic("x" * 4000)["Authorization"],
    ],
)
async def test_a_wrong_password_does_not(guarded: Admin, authorization: str) -> None:
    answer = await guarded.get("/api/status", Authorization=authorization)
    assert answer.status == 401
    assert PASSWORD not in await answer.text()


async def test_a_password_does_not_open_for_other_pages(guarded: Admin) -> None:
    fields = {**basic(PASSWORD), "Sec-Fetch-Site": "cross-site"}
    assert (await guarded.get("/api/status", **fields)).status == 403


async def test_guessing_is_slowed_down(guarded: Admin) -> None:
    for _ in range(5):
        assert (await guarded.get("/", **basic("guess"))).status == 401
        guarded.time.now += 1

    answer = await guarded.get("/", **basic(PASSWORD))

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "55"
    assert (await guarded.get("/liveness")).status == 200
    guarded.time.now += 55
    assert (await guarded.get("/", **basic(PASSWORD))).status == 200


async def test_asking_without_a_password_is_no_guess(guarded: Admin) -> None:
    for _ in range(20):
        assert (await guarded.get("/")).status == 401
    assert (await guarded.get("/", **basic(PASSWORD))).status == 200
