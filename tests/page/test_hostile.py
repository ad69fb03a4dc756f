"""What callers and the API send is text on the page, whatever it looks like."""

import http.client
import json

import pytest
from playwright.sync_api import expect

from tests.page.requests_half import RequestsHalf, emptied, logged_in
from tests.page.visit import Visit
from tests.running import Proxy

SCRIPT = "document.title='owned'"
MARKUP = f'<img src=x onerror="{SCRIPT}"><script>{SCRIPT}</script><b hidden>'


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


@pytest.fixture
def half(visit: Visit) -> RequestsHalf:
    return logged_in(visit)


def send_hostile(half: RequestsHalf, media_type: str, content: str) -> None:
    """Send markup in every place that the page shows."""
    port = int(half.visit.proxy.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    target = f"/api/v1/profile/update?{MARKUP.replace(' ', '+')}"
    fields = {
        "User-Agent": MARKUP.replace(" ", ""),
        "X-Markup": MARKUP,
        "Content-Type": media_type,
    }
    connection.request("POST", target.replace('"', "%22"), content, fields)
    connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/json", json.dumps({MARKUP: [MARKUP, {"__proto__": MARKUP}]})),
        ("text/html", MARKUP),
        ("image/svg+xml", f"<svg xmlns='http://www.w3.org/2000/svg'>{MARKUP}</svg>"),
        ("image/png", f"\x89PNG{MARKUP}"),
    ],
    ids=["json", "html", "svg", "png"],
)
def test_markup_is_shown_as_text(
    half: RequestsHalf, media_type: str, content: str
) -> None:
    half.keep_content()
    send_hostile(half, media_type, content)
    half.expect_shown(1)
    half.look_at("/api/v1/profile/update")
    half.show_personal()

    assert "onerror" in half.fields("request")["X-Markup"]
    strange = half.page.locator("main :is(script, img, b, svg, iframe)")
    expect(strange).to_have_count(0)
    assert "owned" not in half.page.title()
