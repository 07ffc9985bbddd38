"""`make bench`: what a page costs, by stage and in all, beside a script and the peers, in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.bench import baseline, peer_venv, race, stages, whole
from tests.bench.origin import pages
from tests.bench.race_picture import draw
from tests.bench.served import shared_pages
from tests.bench.standings import OURS, SCRIPT, Run, as_json, medians, table
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.ledger import Ledger

_ROOT = Path(__file__).parents[2]
_HOSTS = 50
_STAGE_PAGES = 250
_WARM_PAGES = 8  # for each process, of other URLs
_WAITING_URLS = 100_000
_REDIS_URLS = 10_000


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    pages: int
    runs: int
    folder: Path | None
    delay_ms: int
    peers: bool
    only_race: bool
    json: Path
    picture: Path
    extract_processes: int | None


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="pages a run (500)")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the medians are printed (3)")
    parser.add_argument("--folder", type=Path, default=shared_pages(), help="pages to serve")
    parser.add_argument("--delay-ms", type=int, default=0, help="every answer comes that much later (0)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without the peers")
    parser.add_argument("--only-race", action="store_true", help="the whole alone, not its stages")
    parser.add_argument(
        "--json", type=Path, default=peer_venv.VENV.parent / "bench.json", help="where to write every run"
    )
    parser.add_argument("--picture", type=Path, default=_ROOT / "docs" / "bench.svg", help="where to draw")
    parser.add_argument(
        "--extract-processes", type=int, help="INGEST_EXTRACT_PROCESSES of ingest (its default)"
    )
    given = Given(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="ingest-bench-") as folder:
        server = RedisServer(Path(folder)).start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `ingest run` has it
                runner.run(_measure(server, given))
        finally:
            server.stop()


def peers_here(*, wanted: bool) -> list[race.Peer]:
    """Those that can run here; says of the others why not."""
    if not wanted:
        return []
    if fault := peer_venv.fetch():
        print(f"without peers, since their packages could not be fetched: {fault}")
        return []
    releases = peer_venv.releases()
    versions = ", ".join(f"{name} {releases[name]}" for name in ("scrapy", *race.PACKAGES, "trafilatura"))
    print(f"peers: {versions}")
    return list(race.PEERS)


async def _measure(server: RedisServer, given: Given) -> None:
    source = "real news pages" if given.folder else "pages of the sample site"
    caption = (
        f"{given.pages} {source} over {_HOSTS} loopback hosts, politeness off, {os.cpu_count()} cores, "
        f"medians of {given.runs} runs" + (f", answers {given.delay_ms} ms late" if given.delay_ms else "")
    )
    print(caption)
    peers = peers_here(wanted=given.peers)
    where = [str(given.folder)] if given.folder else []
    origin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.origin", str(_HOSTS), *where, f"--delay-ms={given.delay_ms}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    assert origin.stdin is not None
    assert origin.stdout is not None
    try:
        port = int(await origin.stdout.readline())
        processes = os.cpu_count() or 1
        count = given.pages + _WARM_PAGES * processes
        urls = [f"http://127.0.3.{n % _HOSTS + 1}:{port}/{n}" for n in range(count)]
        async with Connection(server.url, patience_s=30) as connection:
            counted, warm = urls[: given.pages], urls[given.pages :]
            course = race.Course(
                server, connection, counted, warm, server.folder, processes, delay_ms=given.delay_ms
            )
            if not given.only_race:
                await _report_parts(connection, counted, given.folder)
            runs, ledger = await _race(course, peers, given)
    finally:
        origin.stdin.close()
        await origin.wait()
    print("\n" + "\n".join(table(runs)))
    print(f"outcomes of the last run of {OURS}, warm-up included: {ledger.figures()}")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"measured": caption, **as_json(runs)}, indent=1), "utf-8")
    print(f"written: {given.json}")
    if given.folder and all(peer.name in runs for peer in race.PEERS):
        given.picture.write_text(draw({name: medians(each) for name, each in runs.items()}, caption), "utf-8")
        print(f"drawn: {given.picture}")


async def _race(
    course: race.Course, peers: Sequence[race.Peer], given: Given
) -> tuple[dict[str, list[Run]], Ledger]:
    """In turn, so that a machine that slows down slows all. A peer that fails is told, and left out."""
    runs: dict[str, list[Run]] = {name: [] for name in (OURS, *(peer.name for peer in peers), SCRIPT)}
    for _ in range(given.runs):
        measured, ledger = await whole.run(course, Keys(), extract_processes=given.extract_processes)
        runs[OURS].append(measured)
        for peer in [peer for peer in peers if peer.name in runs]:
            try:
                runs[peer.name].append(await race.run(peer, course))
            except race.PeerFailed as failure:
                print(failure)
                del runs[peer.name]
        runs[SCRIPT].append(await baseline.run(course.urls, course.warm_urls, course.processes))
    return runs, ledger


async def _report_parts(connection: Connection, urls: Sequence[str], folder: Path | None) -> None:
    """What the race does not tell: the stages one by one, and Redis with nothing else running."""
    keys, served = Keys(), pages(folder)
    alone = await stages.measure(connection, keys, urls[:_STAGE_PAGES], served)
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
    print(f"\n  {'log line, CPU us':24}{stages.log_line_us():10.1f}   (JSON, in a pipe)")
    bytes_each = await whole.waiting_bytes(connection, keys, _WAITING_URLS)
    redis_us = await stages.redis_us(connection, keys, served, _REDIS_URLS)
    print(f"  {'Redis CPU us a URL':24}{redis_us:10.1f}   (from the inbox to its event, alone)")
    print(f"  {'Redis bytes a waiting URL':24}{bytes_each:9.1f}   (URLs of 88 bytes, dedupe included)")


if __name__ == "__main__":
    main()
