"""Who need not prove what callers have to is told so beside the button."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.page.conftest import start_proxy
from tests.page.requests_half import RequestsHalf
from tests.page.visit import Visit
from tests.running import Proxy, call

REGIONS = "/api/v1/region/get-all"
WHAT_TO_DO = "set admin.password_file."
KEY = secrets.token_urlsafe(24)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Callers need a key, visitors no password; one call was made."""
    folder = tmp_path_factory.mktemp("guarded")
    keys = folder / "keys"
    keys.write_text(f"clinic {KEY}\n")
    keys.chmod(0o600)
    # Nobody logs in, so nothing is ever sent to that port.
    with start_proxy(folder, 9, f"access: {{local_key_file: {keys}}}") as running:
        call("GET", running.url + REGIONS, headers={"X-Proxy-Key": KEY})
        yield running


@pytest.fixture
def sandbox(guarded: Proxy) -> Proxy:
    return guarded


@pytest.fixture
def half(visit: Visit) -> Iterator[RequestsHalf]:
    """Open the page, and the request; in the end something was refused."""
    visit.open()
    half = RequestsHalf(visit)
    half.look_at(REGIONS)
    yield half
    visit.forgive("answer: 403", "status of 403")


def expect_told(place: Locator) -> None:
    alert = place.get_by_role("alert")
    expect(alert).to_contain_text(WHAT_TO_DO)
    expect(alert).to_have_attribute("lang", "en")


@pytest.mark.parametrize("key", ["show_personal", "send_again"])
def test_beside_the_buttons_of_a_request(half: RequestsHalf, key: str) -> None:
    half.button(key).click()

    expect_told(half.detail)
    half.visit.expect_accessible()


def test_in_the_dialog_where_a_request_is_edited(half: RequestsHalf) -> None:
    half.button("edit_send").click()
    half.in_dialog("edit_send", "send").click()

    expect_told(half.dialog("edit_send"))


def test_beside_the_button_that_keeps_content(half: RequestsHalf) -> None:
    keep = half.page.locator("#keep")
    keep.get_by_role("button").click()

    expect_told(keep)
    expect(keep).to_contain_text(half.said["not_kept"])
    half.visit.expect_accessible()


def test_beside_the_button_that_clears_the_list(half: RequestsHalf) -> None:
    half.button("clear").click()
    half.in_dialog("clear_title", "clear_yes").click()

    expect_told(half.page.get_by_role("search"))
    half.expect_count(1)


def test_in_the_dialog_where_a_request_is_copied(half: RequestsHalf) -> None:
    half.button("copy_as").click()
    half.dialog("copy_as").get_by_label(half.texts["with_personal"]).check()

    expect_told(half.dialog("copy_as"))
    expect(half.dialog("copy_as").locator("pre")).to_be_empty()


def test_in_the_dialog_where_requests_are_exported(
    half: RequestsHalf, tmp_path: Path
) -> None:
    half.button("export").last.click()
    dialog = half.dialog("export_title")
    dialog.get_by_label(half.texts["with_personal"]).check()
    half.in_dialog("export_title", "download").click()

    expect_told(dialog)
    half.visit.expect_accessible()
    dialog.get_by_label(half.texts["with_personal"]).uncheck()
    expect(dialog.get_by_role("alert")).to_be_hidden()
    assert half.download("har", folder=tmp_path).suffix == ".har"
