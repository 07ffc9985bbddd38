"""`/livez`, `/readyz` and `/metrics` of a real worker."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.conftest import run
from tests.servers import RedisServer
from worker.store.connection import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ops.conftest import Watched


def samples(text: str) -> dict[tuple[str, str], float]:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_equal_the_ledger(watched: Watched) -> None:
    """What the worker counted, and what it read from Redis, are the figures of the ledger."""
    origin = watched.origin
    urls = [origin.url(number) for number in range(6)]
    host = urls[0].removesuffix("/a/0")
    await watched.start(retry_base_s="0.1")
    ledger = await watched.work_off(*urls, urls[0], f"{host}/gone/1", f"{host}/gone/2", f"{host}/flaky/3")
    assert (ledger.articles, ledger.dead, ledger.refused) == (7, 2, 1)
    await asyncio.sleep(2.1)  # figures of Redis are as old as that at most
    status, text = await watched.get("/metrics")
    seen = samples(text)
    assert status == 200
    assert seen["ingest_outcomes_total", "published "] == ledger.articles
    assert seen["ingest_outcomes_total", "buried http_404"] == ledger.reasons["dead:http_404"] == 2
    assert seen["ingest_outcomes_total", "retried http_500"] == ledger.traffic["retried"] == 1
    for place, count in ledger.figures().items():
        assert seen["ingest_fleet_urls", place] == count
    assert seen["ingest_fleet_reasons", "dead:http_404"] == 2
    assert seen["ingest_fleet_backlog_events", "articles"] == 7
    for stage in ("fetch", "extract", "publish"):
        assert seen["ingest_stage_seconds_count", stage] == 7
        assert seen["ingest_stage_seconds_bucket", f"+Inf {stage}"] == 7
    assert seen["ingest_extract_processes", ""] == 1
    assert seen["ingest_in_work", ""] == 0
    assert seen["ingest_fleet_workers", ""] == 1
    assert seen["process_resident_memory_bytes", ""] > 10_000_000


async def test_no_label_names_a_host_or_a_url(watched: Watched) -> None:
    """However many hosts there are, the series are as many as before."""
    await watched.start()
    await watched.work_off(*(watched.origin.url(number) for number in range(8)))
    _, text = await watched.get("/metrics")
    assert "127.0.2." not in text
    assert len(samples(text)) < 250


async def test_open_metrics_on_demand(watched: Watched) -> None:
    """A scraper that asks for OpenMetrics gets that, and its parser takes it."""
    await watched.start()
    _, text = await watched.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    names = {family.name for family in open_families(text)}  # type: ignore[no-untyped-call]
    assert {"ingest_outcomes", "ingest_worker", "ingest_fleet_urls"} <= names
    assert text.endswith("# EOF\n")


async def test_redis_away_is_not_ready_and_live(watched: Watched, tmp_path: Path) -> None:
    """A worker that waits for Redis is alive, before and after its first answer, and ready only with it."""
    server = RedisServer(tmp_path / "own")
    await watched.start(redis_url=server.url, redis_timeout_s="1")
    try:
        assert "redis" in (await watched.answers("/readyz", 503)).lower()
        assert await watched.get("/livez") == (200, "ok\n")
        server.start()
        await watched.answers("/readyz", 200)
        server.stop(signal.SIGKILL)
        await watched.answers("/readyz", 503)
        assert await watched.get("/livez") == (200, "ok\n")
        _, text = await watched.get("/metrics")
        assert samples(text)["ingest_fleet_seen", ""] == 0
        server.start()
        await watched.answers("/readyz", 200)
        await asyncio.to_thread(watched.fleet.stop)
    finally:
        server.stop(signal.SIGKILL)


async def test_redis_that_refuses_writes_is_not_ready(watched: Watched, tmp_path: Path) -> None:
    """A full disk or absent replicas refuse what workers write, not what probes ask. It is told once."""
    server = RedisServer(tmp_path / "own").start()
    try:
        await watched.start(redis_url=server.url)
        await watched.answers("/readyz", 200)
        async with Connection(server.url) as operator:
            await operator.command("CONFIG", "SET", "min-replicas-to-write", 1)
            assert "refuses writes" in await watched.answers("/readyz", 503)
            for _ in range(20):  # stays so, while the worker's reads are answered
                assert (await watched.get("/readyz"))[0] == 503
                await asyncio.sleep(0.1)
            _, text = await watched.get("/metrics")
            assert samples(text)["ingest_redis_steady_seconds", ""] == 0
            assert await watched.get("/livez") == (200, "ok\n")
            await operator.command("CONFIG", "SET", "min-replicas-to-write", 0)
        await watched.answers("/readyz", 200)
        await asyncio.to_thread(watched.fleet.stop)
    finally:
        server.stop(signal.SIGKILL)
    told = [line["event"] for line in watched.fleet.lines() if line["event"].startswith("redis_")]
    assert told == ["redis_unavailable", "redis_restored"]


async def test_draining_is_not_ready_and_live(watched: Watched) -> None:
    """From the signal on nothing is to be expected, but what is in work may end."""
    await watched.start()
    host = watched.origin.url(0).removesuffix("/a/0")
    await watched.answers("/readyz", 200)
    async with Connection(watched.fleet.settings["INGEST_REDIS_URL"]) as connection:
        await connection.command("RPUSH", "ingest:queue", f"{host}/hang/1")
    await asyncio.wait_for(watched.origin.hanging.acquire(), 30)
    assert watched.worker is not None
    watched.worker.send_signal(signal.SIGTERM)
    await watched.logged("worker_stopping")
    assert await watched.get("/readyz") == (503, "the worker is stopping\n")
    assert await watched.get("/livez") == (200, "ok\n")
    watched.worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(watched.worker.wait, 30) == 0


async def test_without_an_address_nothing_listens_and_a_taken_one_is_told(
    redis_server: RedisServer, connection: Connection
) -> None:
    """The port is off unless asked for; one that cannot be had is a wrong setting."""
    ran = await asyncio.to_thread(run, "run", "--until-empty", redis_url=redis_server.url, log_format="json")
    assert (ran.code, "ops_listening" in ran.out) == (0, False), ran.err
    ran = await asyncio.to_thread(run, "run", redis_url=redis_server.url, ops_address="192.0.2.1:9464")
    assert ran.code == 2
    assert "INGEST_OPS_ADDRESS is 192.0.2.1:9464, where nothing can listen" in ran.err
