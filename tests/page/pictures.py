"""Pictures of the page for the documentation, alike at every run.

What differs from run to run (times, ports, the sandbox's folder) is put right in the
answers on their way to the browser, so that the page itself is as it is.
"""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.page.visit import Visit

FOLDER = Path(__file__).parents[2] / "docs" / "page"

NOW = datetime(2027, 1, 15, 9, 30, tzinfo=UTC)

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT")
_WAIT = re.compile(r'data-wait="[1-9]\d*"')
_REQUEST_ID = re.compile(r"\b[0-9a-f]{32}\b")
_OUR_REQUEST_ID = re.compile(r'(?<="X-Request-Id", ")[0-9a-f]{6}(?=-\w+")')
_SANDBOX_FOLDER = re.compile(r"/(?:[\w.-]+/)*telemed-proxy-sandbox-\w+/")

# What counts down is shown by a copy that does not.
_STOP_COUNTING = """() => {
  const counting = document.querySelector("#keep-text");
  if (counting.hidden) return;
  const shown = document.createElement("p");
  shown.textContent = counting.textContent.replace(/\\d+:\\d\\d/, "9:41");
  counting.after(shown);
  counting.hidden = true;
}"""

# Seconds, in the order of the exchanges, and of one exchange's stages.
_SECONDS = (0.0123, 0.0481, 0.0096, 0.0317, 0.0208, 0.1043, 0.0154)
_STAGES = {
    "earlier": 0.0087,
    "access": 0.0001,
    "token": 0.00002,
    "connection": 0.00003,
    "dns": 0.0011,
    "tcp": 0.0009,
    "tls": 0.0043,
    "first_byte": 0.0098,
    "content": 0.0007,
}


class Pictures:
    """Writes pictures into `folder`, or does nothing where that is None."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def steady(self, visit: Visit) -> None:
        """Have the next page of `visit` show what it shows at every run."""
        if self._folder is None:
            return
        visit.page.clock.set_fixed_time(NOW)
        visit.page.route(
            lambda url: not url.partition("?")[0].endswith("/stream"),
            _Steadied(visit).answer,
        )

    def take(self, visit: Visit, name: str, *, whole: bool = True) -> None:
        """Take a picture of the page, or of what is seen without scrolling."""
        if self._folder is None:
            return
        expect(visit.page.locator("#keep-text")).not_to_be_empty()
        visit.page.evaluate(_STOP_COUNTING)
        taken = visit.page.screenshot(
            full_page=whole, animations="disabled", caret="hide"
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{name}.png").write_bytes(_smaller(taken))


class _Steadied:
    """Answers with what the proxy answers, less what differs from run to run."""

    def __init__(self, visit: Visit) -> None:
        self._later = NOW - datetime.now(UTC).replace(microsecond=0)
        status = visit.proxy.ask("GET", "/api/status")
        self._addresses = {
            visit.proxy.url.partition("://")[2]: "127.0.0.1:8080",
            visit.proxy.admin.partition("://")[2]: "127.0.0.1:8081",
            status["upstream"].partition("://")[2]: "127.0.0.1:8082",
        }

    def answer(self, route: Route) -> None:
        if "/static/" in route.request.url or route.request.method != "GET":
            route.continue_()
            return
        answer = route.fetch()
        if "image/" in answer.headers.get("content-type", ""):
            route.fulfill(response=answer)
            return
        text = _ISO.sub(self._moved, answer.text())
        if "json" in answer.headers.get("content-type", ""):
            text = json.dumps(_steadied(json.loads(text)), ensure_ascii=False)
        for address, usual in self._addresses.items():
            text = text.replace(address, usual)
        text = _SANDBOX_FOLDER.sub("/tmp/telemed-proxy-sandbox/", text)
        text = _DATE.sub(NOW.strftime("%a, %d %b %Y %H:%M:%S GMT"), text)
        text = _REQUEST_ID.sub("5f0c" * 8, text)
        text = _OUR_REQUEST_ID.sub("5f0c2a", text)
        text = _WAIT.sub('data-wait="60"', text)
        route.fulfill(response=answer, body=text)

    def _moved(self, found: re.Match[str]) -> str:
        moved = datetime.fromisoformat(found[0]) + self._later
        # Whether it took one second or two to get here is no matter, nor is it by how
        # much the next refresh was shifted.
        if moved - NOW > timedelta(days=1):
            moved = moved.replace(hour=NOW.hour, minute=NOW.minute)
        return _iso(moved.replace(second=0))


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _steadied(value: Any) -> Any:
    if isinstance(value, list):
        return [_steadied(each) for each in value]
    if not isinstance(value, dict):
        return value
    steady = {name: _steadied(each) for name, each in value.items()}
    if "request_id" in steady:
        number = int(steady["number"])
        steady["request_id"] = f"5f0c2a-{number}"
        steady["started"] = _iso(NOW - timedelta(seconds=7 * (12 - number)))
        steady["seconds"] = _SECONDS[number % len(_SECONDS)]
        steady["sent"] -= steady["sent"] % 100
    if "stage" in steady:
        steady["seconds"] = _STAGES.get(steady["stage"], steady["seconds"])
    if "timing" in steady:
        steady["seconds"] = sum(each["seconds"] for each in steady["timing"])
    return steady


def _smaller(picture: bytes) -> bytes:
    """Return `picture` with few colours, where there is a package for that."""
    if find_spec("PIL") is None:
        return picture
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(small, "PNG", optimize=True)
    return small.getvalue()
