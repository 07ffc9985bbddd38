"""The dashboard's page, figures and stream, and the retry, as an HTTP client sees them."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.chaos.fleet import ROOT, Fleet
from tests.conftest import SINCE
from tests.ops.conftest import TOKEN
from tests.security.roles import guarded_redis
from worker.ops.board import latest_rate, per_minute
from worker.ops.dashboard import MOST_WATCHERS
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import ClientResponse

    from tests.ops.conftest import Watched

PAGE = ROOT / "worker" / "ops" / "page"
CSS = (PAGE / "dashboard.css").read_text()


async def board(watched: Watched, since: str = "") -> dict[str, Any]:
    """The figures, younger than `since`."""
    while True:
        figures: dict[str, Any] = orjson.loads((await watched.get("/board"))[1])
        if figures["time"] > since:
            return figures
        await asyncio.sleep(0.2)


async def retry(watched: Watched, letter: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer to a click on Retry."""
    url = f"http://{watched.address}/dead/retry"
    async with watched.client.post(url, data=orjson.dumps({"id": letter}), headers=headers) as response:
        return response.status, await response.json()


async def test_figures_equal_the_ledger(watched: Watched) -> None:
    """What the page gets are the ledger's own figures, with the lists that belong to them."""
    await watched.start()
    urls = [watched.origin.url(number) for number in range(5)]
    host = urls[0].removesuffix("/a/0")
    before = await board(watched)
    ledger = await watched.work_off(*urls, urls[1], f"{host}/gone/1", f"{host}/gone/2")
    seen = await board(watched, before["time"])
    seen = await board(watched, seen["time"])
    assert seen["ledger"] == ledger.figures()
    assert (seen["balanced"], seen["reasons"]) == (True, {"dead:http_404": 2, "refused:duplicate": 1})
    assert {article["url"] for article in seen["articles"]} == set(urls)
    assert [letter["reason"] for letter in seen["dead"]] == ["http_404"] * 2
    assert (seen["depths"]["articles"], seen["depths"]["queue"], seen["depths"]["leases"]) == (5, 0, 0)
    assert seen["workers"] == 1


async def test_hosts_in_trouble_come_first(watched: Watched) -> None:
    """A host that asked for rest stands above one that is only slow."""
    await watched.start(host_spacing_s="0.2")
    busy, slow = (f"http://{host}:{watched.origin.port}" for host in watched.origin.hosts[:2])
    items = [f"{busy}/busy/{number}" for number in range(3)] + [f"{slow}/slow/{n}" for n in range(40)]
    await watched.connection.command("RPUSH", Keys().queue, *items)
    seen = await board(watched)
    while [host["condition"] for host in seen.get("hosts", [])][:1] != ["penalised"]:
        seen = await board(watched, seen["time"])
    assert seen["hosts"][0]["host"] == busy.removeprefix("http://")
    assert slow.removeprefix("http://") in [host["host"] for host in seen["hosts"][1:]]


async def test_silent_sources_are_named_and_counted(watched: Watched, silent_source: str) -> None:
    """The page names them, the latest first; /metrics and `ingest status` tell of them, too."""
    await watched.start()
    seen = await board(watched)
    (source,) = seen["silent"]
    assert (source["source"], source["why"], source["since"]) == (silent_source, "quiet", SINCE)
    assert seen["depths"]["silent"] == 1
    assert "ingest_sources_silent 1.0" in (await watched.get("/metrics"))[1]


async def test_a_watcher_gets_the_figures_again_and_again(watched: Watched) -> None:
    """Server-sent events: one is there at once, and the next ones follow by themselves."""
    await watched.start()
    async with watched.client.get(f"http://{watched.address}/events") as response:
        assert response.content_type == "text/event-stream"
        times: list[str] = []
        async with asyncio.timeout(20):
            while len(times) < 3:
                line = await response.content.readline()
                if line.startswith(b"data: "):
                    times.append(orjson.loads(line.removeprefix(b"data: "))["time"])
    assert times == sorted(set(times))


async def test_watchers_are_bounded_and_share_one_look(watched: Watched) -> None:
    """One too many is refused; those who watch are shown one moment; a place that is left is free."""
    await watched.start()
    url = f"http://{watched.address}/events"

    async def first(response: ClientResponse) -> str:
        return str(orjson.loads((await response.content.readline()).removeprefix(b"data: "))["time"])

    async with AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(watched.client.get(url)) for _ in range(MOST_WATCHERS)]
        assert len({await first(watcher) for watcher in watchers}) <= 2
        assert (await watched.get("/events"))[0] == 503
        watchers[0].close()
        async with asyncio.timeout(20):
            while True:
                async with watched.client.get(url) as response:
                    if response.status == 200:
                        break
                await asyncio.sleep(0.2)


async def test_retry_needs_the_token_and_puts_the_url_back(watched: Watched) -> None:
    """Without the token nothing happens; with it the letter's URL is a task again, and ends once more."""
    await watched.start(ops_token=TOKEN)
    ledger = await watched.work_off(watched.origin.url(0).replace("/a/0", "/gone/1"))
    assert ledger.dead == 1
    seen = await board(watched)
    while not seen["dead"]:
        seen = await board(watched, seen["time"])
    letter = seen["dead"][0]["id"]
    assert seen["may_retry"]
    for headers in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Cookie": TOKEN}):
        assert (await retry(watched, letter, **headers))[0] == 401
    assert (await watched.get(f"/dead/retry?id={letter}"))[0] == 405
    assert (await read_ledger(watched.connection, Keys())).traffic.get("revived") is None
    told = await watched.logged("ops_refused")
    assert (told["address"], told["count"]) == ("127.0.0.1", 1)
    allowed = {"Authorization": f"Bearer {TOKEN}"}
    assert await retry(watched, letter, **allowed) == (200, {"retried": letter})
    assert (await watched.logged("dead_retried"))["url"].endswith("/gone/1")
    assert (await retry(watched, letter, **allowed))[0] == 404
    assert (await retry(watched, "nonsense", **allowed))[0] == 400
    ledger = await watched.settled(1)
    assert ledger.dead == 1
    assert ledger.traffic["revived"] == 1
    assert ledger.balanced


async def test_the_least_rights_suffice(watched: Watched, tmp_path: Path) -> None:
    """The worker's own Redis user may not read streams: what else there is, is shown, and the remedy told."""
    with guarded_redis(tmp_path / "guarded") as server:
        await watched.start(redis_url=server.url_of("worker"), redis_timeout_s="2")
        await watched.answers("/readyz", 200)
        seen = await board(watched)
        assert "forbids this" in seen["fault"]
        assert "not shown: articles, dead." in seen["fault"]
        assert "INGEST_OPS_REDIS_URL" in seen["fault"]
        assert (seen["hosts"], seen["silent"], seen["ledger"]["accepted"]) == ([], [], 0)
        assert (await watched.get("/metrics"))[0] == 200
        await asyncio.to_thread(watched.fleet.stop)
    with guarded_redis(tmp_path / "again") as server:
        operator = server.url_of("operator")
        watched.fleet = Fleet(watched.fleet.folder / "again", watched.fleet.settings)
        watched.fleet.folder.mkdir(exist_ok=True)
        try:
            await watched.start(redis_url=server.url_of("worker"), ops_redis_url=operator)
            await watched.answers("/readyz", 200)
            seen = await board(watched)
            assert (seen.get("fault"), seen["hosts"], seen["articles"], seen["dead"]) == (None, [], [], [])
        finally:
            watched.fleet.end()


async def test_another_origin_may_not_even_ask(watched: Watched) -> None:
    """A browser asks before it sends our header for another page (CORS), and is told of no permission."""
    await watched.start(ops_token=TOKEN)
    url = f"http://{watched.address}/dead/retry"
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    async with watched.client.options(url, headers=asks) as response:
        assert response.status == 403
        assert not any(name.lower().startswith("access-control") for name in response.headers)


async def test_retry_is_off_without_a_token(watched: Watched) -> None:
    """Nobody may retry unless a token was set, whatever they send."""
    await watched.start()
    assert (await retry(watched, "1-0", Authorization="Bearer None"))[0] == 403
    assert not (await board(watched))["may_retry"]


async def test_every_answer_has_a_strict_policy(watched: Watched) -> None:
    """Nothing runs or loads but our own files; the page has no inline script, nor names another site."""
    await watched.start()
    for path in ("/", "/dashboard.js", "/dashboard.css", "/board", "/metrics", "/livez"):
        async with watched.client.get(f"http://{watched.address}{path}") as response:
            assert response.status == 200
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            text = await response.text()
        if path in {"/", "/dashboard.js", "/dashboard.css"}:
            assert not re.search(r"https?://", text)
        if path == "/":
            assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", text)


def test_the_script_makes_no_markup_of_text() -> None:
    """Nothing in it parses text as HTML or code."""
    script = (PAGE / "dashboard.js").read_text()
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval|Function\(", script
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_has_enough_contrast(scheme: str) -> None:
    """At least 4.5 to 1 on both grounds (WCAG 2.2, 1.4.3)."""
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[scheme == "dark"]
    colours = dict(re.findall(r"--(\w+): #(\w{6})", block))
    for text in ("text", "muted", "accent", "good", "warn", "bad"):
        for ground in ("ground", "card"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' relative luminances, as WCAG 2.2 defines them."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_rates_are_of_the_looks_that_were_made() -> None:
    """A rate is what ended between two looks, per minute; a ledger that was reset is no negative work."""
    looks = deque([(0.0, 10), (2.0, 14), (4.0, 14), (6.0, 2)])
    assert per_minute(looks) == [120, 0, 0]
    assert per_minute(deque([(0.0, 10)])) == []
    assert latest_rate(deque([(0.0, 0), (100.0, 500), (130.0, 530), (160.0, 560)])) == 60
    assert latest_rate(deque([(0.0, 10)])) == 0
