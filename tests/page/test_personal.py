"""Personal data is nowhere on the page until it is asked for, and secrets never."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Response, expect

from tests.page.requests_half import RequestsHalf, emptied, logged_in
from tests.page.visit import Visit
from tests.running import Proxy

UPDATE = "/api/v1/profile/update"
NAME, ILLNESS = "Тайнова", "аллергия на пенициллин"
MESSAGE = "Доктор, у меня болит спина"
PHONE, EMAIL = "79165550123", "tainova@example.org"
COOKIE = "planted-cookie-5d41"
PERSONAL = (NAME, ILLNESS, MESSAGE, PHONE, EMAIL, COOKIE)

BEARER, KEY = "planted-bearer-7d79", "planted-local-key-b2e8"
CODE = "planted-code-9912"
SECRET = (BEARER, KEY, CODE)


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


# Writes down what the page is sent live.
_LISTEN = """
window.streamed = [];
window.EventSource = class extends EventSource {
  constructor(address) {
    super(address);
    for (const kind of ["exchange", "content", "cleared", "skipped"]) {
      this.addEventListener(kind, (event) => window.streamed.push(event.data));
    }
  }
};"""


@pytest.fixture
def half(visit: Visit) -> RequestsHalf:
    visit.context.add_init_script(_LISTEN)
    return logged_in(visit)


def plant(half: RequestsHalf) -> None:
    """Send all of it through the proxy, where it may stand in a request."""
    fields = {
        "Authorization": f"Bearer {BEARER}",
        "Cookie": f"session={COOKIE}",
        "X-Proxy-Key": KEY,
    }
    changes = {"lastName": NAME, "allergies": ILLNESS, "email": EMAIL}
    half.send("POST", UPDATE, changes, headers=fields)
    half.send("POST", "/api/v1/message/add", {"text": MESSAGE, "requestId": 1})
    half.get(f"/api/v1/doctor/get-all?name={quote(NAME)}&phone={PHONE}&limit=2")
    half.send("POST", "/api/v1/callbackrequest/start-callback", {"phone": PHONE})
    half.send("POST", "/api/v1/none", data={"validation_code": CODE, "phone": PHONE})


def tokens(half: RequestsHalf) -> list[str]:
    """Return the tokens that the sandbox issued."""
    store = half.visit.proxy.ask("GET", "/api/status")["store"]
    record = json.loads(Path(store.removeprefix("file:")).read_text("utf-8"))
    found = [value for key, value in walk(record) if key.endswith("_token")]
    assert len(found) >= 2, record.keys()
    return found


def walk(value: Any, key: str = "") -> list[tuple[str, str]]:
    """Return every text in `value`, with the name of the member that it is in."""
    if isinstance(value, dict):
        return [pair for name, each in value.items() for pair in walk(each, name)]
    if isinstance(value, list):
        return [pair for each in value for pair in walk(each, key)]
    return [(key, value)] if isinstance(value, str) else []


def seen(visit: Visit) -> str:
    """Return all that the page shows or holds, and every answer that it got."""
    shown = [visit.page.content(), visit.page.inner_text("body")]
    # What stands in fields that are typed into is in no markup.
    shown += visit.page.evaluate(
        "[...document.querySelectorAll('input, textarea')].map((each) => each.value)"
    )
    shown += [text(answer) for answer in visit.answers if "/api/" in answer.url]
    shown += visit.page.evaluate("window.streamed")
    return "\n".join(shown)


def text(answer: Response) -> str:
    if answer.url.partition("?")[0].endswith("/stream"):
        return ""  # it never ends, and its events are written down as they come
    content = answer.text()
    try:
        # JSON may write letters as numbers.
        return json.dumps(json.loads(content), ensure_ascii=False)
    except ValueError:
        return content


def found(words: tuple[str, ...] | list[str], text: str) -> list[str]:
    return [word for word in words if word in text or quote(word) in text]


def test_nothing_personal_is_seen_unasked(half: RequestsHalf) -> None:
    plant(half)
    half.keep_content()
    plant(half)

    for row in half.list.all():
        # By key: of ten rows one may be half below the list's edge.
        row.get_by_role("link").press("Enter")
        expect(half.detail.locator("#about dd").first).to_be_visible()
    half.button("edit_send").click()
    half.page.keyboard.press("Escape")
    for name in ("curl", "Python", "HTTPie"):
        half.button("copy_as").click()
        half.dialog("copy_as").get_by_role("radio", name=name, exact=True).check()
        expect(half.dialog("copy_as").locator("pre")).to_contain_text("/api/v1/")
        half.page.keyboard.press("Escape")

    text = seen(half.visit)
    assert found(PERSONAL, text) == []
    assert found(SECRET, text) == []
    assert found(tokens(half), text) == []


def test_what_is_asked_for_is_seen_but_never_a_secret(half: RequestsHalf) -> None:
    half.keep_content()
    plant(half)

    shown = ""
    for row in half.list.all():
        row.get_by_role("link").click()
        half.show_personal()
        shown += seen(half.visit)

    assert found(PERSONAL, shown) == list(PERSONAL)
    assert found(SECRET, shown) == []
    assert found(tokens(half), shown) == []


def test_personal_data_is_hidden_again_for_the_next_request(half: RequestsHalf) -> None:
    half.keep_content()
    plant(half)
    half.look_at(UPDATE)
    half.show_personal()
    expect(half.detail).to_contain_text(NAME)

    half.look_at("/api/v1/message/add")
    half.look_at(UPDATE)

    expect(half.button("show_personal")).to_be_visible()
    expect(half.detail).not_to_contain_text(NAME)


def test_exports_hide_it_unless_asked_and_secrets_always(
    half: RequestsHalf, tmp_path: Path
) -> None:
    half.keep_content()
    plant(half)
    secrets = [*SECRET, *tokens(half)]

    half.button("export").first.click()
    masked = read(half.download("everything", "har", folder=tmp_path))
    half.button("export").first.click()
    unmasked = read(half.download("with_personal", folder=tmp_path))

    assert found(PERSONAL, masked) == []
    assert found(PERSONAL, unmasked) == list(PERSONAL)
    assert found(secrets, masked + unmasked) == []


def read(path: Path) -> str:
    """Return a HAR with its texts as people read them, those in JSON content too."""
    archive = json.loads(path.read_text("utf-8"))
    return "\n".join(
        value.encode().decode("unicode_escape", "replace") if "\\u" in value else value
        for _, value in walk(archive)
    )
