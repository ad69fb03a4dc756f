"""A real browser on the page, spoken to in the Chrome DevTools Protocol."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE = 20.0

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)


class Tab:
    """One tab; `run` is JavaScript in its page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer: dict[str, Any] = await self._socket.receive_json(timeout=PATIENCE)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    async def run(self, expression: str) -> Any:
        answer = await self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until `expression` is true, on this page or the next."""
        async with asyncio.timeout(PATIENCE):
            while not await self._holds(expression):
                await asyncio.sleep(0.05)

    async def _holds(self, expression: str) -> bool:
        # While one page gives way to the next there is nothing to look at.
        answer = await self.call("Runtime.evaluate", expression=expression)
        return "exceptionDetails" not in answer and bool(answer["result"].get("value"))

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        loaded = "document.readyState === 'complete'"
        await self.until(f"location.href.startsWith({url!r}) && {loaded}")

    async def resize(self, width: int, height: int = 900) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def speak(self, language: str) -> None:
        await self.call("Network.enable")
        headers = {"Accept-Language": language}
        await self.call("Network.setExtraHTTPHeaders", headers=headers)

    async def picture(self, path: Path) -> None:
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))


@asynccontextmanager
async def open_tab(folder: Path, *flags: str) -> AsyncIterator[Tab]:
    """Start Chromium with its files in `folder`, and end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        "chromium",
        *_QUIET,
        *flags,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            address = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        process.terminate()
        await process.wait()


async def _port(path: Path) -> int:
    async with asyncio.timeout(PATIENCE):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.05)
    return int(path.read_text().split()[0])
