"""Real pages and the seed through the whole worker: queue, fetch, extraction, event."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@asynccontextmanager
async def served(answers: dict[str, web.Response]) -> AsyncIterator[list[str]]:
    """The answers by path, spread over 127.0.4.1 … 127.0.4.9; yields their URLs."""

    async def answer(request: web.Request) -> web.Response:
        return answers.get(request.path, web.Response(status=404))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = 0
    for host in range(1, 10):
        listener = socket.socket()
        listener.bind((f"127.0.4.{host}", port))
        port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
    try:
        yield [f"http://127.0.4.{number % 9 + 1}:{port}{path}" for number, path in enumerate(answers)]
    finally:
        await runner.cleanup()


async def articles(scene: Scene) -> dict[str, dict[str, Any]]:
    """The data of every article event, by the URL that was asked for."""
    entries = await scene.connection.command("XRANGE", scene.keys.articles(), "-", "+")
    data = [orjson.loads(fields[b"data"]) for _, fields in entries]
    return {article["requested_url"]: article for article in data}


async def test_all_shared_pages_become_events(scene: Scene, shared: Path) -> None:
    """Each of the real pages, served over loopback, ends as an article event with its title and text."""
    folder = shared / "pages"
    with (folder / "expected.jsonl").open() as rows:
        expected = [json.loads(row) for row in rows]
    answers = {
        f"/news/{row['file'].removesuffix('.html.gz')}": web.Response(
            body=(folder / row["file"]).read_bytes(),
            headers={"Content-Type": "text/html", "Content-Encoding": "gzip"},
        )
        for row in expected
    }
    scene.fleet.settings |= {"INGEST_ALLOW_NETWORKS": "127.0.4.0/24", "INGEST_EXTRACT_PROCESSES": "2"}
    async with served(answers) as urls:
        await scene.push(*urls)
        scene.fleet.start()
        ledger = await scene.ledger_when(f"ended == {len(expected)}", patience_s=150)
        assert await asyncio.to_thread(scene.fleet.stop) == [0]
    assert (ledger.articles, ledger.dead) == (len(expected), 0)
    assert len(expected) == 125
    found = await articles(scene)
    assert all(found[url]["title"] and found[url]["paragraphs"] for url in urls)
    told = [
        max(row["paragraphs"], key=len)[:60] in found[url]["text"]
        for row, url in zip(expected, urls, strict=True)
    ]
    assert sum(told) >= 110, f"the longest expected paragraph begins in only {sum(told)} of the texts"


async def test_seed_becomes_a_clean_event(scene: Scene, shared: Path) -> None:
    """The naive scraper's dump ends as an article: title, date and body, and no line of its boilerplate."""
    dump = (shared / "seeds" / "000_ebe86069c0047447.txt").read_bytes()
    scene.fleet.settings["INGEST_ALLOW_NETWORKS"] = "127.0.4.0/24"
    async with served({"/world/dump": web.Response(body=dump, content_type="text/plain")}) as urls:
        await scene.push(*urls)
        scene.fleet.start()
        await scene.ledger_when("ended == 1")
        assert await asyncio.to_thread(scene.fleet.stop) == [0]
    article = (await articles(scene))[urls[0]]
    lines = [line.strip() for line in dump.decode().splitlines()]
    title = lines[0].removeprefix("date 2023-05-09 ")
    last_title, agency = len(lines) - 1 - lines[::-1].index(title), lines.index("Reuters")
    body = [line for line in lines[last_title + 1 : agency] if line]
    assert article["title"] == title
    assert [paragraph["text"] for paragraph in article["paragraphs"]] == body
    assert article["published_at"] == "2023-05-09T13:39:00-00:00"
    assert article["published_at_evidence"]["precision"] == "local_unknown"
    assert (article["section"], article["agency"]) == ("World", "Reuters")
    assert len(body) == 8
