"""The live list: what programs call appears, and can be found again."""

import re
import subprocess

import pytest
from playwright.sync_api import expect

from tests.page.conftest import OpenVisit
from tests.page.requests_half import RequestsHalf, emptied, logged_in
from tests.page.visit import Visit
from tests.programs import need
from tests.running import Proxy, call

DOCTORS = "/api/v1/doctor/get-all?limit=3&offset=0"
REGIONS = "/api/v1/region/get-all"
NOWHERE = "/api/v1/no-such-call"


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


def test_a_call_of_curl_appears_while_one_looks(visit: Visit) -> None:
    need("curl")
    half = logged_in(visit)

    url = visit.proxy.url + DOCTORS
    subprocess.run(["curl", "-sf", "--noproxy", "*", url], check=True, timeout=30)

    half.expect_count(1)
    expect(half.list.first.get_by_role("cell").nth(3)).to_have_text("200")
    cells = half.list.first.get_by_role("cell").all_inner_texts()
    time, method, path, status, duration, size, caller = cells
    assert re.fullmatch(r"\d\d:\d\d:\d\d", time)
    assert (method, path, status) == ("GET", DOCTORS, "200")
    assert re.fullmatch(r"[\d.]+ ms", duration)
    assert re.fullmatch(r"[\d.]+ kB", size)
    assert caller.startswith("curl/")


def test_the_newest_is_on_top_and_failures_are_marked(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)
    half.get(NOWHERE)

    first, second = half.list.all()
    expect(first).to_contain_text(NOWHERE)
    expect(first.get_by_role("cell").nth(3)).to_contain_text("404")
    # Not by colour alone.
    expect(first).to_contain_text(half.said["failed"])
    expect(second).not_to_contain_text(half.said["failed"])
    visit.expect_accessible()


def test_an_answer_of_the_proxy_itself_is_marked(visit: Visit, sandbox: Proxy) -> None:
    sandbox.ask("POST", "/api/logout", {})
    visit.open()
    half = RequestsHalf(visit)
    expect(half.page.get_by_text(half.said["empty"])).to_be_visible()

    half.get(REGIONS)

    expect(half.row(REGIONS)).to_contain_text("503")
    expect(half.row(REGIONS)).to_contain_text(half.said["by_proxy"])


def test_what_was_called_before_is_there_too(visit: Visit, sandbox: Proxy) -> None:
    for path in (REGIONS, DOCTORS, NOWHERE):
        call("GET", sandbox.url + path)

    visit.open()

    RequestsHalf(visit).expect_count(3)


def test_the_filter_follows_what_is_typed(visit: Visit) -> None:
    half = logged_in(visit)
    for path in (REGIONS, DOCTORS, NOWHERE):
        half.get(path)

    half.filter.press_sequentially("doctor")
    half.expect_count(1)
    expect(half.row(DOCTORS)).to_be_visible()
    half.filter.fill("status:4xx")
    expect(half.row(NOWHERE)).to_be_visible()
    half.expect_count(1)

    # It holds for what comes, too: the later call shows that the one before did not.
    call("GET", visit.proxy.url + REGIONS)
    call("GET", visit.proxy.url + NOWHERE + "/2")
    half.expect_count(2)
    expect(half.list.filter(has_text=REGIONS)).to_have_count(0)

    half.filter.fill("-status:4xx method:POST")
    expect(half.page.get_by_text(half.said["empty_filter"])).to_be_visible()
    half.filter.fill("")
    half.expect_count(5)


def test_a_filter_that_is_none_is_explained_beside_it(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)

    half.filter.fill("status:many")

    expect(half.filter).to_have_accessible_description(re.compile(r"status.*\."))
    expect(half.filter).to_have_attribute("aria-invalid", "true")
    half.expect_count(1)
    visit.expect_accessible()
    half.filter.fill("status:200")
    expect(half.filter).to_have_attribute("aria-invalid", "false")
    expect(half.filter).to_have_accessible_description("")
    visit.forgive("answer: 400", "status of 400")


def test_a_filter_outlives_a_reload(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)
    half.get(NOWHERE)
    half.filter.fill("is:error")
    half.expect_count(1)

    visit.page.reload()

    expect(half.filter).to_have_value("is:error")
    half.expect_count(1)


def test_requests_are_counted_by_call(visit: Visit) -> None:
    half = logged_in(visit)
    for path in ("/api/v1/doctor/get/101", "/api/v1/doctor/get/0", REGIONS, NOWHERE):
        half.get(path)
    half.page.get_by_text(half.texts["by_call"], exact=True).click()
    groups = half.page.locator("#groups li")
    expect(groups).to_have_count(3)
    expect(groups.first).to_contain_text("/api/v1/doctor/get/{id}")
    failed = half.said["group_failed"].format(count=1)
    expect(groups.first).to_contain_text(f"2 requests · {failed} · usually")
    expect(groups.filter(has_text=half.said["no_call"])).to_have_count(1)
    visit.expect_accessible()

    groups.first.get_by_role("link").click()
    half.expect_shown(2)
    expect(half.filter).to_have_value("path:/api/v1/doctor/get/*")


def test_a_pause_holds_back_what_comes(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)

    half.button("pause").click()
    call("GET", visit.proxy.url + DOCTORS)
    told = half.said["paused_new"].format(count=1)
    expect(half.page.locator("#count")).to_have_text(told)
    expect(half.list).to_have_count(1)
    half.button("continue").click()

    half.expect_count(2)


def test_clearing_asks_and_forgets(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)

    # No is an answer, as often as one likes.
    for _ in range(2):
        half.button("clear").click()
        visit.expect_accessible()
        half.in_dialog("clear_title", "cancel").click()
        expect(half.dialog("clear_title")).to_be_hidden()
        expect(half.button("clear")).to_be_focused()
    half.expect_count(1)
    half.button("clear").click()
    half.in_dialog("clear_title", "clear_yes").click()

    expect(half.page.get_by_text(half.said["empty"])).to_be_visible()
    assert visit.proxy.ask("GET", "/api/exchanges")["exchanges"] == []


def test_a_list_that_was_cleared_elsewhere_is_empty_here(
    open_visit: OpenVisit,
) -> None:
    here = logged_in(open_visit())
    here.get(REGIONS)

    # Without exchanges there is nothing to ask about.
    answer = call("DELETE", here.visit.proxy.admin + "/api/exchanges", json={})
    assert answer.ok

    expect(here.page.get_by_text(here.said["empty"])).to_be_visible()


def test_it_goes_on_when_the_proxy_is_back(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)
    # A reload of the page's own would hide whether the stream goes on.
    half.page.evaluate("window.first = true")

    half.page.evaluate("dispatchEvent(new Event('offline'))")
    visit.context.set_offline(True)
    visit.context.set_offline(False)
    half.get(DOCTORS)

    half.expect_count(2)


def test_by_keyboard_alone(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(REGIONS)
    half.get(DOCTORS)
    keyboard = visit.page.keyboard
    visit.page.locator("body").click(position={"x": 1, "y": 1})

    keyboard.press("/")
    expect(half.filter).to_be_focused()
    keyboard.type("region")
    half.expect_count(1)
    keyboard.press("Control+a")
    keyboard.press("Delete")
    half.expect_count(2)
    keyboard.press("ArrowDown")
    expect(half.row(DOCTORS).get_by_role("link")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(half.detail.locator("#detail-title")).to_be_focused()
    expect(half.detail.locator("#detail-title")).to_contain_text(REGIONS)

    visit.tab_to(half.button("close"))
    keyboard.press("Enter")
    expect(half.detail).to_be_hidden()
    expect(half.row(REGIONS).get_by_role("link")).to_be_focused()
    keyboard.press("Enter")
    expect(half.detail).to_be_visible()
    keyboard.press("Escape")
    expect(half.detail).to_be_hidden()


def test_in_russian(open_visit: OpenVisit) -> None:
    half = logged_in(open_visit(locale="ru-RU"))
    for path in (REGIONS, DOCTORS, NOWHERE, NOWHERE, NOWHERE):
        half.get(path)

    expect(half.page.locator("#count")).to_have_text("5 запросов")
    half.filter.fill("status:404")
    expect(half.page.locator("#count")).to_have_text("3 запроса")
    expect(half.row(NOWHERE)).to_contain_text("ошибка")
    half.visit.expect_accessible()


def test_without_scripts_it_says_what_it_needs(open_visit: OpenVisit) -> None:
    visit = open_visit(java_script_enabled=False)
    visit.open()
    half = RequestsHalf(visit)

    told = half.page.locator("#requests noscript p")
    expect(told).to_be_visible()
    assert told.inner_text() == half.texts["no_script"]
    expect(half.page.locator("#live")).to_be_hidden()
