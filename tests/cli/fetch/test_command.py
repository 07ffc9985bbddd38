"""`ingest fetch` as a command: its options, Redis, interruptions and wrong usage."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ
from tests.cli.fetch.conftest import FERRY, allowed, fetch, rows
from tests.site.routes import ANZEIGER, COURIER
from worker.fetch.robots import RobotsFile
from worker.store.hosts import HostPolicy, Hosts
from worker.store.robots_cache import RobotsCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


def test_all_headers_and_the_body(at: Callable[[str], str], port: str, tmp_path: Path) -> None:
    """--headers shows each as it came; --body saves the bytes, decompressed."""
    file = tmp_path / "page.html"
    ran = allowed("--headers", "--body", str(file), at(FERRY))
    assert " / date: " in rows(ran, port)["headers"]
    assert b"<h1>Night ferry returns" in file.read_bytes()
    ran = allowed("--body", str(tmp_path / "no"), at(f"http://{ANZEIGER}/none"))
    assert "nothing is written" in ran.err
    ran = allowed("--body", str(tmp_path / "no" / "such" / "folder"), at(FERRY))
    assert (ran.code, ran.err.count("No such file")) == (1, 1)


@pytest.mark.parametrize("url", ["ftp://a.example/", "nonsense", "http://"])
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    """It ends with 2 and a word on what a URL is, before anything is asked."""
    ran = fetch(url)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err


@pytest.fixture
def known(redis_server: RedisServer, connection: Connection, keys: Keys) -> Callable[..., Any]:
    """Have the fleet know a robots.txt and a host."""

    async def know(origin: str, host: str) -> None:
        robots = RobotsCache(connection, keys, ttl_s=100)
        await robots.keep(origin, "a worker", RobotsFile("rules", "User-agent: *\nDisallow: /vale/").encode())
        await Hosts(connection, keys).configure(HostPolicy())
        fields = ("busy", "1", "at", "99999999999999", "strikes", "2", "opened", "1", "latency", "250")
        await connection.command("HSET", keys.part(0, f"host:{host}"), *fields)

    return know


async def test_the_fleets_view_of_a_host(
    at: Callable[[str], str], port: str, known: Any, redis_server: RedisServer, connection: Connection
) -> None:
    """With --redis, the fleet's robots.txt is obeyed and the host's state shown; Redis stays as it was."""
    url = at(FERRY)
    origin = f"http://{COURIER}:{port}"
    await known(origin, f"{COURIER}:{port}")
    before = sorted(await connection.command("KEYS", "*"))
    ran = await asyncio.to_thread(allowed, "--redis", url, redis_url=redis_server.url)
    hop = rows(ran, port)
    assert "disallowed by “Disallow: /vale/”" in hop["robots"]
    assert "the fleet's copy in Redis" in hop["robots"]
    assert hop["fleet"].startswith("1 of 1 in work, 0 waiting, the next in ")
    assert hop["fleet"].endswith("; 2 strikes; breaker open: only a probe may pass")
    assert sorted(await connection.command("KEYS", "*")) == before


def test_a_redis_that_is_away_is_told_only_if_asked_for(at: Callable[[str], str]) -> None:
    """Without --redis none is needed; with it, its absence is an error of its own."""
    nowhere = f"unix:///tmp/none-{os.getpid()}.sock"
    assert allowed(at(f"http://{ANZEIGER}/none"), redis_url=nowhere).err == ""
    ran = allowed("--redis", at(FERRY), redis_url=nowhere)
    assert (ran.code, ran.out) == (1, "")
    assert "ingest: " in ran.err


async def test_an_interruption_ends_it_quietly() -> None:
    """Ctrl-C while a server keeps silent: exit code 130, and nothing said."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    asked = asyncio.Event()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "fetch", url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=environ(allow_networks="127.0.0.0/8"),
        )
        await asyncio.wait_for(asked.wait(), 30)
        process.send_signal(signal.SIGINT)
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 130


async def test_hops_to_one_host_keep_its_spacing() -> None:
    """robots.txt, a redirect and the page come apart by the Crawl-delay, which is above the setting."""
    came_s: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        came_s.append(time.monotonic())
        match request.path:
            case "/robots.txt":
                return web.Response(text="User-agent: *\nCrawl-delay: 0.4\n")
            case "/old":
                return web.Response(status=301, headers={"Location": "/new"})
            case _:
                return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    site = web.AppRunner(app)
    await site.setup()
    await web.TCPSite(site, "127.0.0.1", 0).start()
    try:
        await asyncio.to_thread(allowed, f"http://127.0.0.1:{site.addresses[0][1]}/old")
    finally:
        await site.cleanup()
    assert len(came_s) == 3
    assert min(later - before for before, later in pairwise(came_s)) >= 0.39
