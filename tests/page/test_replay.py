"""Sent again from the page: as it was, or edited; what costs money is asked about."""

import json

import pytest
from playwright.sync_api import Locator, expect

from tests.page.requests_half import RequestsHalf, emptied, logged_in
from tests.page.visit import Visit
from tests.running import Proxy

DOCTORS = "/api/v1/doctor/get-all?limit=2"
UPDATE = "/api/v1/profile/update"
READ = "/api/v1/message/mark-as-read"
START = "/api/v1/writingrequest/start-writing"
QUESTION = {"text": "Что делать при кашле?"}


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


def edit(half: RequestsHalf) -> Locator:
    """Open the dialog in which a request is edited."""
    half.button("edit_send").click()
    dialog = half.dialog("edit_send")
    expect(dialog).to_be_visible()
    return dialog


def same(received: dict[str, object]) -> list[object]:
    return [received[name] for name in ("method", "target", "contentSha256")]


def test_again_as_it_was(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    half.send("POST", UPDATE, {"lastName": "Новая"}, headers={"X-Mine": "1"})
    half.look_at(UPDATE)

    half.button("send_again").click()

    half.expect_count(2)
    expect(half.side("about")).to_contain_text(half.said["about_repeat"])
    expect(half.row(UPDATE)).to_contain_text(half.said["repeat"])
    first, second = visit.received()[-2:]
    assert same(second) == same(first)
    # The page had shown the name masked: what was meant is what is sent.
    assert json.loads(str(second["content"])) == {"lastName": "Новая"}
    assert dict(second["fields"])["X-Mine"] == "1"


def test_edited_first(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    half.send("POST", UPDATE, {"heightCm": 170}, headers={"X-Mine": "1"})
    half.look_at(UPDATE)

    dialog = edit(half)
    visit.expect_accessible()
    fields = dialog.get_by_label(half.texts["fields"])
    fields.fill(fields.input_value().replace("X-Mine: 1", "X-Mine: 2\nX-New: два"))
    dialog.get_by_label(half.texts["content"]).fill('{"heightCm": 171}')
    half.in_dialog("edit_send", "send").click()

    expect(dialog).to_be_hidden()
    half.expect_count(2)
    received = visit.received()[-1]
    assert received["content"] == '{"heightCm": 171}'
    assert dict(received["fields"])["X-Mine"] == "2"
    assert dict(received["fields"])["X-New"] == "два"
    assert received["status"] == 200


def test_another_target(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTORS)
    half.look_at(DOCTORS)

    dialog = edit(half)
    dialog.get_by_label(half.texts["target"]).fill("/api/v1/region/get-all")
    half.in_dialog("edit_send", "send").click()

    expect(half.row("/api/v1/region/get-all")).to_be_visible()
    assert visit.received()[-1]["target"] == "/api/v1/region/get-all"


def test_a_line_that_is_no_field(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTORS)
    half.look_at(DOCTORS)

    dialog = edit(half)
    dialog.get_by_label(half.texts["fields"]).fill("Accept: */*\nwhat is this")
    half.in_dialog("edit_send", "send").click()

    told = half.said["field_wrong"].format(line=2)
    expect(dialog.get_by_role("alert")).to_have_text(told)
    half.in_dialog("edit_send", "cancel").click()
    expect(dialog).to_be_hidden()
    half.expect_count(1)


def test_masked_content_is_not_there_to_be_edited(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    half.send("POST", UPDATE, {"lastName": "Новая"})
    half.send("POST", READ, {"requestId": 1})

    half.look_at(READ)
    dialog = edit(half)
    note = dialog.locator("#edit-note")
    expect(note).to_be_hidden()
    half.in_dialog("edit_send", "cancel").click()
    half.look_at(UPDATE)
    edit(half)
    expect(note).to_have_text(half.said["content_masked"])
    content = dialog.get_by_label(half.texts["content"])
    content.fill(content.input_value() + " ")
    half.in_dialog("edit_send", "send").click()

    expect(dialog.get_by_role("alert")).to_contain_text("***")
    half.expect_count(2)
    visit.forgive("answer: 400", "status of 400")


def test_content_that_was_not_kept_has_to_be_typed(visit: Visit) -> None:
    half = logged_in(visit)
    half.send("POST", UPDATE, {"heightCm": 170})
    half.look_at(UPDATE)

    half.button("send_again").click()

    expect(half.detail.get_by_role("alert")).to_have_text(half.said["type_content"])
    half.expect_count(1)
    visit.forgive("answer: 409", "status of 409")


def test_a_call_that_costs_money_is_asked_about(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    half.send("POST", START, QUESTION)
    expect(half.row(START)).to_contain_text(half.said["paid"])
    half.look_at(START)

    for _ in range(2):
        half.button("send_again").click()
        dialog = half.dialog("paid_title")
        visit.expect_accessible()
        # What is pressed without thinking does not pay.
        expect(half.in_dialog("paid_title", "cancel")).to_be_focused()
        half.in_dialog("paid_title", "cancel").click()
        expect(dialog).to_be_hidden()
    assert paid(visit) == 1
    half.button("send_again").click()
    half.in_dialog("paid_title", "paid_yes").click()

    half.expect_count(2)
    expect(half.row(START)).to_contain_text("200")
    assert paid(visit) == 2


def test_by_keyboard_alone(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTORS)
    half.look_at(DOCTORS)
    keyboard = visit.page.keyboard

    visit.tab_to(half.button("edit_send"))
    keyboard.press("Enter")
    dialog = half.dialog("edit_send")
    visit.tab_to(dialog.get_by_label(half.texts["target"]))
    keyboard.press("Control+a")
    keyboard.type("/api/v1/degree/get-all")
    keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(half.row("/api/v1/degree/get-all")).to_be_visible()
    expect(half.detail.locator(":focus")).to_have_count(1)


def paid(visit: Visit) -> int:
    """Return how many consultations the sandbox was asked to start."""
    return sum(received["target"] == START for received in visit.received())
