"""A login that does not go well: the page says so, and what to do."""

import re
import socket
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.conftest import OpenVisit, start_proxy
from tests.page.visit import PHONE, Visit
from tests.running import Proxy

WRONG = "not this"


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_a_phone_that_is_none(open_visit: OpenVisit, locale: str) -> None:
    visit = open_visit(locale=locale)
    visit.open()

    for typed, told in (
        ("allo 916 1234567", "phone_letters"),
        ("+7 916", "phone_short"),
        ("+7 916 123-45-67-89-10-11-12", "phone_long"),
        ("---", "phone_empty"),
    ):
        visit.ask_for_code(typed)

        visit.expect_message(told, "phone_how")
        expect(visit.field("phone")).to_have_value(typed)
    visit.expect_accessible()
    assert visit.control("GET", "/sms")["totalCount"] == 0


def test_nothing_is_sent_for_an_empty_field(visit: Visit) -> None:
    visit.open()

    visit.button("send_code").click()

    expect(visit.page.locator("#phone:invalid")).to_be_focused()
    assert visit.control("GET", "/sms")["totalCount"] == 0


def test_a_wrong_code_can_be_typed_again(visit: Visit) -> None:
    visit.open()
    visit.ask_for_code()

    for left in (4, 3):
        visit.hand_in(WRONG)
        visit.expect_message("wrong_code", "codes_left", left=left)
        expect(visit.field("code")).to_be_focused()
        expect(visit.field("code")).to_have_value("")
    visit.expect_accessible()

    visit.hand_in(visit.sent_code())
    visit.expect_badge("active")


def test_too_many_wrong_codes(visit: Visit) -> None:
    visit.open()
    visit.ask_for_code()

    for left in (4, 3, 2, 1):
        visit.hand_in(WRONG)
        visit.expect_message("codes_left", left=left)
    visit.hand_in(WRONG)

    visit.expect_message("codes_spent")
    visit.expect_badge("logged_out")
    expect(visit.field("code")).to_have_count(0)
    expect(visit.button("send_again")).to_be_disabled()
    visit.expect_accessible()


def test_a_code_that_has_expired(visit: Visit) -> None:
    visit.open()
    visit.ask_for_code()
    visit.switch(code_lifetime=0)

    visit.hand_in(visit.sent_code())

    # The authorization server does not tell one from the other.
    visit.expect_message("wrong_code")
    expect(visit.button("send_again")).to_be_visible()


def test_the_wait_for_another_sms_counts_down(visit: Visit) -> None:
    visit.page.clock.install()
    visit.open()
    visit.ask_for_code()
    hint = visit.page.locator(".hint")
    expect(hint).to_have_text(re.compile(r"possible in (1:00|0:5\d)"))
    expect(visit.button("send_again")).to_be_disabled()

    visit.page.clock.fast_forward(40_000)
    expect(hint).to_have_text(re.compile(r"possible in 0:(20|1\d)"))
    visit.page.clock.fast_forward(30_000)
    expect(hint).to_be_hidden()
    visit.button("send_again").click()

    # Only the page's clock was moved: the proxy is the one that keeps the wait.
    told = visit.texts["cooldown"].partition("{wait}")[0]
    expect(visit.page.get_by_role("alert")).to_contain_text(told)
    assert visit.control("GET", "/sms")["totalCount"] == 1


def test_the_partner_sends_no_more_sms(visit: Visit) -> None:
    visit.switch(sms_limit=0)
    visit.open()

    visit.ask_for_code()

    told = visit.texts["cooldown"].partition("{wait}")[0]
    expect(visit.page.get_by_role("alert")).to_contain_text(told)
    expect(visit.field("phone")).to_have_value(PHONE)
    visit.expect_accessible()


def test_a_server_that_breaks_off(visit: Visit) -> None:
    visit.switch(sms_fault="reset", sms_fault_count=1)
    visit.open()

    visit.ask_for_code()

    visit.expect_message("sms_unsure")
    visit.expect_accessible()


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_an_upstream_that_is_down(
    open_visit: OpenVisit, tmp_path: Path, locale: str
) -> None:
    with socket.socket() as taken:
        # Bound, but nobody listens: connections are refused, and nobody else gets it.
        taken.bind(("127.0.0.1", 0))
        with start_proxy(tmp_path, taken.getsockname()[1]) as proxy:
            visit = open_visit(proxy=proxy, locale=locale)
            visit.open()

            visit.ask_for_code()

            visit.expect_message("unreachable", "no_sms")
            expect(visit.field("phone")).to_have_value(PHONE)
            visit.expect_accessible()


def test_a_login_that_was_ended_elsewhere(visit: Visit) -> None:
    visit.log_in()
    visit.control("POST", "/revoke", {"tokens": "both"})

    visit.button("refresh").click()

    visit.expect_message("refused")
    visit.expect_accessible()


def test_a_proxy_that_stops(visit: Visit, sandbox: Proxy) -> None:
    visit.open()
    visit.page.route("**/api/status", lambda route: route.abort())

    visit.page.evaluate("dispatchEvent(new Event('visibilitychange'))")

    offline = visit.page.get_by_text(visit.texts["offline"])
    expect(offline).to_be_visible()
    expect(visit.page.locator(".badge")).to_be_hidden()
    visit.forgive("failed:", "console error: Failed to load resource")
