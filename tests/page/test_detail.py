"""One request in full: what was sent, what came back, how long it took, and why."""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from proxy.admin.texts import reason_texts
from tests.page.conftest import OpenVisit
from tests.page.requests_half import emptied, logged_in
from tests.page.visit import Visit
from tests.running import Proxy

DOCTOR = "/api/v1/doctor/get-all?limit=2&offset=0"
UPDATE = "/api/v1/profile/update"
CHANGES = {"heightCm": 171, "allergies": "Пыльца берёзы"}


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


def test_a_request_and_its_answer_side_by_side(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTOR, Accept="application/json", **{"X-Of-Mine": "one two"})

    half.look_at(DOCTOR)

    request, response = half.fields("request"), half.fields("response")
    assert request["X-Of-Mine"] == "one two"
    assert request["Accept"] == "application/json"
    assert response["Content-Type"] == "application/json; charset=utf-8"
    expect(half.side("response")).to_contain_text("HTTP/1.1 200 OK")
    visit.expect_accessible()


def test_an_old_client_is_answered_in_our_version(visit: Visit) -> None:
    half = logged_in(visit)
    address = urlsplit(visit.proxy.url)
    with socket.create_connection((address.hostname, address.port), 20) as client:
        client.sendall(f"GET {DOCTOR} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        assert client.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"

    half.expect_shown(1)
    half.look_at(DOCTOR)

    expect(half.side("response")).to_contain_text("HTTP/1.1 200 OK")
    expect(half.side("about")).to_contain_text("HTTP/1.0")


def test_where_the_time_went(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTOR)

    half.look_at(DOCTOR)

    timing = half.side("timing")
    for key in ("stage_access", "stage_first_byte", "total"):
        line = timing.get_by_role("listitem").filter(has_text=half.said[key])
        expect(line).to_have_text(re.compile(r"[\d.]+ m?s"))
    about = half.side("about")
    expect(about).to_contain_text(half.said["by_upstream"])
    expect(about).to_contain_text("/api/v1/doctor/get-all")


def test_why_a_call_failed(visit: Visit) -> None:
    half = logged_in(visit)
    visit.switch(api_fault="reset", api_fault_count=1)
    answer = half.send("POST", UPDATE, CHANGES)
    assert answer.status_code == 502

    half.look_at(UPDATE)

    expect(half.detail.locator("#detail-why")).to_have_text(re.compile(r"\w.*\."))
    expect(half.side("about")).to_contain_text(half.said["by_us"])
    visit.expect_accessible()


def test_why_a_call_failed_is_said_in_russian(open_visit: OpenVisit) -> None:
    half = logged_in(open_visit(locale="ru-RU"))
    half.get("/api/v1/no-such-call")
    half.look_at("no-such-call")

    own, theirs = half.detail.locator("#detail-why p").all()
    expect(own).to_have_text(reason_texts("ru")["undocumented"])
    expect(theirs).to_contain_text("The API knows no such path")
    expect(theirs).to_have_attribute("lang", "en")
    half.visit.expect_accessible()


def test_a_token_that_was_rejected_is_told(visit: Visit) -> None:
    half = logged_in(visit)
    visit.control("POST", "/revoke", {"tokens": "access"})
    half.get(DOCTOR)

    expect(half.row(DOCTOR)).to_contain_text(half.said["twice"])
    half.look_at(DOCTOR)

    expect(half.side("about")).to_contain_text(half.said["replayed"])
    expect(half.side("timing")).to_contain_text(half.said["stage_earlier"])


def test_content_is_kept_only_on_request_and_not_for_ever(visit: Visit) -> None:
    visit.page.clock.install()
    half = logged_in(visit)
    expect(half.page.get_by_text(half.said["not_kept"])).to_be_visible()
    half.send("POST", UPDATE, CHANGES)
    half.look_at(UPDATE)
    expect(half.side("request")).to_contain_text(half.said["content_not_kept"])
    half.button("close").click()

    half.keep_content()
    countdown = half.page.locator("#keep-text")
    expect(countdown).to_have_text(re.compile(r"(10:00|9:5\d)"))
    visit.page.clock.fast_forward(60_000)
    expect(countdown).to_have_text(re.compile(r"(9:00|8:5\d)"))
    half.send("POST", UPDATE, CHANGES)
    half.look_at(UPDATE)

    tree = half.side("request").locator(".json")
    expect(tree).to_contain_text('"heightCm": ')
    visit.expect_accessible()
    half.button("forget").click()
    expect(half.page.get_by_text(half.said["not_kept"])).to_be_visible()


def test_json_folds(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    half.get(DOCTOR)
    half.look_at(DOCTOR)

    tree = half.side("response").locator(".json")
    total = tree.get_by_text('"totalCount"')
    expect(total).to_be_visible()
    tree.locator("summary").first.click()
    expect(total).to_be_hidden()

    half.side("response").get_by_text(half.said["as_it_came"]).click()
    text = half.side("response").locator("pre")
    assert json.loads(text.inner_text())["count"] == 2


def test_a_picture_is_shown_only_with_personal_data(visit: Visit) -> None:
    half = logged_in(visit)
    half.keep_content()
    doctor = half.get(DOCTOR).json()["items"][0]
    photo = f"/api/v1/media/get/{doctor['photoId']}"
    half.get(photo)

    half.look_at(photo)
    expect(half.side("response")).to_contain_text(half.said["image_hidden"])
    expect(half.detail.get_by_role("img")).to_have_count(0)
    half.show_personal()

    image = half.detail.get_by_role("img", name=half.said["image_alt"])
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 96)
    visit.expect_accessible()


def test_a_link_to_a_request_opens_it(visit: Visit) -> None:
    half = logged_in(visit)
    half.get(DOCTOR)
    half.look_at(DOCTOR)

    visit.page.reload()
    expect(half.detail).to_contain_text(DOCTOR)
    visit.page.go_back()

    expect(half.detail).to_be_hidden()


def test_on_a_telephone(open_visit: OpenVisit) -> None:
    visit = open_visit(
        locale="ru-RU",
        color_scheme="dark",
        viewport={"width": 360, "height": 740},
        has_touch=True,
    )
    half = logged_in(visit)
    half.keep_content()
    half.send("POST", UPDATE, CHANGES)
    half.get("/api/v1/region/get-all?" + "long=" * 60)
    visit.expect_narrow()
    visit.expect_accessible()

    for dialog in ("export", "clear"):
        half.button(dialog).first.click()
        visit.expect_narrow()
        visit.page.keyboard.press("Escape")
    half.look_at(UPDATE)
    visit.expect_narrow()
    visit.expect_accessible()
