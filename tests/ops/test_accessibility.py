"""The dashboard for those who do not see it, or do not use a mouse: axe's rules, and the keyboard's way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.ops.axe import axe_source, violations
from tests.ops.browser import CHROMIUM, opened
from tests.ops.conftest import TOKEN
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.ops.browser import Tab
    from tests.ops.conftest import Watched

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH (TEST_CHROMIUM names another)"),
]
_SIZES = {"desktop": 1280, "phone": 360}
#: What has the focus, and whether it is seen that it has.
_FOCUS = """(async () => {
    await new Promise((done) => setTimeout(done, 150));  // a phone's screen glides
    const element = document.activeElement, style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return {
        name: element.id || element.getAttribute("aria-label") || element.textContent || element.tagName,
        seen: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
        top: Math.round((element.closest("li") ?? element).getBoundingClientRect().top + scrollY),
        height: box.height, inView: box.top >= 0 && box.bottom <= innerHeight, tag: element.tagName,
    };
})()"""


@asynccontextmanager
async def full_page(watched: Watched, profile: Path) -> AsyncIterator[Tab]:
    """The page with something in each of its lists, a penalised host among them."""
    await watched.start(ops_token=TOKEN, host_spacing_s="0.2")
    urls = [watched.origin.url(number) for number in range(4)]
    host = urls[0].removesuffix("/a/0")
    await watched.work_off(*urls, f"{host}/gone/1", f"{host}/gone/2", "no url")
    busy = f"http://{watched.origin.hosts[3]}:{watched.origin.port}"
    await watched.connection.command("RPUSH", Keys().queue, *(f"{busy}/busy/{number}" for number in range(3)))
    async with opened(f"http://{watched.address}/", profile) as tab:
        await tab.until("document.querySelectorAll('#dead button:not([hidden])').length === 2")
        await tab.until("document.querySelectorAll('#articles li a').length === 4")
        await tab.until("document.querySelectorAll('#hosts .warn').length === 1")
        yield tab


async def test_axe_finds_nothing(watched: Watched, tmp_path: Path) -> None:
    """WCAG 2.2 A and AA and axe's own advice: light and dark, on a desktop and on a phone."""
    await asyncio.to_thread(axe_source)  # skips before anything is started
    async with full_page(watched, tmp_path / "profile") as tab:
        found = {}
        for name, width in _SIZES.items():
            await tab.resize(width, phone=name == "phone")
            for scheme in ("light", "dark"):
                await tab.scheme(scheme)
                found[name, scheme] = await violations(tab)
        assert found == {key: [] for key in found}
        # The same check sees what is wrong.
        await tab.value("document.querySelector('#dead button').removeAttribute('aria-label')")
        await tab.value("document.querySelector('#dead button').textContent = ''")
        assert any("button-name" in fault for fault in await violations(tab))


@pytest.mark.parametrize("size", _SIZES)
async def test_tab_goes_down_the_page_and_is_seen(watched: Watched, tmp_path: Path, size: str) -> None:
    """Every link, field and button is reached once, in reading order, in view, and with an outline."""
    async with full_page(watched, tmp_path / "profile") as tab:
        await tab.resize(_SIZES[size], phone=size == "phone")
        stops = []
        for _ in range(30):
            await tab.press("Tab")
            if (stop := await tab.value(_FOCUS))["tag"] == "BODY":
                break
            stops.append(stop)
        names = [stop["name"] for stop in stops]
        expected = await tab.value("document.querySelectorAll('a, input, button:not([hidden])').length")
        assert len(names) == expected
        assert names.count("token") == 1
        assert [name for name in names if name.startswith("Retry ")] == names[-3:][::2]
        assert [stop for stop in stops if not (stop["seen"] and stop["inView"])] == []
        articles, letters = stops[:4], stops[5:]
        for column in (articles, letters):
            assert [stop["top"] for stop in column] == sorted(stop["top"] for stop in column)
        if size == "phone":  # fingers: WCAG 2.2, 2.5.8 asks for 24 pixels
            assert min(stop["height"] for stop in stops if stop["tag"] in {"BUTTON", "INPUT"}) >= 24
