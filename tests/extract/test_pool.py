"""The pool of killable processes: real children, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.extract.misbehaving import obey
from tests.extract.pages import TITLE, URL, encoded, news_page
from worker.errors import ExtractCrashed, ExtractTimeout, NotAnArticle
from worker.extract.pool import ExtractionPool
from worker.reading import read_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LIMIT_BYTES = 600 << 20
PARENT = """
import asyncio, sys
from tests.extract.misbehaving import obey
from worker.extract.pool import ExtractionPool

async def main():
    async with ExtractionPool(processes=1, timeout_s=600, memory_limit_bytes=1 << 30, function=obey) as pool:
        await pool.extract(sys.argv[1].encode(), url="https://news.example.com/")

asyncio.run(main())
"""


@pytest.fixture
async def pool() -> AsyncIterator[ExtractionPool]:
    async with ExtractionPool(
        processes=2, timeout_s=20, memory_limit_bytes=LIMIT_BYTES, function=obey
    ) as running:
        yield running


async def child_of(pool: ExtractionPool) -> int:
    """The process id of the child that the next page goes to."""
    article = await pool.extract(b"good", url=URL)
    return int(article.url.partition("#")[2])


async def started(note: Path) -> int:
    """The process id that a spinning child writes into `note` when it begins."""
    async with asyncio.timeout(20):
        while not written(note):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    return int(written(note))


def written(note: Path) -> str:
    return note.read_text() if note.exists() else ""


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether `holds` becomes true in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_real_extraction_runs_in_a_child() -> None:
    """By default a page becomes its article, with all arguments handed through."""
    async with ExtractionPool(processes=1, timeout_s=20, memory_limit_bytes=1 << 30) as pool:
        await pool.warm()
        article = await pool.extract(
            encoded(news_page(jsonld=None)),
            url="https://news.example.com/1",
            subject="https://example.com/1",
            content_type="text/html",
            hints={"author": "Mara Tidewell"},
        )
    assert article.title == TITLE
    assert [author.name for author in article.authors] == ["Mara Tidewell"]
    assert (pool.stats.pages, pool.stats.starts, pool.stats.kills, pool.stats.crashes) == (1, 1, 0, 0)
    assert 0 < pool.stats.cpu_s < 5


async def test_refusal_is_carried_over(pool: ExtractionPool) -> None:
    """NotAnArticle of the child is NotAnArticle here, with its words, and costs no process."""
    before = await child_of(pool)
    with pytest.raises(NotAnArticle) as refused:
        await pool.extract(b"refuse mostly links", url=URL)
    assert (refused.value.why, refused.value.detail) == ("listing", "mostly links")
    assert await child_of(pool) == before


@pytest.mark.parametrize("order", ["kill", "exit", "segfault", "eat"])
async def test_death_fails_its_own_page_only(pool: ExtractionPool, order: str) -> None:
    """Killed, ended, crashed or out of memory: its page is told, its neighbour finishes, the pool goes on."""
    await pool.warm()
    neighbour = asyncio.create_task(pool.extract(b"burn", url=URL))
    with pytest.raises(ExtractCrashed):
        await pool.extract(order.encode(), url=URL)
    assert (await neighbour).title == TITLE
    assert (await pool.extract(b"good", url=URL)).title == TITLE
    assert pool.stats.crashes == 1


async def test_fault_of_ours_is_named_and_the_child_lives(pool: ExtractionPool) -> None:
    """An exception that should not be fails the page, not the process."""
    before = await child_of(pool)
    with pytest.raises(ExtractCrashed, match="KeyError: 'title'"):
        await pool.extract(b"fault title", url=URL)
    assert await child_of(pool) == before


async def test_page_over_its_time_is_killed() -> None:
    """An endless loop ends with its process, and the slot serves on."""
    async with ExtractionPool(
        processes=1, timeout_s=0.3, memory_limit_bytes=LIMIT_BYTES, function=obey
    ) as pool:
        before = await child_of(pool)
        with pytest.raises(ExtractTimeout):
            await pool.extract(b"spin /dev/null", url=URL)
        assert within(5, lambda: is_gone(before))
        assert await child_of(pool) != before
        assert pool.stats.kills == 1


async def test_cancelling_kills_the_work_and_frees_the_slot(tmp_path: Path) -> None:
    """Nobody waits for the page any more, so nothing works on it."""
    async with ExtractionPool(
        processes=1, timeout_s=60, memory_limit_bytes=LIMIT_BYTES, function=obey
    ) as pool:
        before = await child_of(pool)
        work = asyncio.create_task(pool.extract(f"spin {tmp_path / 'pid'}".encode(), url=URL))
        await started(tmp_path / "pid")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert within(5, lambda: is_gone(before))
        assert await child_of(pool) != before


async def test_child_killed_while_idle_costs_no_page(pool: ExtractionPool) -> None:
    """The OOM killer may choose a child that has nothing to do."""
    for _ in range(3):
        pid = await child_of(pool)
        os.kill(pid, signal.SIGKILL)
        assert within(5, lambda gone=pid: is_gone(gone))  # type: ignore[misc]
    assert await child_of(pool) != pid
    assert pool.stats.crashes == 0


async def test_interrupt_and_terminate_do_not_kill_children(pool: ExtractionPool) -> None:
    """^C and a service manager's SIGTERM to the group are for the parent to act on."""
    pid = await child_of(pool)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    assert await child_of(pool) == pid
    assert os.getsid(pid) != os.getsid(0)


async def test_more_pages_than_children_wait_their_turn(pool: ExtractionPool) -> None:
    """All are served, and never by more than two processes."""
    articles = await asyncio.gather(*(pool.extract(b"good", url=URL) for _ in range(20)))
    assert len({article.url for article in articles}) <= 2
    assert pool.stats.pages == 20


async def test_cpu_time_of_pages_is_counted(pool: ExtractionPool) -> None:
    """What children burn shows in the stats, in seconds."""
    await pool.warm()
    await asyncio.gather(*(pool.extract(b"burn", url=URL) for _ in range(4)))
    assert 0.2 <= pool.stats.cpu_s < 2


async def test_large_pages_go_through_whole(pool: ExtractionPool) -> None:
    """Far more than a socket buffer."""
    assert (await pool.extract(b"good " + b"x" * 8_000_000, url=URL)).title == TITLE


async def test_page_larger_than_the_memory_is_a_crash_without_noise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A child that cannot even receive its page ends, without a traceback among the worker's own words."""
    async with ExtractionPool(processes=1, timeout_s=20, memory_limit_bytes=100 << 20, function=obey) as pool:
        with pytest.raises(ExtractCrashed):
            await pool.extract(b"good " + b"x" * (60 << 20), url=URL)
        assert (await pool.extract(b"good", url=URL)).title == TITLE
    assert capfd.readouterr() == ("", "")


async def test_what_a_page_prints_stays_out_of_the_log(
    pool: ExtractionPool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stdout is the worker's log, one JSON object a line."""
    await pool.extract(b"print", url=URL)
    assert capfd.readouterr().out == ""


async def test_leaving_the_pool_leaves_no_process(tmp_path: Path) -> None:
    """All children are gone and reaped, busy or not."""
    async with ExtractionPool(
        processes=2, timeout_s=60, memory_limit_bytes=LIMIT_BYTES, function=obey
    ) as pool:
        await pool.warm()
        work = asyncio.create_task(pool.extract(f"spin {tmp_path / 'pid'}".encode(), url=URL))
        busy = await started(tmp_path / "pid")
        idle = await child_of(pool)
    with pytest.raises(ExtractCrashed):
        await work
    assert not psutil.pid_exists(idle)
    assert not psutil.pid_exists(busy)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills busy children with their parent")
def test_child_dies_with_a_killed_parent_even_while_busy(tmp_path: Path) -> None:
    """SIGKILL of the worker leaves no process in an endless loop behind."""
    note, child = tmp_path / "pid", 0
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"spin {note}"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert within(20, lambda: written(note) != "")
        child = int(written(note))
        assert not is_gone(child)
        parent.kill()
        parent.wait()
        assert within(5, lambda: is_gone(child))
    finally:
        parent.kill()
        parent.wait()
        if child and not is_gone(child):
            os.kill(child, signal.SIGKILL)


async def test_any_function_may_be_called(pool: ExtractionPool) -> None:
    """What it returns comes back, whatever that is; the child is ready with those it was started for."""
    reading = await pool.call(read_page, encoded(news_page()), url=URL, fingerprinted=False)
    assert reading == read_page(encoded(news_page()), url=URL, fingerprinted=False)
    assert (await pool.extract(b"good", url=URL)).title == TITLE
