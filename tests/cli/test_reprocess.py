"""`ingest reprocess` as a process: on a real worker's archive, on files of others, and through `kill -9`."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, Ran, environ, run
from tests.reprocess.warcs import Own, foreign, html
from tests.runtime.publisher import Publisher
from tests.security.roles import guarded_redis
from worker.store.ledger import read_ledger
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.security.roles import GuardedRedis
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

COUNTS = ("new", "updated", "unchanged", "superseded", "forgotten", "no_article", "no_page", "failed")


async def events(connection: Connection, keys: Keys) -> list[dict[str, Any]]:
    """Every event's data, with its id."""
    entries = await connection.command("XRANGE", keys.articles(), "-", "+")
    return [{**orjson.loads(fields[b"data"]), "event_id": fields[b"id"].decode()} for _, fields in entries]


def counts(ran: Ran) -> dict[str, int]:
    """The counts other than 0."""
    told: dict[str, int] = ran.lines[-1]["counts"]
    assert tuple(told) == COUNTS
    return {name: count for name, count in told.items() if count}


async def test_a_workers_archive_is_read_anew(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys, tmp_path: Path
) -> None:
    """To the same rules all is unchanged; what other rules had made of a page is published anew."""
    async with Publisher() as publisher:
        url = publisher.url("moved")
        await connection.command("RPUSH", keys.queue, url, publisher.url("none"), publisher.url("liar"))
        worked = await asyncio.to_thread(
            ingest,
            *("run", "--until-empty"),
            archive_dir=str(tmp_path / "archive"),
            allow_networks="127.0.0.0/8",
            host_spacing_s="0",
            obey_robots="false",
            max_attempts="1",
        )
    assert worked.code == 0, worked.err
    closed = [line for line in worked.lines if line["event"] == "archive_file_closed"]
    (file,) = sorted((tmp_path / "archive").iterdir())
    assert [line["file"] for line in closed] == [file.name]
    same = await asyncio.to_thread(ingest, "reprocess", "--json", str(file))
    assert (same.code, counts(same)) == (0, {"unchanged": 2, "no_page": 2})

    # As if an older release had read it, which had found another section.
    key = keys.part(0, f"visit:{article_id(url)}")
    at_ms, revision, kept = (await connection.command("GET", key)).split(b" ", 2)
    visit = orjson.loads(kept)
    visit["prints"] = visit["prints"][:56] + "OTHEROLD" + visit["prints"][64:]
    await connection.command("SET", key, b" ".join((at_ms, revision, orjson.dumps(visit))))
    dry = await asyncio.to_thread(ingest, "reprocess", "--dry-run", str(file))
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.splitlines()[0] == f"updated      2  {url} (section)  {publisher.title}"
    assert dry.out.splitlines()[1].startswith(
        "4 responses: 0 new and 1 updated would be published; 1 unchanged"
    )
    assert len(await events(connection, keys)) == 2
    anew = await asyncio.to_thread(ingest, "reprocess", "--json", str(file))
    assert counts(anew) == {"updated": 1, "unchanged": 1, "no_page": 2}
    assert anew.lines[0]["changed_fields"] == ["section"]
    found = {(event["url"], event["revision"]): event for event in await events(connection, keys)}
    first, second = found[url, 1], found[url, 2]
    assert (second["change"], second["changed_fields"]) == ("updated", ["section"])
    assert (second["text"], second["fetch"]["etag"]) == (first["text"], first["fetch"]["etag"])
    assert second["fetch"]["final_url"] == first["fetch"]["final_url"]
    status = await asyncio.to_thread(ingest, "status", "--json")
    assert status.json["balanced"] is True
    assert status.json["ledger"]["articles"] == 2
    assert status.json["traffic"]["reprocessed"] == 1


@pytest.mark.slow
async def test_a_killed_run_is_run_again(
    redis_server: RedisServer, connection: Connection, keys: Keys, tmp_path: Path
) -> None:
    """SIGKILL after some lines, again and again: in the end each page's event is there once."""
    urls = [f"http://a.example/{number}" for number in range(24)]
    path = foreign(
        tmp_path / "wget.warc.gz",
        *((url, html(f"Title {number} of some words"), 1) for number, url in enumerate(urls)),
        *((url, html(f"Later {number} of some words"), 2) for number, url in enumerate(urls[:6])),
    )
    draw, kills = random.Random(7), 0
    while kills < 30 and len(await events(connection, keys)) < len(urls) + 6:
        lines = draw.randint(3, 9)
        kills += await asyncio.to_thread(_killed_after, lines, str(path), redis_server.url)
    assert kills >= 2
    last = await asyncio.to_thread(run, "reprocess", "--json", str(path), redis_url=redis_server.url)
    assert last.code == 0
    found = await events(connection, keys)
    assert sorted((event["url"], event["revision"]) for event in found) == sorted(
        [*((url, 1) for url in urls), *((url, 2) for url in urls[:6])]
    )
    assert len({event["event_id"] for event in found}) == 30
    ledger = await read_ledger(connection, keys)
    assert (ledger.balanced, ledger.accepted, ledger.traffic) == (True, 0, {"reprocessed": 30})


def _killed_after(lines: int, path: str, url: str) -> bool:
    """Run the command until it has printed so many lines; whether it was killed before its end."""
    with subprocess.Popen(
        [*COMMAND, "reprocess", "--json", path],
        cwd=ROOT,
        env=environ(redis_url=url, extract_processes="1"),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def test_damage_is_told_and_the_other_files_are_read(ingest: Callable[..., Ran], tmp_path: Path) -> None:
    """A file that is no archive ends with 1, after what could be read; one that is not there with 2."""
    own = Own()
    own.add(html(), "http://b.example/1")
    good, bad = own.write(tmp_path / "good.warc.gz"), tmp_path / "bad.warc.gz"
    bad.write_bytes(b"<html>")
    ran = ingest("reprocess", "--dry-run", str(bad), str(good))
    assert ran.code == 1
    assert f"ingest: {bad}: not read any further" in ran.err
    assert ran.out.splitlines()[0].startswith("new          1  http://b.example/1")
    assert ingest("reprocess", str(tmp_path / "none.warc")).code == 2


def test_a_worker_has_the_rights(tmp_path: Path) -> None:
    """Its user may reprocess; an operator's may not write articles, and is told so."""
    with guarded_redis(tmp_path / "redis") as guarded:
        _try_rights(guarded, tmp_path)


def _try_rights(guarded: GuardedRedis, tmp_path: Path) -> None:
    own = Own()
    own.add(html(), "http://b.example/1")
    file = str(own.write(tmp_path / "own.warc.gz"))
    assert counts(run("reprocess", "--json", file, redis_url=guarded.url_of("worker"))) == {"new": 1}
    refused = Own()
    refused.add(html(), "http://b.example/2")
    other = str(refused.write(tmp_path / "other.warc.gz"))
    ran = run("reprocess", other, redis_url=guarded.url_of("operator"))
    assert ran.code == 1
    assert "deploy/redis/users.acl has what each role needs" in ran.err


@pytest.mark.parametrize(("there", "level"), [(True, "ok"), (False, "fail")])
def test_check_looks_at_the_folder(
    ingest: Callable[..., Ran], tmp_path: Path, there: bool, level: str
) -> None:
    """A folder that cannot be written to is found before the first page is lost."""
    folder = tmp_path / "archive"
    if not there:
        folder.write_text("in the way")
    ran = ingest("check", "--json", archive_dir=str(folder))
    (finding,) = [finding for finding in ran.json if finding["check"] == "archive"]
    assert (finding["level"], str(folder) in finding["says"]) == (level, True)
    assert ran.code == (0 if there else 1)
