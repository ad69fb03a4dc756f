"""The system's Chromium on the page of a sandbox that runs as users run it.

Adds `--screenshots`: take the pictures of docs/page.md.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.page.visit import Visit
from tests.programs import need
from tests.running import Proxy

PATIENCE = 10_000

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)

OpenVisit = Callable[..., Visit]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="have tests/page take the pictures of docs/page.md",
    )


# While it lasts its loop runs in this thread, where no other may: so it ends with
# this folder's tests, before those that have a loop of their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Proxy]:
    """Nobody has logged in, and no call was made."""
    with start_sandbox(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def lasting_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One for all tests of a module that do not mind."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def start_sandbox(folder: Path) -> Proxy:
    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    return Proxy("sandbox", *listen, folder=folder)


def start_proxy(folder: Path, port: int, more: str = "") -> Proxy:
    """Return a running proxy whose API is at a `port` where nobody is."""
    config = folder / "config.yaml"
    config.write_text(
        f"""
listen: [127.0.0.1:0]
upstream:
  api_url: http://127.0.0.1:{port}
  auth_url: http://127.0.0.1:{port}
  client_id: of-nobody
store: {{url: "file:{folder / "tokens.json"}"}}
admin: {{listen: 127.0.0.1:0}}
{more}
"""
    )
    return Proxy("serve", "-c", str(config), folder=folder)


@pytest.fixture
def open_visit(chromium: Browser, sandbox: Proxy) -> Iterator[OpenVisit]:
    """Open a tab of its own; what went wrong in it fails the test."""
    with ExitStack() as stack:
        visits: list[Visit] = []

        def open_one(
            *, proxy: Proxy = sandbox, locale: str = "en-US", **options: Any
        ) -> Visit:
            options.setdefault("viewport", {"width": 1100, "height": 900})
            context = chromium.new_context(
                locale=locale, timezone_id="Europe/Moscow", **options
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            visits.append(Visit(proxy, context, context.new_page(), locale))
            return visits[-1]

        yield open_one
        assert [fault for visit in visits for fault in visit.faults] == []


@pytest.fixture
def visit(open_visit: OpenVisit) -> Visit:
    """Open a tab, in English."""
    return open_visit()
