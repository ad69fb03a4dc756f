"""Planted secrets are searched for in everything that a run of the program leaves.

It goes through what can happen to it, at debug level: calls that succeed, are refused,
time out and are malformed; an authorization server that refuses, and repeats what it
was sent; a wrong config; the commands; a crash. Each thing said, by the log, by an
answer or by a command, is kept, and so is what processes show of themselves.
"""

import asyncio
import base64
import io
import json
import secrets
import signal
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from proxy.cli import exitcodes
from tests.reliability.program import until
from tests.security.house import PHONE, House, document, house, raw, run
from tests.security.upstream import CODE, Upstream

PROFILE = "/api/v1/profile/get"
SMS = "/api/v1/access/validation-code"

LOCAL_KEY = f"key-{secrets.token_urlsafe(18)}"
PASSWORD = f"password-{secrets.token_urlsafe(18)}"
COOKIE = f"cookie-{secrets.token_urlsafe(18)}"
OWN_TOKEN = f"caller-{secrets.token_urlsafe(18)}"
WRONG_CODE = "80417735"
NUMBER = "9265553108"

ENDS = 12
"""Characters of either end of a secret that are searched for as well."""


class Evidence:
    """All that was said, and the secrets that must not be in it."""

    def __init__(self, *planted: str) -> None:
        self.planted = {
            *planted,
            *(LOCAL_KEY, PASSWORD, COOKIE, OWN_TOKEN, CODE, WRONG_CODE, NUMBER),
            "926 555-31-08",
        }
        self.said: list[tuple[str, str]] = []

    def add(self, where: str, text: str) -> None:
        self.said.append((where, text))

    def found(self) -> list[str]:
        """Return each secret that is told anywhere, and where."""
        wanted = {part for secret in self.planted for part in _spellings(secret)}
        return [
            f"{part!r} in {where}: {_around(text, part)}"
            for where, text in self.said
            for part in sorted(wanted)
            if part in text
        ]


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    if len(secret) > 2 * ENDS:
        yield secret[:ENDS]
        yield secret[-ENDS:]
    for text in (secret, f":{secret}", f"anybody:{secret}"):
        # The middle of it, as what stands beside it changes the ends.
        encoded = base64.b64encode(text.encode()).decode()
        if len(encoded) > 12:
            yield encoded[4:-4]
    yield quote(secret, safe="")


def _around(text: str, part: str) -> str:
    at = text.index(part)
    return repr(text[max(0, at - 80) : at + 80])


def basic(password: str) -> dict[str, str]:
    pair = base64.b64encode(f"anybody:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


class Run:
    """One run of the program, everything in it noted."""

    def __init__(self, it: House, evidence: Evidence) -> None:
        self.it = it
        self.evidence = evidence

    async def call(self, path: str, method: str = "GET", **more: Any) -> int:
        """Make a call as the app does; what the upstream answers is its own matter."""
        headers = {"X-Proxy-Key": LOCAL_KEY, "Cookie": f"s={COOKIE}"}
        headers |= more.pop("headers", {})
        status, text = 0, ""
        try:
            status, text = await self.it.call(path, method, headers=headers, **more)
        except (OSError, aiohttp.ClientError) as error:
            text = repr(error)
        self.evidence.add(f"answer to {method} {path}", text)
        return status

    async def admin(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        password: str = PASSWORD,
        told_back: str = "nothing",
    ) -> int:
        """Call the admin listener, which may tell back what was typed."""
        more: dict[str, Any] = {"json": content} if method == "POST" else {}
        async with self.it.session.request(
            method, self.it.admin + path, headers=basic(password), **more
        ) as answer:
            text = f"{answer.raw_headers!r}\n{await answer.text()}"
        text = text.replace(told_back, "what was typed", 1)
        self.evidence.add(f"admin's answer to {path}", text)
        return answer.status

    async def send(self, base: str, head: str) -> None:
        """Send what is hardly a request."""
        answer = await raw(base, head.encode("latin-1"))
        assert answer.startswith(b"HTTP/1."), answer
        assert answer[9:10] in b"45", answer
        self.evidence.add(f"answer to {head[:30]!r}", answer.decode("latin-1"))

    async def command(self, *arguments: str, environ: dict[str, str]) -> int:
        """Run a command; `token` is the one that tells the token."""
        code, out, err = await run(
            *arguments,
            *("-c", str(self.it.program.file), "--admin", self.it.admin[7:]),
            folder=self.it.folder,
            environ=environ,
        )
        self.evidence.add(f"command {arguments}", out + err)
        return code


async def log_in(it: Run) -> None:
    upstream = it.it.upstream
    assert await it.admin("GET", "/api/status", password="wrong-" + PASSWORD) == 401
    code = {"code": "7", "number": NUMBER}
    assert await it.admin("POST", "/api/login/code", code, told_back=PHONE) == 202
    # So that a wrong number is seen before one waits for its SMS.
    assert await it.admin("GET", "/", told_back=PHONE) == 200
    assert await it.admin("GET", "/api/status") == 200
    for wrong in (WRONG_CODE, {"code": WRONG_CODE}):
        members = {"phone": PHONE, "validation_code": wrong}
        assert await it.admin("POST", "/api/login/token", members) == 400
    members = {"validation_code": CODE}
    assert await it.admin("POST", "/api/login/token", members) == 200
    assert upstream.codes_sent == 1


async def make_calls(it: Run) -> None:
    upstream = it.it.upstream
    assert await it.call(PROFILE) == 200
    assert await it.call(PROFILE, headers=basic(OWN_TOKEN)) == 200
    assert await it.call(PROFILE, headers={"X-Proxy-Key": f"x{OWN_TOKEN}"}) == 401
    assert (
        await it.call(PROFILE, headers={"X-Proxy-Key": "", **basic(OWN_TOKEN)}) == 401
    )
    assert await it.call(PROFILE, headers={"Host": "evil.example"}) == 403
    query = f"access_token={OWN_TOKEN}&password={OWN_TOKEN}"
    assert await it.call(f"/api/v1/x?{query}") == 200
    assert await it.call(f"{SMS}?code=7&number={NUMBER}") == 200
    assert await it.call(f"{SMS.upper()}?NUMBER={NUMBER}&code=7") == 200

    # Rejected once, so refreshed; then for good.
    upstream.rejects.add(upstream.issued[-1][0])
    assert await it.call(PROFILE, "POST", data=b"x") == 200
    upstream.refuses.add("refresh_token")
    upstream.rejects.add(upstream.issued[-1][0])
    assert await it.call(PROFILE) in {401, 503}
    upstream.refuses.clear()
    upstream.rejects.clear()
    members = {"phone": PHONE, "validation_code": CODE}
    assert await it.admin("POST", "/api/login/token", members) == 200


async def meet_odd_answers(it: Run) -> None:
    for odd in ("garbage", "field", "length", "huge", "nothing"):
        assert await it.call(f"/odd/{odd}") == 502, odd
    for odd in ("chunk", "cut"):
        await it.call(f"/odd/{odd}")
    assert await it.call("/odd/slow") == 504


async def send_malformed(it: Run) -> None:
    key = f"X-Proxy-Key: {LOCAL_KEY}\r\nCookie: s={COOKIE}\r\n"
    own = f"Authorization: Bearer {OWN_TOKEN}\r\nConnection: close\r\n"
    host = "Host: localhost\r\n"
    for base in (it.it.url, it.it.admin):
        for head in (
            f"GET / HTTP/1.1\r\n{host}{key}{own}No colon\r\n\r\n",
            f"GET / HTTP/1.1\r\n{host}Cookie {COOKIE}\r\n\r\n",
            f"GET / HTTP/1.1\r\n{host}X-Proxy-Key: {LOCAL_KEY}\0\r\n\r\n",
            f"GET /{OWN_TOKEN}?token={OWN_TOKEN} HTTP/9.9\r\n{own}\r\n\r\n",
            f"Bearer {OWN_TOKEN}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: \r\n{own}\r\n",
            f"GET / HTTP/1.1\r\n{host}{own * 3000}\r\n",
            f"POST / HTTP/1.1\r\n{host}Content-Length: {OWN_TOKEN}\r\n\r\n",
        ):
            await it.send(base, head)
    await it.call(PROFILE, "POST", headers={"Content-Length": "9"}, data=b"")


async def lose_refreshes(it: Run) -> None:
    """Meet an authorization server that repeats what it was sent in every odd way."""
    upstream = it.it.upstream
    members = {"phone": PHONE, "validation_code": CODE}
    assert await it.admin("POST", "/api/login/token", members) == 200
    for fault in (
        "<html>{}</html>",
        "{}",
        '["{}"]',
        '{"access_token": 7, "was": "{}"}',
        '{"access_token": "a\\nb {}"}',
        "",
    ):
        upstream.grant_fault = fault
        assert await it.admin("POST", "/api/refresh", {}) >= 400
        wrong = {"phone": PHONE, "validation_code": WRONG_CODE}
        assert await it.admin("POST", "/api/login/token", wrong) >= 400
    upstream.grant_fault = None
    upstream.refuses.add("refresh_token")
    assert await it.admin("POST", "/api/refresh", {}) >= 400
    upstream.refuses.clear()
    assert await it.admin("POST", "/api/login/token", members) == 200


async def ask_admin(it: Run) -> None:
    for path in (
        "/",
        "/api/status",
        "/metrics",
        "/readiness",
        "/api/exchanges",
        "/api/exchanges.har",
        f"/nothing?password={PASSWORD}",
    ):
        await it.admin("GET", path)
    await it.admin("POST", "/api/login/token", {"validation_code": {CODE: [CODE]}})
    await it.admin("POST", "/api/login/code", {"phone": OWN_TOKEN})
    for content in (b'{"validation_code": "%s"' % CODE.encode(), b"\xff"):
        async with it.it.session.post(
            it.it.admin + "/api/login/token",
            data=content,
            headers={"Content-Type": "application/json", **basic(PASSWORD)},
        ) as answer:
            assert answer.status == 400
            it.evidence.add("admin's answer to half a JSON", await answer.text())


async def look_at_journal(it: Run) -> None:
    """Take everything along that the journal gives, masked and not."""
    async with it.it.session.get(
        it.it.admin + "/api/exchanges?limit=1000", headers=basic(PASSWORD)
    ) as answer:
        kept = (await answer.json())["exchanges"]
    assert len(kept) > 20
    paths = [f"/api/exchanges/{one['id']}{rest}" for one in kept for rest in VIEWS]
    for path in (*paths, "/api/exchanges.har", "/api/report.zip"):
        for query in ("", "unmasked=true"):
            mark = "&" if "?" in path else "?"
            where = f"{path}{mark}{query}" if query else path
            text = await everything_at(it, where)
            if query:
                text = text.replace(COOKIE, "a cookie")  # that was asked for
            it.evidence.add(where, text)


VIEWS = (
    "",
    "/command?as=curl",
    "/command?as=curl-direct",
    "/command?as=python",
    "/command?as=httpie",
    "/request/content",
    "/response/content",
)


async def everything_at(it: Run, path: str) -> str:
    """Return what the admin listener gives; of an archive, what its files hold."""
    async with it.it.session.get(it.it.admin + path, headers=basic(PASSWORD)) as answer:
        content = await answer.read()
        assert answer.status in {200, 403, 404}, content
    if content.startswith(b"PK"):
        bundle = zipfile.ZipFile(io.BytesIO(content))
        content = b"\n".join(map(bundle.read, bundle.namelist()))
    return content.decode("utf-8", "replace")


async def run_commands(it: Run) -> None:
    environ = {"TELEMED_PROXY_DEBUG": "1"}
    for arguments, code in (
        (("status", "--json"), exitcodes.DONE),
        (("status",), exitcodes.DONE),
        (("status", "--verify"), exitcodes.DONE),
        (("refresh",), exitcodes.DONE),
        (("login", PHONE, "--code", WRONG_CODE), exitcodes.LOGIN_REQUIRED),
        (("check",), None),
        (("har",), exitcodes.DONE),
    ):
        extra = arguments if arguments != ("check",) else ("check",)
        ended = await it.command(*extra, environ=environ)
        assert code is None or ended == code, it.evidence.said[-1]


def look_at_processes(it: Run) -> None:
    """Note what anybody sees of the program, and what its children would inherit."""
    process = Path(f"/proc/{it.it.program.pid}")
    it.evidence.add("its command line", (process / "cmdline").read_text("utf-8"))
    for thread in (process / "task").iterdir():
        it.evidence.add("the name of a thread", (thread / "comm").read_text())
        for child in (thread / "children").read_text().split():
            for name in ("cmdline", "environ"):
                text = Path(f"/proc/{child}/{name}").read_text("utf-8")
                it.evidence.add(f"a child's {name}", text)


@asynccontextmanager
async def planted(folder: Path, form: str) -> AsyncIterator[Run]:
    """Run the program with every kind of secret that it can be given."""
    code, key, _ = await run("store", "key", folder=folder)
    assert code == 0
    files = {"keys": f"app {LOCAL_KEY}\n", "password": PASSWORD}
    for name, text in files.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    evidence = Evidence(key.strip())
    async with house(
        folder,
        login=False,
        environ={
            "TELEMED_PROXY_STORE_KEY": key.strip(),
            "TELEMED_PROXY_DEBUG": "1",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONASYNCIODEBUG": "1",
        },
        upstream={"response_timeout": "700ms"},
        access={"local_key_file": str(folder / "keys")},
        admin={"listen": "127.0.0.1:0", "password_file": str(folder / "password")},
        log={"level": "debug", "format": form},
        journal={"content": True},
    ) as it:
        it.program.file.chmod(0o600)
        yield Run(it, evidence)
        evidence.planted |= {token for pair in it.upstream.issued for token in pair}
    for line in it.program.lines:
        evidence.add("the log", line)
    for file in (folder / "state").iterdir():
        evidence.add(f"the file {file.name}", file.read_bytes().decode("latin-1"))


@pytest.mark.parametrize("form", ["text", "json"])
async def test_no_secret_is_told_by_anything(tmp_path: Path, form: str) -> None:
    async with planted(tmp_path, form) as it:
        await log_in(it)
        await make_calls(it)
        await meet_odd_answers(it)
        await send_malformed(it)
        await lose_refreshes(it)
        await ask_admin(it)
        await look_at_journal(it)
        look_at_processes(it)
        if form == "text":
            await run_commands(it)
        it.it.program.process.send_signal(signal.SIGABRT)
        await until(lambda: it.it.program.process.returncode is not None)

    evidence = it.evidence
    assert evidence.found() == []
    # It did happen, and was told.
    told = "\n".join(text for where, text in evidence.said if where == "the log")
    for news in ("refresh", "401", "502", "504", "400", "403"):
        assert news in told
    assert len(it.it.upstream.issued) >= 4
    assert not any("core" in file.name for file in tmp_path.iterdir())


async def test_the_search_finds_what_is_told(tmp_path: Path) -> None:
    """The token file, not encrypted, holds the pair; `token` prints one."""
    async with house(tmp_path) as it:
        access, refresh = it.upstream.issued[-1]
        code, out, _ = await run(
            *("token", "-c", str(it.program.file), "--admin", it.admin[7:]),
            folder=tmp_path,
        )
    assert code == 0
    for text, secret in (
        (out, access),
        ((tmp_path / "state" / "tokens.json").read_text(), refresh),
        (basic(PASSWORD)["Authorization"], PASSWORD),
        (f"x{LOCAL_KEY[:ENDS]}...", LOCAL_KEY),
        (quote(f"a b/{CODE}"), CODE),
    ):
        evidence = Evidence(secret)
        evidence.add("there", text)
        assert evidence.found()


SECRET = f"secret-{secrets.token_urlsafe(18)}"


WRONG: dict[str, dict[str, Any]] = {
    "a store": {"store": {"url": f"redis://user:{SECRET}@127.0.0.1:x/0"}},
    "half a store": {"store": {"url": f"rediss//{SECRET}"}},
    "a key for the store": {"store": {"encryption_key": SECRET}},
    "a client": {"upstream": {"client_id": f"{SECRET} with a space"}},
    "a client's secret": {"upstream": {"client_secret": SECRET}},
    "a person": {"upstream": {"api_url": f"https://user:{SECRET}@api.example"}},
    "a way": {"upstream": {"egress_proxy": f"http://user:{SECRET}@proxy.example:31"}},
    "a password": {"admin": {"password": SECRET}},
    "a local key": {"access": {"local_key": SECRET}},
}


async def test_a_wrong_config_is_told_without_its_values(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.port = 9
    for name, settings in WRONG.items():
        text = json.dumps(document(upstream, tmp_path, settings))
        (tmp_path / f"{name}.yaml").write_text(text)
    runs = [("serve", name) for name in WRONG]
    runs += [("check", "a store"), ("status", "a store")]

    ended = await asyncio.gather(
        *(
            run(
                *(command, "-c", str(tmp_path / f"{name}.yaml")),
                folder=tmp_path,
                environ={"TELEMED_PROXY_DEBUG": "1"},
            )
            for command, name in runs
        )
    )

    for which, (code, out, err) in zip(runs, ended, strict=True):
        assert code == exitcodes.CONFIG, (which, out, err)
        assert SECRET not in out + err, which


async def test_a_wrong_file_of_secrets_is_told_without_its_content(
    tmp_path: Path,
) -> None:
    """Keys with a word too many, a key that is none, a password that is not UTF-8."""
    for name, content in (
        ("keys", f"app {SECRET} {SECRET}".encode()),
        ("store-key", f"not a key: {SECRET}".encode()),
        ("password", f"{SECRET}\xff".encode("latin-1")),
    ):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_bytes(content)
    upstream = Upstream()
    upstream.port = 9
    file = tmp_path / "config.yaml"
    for settings in (
        {"access": {"local_key_file": str(tmp_path / "keys")}},
        {"store": {"encryption_key_file": str(tmp_path / "store-key")}},
        {"admin": {"password_file": str(tmp_path / "password")}},
    ):
        file.write_text(json.dumps(document(upstream, tmp_path, settings)))
        environ = {"TELEMED_PROXY_DEBUG": "1"}
        code, out, err = await run(
            "serve", "-c", str(file), folder=tmp_path, environ=environ
        )
        assert code == exitcodes.CONFIG, err
        assert SECRET not in out + err
