"""How the page looks in its main states: usable by everybody, and as documented.

With `--screenshots` these tests take the pictures of docs/page.md.
"""

import pytest
from playwright.sync_api import expect

from tests.page.conftest import OpenVisit
from tests.page.pictures import FOLDER, Pictures
from tests.page.requests_half import RequestsHalf
from tests.page.visit import Visit
from tests.running import Proxy, call

WIDE = {"width": 1200, "height": 860}
UPDATE = "/api/v1/profile/update"
CHANGES = {
    "lastName": "Соколова",
    "firstName": "Анна",
    "email": "anna.sokolova@example.org",
    "heightCm": 168,
    "allergies": "Пыльца берёзы",
}
APP = {"User-Agent": "clinic-app/1.4"}
SCRIPT = {"User-Agent": "curl/8.5.0"}


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Pictures:
    # The option is known only if this folder was named on the command line.
    return Pictures(FOLDER if request.config.getoption("screenshots", None) else None)


def make_calls(proxy: Proxy) -> None:
    """Call as two programs would in a busy minute: some of it fails."""

    def send(method: str, path: str, fields: dict[str, str], content: object) -> None:
        call(method, proxy.url + path, headers=fields, json=content)

    proxy.ask("POST", "/api/exchanges/content", {"seconds": 600})
    send("GET", "/api/v1/profile/get", SCRIPT, None)
    send("GET", "/api/v1/doctor/get-all?limit=20&offset=0", APP, None)
    send("GET", "/api/v1/doctor/get/101", APP, None)
    question = {"text": "Добрый день! Болит горло, третий день."}
    send("POST", "/api/v1/writingrequest/start-writing", APP, question)
    send("GET", "/api/v2/message/get-all?limit=50&lookForward=true", APP, None)
    switches = {"api_fault": "reset", "api_fault_count": 1}
    call("PATCH", f"{proxy.control}/switches", json=switches)
    send("POST", "/api/v1/message/mark-as-read", APP, {"requestId": 1})
    call("POST", f"{proxy.control}/revoke", json={"tokens": "access"})
    send("GET", "/api/v1/operation/get-all?type=payment", SCRIPT, None)
    send("POST", UPDATE, APP, CHANGES)
    send("GET", "/api/v1/request/get-status/0", SCRIPT, None)


def busy(visit: Visit, pictures: Pictures) -> RequestsHalf:
    """Log in and make calls, then open the page."""
    visit.proxy.login()
    make_calls(visit.proxy)
    pictures.steady(visit)
    visit.open()
    half = RequestsHalf(visit)
    half.expect_shown(9)
    return half


# What overflows to the left is in no scrollWidth.
_CUT_OFF = """(all) => all.filter((one) => {
  const [text, style] = [document.createRange(), getComputedStyle(one)];
  text.selectNodeContents(one);
  const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  return text.getBoundingClientRect().width > one.clientWidth - padding + 0.5;
}).map((one) => one.textContent)"""


def expect_whole_headings(half: RequestsHalf) -> None:
    headings = half.page.locator("thead th")
    expect(headings).to_have_count(7)
    assert headings.evaluate_all(_CUT_OFF) == []


def test_login(open_visit: OpenVisit, pictures: Pictures) -> None:
    visit = open_visit(viewport=WIDE)
    pictures.steady(visit)
    visit.open()
    visit.expect_badge("logged_out")
    pictures.take(visit, "login")

    visit.ask_for_code()
    visit.expect_badge("code_sent")
    visit.open()
    pictures.take(visit, "code")

    visit.hand_in(visit.sent_code())
    visit.expect_badge("active")
    visit.open()
    visit.expect_accessible()
    pictures.take(visit, "active")


def test_requests(open_visit: OpenVisit, pictures: Pictures) -> None:
    visit = open_visit(viewport=WIDE)
    half = busy(visit, pictures)
    visit.expect_accessible()
    expect_whole_headings(half)
    pictures.take(visit, "requests", whole=False)

    half.look_at(UPDATE)
    expect(half.detail.locator(".json")).to_have_count(2)
    visit.expect_accessible()
    pictures.take(visit, "detail")


def test_narrow(open_visit: OpenVisit, pictures: Pictures) -> None:
    visit = open_visit(viewport={"width": 390, "height": 844}, has_touch=True)
    half = busy(visit, pictures)
    visit.expect_narrow()
    visit.expect_accessible()
    half.filter.evaluate("(each) => scrollTo(0, each.closest('section').offsetTop)")
    pictures.take(visit, "narrow", whole=False)


def test_russian(open_visit: OpenVisit, pictures: Pictures) -> None:
    visit = open_visit(viewport=WIDE, locale="ru-RU")
    half = busy(visit, pictures)
    visit.expect_accessible()
    expect_whole_headings(half)
    pictures.take(visit, "russian", whole=False)


def test_dark(open_visit: OpenVisit, pictures: Pictures) -> None:
    visit = open_visit(viewport=WIDE, color_scheme="dark")
    half = busy(visit, pictures)
    half.look_at("/api/v1/message/mark-as-read")
    visit.expect_accessible()
    pictures.take(visit, "dark")


def test_the_tour_shows_every_picture() -> None:
    tour = (FOLDER.parent / "page.md").read_text("utf-8")
    files = sorted(FOLDER.glob("*.png"))

    assert files
    for file in files:
        assert f"](page/{file.name})" in tour
        assert file.stat().st_size < 150_000
    assert tour.count("](page/") == len(files)
