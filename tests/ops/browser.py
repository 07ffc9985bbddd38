"""A real browser by the Chrome DevTools Protocol: `chromium` of PATH, or what `TEST_CHROMIUM` names."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import re
import shutil
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from aiohttp import ClientWebSocketResponse

CHROMIUM = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium")


@dataclass
class Tab:
    """One page."""

    socket: ClientWebSocketResponse
    told: list[dict[str, Any]] = field(default_factory=list)  # events, such as what went wrong in the page
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol. The test fails where the browser refuses it."""
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message: dict[str, Any] = await self.socket.receive_json(timeout=30)
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.told.append(message)

    async def value(self, expression: str) -> Any:
        """What the expression is in the page; a promise is waited for."""
        answer = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until the expression holds in the page."""
        deadline = time.monotonic() + 30
        while not await self.value(expression):
            shown = await self.value("document.body.innerText")
            assert time.monotonic() < deadline, f"not {expression}: {shown}"
            await asyncio.sleep(0.1)

    async def press(self, key: str) -> None:
        """A key of the keyboard: Tab or Enter."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    async def resize(self, width: int, *, phone: bool = False) -> None:
        """Show the page on a screen of that width, in CSS pixels."""
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": phone}
        await self.send("Emulation.setDeviceMetricsOverride", **metrics)

    async def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def screenshot(self, path: Path) -> None:
        """The whole page as a PNG file."""
        answer = await self.send("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))


@asynccontextmanager
async def opened(url: str, profile: Path) -> AsyncIterator[Tab]:
    """A tab at that URL, once it has loaded; the browser ends with the block."""
    assert CHROMIUM is not None
    browser = subprocess.Popen(  # noqa: ASYNC220 - it starts at once, and its pipe is read in a thread
        [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert browser.stderr is not None
        lines = iter(browser.stderr.readline, "")
        found = await asyncio.to_thread(
            lambda: next(filter(None, (re.search(r"ws://(\S+?)/", line) for line in lines)))
        )
        async with ClientSession() as client:
            async with client.put(f"http://{found[1]}/json/new?about:blank") as response:
                target = await response.json()
            async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await tab.send(f"{domain}.enable")
                await tab.send("Page.navigate", url=url)
                await tab.until("document.readyState === 'complete'")
                yield tab
    finally:
        browser.kill()
        await asyncio.to_thread(browser.communicate)
