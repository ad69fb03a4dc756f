"""Each defence that can be configured, on the running program: who passes, who not.

What arrives is looked at inside the upstream.
"""

import asyncio
import base64
import json
import re
import socket
import ssl
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proxy.cli import exitcodes
from tests.certificates import made, trusting
from tests.cli.doors import closed_address
from tests.reliability.program import until
from tests.security.house import PHONE, House, document, house, raw, run
from tests.security.upstream import CODE, Upstream

PROFILE = "/api/v1/profile/get"

HOST, ORIGIN, RULE = "403 host", "403 origin", "403 rule"
KEY, WRONG_KEY = "k-of-the-app-0001", "k-of-the-app-0002"

PASSWORD = "a password of words"

# Not loopback for the config, which takes only plain spellings for that; but it is.
FOREIGN = "127.1:0"


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"anybody:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


async def passes(it: House, path: str = PROFILE, **more: Any) -> None:
    """Fail unless the call arrives at the upstream, with the token."""
    it.upstream.requests.clear()
    status, text = await it.call(path, **more)
    assert status == 200, text
    [received] = it.upstream.requests
    assert received.target == path
    assert received.get("authorization") == [f"Bearer {it.upstream.issued[-1][0]}"]
    assert received.get("x-proxy-key") == []


def write(folder: Path, upstream: Upstream, **settings: Any) -> str:
    file = folder / "config.yaml"
    file.write_text(json.dumps(document(upstream, folder, settings)))
    return str(file)


async def refuses_to_start(folder: Path, **settings: Any) -> str:
    """Return what `serve` says instead of starting."""
    upstream = Upstream()
    upstream.port = 9
    file = write(folder, upstream, **settings)
    code, out, said = await run("serve", "-c", file, folder=folder)
    assert (code, out) == (exitcodes.CONFIG, ""), said
    assert "Traceback" not in said
    return said


async def test_names_and_pages(tmp_path: Path) -> None:
    """Host, Origin and Sec-Fetch-Site, on both listeners, and who is let in."""
    page = "http://page.example:3000"
    access = {"allowed_hosts": ["proxy.example"], "allowed_origins": [page]}
    async with house(tmp_path, access=access) as it:
        for name in ("localhost:1", "LOCALHOST.", "[::1]", "Proxy.Example.:80"):
            await passes(it, headers={"Host": name})
        for name in ("evil.example", "0.0.0.0", "localhost.evil.example"):
            for base in (it.url, it.admin):
                fields = {"Host": name}
                assert await it.refusal(PROFILE, headers=fields, base=base) == HOST
        for site in ("same-origin", "none"):
            await passes(it, headers={"Sec-Fetch-Site": site})
        for page_fields in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "novel"},
            {"Origin": "null"},
            {"Origin": "http://page.example:3001"},
            {"Origin": "https://page.example:3000"},
            {"Origin": it.admin},
        ):
            refusal = await it.refusal(PROFILE, headers=page_fields)
            assert refusal == ORIGIN
        for page_fields in ({"Sec-Fetch-Site": "same-site"}, {"Origin": page}):
            refusal = await it.refusal("/", base=it.admin, headers=page_fields)
            assert refusal == ORIGIN
        await passes(it, headers={"Origin": page, "Sec-Fetch-Site": "cross-site"})
        await passes(it, headers={"Origin": it.url, "Sec-Fetch-Site": "same-origin"})


async def test_an_absolute_target_is_judged_by_its_own_host(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        answer = await raw(
            it.url,
            b"GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n"
            b"Connection: close\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 4")
        answer = await raw(
            it.url,
            b"GET http://localhost/x HTTP/1.1\r\nHost: evil.example\r\n"
            b"Connection: close\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 4")
        assert it.upstream.requests == []


async def test_a_socket_of_another_page_is_not_opened(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await it.session.ws_connect(it.url + "/live", origin="http://evil.example")
        assert refused.value.status == 403
        assert it.upstream.requests == []
        async with it.session.ws_connect(it.url + "/live") as opened:
            assert "patient" in await opened.receive_str()


async def test_a_caller_cannot_touch_the_token(tmp_path: Path) -> None:
    """Nor see it: what it sends to strip, repeat or precede it changes nothing."""
    async with house(tmp_path) as it:
        token = it.upstream.issued[-1][0]
        for lines in (
            "Connection: Authorization, close\r\n",
            "Authorization: Bearer mine\r\nauthorization: Bearer mine\r\n",
            "AUTHORIZATION: Basic bWluZTo=\r\nConnection: close, authorization\r\n",
            "Proxy-Authorization: Bearer mine\r\n",
        ):
            head = f"GET /x HTTP/1.1\r\nHost: localhost\r\n{lines}"
            head += "" if "close" in lines else "Connection: close\r\n"
            it.upstream.requests.clear()
            answer = await raw(it.url, f"{head}\r\n".encode())
            assert token.encode() not in answer
            [received] = it.upstream.requests
            assert received.get("authorization") == [f"Bearer {token}"]
            assert "mine" not in str(received.fields)
        # What would send it back is no request that is forwarded.
        for method in ("TRACE", "CONNECT"):
            head = f"{method} /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            answer = await raw(it.url, f"{head}\r\n".encode())
            assert token.encode() not in answer


async def test_local_keys(tmp_path: Path) -> None:
    """Right, wrong, missing and withdrawn; named in the log; never forwarded."""
    file = tmp_path / "keys"
    file.write_text(f"app {KEY}\nother k-of-the-other\n")
    page = "http://page.example"
    access = {"local_key_file": str(file), "allowed_origins": [page]}
    async with house(tmp_path, access=access, log={"format": "json"}) as it:
        for wrong in (
            {},
            {"X-Proxy-Key": WRONG_KEY},
            {"X-Proxy-Key": ""},
            {"X-Proxy-Key": f"app {KEY}"},
            {"Authorization": f"Bearer {KEY}"},
            {**basic(KEY), "X-Proxy-Key": WRONG_KEY},
            basic(WRONG_KEY),
        ):
            assert await it.refusal(PROFILE, headers=wrong) == "401 local_key"
        async with it.session.get(it.url + PROFILE) as answer:
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        await passes(it, headers={"X-Proxy-Key": KEY})
        await passes(it, headers=basic(KEY))
        await until(lambda: it.program.count('"caller": "app"') == 2)

        asked = {"Origin": page, "Access-Control-Request-Method": "PUT"}
        async with it.session.options(it.url + PROFILE, headers=asked) as answer:
            assert answer.status == 204
        assert it.upstream.requests.pop().method == "GET"
        assert await it.refusal(PROFILE, headers={"Origin": page}) == "401 local_key"

        file.write_text("other k-of-the-other\n")
        async with asyncio.timeout(20):
            while (await it.call(PROFILE, headers={"X-Proxy-Key": KEY}))[0] != 401:
                await asyncio.sleep(0.1)
        await passes(it, headers={"X-Proxy-Key": "k-of-the-other"})


async def test_a_field_that_comes_twice_opens_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(KEY)
    page = "http://page.example"
    access = {"local_key_file": str(file), "allowed_origins": [page]}
    good = {"Host": "localhost", "Origin": page, "X-Proxy-Key": KEY}
    async with house(tmp_path, access=access) as it:
        for repeated, right in good.items():
            for value in (right, "evil.example"):
                fields = [*good.items(), (repeated, value), ("Connection", "close")]
                head = "".join(f"{name}: {value}\r\n" for name, value in fields)
                answer = await raw(it.url, f"GET / HTTP/1.1\r\n{head}\r\n".encode())
                assert answer.startswith(b"HTTP/1.1 4")
        assert it.upstream.requests == []


async def test_rules(tmp_path: Path) -> None:
    """Other spellings of a path are the same path; what passes is sent as it came."""
    access = {"allow": ["GET /api/*"], "deny": ["* /api/v1/media/*"]}
    async with house(tmp_path, access=access) as it:
        await passes(it, "/api/v1/%70rofile/./get?x=%7E")
        for path in (
            "/api/v1/media/get/1",
            "/API/V1/Media/get/1",
            "/api/v1/%6dedia/get/1",
            "/api/v1/%256dedia/get/1",
            "/api/v1/x/../media/get/1",
            "/api/v1/x/%2e%2e/media/get/1",
            "/api//v1///media/get/1",
            "/api/v1/media%2fget/1",
            "/api/v1\\media/get/1",
            "/other",
            "/api/../other",
            "/api/%2e%2e/other",
        ):
            head = (
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = await raw(it.url, head.encode())
            assert answer.startswith(b"HTTP/1.1 403"), path
            assert b'"value": "rule"' in answer
        assert await it.refusal(PROFILE, "POST") == RULE
        assert len(it.upstream.requests) == 1


@pytest.mark.parametrize("how", ["the flag", "the setting"])
async def test_read_only(tmp_path: Path, how: str) -> None:
    """GET and HEAD pass, whatever `allow` says; what else might write does not."""
    # The flag goes after the command's other arguments.
    prefix = ("sh", "-c", 'exec "$@" --read-only', "sh") if how == "the flag" else ()
    access = {"allow": ["* /api/*"], "read_only": how == "the setting"}
    async with house(tmp_path, access=access, prefix=prefix) as it:
        await passes(it)
        await passes(it, method="HEAD")
        assert await it.refusal("/other") == RULE
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
            assert (await it.refusal(PROFILE, method)).startswith("403 "), method
        for fields in (
            {"X-HTTP-Method-Override": "DELETE"},
            {"Connection": "Upgrade", "Upgrade": "websocket"},
        ):
            refusal = await it.refusal(PROFILE, headers=fields)
            assert refusal == "403 read_only"


async def test_tls(tmp_path: Path) -> None:
    """On both listeners, with the certificate that `cert` makes, renewed as it runs."""
    files = made(tmp_path / "tls")
    tls = {"certificate_file": files.certificate, "key_file": files.key}
    async with house(
        tmp_path,
        listen=["https://127.0.0.1:0"],
        admin={"listen": "https://127.0.0.1:0"},
        tls={name: str(file) for name, file in tls.items()},
        login=False,
    ) as it:
        trusted = trusting(files)
        for base in (it.url, it.admin):
            assert base.startswith("https://")
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await it.call("/", base=base)
            plain = await raw(base.replace("https", "http"), b"GET / HTTP/1.1\r\n\r\n")
            assert b" 200 " not in plain
        login = {"phone": PHONE, "validation_code": CODE}
        status, _ = await it.call(
            "/api/login/token", "POST", base=it.admin, json=login, ssl=trusted
        )
        assert status == 200
        await passes(it, ssl=trusted)
        await passes(it, ssl=trusted, headers={"Origin": it.url})
        for fields, refusal in (
            ({"Host": "evil.example"}, HOST),
            ({"Origin": it.url.replace("https", "http")}, ORIGIN),
            ({"Sec-Fetch-Site": "cross-site"}, ORIGIN),
        ):
            got = await it.refusal(PROFILE, headers=fields, ssl=trusted)
            assert got == refusal

        renewed = trusting(made(tmp_path / "tls", anew=True))
        async with asyncio.timeout(20):
            while not await _is_trusted(it, renewed):
                await asyncio.sleep(0.1)
        assert not await _is_trusted(it, trusted)


async def _is_trusted(it: House, context: ssl.SSLContext) -> bool:
    host, _, port = it.url.removeprefix("https://").rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    except ssl.SSLCertVerificationError:
        return False
    writer.transport.abort()
    return True


async def test_an_address_for_others_needs_a_key_or_a_word(tmp_path: Path) -> None:
    said = await refuses_to_start(tmp_path, listen=[FOREIGN])
    assert "access.local_key_file" in said

    async with house(tmp_path, listen=[FOREIGN], access={"anyone": True}) as it:
        await passes(it)
        await it.program.line("WARN.*access.anyone is true")

    file = tmp_path / "keys"
    file.write_text(KEY)
    access = {"local_key_file": str(file)}
    async with house(tmp_path, listen=[FOREIGN], access=access) as it:
        assert await it.refusal(PROFILE) == "401 local_key"
        await passes(it, headers={"X-Proxy-Key": KEY})


async def test_the_admin_listener_for_others_needs_a_password(tmp_path: Path) -> None:
    said = await refuses_to_start(tmp_path, admin={"listen": FOREIGN})
    assert "admin.password_file" in said

    file = tmp_path / "password"
    file.write_text(PASSWORD)
    admin = {"listen": FOREIGN, "password_file": str(file)}
    async with house(tmp_path, admin=admin, login=False) as it:
        for path in ("/", "/api/status", "/metrics", "/static/page.js"):
            assert await it.refusal(path, base=it.admin) == "401 password"
            async with it.session.get(
                it.admin + path, headers=basic(PASSWORD)
            ) as answer:
                assert answer.status == 200
        assert (await it.call("/liveness", base=it.admin))[0] == 200
        for _ in range(5):
            refusal = await it.refusal("/", base=it.admin, headers=basic("guess"))
            assert refusal == "401 password"
        fields = basic(PASSWORD)
        assert await it.refusal("/", base=it.admin, headers=fields) == "429 password"


async def test_a_session_is_for_the_admin_page_alone(tmp_path: Path) -> None:
    """It takes the password, no script reads it, and no upstream gets its cookie."""
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    admin = {"listen": "127.0.0.1:0", "password_file": str(file)}
    async with house(tmp_path, admin=admin, login=False) as it:
        login = {"phone": PHONE, "validation_code": CODE}
        status, _ = await it.call(
            "/api/login/token",
            "POST",
            base=it.admin,
            headers=basic(PASSWORD),
            json=login,
        )
        assert status == 200

        async def unlock(password: str) -> str:
            async with it.session.post(
                it.admin + "/session",
                headers={"Origin": it.admin},
                data={"password": password},
                allow_redirects=False,
            ) as answer:
                return answer.headers.get("Set-Cookie", "")

        assert not await unlock("guess")
        pair, *attributes = (await unlock(PASSWORD)).split("; ")
        name, _, value = pair.partition("=")
        assert {"HttpOnly", "SameSite=Strict"} <= set(attributes)
        # Cookies know no ports: two proxies must not end each other's sessions.
        assert it.admin.rpartition(":")[2] in name

        fields = {"Cookie": pair}
        status, _ = await it.call("/api/status", base=it.admin, headers=fields)
        assert status == 200
        for cookie in (f"{name}=guess", f"x{name}={value}"):
            refusal = await it.refusal(
                "/api/status", base=it.admin, headers={"Cookie": cookie}
            )
            assert refusal == "401 password"
        page = {"Cookie": pair, "Sec-Fetch-Site": "same-site"}
        assert await it.refusal("/api/status", base=it.admin, headers=page) == ORIGIN

        await passes(it, headers={"Cookie": f"mine=1; {pair}; yours=2"})
        [sent] = it.upstream.requests[-1].get("cookie")
        assert "mine=1" in sent
        assert "yours=2" in sent
        assert value not in sent
        await passes(it, headers={"Cookie": pair})
        assert value not in str(it.upstream.requests[-1].get("cookie"))

        again = (await unlock(PASSWORD)).partition(";")[0]
        async with it.session.get(it.admin + "/", headers={"Cookie": again}) as answer:
            [csrf] = set(re.findall(r'name="csrf" value="(\w+)"', await answer.text()))
        await it.call(
            "/session/end",
            "POST",
            base=it.admin,
            headers={"Origin": it.admin, "Cookie": again},
            data={"csrf": csrf},
            allow_redirects=False,
        )
        refusal = await it.refusal(
            "/api/status", base=it.admin, headers={"Cookie": again}
        )
        assert refusal == "401 password"


async def test_the_admin_listener_takes_what_its_own_page_and_programs_send(
    tmp_path: Path,
) -> None:
    """JSON; from a browser, of the same origin; and forms with the page's secret."""
    async with house(tmp_path) as it:
        own, form = {"Origin": it.admin}, "application/x-www-form-urlencoded"
        for path, fields, refusal in (
            ("/api/logout", {"Content-Type": "text/plain"}, "415 content_type"),
            ("/api/logout", {"Content-Type": form}, "415 content_type"),
            ("/api/logout", {"Content-Type": "application/json"} | own, ORIGIN),
            ("/logout", {"Content-Type": form}, ORIGIN),
            ("/logout", {"Content-Type": "text/plain"} | own, "415 content_type"),
        ):
            more = {"base": it.admin, "headers": fields, "data": b"{}"}
            assert await it.refusal(path, "POST", **more) == refusal
        status, _ = await it.call(
            "/logout",
            "POST",
            base=it.admin,
            headers=own,
            data={"csrf": "0" * 64},
            allow_redirects=False,
        )
        assert status == 403
        assert (await it.program.status())["state"] == "active"
        same = own | {"Sec-Fetch-Site": "same-origin"}
        status, _ = await it.call(
            "/api/logout", "POST", base=it.admin, headers=same, json={}
        )
        assert (status, (await it.program.status())["state"]) == (200, "logged_out")


async def test_answers_of_the_admin_listener_wear_what_guards_them(
    tmp_path: Path,
) -> None:
    """Pages, refusals, and answers to what is no HTTP at all."""
    async with house(tmp_path, login=False) as it:
        good = b"Host: localhost\r\nConnection: close\r\n\r\n"
        for head in (
            b"GET / HTTP/1.1\r\n" + good,
            b"GET /api/status HTTP/1.1\r\n" + good,
            b"GET /nothing HTTP/1.1\r\n" + good,
            b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            b"no request\r\n\r\n",
        ):
            answer = (await raw(it.admin, head)).partition(b"\r\n\r\n")[0].decode()
            for guard in (
                "Content-Security-Policy: default-src 'none';",
                "script-src 'self';",
                "frame-ancestors 'none';",
                "X-Frame-Options: DENY",
                "X-Content-Type-Options: nosniff",
                "Cache-Control: no-store",
                "Cross-Origin-Opener-Policy: same-origin",
                "Cross-Origin-Resource-Policy: same-origin",
            ):
                assert guard in answer, (head, guard)
            assert "unsafe" not in answer


async def test_codes_are_not_for_guessing(tmp_path: Path) -> None:
    """After some wrong ones nothing is asked of the authorization server any more."""
    async with house(tmp_path, login=False) as it:
        asked = {"phone": PHONE}
        await it.program.ask("POST", "/api/login/code", asked)
        for guess in range(8):
            members = {"validation_code": f"{guess:04}"}
            status, _ = await it.call(
                "/api/login/token", "POST", base=it.admin, json=members
            )
        right = {"validation_code": CODE}
        status, _ = await it.call("/api/login/token", "POST", base=it.admin, json=right)
        assert status >= 400
        assert len(it.upstream.granted) == 5
        # Nor are SMS sent as often as one likes.
        status, _ = await it.call("/api/login/code", "POST", base=it.admin, json=asked)
        assert status == 429
        assert it.upstream.codes_sent == 1


async def test_a_unix_socket_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    listen = [f"unix:{path}", "127.0.0.1:0"]
    async with house(tmp_path, listen=listen, login=False) as it:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        connector = aiohttp.UnixConnector(str(path))
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get("http://localhost/x") as answer:
                assert (await answer.json())["value"] == "login_required"
            fields = {"Host": "evil.example"}
            async with session.get("http://localhost/x", headers=fields) as answer:
                assert (await answer.json())["value"] == "host"
        # One that answers is not taken away.
        assert "is in use" in await refuses_to_start(tmp_path, listen=[f"unix:{path}"])
        assert path.is_socket()
        assert (await it.call("/x"))[0] == 503

    file = tmp_path / "precious"
    file.write_text("x")
    assert "cannot be opened" in await refuses_to_start(
        tmp_path, listen=[f"unix:{file}"]
    )
    assert file.read_text() == "x"


@pytest.mark.parametrize(
    ("listener", "name"), [("forwarding", "127.0.0.1"), ("admin", "localhost")]
)
async def test_it_never_forwards_to_itself(
    tmp_path: Path, listener: str, name: str
) -> None:
    """Whatever name leads there: else a page of the API would be the admin page."""
    own, other = closed_address(), closed_address()
    there = own if listener == "forwarding" else other
    async with house(
        tmp_path,
        listen=[str(own)],
        admin={"listen": str(other)},
        upstream={"api_url": f"http://{name}:{there.port}"},
    ) as it:
        assert await it.refusal("/api/status") == "508 loop"
