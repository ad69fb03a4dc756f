"""The login, as a person makes it in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.page.conftest import OpenVisit
from tests.page.visit import MASKED, PHONE, Visit
from tests.running import Proxy, call

LANGUAGES = pytest.mark.parametrize("locale", ["en-US", "ru-RU"])


@LANGUAGES
def test_a_login_from_the_phone_to_the_logout(
    open_visit: OpenVisit, locale: str
) -> None:
    visit = open_visit(locale=locale)
    visit.open()
    visit.expect_badge("logged_out")
    visit.expect_accessible()

    visit.ask_for_code("8 (916) 123-45-67")
    visit.expect_message("done_code", role="status")
    expect(visit.page.locator(".number")).to_have_text(PHONE)
    visit.expect_accessible()

    visit.hand_in(visit.sent_code())
    visit.expect_message("done_login", role="status")
    visit.expect_badge("active")
    visit.expect_accessible()

    visit.button("refresh").click()
    visit.expect_message("done_refresh", role="status")
    visit.button("log_out").click()
    visit.expect_message("done_logout", role="status")
    visit.expect_badge("logged_out")


def test_who_is_logged_in_and_until_when(visit: Visit) -> None:
    visit.log_in()

    shown = {
        row.locator("dt").inner_text(): row.locator("dd").inner_text()
        for row in visit.page.locator("dl > div").all()
    }
    moment = r"\w+ \d+, \d{4} at \d+:\d\d\s[AP]M"
    texts = visit.texts
    assert shown[texts["row_phone"]] == MASKED
    assert re.fullmatch(moment, shown[texts["row_expires_at"]])
    assert re.fullmatch(moment, shown[texts["row_refresh_due_at"]])
    assert shown[texts["row_last_refresh"]] == texts["never"]
    assert shown[texts["row_last_error"]] == texts["none"]
    assert PHONE not in visit.page.content()

    visit.button("refresh").click()
    visit.expect_message("done_refresh", role="status")
    row = visit.page.locator("dl > div", has_text=texts["row_last_refresh"])
    expect(row.locator("dd")).to_have_text(re.compile(moment))


def test_the_address_on_the_page_takes_calls(visit: Visit, sandbox: Proxy) -> None:
    visit.log_in()

    command = visit.page.locator("pre").first.inner_text()
    curl, address = command.split()

    assert curl == "curl"
    assert address.startswith(sandbox.url)
    assert call("GET", address).ok


def test_a_login_elsewhere_shows_by_itself(visit: Visit, sandbox: Proxy) -> None:
    visit.open()
    visit.expect_badge("logged_out")

    sandbox.login()
    visit.page.evaluate("dispatchEvent(new Event('visibilitychange'))")

    visit.expect_badge("active")


def test_by_keyboard_alone(visit: Visit) -> None:
    visit.open()
    keyboard = visit.page.keyboard
    expect(visit.field("phone")).to_be_focused()
    keyboard.type(PHONE)
    keyboard.press("Enter")

    expect(visit.field("code")).to_be_focused()
    keyboard.type(visit.sent_code())
    visit.tab_to(visit.button("log_in"))
    keyboard.press("Space")

    visit.expect_badge("active")
    visit.tab_to(visit.button("log_out"))
    keyboard.press("Enter")
    visit.expect_badge("logged_out")


def test_a_code_that_is_there_already_by_keyboard_alone(visit: Visit) -> None:
    visit.open()
    visit.ask_for_code()
    visit.expect_badge("code_sent")
    visit.open("/?step=phone")
    keyboard = visit.page.keyboard

    visit.tab_to(visit.page.get_by_text(visit.texts["have_code"]))
    keyboard.press("Enter")
    visit.tab_to(visit.page.locator("#known-phone"))
    keyboard.type(PHONE)
    keyboard.press("Tab")
    keyboard.type(visit.sent_code())
    keyboard.press("Enter")

    visit.expect_badge("active")


def test_without_scripts(open_visit: OpenVisit) -> None:
    visit = open_visit(java_script_enabled=False)
    visit.open()
    visit.ask_for_code()
    expect(visit.page.locator(".hint")).to_have_text(
        re.compile(rf"{visit.texts['possible_from']} \d\d:\d\d:\d\d UTC")
    )

    visit.hand_in(visit.sent_code())
    visit.expect_message("done_login", role="status")
    visit.expect_badge("active")
    expect(visit.page.get_by_text(MASKED).first).to_be_visible()

    visit.button("log_out").click()
    visit.expect_badge("logged_out")


def test_on_a_telephone(open_visit: OpenVisit) -> None:
    visit = open_visit(
        # Its words are the longer ones.
        locale="ru-RU",
        viewport={"width": 360, "height": 740},
        has_touch=True,
    )
    visit.open()
    visit.expect_narrow()
    visit.expect_accessible()

    visit.ask_for_code()
    visit.expect_badge("code_sent")
    visit.expect_narrow()
    visit.expect_accessible()
    code = visit.field("code")
    assert code.get_attribute("inputmode") == "numeric"
    assert code.get_attribute("autocomplete") == "one-time-code"

    visit.hand_in(visit.sent_code())
    visit.expect_badge("active")
    visit.expect_narrow()
    visit.expect_accessible()


def test_dark_where_that_is_liked(open_visit: OpenVisit) -> None:
    light, dark = open_visit(color_scheme="light"), open_visit(color_scheme="dark")
    for visit in (light, dark):
        visit.open()

    color = "getComputedStyle(document.body).backgroundColor"

    assert brightness(light.page.evaluate(color)) > 200
    assert brightness(dark.page.evaluate(color)) < 50


def brightness(color: str) -> int:
    """Return the brightest part of `color`, from 0 to 255."""
    return max(int(part) for part in re.findall(r"\d+", color)[:3])
