"""A real browser attacks: what a hostile page tries, and what the allowed one can do.

The attacks are in `attacks.js`. That each of them works where nothing is in its way is
tried first, on the bare upstream.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.admin.browser import Tab, open_tab
from tests.programs import need
from tests.reliability.program import until
from tests.security.house import House, house, unharmed
from tests.security.upstream import SECRET, Upstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

ATTACKS = Path(__file__).with_name("attacks.js").read_text("utf-8")

HOSTILE = "evil.test"
FRIEND = "friend.test"

# Chromium takes these names for this machine, as if DNS said so.
RESOLVER = ("--host-resolver-rules=MAP *.test 127.0.0.1",)

DENIED = "/api/v1/denied"
API = (["/api/v1/attack/*"], ["/api/v1/attack/write"])
ADMIN = (
    ["/", "/api/status", "/metrics"],
    ["/api/logout", "/api/login/code", "/logout", "/login/code"],
)

# Loads for which a browser tells no origin, as the page can read nothing of them.
NAMELESS = {
    "embed",
    "fetch-head",
    "fetch-keepalive",
    "fetch-no-referrer",
    "fetch-opaque",
    "form-get",
    "frame",
    "image",
    "object",
    "script",
    "style",
    "video",
}
# Pages that have no origin, whoever wrote them.
LAWLESS = {"sandboxed", "data-url"}


class Page:
    """A tab, and the server of pages that have nothing to do with the proxy."""

    def __init__(self, tab: Tab, port: int) -> None:
        self.tab = tab
        self.port = port

    def origin(self, host: str) -> str:
        return f"http://{host}:{self.port}"

    async def go(self, url: str) -> None:
        """Open `url` and let the attacker's script run there."""
        await self.tab.open("about:blank")
        await self.tab.open(url)
        await self.tab.run(ATTACKS)

    async def attack(self, base: str, tries: tuple[list[str], list[str]]) -> Any:
        """Try everything at `base`; return what could be read, by attack."""
        reads, writes = map(json.dumps, tries)
        return await self.tab.run(f"attack({json.dumps(base)}, {reads}, {writes})")

    async def text(self) -> str:
        """Return what the page shows."""
        return str(await self.tab.run("document.documentElement.innerText"))

    async def framed(self, url: str, where: str) -> str:
        """Frame `url` in the page at `where`; return what the frame then shows."""
        await self.go(where)
        await self.tab.run(f"load('iframe', {{src: {json.dumps(url)}}}, () => true)")
        tree = await self.tab.call("Page.getFrameTree")
        [frame] = tree["frameTree"]["childFrames"]
        return str(frame["frame"]["url"])

    async def every_attack(self) -> set[str]:
        names = await self.tab.run("[...Object.keys(READS), ...Object.keys(WRITES)]")
        return set(names)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    need("chromium")

    async def blank(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="<title>elsewhere</title>", content_type="text/html")

    runner = web.ServerRunner(web.Server(blank), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    folder = tmp_path_factory.mktemp("browser")
    try:
        async with open_tab(folder, *RESOLVER) as tab:
            yield Page(tab, runner.addresses[0][1])
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def it(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    access = {"allowed_origins": [page.origin(FRIEND)], "deny": [f"PUT {DENIED}"]}
    async with house(tmp_path_factory.mktemp("house"), access=access) as it:
        yield it


async def still_logged_in(it: House) -> None:
    """Fail unless the login stands and its own callers are served."""
    assert (await it.program.status())["state"] == "active"
    assert (await it.call("/api/v1/profile/get"))[0] == 200
    assert it.upstream.requests.pop().get("authorization") == [
        f"Bearer {it.upstream.issued[-1][0]}"
    ]


def refused(it: House) -> set[str]:
    """Return the attacks that the program says it has refused."""
    targets = [target for _, target in it.program.answered(403)]
    return {target.partition("?by=")[2].partition("&")[0] for target in targets}


async def test_the_attacks_work_where_nothing_stops_them(page: Page) -> None:
    async with Upstream() as bare:
        await page.go(page.origin(HOSTILE))
        read = await page.attack(bare.url, API)

        assert bare.names == await page.every_attack()
        # Frames and the like are kept apart by the browser, whoever answers.
        by_fetch = {name for name, got in read.items() if SECRET in got}
        assert by_fetch >= {
            "fetch",
            "fetch-preflighted",
            "xhr",
            "events",
            "socket",
            "worker",
            "script",
            "sandboxed",
            "data-url",
            "post-json",
            "put",
        }
        assert read.keys() >= {"image", "style"}


@pytest.mark.parametrize("host", [HOSTILE, "127.0.0.1", "localhost"])
async def test_a_page_elsewhere_reaches_no_call(
    page: Page, it: House, host: str
) -> None:
    it.program.lines.clear()
    await page.go(page.origin(host))

    with unharmed(it):
        read = await page.attack(it.url, API)

    assert read == {}
    # All of them came as far as the listener, whose log tells it a little later.
    every = await page.every_attack()
    await until(lambda: refused(it) >= every)
    await still_logged_in(it)


@pytest.mark.parametrize("host", [HOSTILE, FRIEND, "127.0.0.1"])
async def test_a_page_elsewhere_reaches_nothing_of_the_admin_listener(
    page: Page, it: House, host: str
) -> None:
    await page.go(page.origin(host))

    with unharmed(it):
        read = await page.attack(it.admin, ADMIN)

    assert read == {}
    await still_logged_in(it)


async def test_a_page_that_the_api_serves_reaches_nothing_of_the_admin_listener(
    page: Page, it: House
) -> None:
    await page.go(f"{it.url}/api/v1/media/get/uploaded.html")
    assert SECRET in await page.text()

    with unharmed(it):
        read = await page.attack(it.admin, ADMIN)

    assert read == {}
    await still_logged_in(it)


@pytest.mark.parametrize("host", [HOSTILE, "127.0.0.1"])
async def test_a_session_on_the_admin_page_is_of_no_use_to_other_pages(
    page: Page, tmp_path: Path, host: str
) -> None:
    """Although a browser sends its cookie with what pages of other ports ask for."""
    file = tmp_path / "password"
    file.write_text("a-password")
    admin = {"listen": "127.0.0.1:0", "password_file": str(file)}
    async with house(tmp_path, admin=admin, login=False) as it:
        await page.tab.open("about:blank")
        await page.tab.open(it.admin)
        await page.tab.until("!!document.querySelector('input[name=password]')")
        await page.tab.run(
            "document.querySelector('input[name=password]').value = 'a-password',"
            "document.querySelector('form').submit()"
        )
        await page.tab.until("!!document.querySelector('input[name=csrf]')")
        assert await page.tab.run("document.cookie") == ""
        status = "fetch('/api/status').then((answer) => answer.status)"
        assert await page.tab.run(status) == 200

        await page.go(page.origin(host))
        with unharmed(it):
            read = await page.attack(it.admin, ADMIN)

        assert read == {}
        await page.tab.open("about:blank")
        await page.tab.open(it.admin)
        assert await page.tab.run(status) == 200


@pytest.mark.parametrize("name", ["rebind.test", "localhost.evil.test"])
@pytest.mark.parametrize("listener", ["forwarding", "admin"])
async def test_a_name_that_dns_points_here_opens_nothing(
    page: Page, it: House, name: str, listener: str
) -> None:
    base, tries = (it.url, API) if listener == "forwarding" else (it.admin, ADMIN)
    rebound = base.replace("127.0.0.1", name)
    # The attacker's script, at the origin that their name has made of the listener.
    await page.tab.call("Page.setBypassCSP", enabled=True)
    try:
        await page.go(f"{rebound}/api/v1/attack/x.html")
        assert "is not a name of this listener" in await page.text()

        with unharmed(it):
            read = await page.attack(rebound, tries)
    finally:
        await page.tab.call("Page.setBypassCSP", enabled=False)

    # It is their own origin, so they can read: that they are refused.
    assert all(SECRET not in got for got in read.values())
    assert '"value": "host"' in read["fetch"]
    assert '"value": "host"' in read["post-json"]
    assert "state" not in read["fetch"]
    await still_logged_in(it)


@pytest.mark.parametrize("host", [HOSTILE, "127.0.0.1"])
async def test_a_link_from_elsewhere_leads_to_a_refusal(
    page: Page, it: House, host: str
) -> None:
    for there in (f"{it.url}/api/v1/attack/x.html", f"{it.admin}/"):
        await page.go(page.origin(host))
        with unharmed(it):
            await page.tab.run(f"location = {there!r}, true")
            await page.tab.until(f"location.href === {there!r}")
            await page.tab.until("document.readyState === 'complete'")
        assert SECRET not in await page.text()
        assert "forbidden" in await page.text()


async def test_a_window_that_a_page_opens_tells_it_nothing(
    page: Page, it: House
) -> None:
    await page.go(page.origin(HOSTILE))
    opened = await page.tab.call(
        "Runtime.evaluate",
        expression=f"""(async () => {{
            const opened = window.open({it.admin + "/"!r});
            if (!opened) return "no window";
            await new Promise((done) => setTimeout(done, 300));
            let read = "";
            try {{ read = opened.document.documentElement.innerText; }} catch {{ }}
            const told = [read, opened.closed];
            opened.close();
            return told.join();
        }})()""",
        userGesture=True,
        awaitPromise=True,
        returnByValue=True,
    )
    # Cut loose by its opener policy, it looks as if it were closed.
    assert opened["result"]["value"] == ",true"


async def test_nobody_frames_the_admin_page(page: Page, it: House) -> None:
    uploaded = f"{it.url}/api/v1/media/get/uploaded.html"

    # One of its own the API's page frames, so it would know how.
    assert await page.framed(uploaded, uploaded) == uploaded
    for where in (uploaded, page.origin("127.0.0.1"), f"{it.admin}/"):
        for path in ("/", "/api/status", "/static/style.css"):
            seen = await page.framed(it.admin + path, where)
            assert seen.startswith("chrome-error:")


async def test_a_typed_address_works(page: Page, it: House) -> None:
    await page.go(f"{it.url}/api/v1/profile/typed.html")
    assert SECRET in await page.text()
    await page.go(f"{it.admin}/")
    assert await page.tab.run("document.title")
    await still_logged_in(it)


async def test_the_allowed_page_can_do_all_that_cors_gives(
    page: Page, it: House
) -> None:
    await page.go(page.origin(FRIEND))
    it.upstream.requests.clear()

    read = await page.attack(it.url, API)

    assert it.upstream.names == await page.every_attack() - NAMELESS - LAWLESS
    unread = {"post", "post-text", "post-form", "beacon", "beacon-json"}
    forms = {"form-urlencoded", "form-multipart", "form-plain"}
    assert read.keys() == it.upstream.names - unread - forms
    # Preflights are answered by the proxy, and each call carries the token, alone.
    assert not any(one.method == "OPTIONS" for one in it.upstream.requests)
    token = [f"Bearer {it.upstream.issued[-1][0]}"]
    assert all(one.get("authorization") == token for one in it.upstream.requests)
    assert not any(one.get("x-proxy-key") for one in it.upstream.requests)
    await still_logged_in(it)


async def test_the_allowed_page_reads_fields_and_refusals(
    page: Page, it: House
) -> None:
    async def fields(call: str, *names: str) -> Any:
        return await page.tab.run(
            f"fetch({call}).then((answer) => [answer.status,"
            f" ...{json.dumps(names)}.map((name) => answer.headers.get(name))])"
        )

    await page.go(page.origin(FRIEND))
    relayed = await fields(f"'{it.url}/api/v1/x'", "X-Total", "ETag", "Proxy-Status")
    own = await fields(f"'{it.url}{DENIED}', {{method: 'PUT'}}", "Proxy-Status")

    assert relayed == [200, "3", '"one"', None]
    assert own[0] == 403
    assert own[1].startswith("telemed-proxy; error=http_request_denied")


async def test_no_answer_opens_the_private_network(it: House, page: Page) -> None:
    for host in (HOSTILE, FRIEND):
        fields = {
            "Origin": page.origin(host),
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "x-custom",
            "Access-Control-Request-Private-Network": "true",
        }
        for base in (it.url, it.admin):
            async with it.session.options(base + "/api/v1/x", headers=fields) as answer:
                assert "Access-Control-Allow-Private-Network" not in answer.headers
                allowed = host == FRIEND and base == it.url
                assert answer.status == (204 if allowed else 403)
        async with it.session.get(it.url + "/api/v1/x", headers=fields) as answer:
            assert "Access-Control-Allow-Private-Network" not in answer.headers
