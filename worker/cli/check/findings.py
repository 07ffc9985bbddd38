"""Whether everything that a worker needs is in place, and what to do where it is not."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

from worker import __version__
from worker.cli.check.finding import Finding
from worker.cli.store import opened
from worker.errors import ExtractionFailed, IngestError, Misconfigured, NotAnArticle
from worker.fetch.robots import product_token
from worker.runtime.parts import pool_of
from worker.settings import host_rules
from worker.store.scripts import script, script_names
from worker.telemetry.log import configure_logging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from worker.settings import Settings
    from worker.store.connection import Connection

_FULL = 0.9
#: Whoever writes no line for longer is none of `ingest:workers:count` (deploy/prometheus/rules.yml).
_LIVING_S = 120.0
_PAGE = b"""<!doctype html><html lang=en><title>Ferry leaves every hour</title><article>
<h1>Ferry leaves every hour</h1>
<p>The harbour office said on Monday that the new ferry would leave the northern pier every hour, from six in
the morning until the last train has come in.</p>
<p>Two boats share the work, so that one can be looked after while the other sails. Both were built in a yard
up the river, by people who use them on their way home.</p>
<p>A ticket costs as much as on the old bridge, and children go free. "We wanted nobody to think twice about
crossing the water," said the harbour master, who bought the first ticket herself.</p>
<p>The bridge stays open for bicycles until the spring, when its deck will be taken off and laid anew.</p>
</article>"""


def findings(settings: Settings) -> list[Finding]:
    """All there is to say, settings first."""
    return asyncio.run(_findings(settings))


async def _findings(settings: Settings) -> list[Finding]:
    configure_logging("console", "error", settings.mask_query, sys.stderr.buffer)
    found = list(of_settings(settings))
    found += [finding async for finding in _of_redis(settings)]
    found.append(await _of_extraction(settings))
    return found


def of_settings(settings: Settings) -> Iterator[Finding]:
    """What settings that are valid may still get wrong."""
    yield Finding("settings", "ok", f"valid; ingest {__version__}")
    yield _of_hosts(settings)
    yield of_log(settings)
    if "@" in settings.user_agent or "://" in settings.user_agent:
        says = f"{settings.user_agent}; robots.txt knows it as {product_token(settings.user_agent)}"
        yield Finding("user agent", "ok", says)
    else:
        yield Finding(
            "user agent",
            "warn",
            f"{settings.user_agent} names nobody whom site owners could reach before they block it",
            "add a page or an address of yours: INGEST_USER_AGENT='acme-news/1.0 (+https://acme.example/bot)'",
        )
    if not settings.obey_robots:
        yield Finding("robots.txt", "warn", "not obeyed", "unset INGEST_OBEY_ROBOTS")
    if settings.allow_networks:
        networks = ", ".join(map(str, settings.allow_networks))
        yield Finding(
            "networks",
            "warn",
            f"any URL may reach {networks}, redirects included",
            "unset INGEST_ALLOW_NETWORKS unless every producer is trusted",
        )
    if settings.archive_dir is not None:
        yield _of_archive(settings.archive_dir)


def of_log(settings: Settings) -> Finding:
    """Whether what is made of the log (deploy/mtail, deploy/prometheus) can tell that a worker lives."""
    remedy = "unset it, unless nothing watches the log"
    if settings.log_level in {"warning", "error"}:
        says = f"INGEST_LOG_LEVEL is {settings.log_level}: no worker_stats, and IngestNoWorker fires for good"
        return Finding("log", "warn", says, remedy)
    if settings.stats_interval_s > _LIVING_S:
        says = f"INGEST_STATS_INTERVAL_S is {settings.stats_interval_s:g}: an idle worker counts as gone"
        return Finding("log", "warn", says, f"{remedy}; {_LIVING_S:g} is the most that alerts allow for")
    return Finding("log", "ok", f"level {settings.log_level}, figures every {settings.stats_interval_s:g} s")


def _of_hosts(settings: Settings) -> Finding:
    try:
        rules = host_rules(settings)
    except Misconfigured as error:
        return Finding("hosts", "fail", str(error))
    return Finding("hosts", "ok", f"rules of their own for {len(rules)}")


def _of_archive(folder: Path) -> Finding:
    """Whether files can be made there, in a folder that a worker would make if there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "give the worker's user a folder that it may write to, or unset INGEST_ARCHIVE_DIR"
        return Finding("archive", "fail", f"{folder}: {error.strerror}", remedy)
    return Finding("archive", "ok", f"{folder}, {free_bytes / 1e9:,.1f} GB free")


async def _of_redis(settings: Settings) -> AsyncIterator[Finding]:
    async with opened(settings) as store:
        try:
            info = await store.connection.check()
            yield Finding("redis", "ok", f"{store.connection.where}, version {info['redis_version']}")
            for finding in of_server(info):
                yield finding
            if settings.durability == "wait":
                yield of_replicas(info)
            yield await _of_scripts(store.connection)
        except IngestError as error:
            yield Finding("redis", "fail", str(error), "start it, or set INGEST_REDIS_URL, or run --embedded")


def of_server(info: Mapping[str, str]) -> Iterator[Finding]:
    """How the server keeps data, by its INFO."""
    if info.get("aof_enabled") == "1":
        yield Finding("persistence", "ok", "appendonly is on")
    else:
        yield Finding(
            "persistence",
            "warn",
            "appendonly is off: a restart of Redis loses URLs and articles",
            "set appendonly yes in redis.conf",
        )
    if "err" in {info.get("aof_last_write_status"), info.get("rdb_last_bgsave_status")}:
        yield Finding("disk", "fail", "the last write to disk failed", "see Redis' log, and its disk")
    limit_bytes, used_bytes = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    policy = info.get("maxmemory_policy", "unknown")
    if limit_bytes and policy != "noeviction":
        yield Finding(
            "eviction",
            "fail",
            f"maxmemory-policy is {policy}: Redis would drop URLs and articles to make room",
            "set maxmemory-policy noeviction",
        )
    if limit_bytes and used_bytes > _FULL * limit_bytes:
        says = f"{used_bytes:,} of {limit_bytes:,} bytes are used"
        yield Finding("memory", "warn", says, "raise maxmemory, or let consumers acknowledge")


def of_replicas(info: Mapping[str, str]) -> Finding:
    """Whether anything can be confirmed, as INGEST_DURABILITY=wait asks."""
    if replicas := int(info.get("connected_slaves", 0)):
        return Finding("durability", "ok", f"each end waits for one of {replicas} replicas")
    return Finding(
        "durability",
        "fail",
        "no replica is connected: nothing would be accepted or published",
        "connect a replica, or unset INGEST_DURABILITY",
    )


async def _of_scripts(connection: Connection) -> Finding:
    for name in script_names():
        await connection.command("SCRIPT LOAD", script(name).text)
    return Finding("scripts", "ok", f"all {len(script_names())} load")


async def _of_extraction(settings: Settings) -> Finding:
    remedy = "see INGEST_EXTRACT_MEMORY_LIMIT_BYTES and INGEST_EXTRACT_TIMEOUT_S"
    try:
        async with pool_of(settings, processes=1) as pool:
            article = await pool.extract(_PAGE, url="http://localhost/ferry", content_type="text/html")
    except (ExtractionFailed, NotAnArticle) as error:
        return Finding("extraction", "fail", str(error), remedy)
    return Finding("extraction", "ok", f"a process of its own read a page of {article.word_count} words")
