"""What `ingest sink` is told, and what it tells."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ, run
from tests.cli.sink.process import feed, finished
from tests.cli.sink.test_kills import lines_of
from tests.sinks.receiver import Receiver
from tests.sinks.records import died, published
from worker.store.connection import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from tests.security.roles import GuardedRedis
    from tests.servers import RedisServer


async def written(tmp_path: Path, redis_url: str, *words: str) -> list[str]:
    """The ids that a sink to a file writes."""
    await finished("jsonl", str(tmp_path / "articles.jsonl"), *words, redis_url=redis_url)
    return [line["id"] for line in lines_of(tmp_path)]


@pytest.mark.parametrize("kind", ["--articles", "--dead", "--all"])
async def test_kinds(redis_server: RedisServer, connection: Connection, tmp_path: Path, kind: str) -> None:
    """Articles, dead letters, or both."""
    articles = await feed(connection, range(2))
    letter = died(7)
    await connection.command(
        "XADD", "{ingest:0}:dead", "*", *(word for pair in letter.items() for word in pair)
    )
    dead = [str(letter["id"])]
    expected = {"--articles": articles, "--dead": dead, "--all": [*articles, *dead]}
    assert sorted(await written(tmp_path, redis_server.url, kind)) == sorted(expected[kind])


async def test_where_a_new_group_begins(
    redis_server: RedisServer, connection: Connection, tmp_path: Path
) -> None:
    """At the start, now, behind an entry, or at a time."""
    ids = await feed(connection, range(4))
    entries = [
        entry.decode() for entry, _ in await connection.command("XRANGE", "{ingest:0}:articles", "-", "+")
    ]
    for place, expected in (
        ("start", ids),
        ("now", []),
        (entries[1], ids[2:]),
        ("2020-01-01T00:00:00Z", ids),
    ):
        folder = tmp_path / place.partition("T")[0]
        words = ("--from", place, "--group", f"g-{place.partition('T')[0]}")
        assert await written(folder, redis_server.url, *words) == expected


async def test_a_group_that_is_there_goes_on(
    redis_server: RedisServer, connection: Connection, tmp_path: Path, ingest: Any
) -> None:
    """--from changes nothing then, and that is said."""
    await feed(connection, range(2))
    path = str(tmp_path / "articles.jsonl")
    words = ("sink", "jsonl", path, "--until-empty", "--wait", "0", "--from", "start")
    first = await asyncio.to_thread(partial(ingest, *words))
    assert "whatever --from says" not in first.err
    again = await asyncio.to_thread(partial(ingest, *words))
    assert "goes on where it was, whatever --from says" in again.err
    assert "0 written, 0 behind" in again.err
    assert len(lines_of(tmp_path)) == 2


async def test_a_group_has_one_place(
    redis_server: RedisServer, connection: Connection, tmp_path: Path, ingest: Any
) -> None:
    """Another one is refused, with what to do, until it is said that the place has moved."""
    ids = await feed(connection, range(2))
    assert await written(tmp_path / "a", redis_server.url) == ids
    words = ("sink", "jsonl", str(tmp_path / "b" / "articles.jsonl"), "--until-empty", "--wait", "0")
    ran = await asyncio.to_thread(partial(ingest, *words))
    assert ran.code == 2
    assert f"the group sink-jsonl writes to {tmp_path / 'a' / 'articles.jsonl'}" in ran.err
    assert "--group NAME" in ran.err
    ids += await feed(connection, [2])
    assert await written(tmp_path / "b", redis_server.url, "--moved") == ids[2:]
    assert await written(tmp_path / "b", redis_server.url) == ids[2:]


async def test_a_receivers_path_is_not_kept(
    redis_server: RedisServer, connection: Connection, tmp_path: Path
) -> None:
    """It may be a secret."""
    async with Receiver() as receiver:
        words = ("webhook", receiver.url.replace("//", "//u:hunter2@"), "--outbox", str(tmp_path / "outbox"))
        await finished(*words, redis_url=redis_server.url)
    place = (await connection.command("HGET", "{ingest:0}:place:sink-webhook", "place")).decode()
    assert place.startswith("127.0.0.1 (URL ")
    assert "hook" not in place
    assert "hunter2" not in place


async def test_groups_are_apart(redis_server: RedisServer, connection: Connection, tmp_path: Path) -> None:
    """Each has all events."""
    ids = await feed(connection, range(3))
    for group in ("a", "b"):
        assert await written(tmp_path / group, redis_server.url, "--group", group) == ids


async def test_all_partitions_are_read(
    redis_server: RedisServer, connection: Connection, tmp_path: Path
) -> None:
    """`entry` names the partition, if it is not the first."""
    for partition in range(3):
        event = published(partition)
        words = [word for pair in event.items() for word in pair]
        await connection.command("XADD", f"{{ingest:{partition}}}:articles", "5-0", *words)
    path = str(tmp_path / "articles.jsonl")
    await finished("jsonl", path, redis_url=redis_server.url, partitions="3")
    assert sorted(line["entry"] for line in lines_of(tmp_path)) == ["1/5-0", "2/5-0", "5-0"]


async def test_two_of_a_group_share_its_events(
    redis_server: RedisServer, connection: Connection, dsn: str, database: Any
) -> None:
    """Together they write all, each once."""
    settings = {"redis_url": redis_server.url, "postgres_dsn": dsn}
    await feed(connection, range(60))
    both = await asyncio.gather(*(finished("postgres", "--batch", "5", **settings) for _ in range(2)))
    assert sum(each.lines[-1]["written"] for each in both) == 60
    assert await database.fetchval("select count(*) from ingest.events") == 60


async def test_the_consumers_user_may_run_a_sink(guarded: GuardedRedis, tmp_path: Path) -> None:
    """The rights in users.acl are enough."""
    async with Connection(guarded.url_of("root")) as root, Receiver() as receiver:
        ids = await feed(root, range(3))
        words = ("webhook", receiver.url, "--outbox", str(tmp_path / "outbox"))
        await finished(*words, "--all", "--from", "start", redis_url=guarded.url_of("consumer"))
        assert set(receiver.ids) == set(ids)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["jsonl"], "PATH"),
        (["jsonl", "/proc/x/articles.jsonl"], "cannot write to /proc/x/articles.jsonl"),
        (["jsonl", "a.jsonl", "--from", "yesterday"], "a time with its offset such as 2026-01-02T03:04:05Z"),
        (["jsonl", "a.jsonl", "--from", "2026-01-02T03:04:05"], "a time with its offset"),
        (["jsonl", "a.jsonl", "--group", "a b"], "group='a b' should be"),
        (["parquet", "/dev/null/lake"], "cannot write to /dev/null/lake"),
        (["postgres"], "INGEST_POSTGRES_DSN"),
        (["postgres", "mysql://u:hunter2@h/db"], "postgresql://user@host:5432/database"),
        (["postgres", "postgresql://u:hunter2@no-such-host.invalid/db"], "is the host's name right"),
        (["postgres", "postgresql://u:hunter2@[h/db"], "postgresql://user@host:5432/database"),
        (["postgres", "postgresql://h/db", "--schema", "a; drop table b"], "small letters"),
        (["postgres", "postgresql://h/db", "--schema", "order"], "no word of SQL"),
        (["webhook", "example.com/hook"], "https://example.com/hook"),
        (["webhook", "ftp://example.com/hook"], "https://example.com/hook"),
        (["webhook", "http://u:hunter2@no-such-host.invalid/"], "is the URL right"),
    ],
)
async def test_wrong_words_are_told_with_the_right_ones(
    ingest: Any, connection: Connection, tmp_path: Path, words: list[str], hint: str
) -> None:
    """Exit code 2, what is wrong and what to do, and no password."""
    ran = await asyncio.to_thread(partial(ingest, "sink", *words, data_dir=str(tmp_path)))
    assert ran.code == 2, ran.err
    assert hint in ran.err
    assert "hunter2" not in ran.err + ran.out


@pytest.mark.parametrize(("name", "library"), [("parquet", "pyarrow"), ("postgres", "asyncpg")])
def test_a_library_that_is_not_installed_is_told(
    redis_server: RedisServer, tmp_path: Path, name: str, library: str
) -> None:
    """With the command that installs it."""
    code = f"import sys; sys.modules[{library!r}] = None; from worker.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "sink", name, str(tmp_path)],
        cwd=ROOT,
        env=environ(redis_url=redis_server.url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr == (
        f"ingest: `ingest sink {name}` needs {library}, which is not installed: "
        f"pip install 'ingest-worker[{name}]'\n"
    )


def test_a_password_among_the_arguments_is_warned_of(ingest: Any) -> None:
    """It is not repeated."""
    ran = ingest("sink", "postgres", "postgresql://u:hunter2@no-such-host.invalid/db")
    assert "password stands among the arguments" in ran.err
    assert "hunter2" not in ran.err
    without = ingest("sink", "postgres", postgres_dsn="postgresql://u:hunter2@no-such-host.invalid/db")
    assert "among the arguments" not in without.err


def test_the_schema_is_printed() -> None:
    """As SQL, for whoever makes it by hand; no Redis and no PostgreSQL is asked."""
    ran = run("sink", "postgres", "--print-schema", "--schema", "news", redis_url="unix:///nowhere")
    assert ran.code == 0
    assert "create table if not exists news.articles (" in ran.out


async def test_the_printed_schema_is_what_is_needed(
    redis_server: RedisServer, connection: Connection, dsn: str, database: Any
) -> None:
    """Made by it, the tables take events with --no-create."""
    await feed(connection, range(2))
    await database.execute((await asyncio.to_thread(run, "sink", "postgres", "--print-schema")).out)
    last = await finished("postgres", "--no-create", redis_url=redis_server.url, postgres_dsn=dsn)
    assert last.lines[-1]["written"] == 2


async def test_a_bar_on_a_terminal(redis_server: RedisServer, connection: Connection, tmp_path: Path) -> None:
    """Figures for eyes, with log lines above them in readable form."""
    await feed(connection, range(3))
    leader, follower = os.openpty()
    words = ("sink", "jsonl", str(tmp_path / "articles.jsonl"), "--until-empty", "--wait", "0.05")
    try:
        await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, *words],
            stdout=follower,
            stderr=follower,
            check=True,
            timeout=60,
            cwd=ROOT,
            env=environ(redis_url=redis_server.url) | {"TERM": "xterm", "COLUMNS": "150"},
        )
        os.set_blocking(leader, False)
        shown = ""
        with suppress(BlockingIOError):  # a terminal hands over 4 KB at once
            while part := os.read(leader, 1 << 16):
                shown += part.decode(errors="replace")
    finally:
        os.close(leader)
        os.close(follower)
    assert "3 written, 0 behind" in shown
    assert "sink_stopped" in shown
    assert '{"timestamp"' not in shown


async def test_lines_in_a_pipe(
    redis_server: RedisServer, connection: Connection, tmp_path: Path, ingest: Any
) -> None:
    """Log lines on stdout, JSON each; figures on stderr."""
    await feed(connection, range(3))
    ran = await asyncio.to_thread(ingest, "sink", "parquet", str(tmp_path), "--until-empty", "--wait", "0")
    events = [orjson.loads(line)["event"] for line in ran.out.splitlines()]
    assert events == ["group_created", "sink_started", "sink_stopped"]
    assert ran.err.splitlines()[-1].endswith("s  3 written, 0 behind")
