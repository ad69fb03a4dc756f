"""The page that asks for the password, and the sessions of those who know it."""

import re
from http.cookies import SimpleCookie

import aiohttp
import pytest

from proxy.admin.sessions import LIFETIME, MOST, Sessions
from tests.admin.conftest import PASSWORD, SAME_ORIGIN, Admin
from tests.admin.test_guard import basic
from tests.clocks import MovedClock

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", **SAME_ORIGIN}


async def unlock(admin: Admin, password: str = PASSWORD) -> aiohttp.ClientResponse:
    # The test's client would keep the cookie by itself.
    admin.client.session.cookie_jar.clear()
    return await admin.send("POST", "/session", FORM, data={"password": password})


def cookie_of(response: aiohttp.ClientResponse) -> str:
    admin_cookie = SimpleCookie(response.headers["Set-Cookie"])
    [(name, morsel)] = admin_cookie.items()
    return f"{name}={morsel.value}"


async def session(admin: Admin) -> dict[str, str]:
    """Return the field that a browser sends after the password was typed."""
    cookie = cookie_of(await unlock(admin))
    admin.client.session.cookie_jar.clear()
    return {"Cookie": cookie}


async def test_a_browser_is_asked_for_the_password_by_a_page(guarded: Admin) -> None:
    answer = await guarded.get("/", **BROWSER)
    assert (answer.status, answer.headers["Location"]) == (303, "/session")

    page = await guarded.get("/session", **BROWSER)

    assert page.status == 200
    text = await page.text()
    assert 'type="password"' in text
    assert "csrf" not in text
    assert guarded.sandbox.api_url not in text
    for path in re.findall(r'(?:href|src)="(/[^"]*)"', text):
        assert (await guarded.get(path)).status == 200, path


async def test_a_program_is_asked_by_a_challenge(guarded: Admin) -> None:
    for fields in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        assert (await guarded.send("GET", "/", fields)).status == 401
    for path in ("/api/status", "/metrics"):
        assert (await guarded.get(path, **BROWSER)).status == 401


async def test_who_types_the_password_is_let_in(guarded: Admin) -> None:
    answer = await unlock(guarded)

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    port = guarded.client.port
    morsel = SimpleCookie(answer.headers["Set-Cookie"])[f"telemed-proxy-admin-{port}"]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Strict"
    assert morsel["path"] == "/"
    assert not morsel["domain"]
    assert PASSWORD not in answer.headers["Set-Cookie"]
    fields = {"Cookie": cookie_of(answer)}
    guarded.client.session.cookie_jar.clear()
    assert (await guarded.get("/", **BROWSER, **fields)).status == 200
    assert (await guarded.get("/api/status", **fields)).status == 200
    assert (await guarded.get("/session", **fields)).headers["Location"] == "/"


@pytest.mark.parametrize("typed", ["", "guess", PASSWORD.upper(), PASSWORD + "x"])
async def test_a_wrong_password_is_told(guarded: Admin, typed: str) -> None:
    answer = await unlock(guarded, typed)

    assert answer.status == 403
    assert answer.content_type == "text/html"
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers
    assert "The password is wrong." in await answer.text()


async def test_guessing_on_the_page_is_slowed_down_too(guarded: Admin) -> None:
    open_session = await session(guarded)
    for _ in range(5):
        assert (await unlock(guarded, "guess")).status == 403

    answer = await unlock(guarded)

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Wait a minute" in await answer.text()
    # Neither do guesses by the other way go on, nor does a session end by them.
    assert (await guarded.get("/api/status", **basic(PASSWORD))).status == 429
    assert (await guarded.get("/api/status", **open_session)).status == 200


@pytest.mark.parametrize(
    "cookie",
    ["telemed-proxy-admin-{port}=", "telemed-proxy-admin-{port}=x", "other={token}"],
)
async def test_another_cookie_opens_nothing(guarded: Admin, cookie: str) -> None:
    token = (await session(guarded))["Cookie"].partition("=")[2]
    fields = {"Cookie": cookie.format(port=guarded.client.port, token=token)}

    assert (await guarded.get("/api/status", **fields)).status == 401


async def test_a_session_does_not_open_for_other_pages(guarded: Admin) -> None:
    fields = {**await session(guarded), "Sec-Fetch-Site": "same-site"}

    assert (await guarded.get("/api/status", **fields)).status == 403


async def test_other_pages_cannot_begin_a_session(guarded: Admin) -> None:
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        fields = {"Content-Type": FORM["Content-Type"], **site}
        answer = await guarded.send(
            "POST", "/session", fields, data={"password": PASSWORD}
        )
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_a_session_ends_when_that_is_asked_for(guarded: Admin) -> None:
    fields = await session(guarded)
    page = await (await guarded.get("/", **BROWSER, **fields)).text()
    assert 'action="/session/end"' in page
    form = {"csrf": re.findall(r'name="csrf" value="(\w+)"', page)[0]}

    without = await guarded.send("POST", "/session/end", {**FORM, **fields}, data={})
    assert without.headers["Location"] == "/"
    assert (await guarded.get("/api/status", **fields)).status == 200

    answer = await guarded.send("POST", "/session/end", {**FORM, **fields}, data=form)
    assert answer.headers["Location"] == "/session"
    assert (await guarded.get("/api/status", **fields)).status == 401


async def test_a_session_ends_after_a_working_day(guarded: Admin) -> None:
    fields = await session(guarded)
    guarded.time.now += LIFETIME - 1
    assert (await guarded.get("/api/status", **fields)).status == 200
    guarded.time.now += 1
    assert (await guarded.get("/api/status", **fields)).status == 401


async def test_without_a_password_there_is_nothing_to_unlock(admin: Admin) -> None:
    assert (await admin.get("/", **BROWSER)).status == 200
    assert (await admin.get("/session")).headers["Location"] == "/"
    answer = await unlock(admin)
    assert answer.headers["Location"] == "/"
    assert "Set-Cookie" not in answer.headers
    assert "/session/end" not in await (await admin.get("/")).text()


def test_many_sessions_take_no_memory() -> None:
    sessions = Sessions(MovedClock())
    tokens = [sessions.begin() for _ in range(MOST + 1)]

    assert not sessions.knows(tokens[0])
    assert all(sessions.knows(token) for token in tokens[1:])
    assert len(set(tokens)) == len(tokens)
    assert tokens[-1] not in repr(vars(sessions))


def test_what_is_no_token_is_not_known() -> None:
    sessions = Sessions(MovedClock())
    for token in (None, "", "x", "\udcff"):
        assert not sessions.knows(token)
        sessions.end(token)
