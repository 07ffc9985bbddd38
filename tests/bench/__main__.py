"""`make bench`: what a page costs, by stage and in all, beside a plain script in the same run."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench import baseline, stages, whole
from tests.bench.origin import pages
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys

_ROOT = Path(__file__).parents[2]
_HOSTS = 50
_STAGE_PAGES = 250
_WAITING_URLS = 100_000
_REDIS_URLS = 10_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="pages a run (500)")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the medians are printed (3)")
    shared = Path(os.environ.get("INGEST_SHARED", _ROOT.parent / "shared")) / "pages"
    parser.add_argument(
        "--folder", type=Path, default=shared if shared.is_dir() else None, help="pages to serve"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-bench-") as folder:
        server = RedisServer(Path(folder)).start()
        try:
            asyncio.run(_measure(server, given.folder, given.pages, given.runs))
        finally:
            server.stop()


async def _measure(server: RedisServer, folder: Path | None, count: int, runs: int) -> None:
    source = "real news pages" if folder else "pages of the sample site"
    print(
        f"{count} {source} over {_HOSTS} loopback hosts, politeness off, {os.cpu_count()} cores, {runs} runs"
    )
    origin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.origin", str(_HOSTS), *([str(folder)] if folder else [])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    assert origin.stdin is not None
    assert origin.stdout is not None
    try:
        port = int(await origin.stdout.readline())
        urls = [f"http://127.0.3.{n % _HOSTS + 1}:{port}/{n}" for n in range(count)]
        async with Connection(server.url, patience_s=30) as connection:
            await _report(server, connection, urls, folder, runs)
    finally:
        origin.stdin.close()
        await origin.wait()


async def _report(
    server: RedisServer, connection: Connection, urls: list[str], folder: Path | None, runs: int
) -> None:
    keys, processes = Keys(), os.cpu_count() or 1
    alone = await stages.measure(connection, keys, urls[:_STAGE_PAGES], pages(folder))
    print(f"\nCPU ms a page by stage, each alone over {min(_STAGE_PAGES, len(urls))} pages")
    for name, milliseconds in (
        ("redis", alone.redis),
        ("fetch", alone.fetch),
        ("extract, in children", alone.extract_children),
        ("extract, in the worker", alone.extract_worker),
        ("publish", alone.publish),
        ("sum", alone.total),
    ):
        print(f"  {name:24}{milliseconds:9.3f}")
    ours, script = [], []
    for _ in range(runs):  # in turn, so that a machine that slows down slows both
        ours.append(await whole.run(server, connection, keys, urls))
        script.append(await baseline.run(urls, processes))
    bytes_each = await whole.waiting_bytes(connection, keys, _WAITING_URLS)
    rate = statistics.median(run.pages_per_s for run in ours)
    cpu_ms = statistics.median(run.cpu_s / run.pages * 1000 for run in ours)
    script_rate = statistics.median(run.pages_per_s for run in script)
    script_ms = statistics.median(run.cpu_ms for run in script)
    redis_us = await stages.redis_us(connection, keys, pages(folder), _REDIS_URLS)
    peak_mb = max(run.peak_rss_bytes for run in ours) / 1e6
    print(f"\n{'whole, medians':26}{'ingest':>10}{'script':>10}{'ratio':>8}")
    print(f"  {'pages/s':24}{rate:10.1f}{script_rate:10.1f}{rate / script_rate:8.2f}")
    print(f"  {'CPU ms a page':24}{cpu_ms:10.2f}{script_ms:10.2f}{cpu_ms / script_ms:8.2f}")
    print(f"  {'Redis CPU us a URL':24}{redis_us:10.1f}   (from the inbox to its event, alone)")
    print(f"  {'Redis bytes a waiting URL':24}{bytes_each:9.1f}   (URLs of 88 bytes, dedupe included)")
    print(f"  {'peak RSS MB, all processes':24}{peak_mb:8.1f}")
    print(f"  outcomes of the last run: {ours[-1].ledger.figures()}")


if __name__ == "__main__":
    main()
