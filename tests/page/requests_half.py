"""The half of the page that shows requests, as a person uses it."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Download, Locator, Page, expect

from proxy.admin.texts import request_texts, script_texts
from tests.page.visit import Visit
from tests.running import Proxy, call

JSON = "application/json"


class RequestsHalf:
    """The list of requests, the one that is looked at, and the dialogs."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        language = visit.texts["lang"]
        self.texts = {**script_texts(language), **request_texts(language)}
        self.said = script_texts(language)

    @property
    def page(self) -> Page:
        return self.visit.page

    # -- the list ------------------------------------------------------------------

    @property
    def list(self) -> Locator:
        """The table's rows, newest first, less the one of headings."""
        name = self.texts["requests"]
        table = self.page.get_by_role("table", name=name, exact=True)
        return table.locator("tbody").get_by_role("row")

    @property
    def filter(self) -> Locator:
        return self.page.get_by_role("searchbox", name=self.texts["filter"])

    def row(self, text: str) -> Locator:
        """Return the newest row with `text` in it."""
        return self.list.filter(has_text=text).first

    def button(self, key: str) -> Locator:
        region = self.page.locator("#requests")
        return region.get_by_role("button", name=self.texts[key], exact=True)

    def expect_shown(self, count: int) -> None:
        expect(self.list).to_have_count(count)

    def expect_count(self, count: int) -> None:
        self.expect_shown(count)
        key = "count_one" if count == 1 else "count_other"
        told = self.said[key].format(count=count)
        expect(self.page.locator("#count")).to_have_text(told)

    # -- one request ---------------------------------------------------------------

    @property
    def detail(self) -> Locator:
        return self.page.locator("#detail")

    def look_at(self, text: str) -> None:
        """Open the newest request with `text` in its row."""
        self.row(text).get_by_role("link").click()
        expect(self.detail.get_by_role("heading", level=3)).to_be_focused()
        expect(self.detail.locator("#detail-title")).to_contain_text(text)
        expect(self.detail.locator("#about dd").first).to_be_visible()

    def side(self, key: str) -> Locator:
        """Return the part of the detail called by text `key`, such as "request"."""
        return self.detail.get_by_role("region", name=self.texts[key], exact=True)

    def fields(self, key: str) -> dict[str, str]:
        """Return the fields that are shown of the request, or the response."""
        rows = self.side(key).locator("dl.fields").first.locator("div").all()
        return {
            row.locator("dt").inner_text(): row.locator("dd").inner_text()
            for row in rows
        }

    def show_personal(self) -> None:
        self.button("show_personal").click()
        expect(self.detail.get_by_text(self.texts["personal_shown"])).to_be_visible()

    # -- content -------------------------------------------------------------------

    def keep_content(self) -> None:
        minutes = re.escape(self.said["keep"]).replace(r"\{minutes\}", r"\d+")
        self.page.get_by_role("button", name=re.compile(minutes)).click()
        expect(self.page.locator("#keep-text")).to_have_text(
            re.compile(
                re.escape(self.said["kept_until"]).replace(r"\{left\}", r"\d+:\d\d")
            )
        )

    # -- dialogs -------------------------------------------------------------------

    def dialog(self, key: str) -> Locator:
        return self.page.get_by_role("dialog", name=self.texts[key], exact=True)

    def in_dialog(self, dialog: str, key: str) -> Locator:
        name = self.texts[key]
        return self.dialog(dialog).get_by_role("button", name=name, exact=True)

    def copied(self, name: str, *, unmasked: bool = False) -> str:
        """Copy what is looked at as `name`; return what is in the clipboard."""
        self.button("copy_as").click()
        dialog = self.dialog("copy_as")
        dialog.get_by_role("radio", name=name, exact=True).check()
        path = re.compile(rf"/command\?.*unmasked={str(unmasked).lower()}")
        if unmasked:
            with self.page.expect_response(path):
                dialog.get_by_label(self.texts["with_personal"]).check()
        expect(dialog.locator("pre")).not_to_be_empty()
        self.in_dialog("copy_as", "copy").click()
        expect(dialog.get_by_text(self.said["copied"])).to_be_visible()
        self.in_dialog("copy_as", "close").click()
        expect(dialog).to_be_hidden()
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def download(self, *choices: str, folder: Path) -> Path:
        """Download what `choices` of the open export dialog say."""
        dialog = self.dialog("export_title")
        for key in choices:
            dialog.get_by_label(self.texts[key], exact=True).check()
        with self.page.expect_download() as coming:
            self.in_dialog("export_title", "download").click()
        download: Download = coming.value
        path = folder / download.suggested_filename
        download.save_as(path)
        return path

    # -- programs that call --------------------------------------------------------

    def get(self, path: str, **fields: str) -> Any:
        """Call as a program does, and wait until the page shows it."""
        return self.send("GET", path, headers=fields)

    def send(self, method: str, path: str, content: object = None, **more: Any) -> Any:
        """Call with `content` as JSON, in letters as they are."""
        if content is not None:
            more["data"] = json.dumps(content, ensure_ascii=False).encode()
            more["headers"] = {"Content-Type": JSON} | more.get("headers", {})
        before = self.list.count()
        answer = call(method, self.visit.proxy.url + path, **more)
        expect(self.list).to_have_count(before + 1)
        return answer


def emptied(proxy: Proxy) -> Proxy:
    """Have a sandbox that was in use forget what was called, and keep nothing."""
    proxy.ask("DELETE", "/api/exchanges", {})
    proxy.ask("POST", "/api/exchanges/content", {"seconds": 0})
    return proxy


def logged_in(visit: Visit) -> RequestsHalf:
    """Log in past the page, then open it; the list is there, and empty."""
    if visit.proxy.ask("GET", "/api/status")["state"] != "active":
        visit.proxy.login()
    visit.open()
    half = RequestsHalf(visit)
    expect(half.page.get_by_text(half.said["empty"])).to_be_visible()
    return half
