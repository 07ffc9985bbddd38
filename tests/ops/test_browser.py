"""The dashboard in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from tests.ops.browser import CHROMIUM, opened
from tests.ops.conftest import TOKEN
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ops.conftest import Watched

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH (TEST_CHROMIUM names another)"),
]
TRICK = "<script>window.tricked = 1</script><img src=x onerror='window.tricked = 1'>"
FAULTS = {"Log.entryAdded", "Runtime.exceptionThrown"}


async def test_page_shows_the_ledger_and_no_title_becomes_markup(watched: Watched, tmp_path: Path) -> None:
    """The page's figures are the ledger's, a title of tags is text, and the browser does not complain."""
    await watched.start(ops_token=TOKEN)
    urls = [watched.origin.url(number) for number in range(5)]
    ledger = await watched.work_off(*urls, urls[0].replace("/a/0", "/gone/1"), "nonsense <b>")
    await _retitle(watched, TRICK)
    async with opened(f"http://{watched.address}/", tmp_path / "profile") as tab:
        await tab.until("document.querySelectorAll('#articles li').length === 5")
        places = await tab.value(
            "Object.fromEntries([...document.querySelectorAll('#ledger div')].map((row) => "
            "[row.children[0].textContent, Number(row.children[1].textContent)]))"
        )
        assert places == ledger.figures()
        assert TRICK in await tab.value("document.getElementById('articles').innerText")
        assert await tab.value("window.tricked") is None
        assert await tab.value("document.querySelectorAll('main script, main img').length") == 0
        assert await tab.value("document.getElementById('balance').className") == "good"
        for width in (1100, 360):
            await tab.resize(width, phone=width < 500)
            assert await tab.value("document.documentElement.scrollWidth") <= width
        grounds = set()
        for scheme in ("light", "dark"):
            await tab.scheme(scheme)
            grounds.add(await tab.value("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == 2
        assert [event for event in tab.told if event["method"] in FAULTS] == []


async def test_silent_sources_have_a_table_while_there_are_any(
    watched: Watched, tmp_path: Path, silent_source: str
) -> None:
    """It names them, and is gone once their articles are back; lists that Redis refuses harm no other one."""
    await watched.start()
    async with opened(f"http://{watched.address}/", tmp_path / "profile") as tab:
        await tab.until("document.querySelectorAll('#silent tr').length === 1")
        assert await tab.value("document.getElementById('silences').hidden") is False
        assert f"{silent_source}\tquiet\t" in await tab.value("document.getElementById('silent').innerText")
        await watched.connection.command("DEL", Keys().part(0, "silent"))
        await tab.until("document.getElementById('silences').hidden")
        shown = await tab.value(
            "fetch('/board').then((answer) => answer.json()).then((board) => {"
            "  delete board.articles; delete board.dead; $('hosts').replaceChildren();"
            "  show({...board, fault: 'refused'}); return [$('fault').innerText, $('hosts').innerText]; })"
        )
        assert shown == ["refused", "none"]
        assert [event for event in tab.told if event["method"] in FAULTS] == []


async def test_a_letter_is_retried_by_keyboard_alone(watched: Watched, tmp_path: Path) -> None:
    """Tab leads to the token and to the button, whose focus outlives updates, and Enter retries."""
    await watched.start(ops_token=TOKEN)
    await watched.work_off(watched.origin.url(0).replace("/a/0", "/gone/1"))
    async with opened(f"http://{watched.address}/", tmp_path / "profile") as tab:
        await tab.until("document.querySelectorAll('#dead button:not([hidden])').length === 1")
        for _ in range(10):
            await tab.press("Tab")
            if await tab.value("document.activeElement.id === 'token'"):
                break
        await tab.send("Input.insertText", text=TOKEN)
        for _ in range(3):
            await tab.press("Tab")
            if await tab.value("document.activeElement.tagName === 'BUTTON'"):
                break
        outline = await tab.value("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await tab.value("new Promise((done) => setTimeout(done, 4500))")  # two updates
        assert await tab.value("document.activeElement.tagName") == "BUTTON"
        await tab.press("Enter")
        await tab.until("document.getElementById('told').textContent.endsWith('waits again.')")
    # The page says so once Redis has answered.
    assert (await read_ledger(watched.connection, Keys())).traffic["revived"] == 1


async def _retitle(watched: Watched, title: str) -> None:
    """Let the last event say that title, as a page could."""
    stream = Keys().articles()
    ((entry, fields),) = await watched.connection.command("XREVRANGE", stream, "+", "-", "COUNT", 1)
    data = orjson.loads(fields[b"data"]) | {"title": title}
    words = [word for pair in (fields | {b"data": orjson.dumps(data)}).items() for word in pair]
    await watched.connection.command("XDEL", stream, entry)
    await watched.connection.command("XADD", stream, "*", *words)
