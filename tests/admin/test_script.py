"""The page's script and style, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.admin.browser import Tab, open_tab
from tests.admin.conftest import PHONE, Admin, open_admin
from tests.programs import need

LOOK_NOW = "dispatchEvent(new Event('visibilitychange')), true"
SHOWN = "!document.querySelector('{}').hidden"
HIDDEN = "document.querySelector('{}').hidden"


@pytest.fixture
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    need("chromium")
    async with open_tab(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


def address(admin: Admin) -> str:
    return str(admin.client.make_url("/"))


async def test_a_proxy_that_stops_is_told_until_it_is_back(
    tab: Tab, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        admin = await open_admin(stack, tmp_path)
        url, port = address(admin), admin.client.port
        await tab.open(url)
        await tab.run("window.first = true")
        assert await tab.run(HIDDEN.format("#offline"))

    await tab.until(f"{LOOK_NOW}, {SHOWN.format('#offline')}")
    assert "does not answer" in await tab.run("document.body.innerText")
    assert await tab.run(HIDDEN.format(".badge"))

    async with AsyncExitStack() as stack:
        await open_admin(stack, tmp_path, port=port)
        # Loaded anew, as the forms of the old page would be refused.
        loaded = "!window.first && document.readyState === 'complete'"
        await tab.until(f"{LOOK_NOW}, {loaded}")
        assert await tab.run(HIDDEN.format("#offline"))


async def test_what_is_being_typed_outlives_an_outage(tab: Tab, admin: Admin) -> None:
    def fault() -> list[str]:
        raise ZeroDivisionError

    await tab.open(address(admin))
    await tab.run("document.querySelector('#phone').value = '+7 916'")
    listen, admin.listen = admin.listen, fault
    await tab.until(f"{LOOK_NOW}, {SHOWN.format('#offline')}")

    admin.listen = listen
    await tab.until(f"{LOOK_NOW}, {HIDDEN.format('#offline')}")

    assert await tab.run("document.querySelector('#phone').value") == "+7 916"
    assert not await tab.run(HIDDEN.format(".badge"))


async def test_an_old_answer_does_not_pass_for_the_proxys_return(
    tab: Tab, admin: Admin
) -> None:
    await tab.open(address(admin))
    # Answers come when the test says so; looking again must wait for them.
    await tab.run(
        "window.asked = 0; window.first = true;"
        "window.fetch = (path) => new Promise((_, fail) => {"
        " if (path !== '/api/status') return;"
        " window.asked += 1; window.fail = fail; }), true"
    )
    await tab.run(LOOK_NOW)
    await tab.run(LOOK_NOW)
    assert await tab.run("window.asked") == 1

    await tab.run("window.fail(new Error()), true")
    await tab.until(SHOWN.format("#offline"))
    await tab.run(LOOK_NOW)

    assert await tab.run("window.asked") == 2
    assert await tab.run("window.first")


async def test_the_wait_counts_down(tab: Tab, admin: Admin) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    await tab.open(address(admin))

    await tab.until("/possible in (1:00|0:5\\d)/.test(document.body.innerText)")
    assert await tab.run("document.querySelector('[data-wait]').disabled")


async def test_without_scripts_the_wait_is_a_time(tab: Tab, admin: Admin) -> None:
    await admin.post("/api/login/code", {"phone": PHONE})
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    await tab.open(address(admin))

    hint = await tab.run("document.querySelector('.hint').innerText")
    assert hint == "possible from 08:01:00 UTC"


async def test_a_small_screen_cuts_nothing_off(tab: Tab, admin: Admin) -> None:
    admin.listen = lambda: [f"unix:/run/{'long/' * 30}proxy.sock"]
    await admin.post("/api/login/code", {"phone": PHONE})
    await tab.resize(320)
    await tab.open(address(admin))

    wide = "[...document.querySelectorAll('*')].filter(e => e.scrollWidth > {})"
    assert await tab.run(wide.format("320") + ".length") == 0
    # The small screen makes a block of it, which must not undo its being hidden.
    gone = "(e => (e.hidden = true, e.offsetHeight))(document.querySelector('.hint'))"
    assert await tab.run(gone) == 0
    fits = "(e => e.scrollWidth <= e.clientWidth)(document.querySelector('pre'))"
    assert await tab.run(fits)


async def test_an_ended_session_leads_to_the_page_that_asks(
    tab: Tab, admin: Admin
) -> None:
    await tab.open(address(admin))
    await tab.run(
        "window.first = true;"
        "window.fetch = async () => new Response('', { status: 401 }), true"
    )

    await tab.until(f"{LOOK_NOW}, !window.first && document.readyState === 'complete'")
    assert await tab.run(HIDDEN.format("#offline"))
