"""`ingest run`, `ingest extract` and `ingest demo`, as processes."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.fleet import ROOT, clean_environ
from tests.chaos.origin import Origin, article
from tests.cli.conftest import COMMAND, run

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = "127.0.2.0/24"


def start_embedded(settings: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "run", "--embedded"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environ() | {f"INGEST_{name.upper()}": value for name, value in settings.items()},
    )


async def test_embedded_works_until_empty_and_keeps_its_data(tmp_path: Path) -> None:
    """One command from a URL to its event; the next run finds what the last one left."""
    async with Origin(1) as origin:
        embedded = {"data_dir": str(tmp_path / "data"), "allow_networks": NETWORK, "log_format": "json"}
        first = await asyncio.to_thread(partial(run, "run", "--embedded", "--until-empty", **embedded))
        assert (first.code, next(line["event"] for line in first.lines)) == (0, "embedded_redis_started")
        process = start_embedded(embedded)
        assert process.stderr is not None
        address = (await asyncio.to_thread(process.stderr.readline)).split("INGEST_REDIS_URL=")[1].split()[0]
        added = await asyncio.to_thread(run, "add", origin.url(0), redis_url=address)
        assert added.code == 0
        event = await asyncio.to_thread(run, "tail", "--from", "start", "--count", "1", redis_url=address)
        assert event.lines[0]["data"]["title"] == "Pier /a/0 stays open"
        process.send_signal(signal.SIGINT)
        out, _ = await asyncio.to_thread(process.communicate, None, 40)
        assert process.returncode == 0
        assert '"embedded_redis_stopped"' in out
        last = await asyncio.to_thread(partial(run, "run", "--embedded", "--until-empty", **embedded))
        assert last.code == 0


def test_extract_prints_one_article(tmp_path: Path) -> None:
    """A page in a file, gzipped or not, becomes its article."""
    page = tmp_path / "page.html"
    page.write_text(article("a.example", "/a/7"))
    ran = run("extract", str(page), "--url", "http://a.example/a/7", "--json")
    assert ran.code == 0
    assert ran.json["title"] == "Pier /a/7 stays open"
    assert ran.json["published_at"] == "2026-03-04T05:06:07+01:00"
    assert len(ran.json["paragraphs"]) == 4
    zipped = tmp_path / "page.html.gz"
    zipped.write_bytes(gzip.compress(page.read_bytes()))
    assert run("extract", str(zipped), "--url", "http://a.example/a/7", "--json").json == ran.json
    assert "Pier /a/7 stays open" in run("extract", "-", stdin=page.read_text()).out


def test_extract_refuses_dates_of_the_future(tmp_path: Path) -> None:
    """No page, saved whenever, was published tomorrow or later."""
    page = tmp_path / "page.html"
    page.write_text(article("a.example", "/a/7").replace("2026-03-04", "2126-03-04"))
    ran = run("extract", str(page), "--json")
    assert ran.json["title"] == "Pier /a/7 stays open"
    assert ran.json["published_at"] is None


def test_extract_says_why_not(tmp_path: Path) -> None:
    """A page without an article, or no file at all, ends with a reason."""
    page = tmp_path / "page.html"
    page.write_text("<title>Sign in</title><form><input></form>")
    ran = run("extract", str(page))
    assert ran.code == 1
    assert "no_body" in ran.err
    assert run("extract", str(tmp_path / "none.html")).code in (1, 2)


async def test_extract_of_a_url_is_guarded_and_follows_redirects() -> None:
    """A URL is fetched with all the worker's manners: local addresses only where they are allowed."""
    async with Origin(2) as origin:
        url = f"http://{origin.hosts[0]}:{origin.port}/moved/3"
        blocked = await asyncio.to_thread(run, "extract", url)
        assert blocked.code == 1
        assert "blocked_address" in blocked.err
        ran = await asyncio.to_thread(run, "extract", url, "--json", allow_networks=NETWORK)
        assert ran.json["title"] == "Pier /a/3 stays open"


@pytest.mark.timeout(120)
async def test_demo_of_own_urls(tmp_path: Path) -> None:
    """`ingest demo URL…` takes one's own URLs from the queue to their ends, and says so."""
    async with Origin(2) as origin:
        ran = await asyncio.to_thread(
            run, "demo", origin.url(0), "nonsense", data_dir=str(tmp_path), allow_networks=NETWORK
        )
    assert "Pier /a/0 stays open" in ran.out
    assert "malformed" in ran.out
    assert "balanced" in ran.out
    assert ran.code == 0


def test_death_of_the_embedded_redis_ends_the_worker(tmp_path: Path) -> None:
    """When its private Redis is killed, the worker does not wait for ever: it ends with 1 and says why."""
    process = start_embedded({"data_dir": str(tmp_path), "log_format": "json"})
    assert process.stdout is not None
    started = orjson.loads(process.stdout.readline())
    assert started["event"] == "embedded_redis_started"
    while '"worker_started"' not in process.stdout.readline():
        pass
    os.kill(started["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "the embedded Redis ended by itself" in err
    assert "Traceback" not in err
