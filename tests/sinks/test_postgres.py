"""Events as rows of a real PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest

from tests.chaos.fleet import ROOT
from tests.events.samples import NOW
from tests.servers import free_port
from tests.sinks.records import died, elsewhere, published, record, records, unchanged
from worker.errors import SinkUnavailable, SinkUnusable
from worker.sinks.postgres import PostgresSink
from worker.sinks.sink import Written

if TYPE_CHECKING:
    from tests.sinks.postgres_server import PostgresServer

LATER = NOW + timedelta(days=1)


async def test_an_article_is_a_row(sink: PostgresSink, database: Any) -> None:
    """Columns hold what the event does; the event itself is there as a whole."""
    (event,) = records(1, 1)
    assert await sink.write([event]) == Written(1)
    row = dict(await database.fetchrow("select * from ingest.articles"))
    data = orjson.loads(event.data)
    same = ("article_id", "revision", "url", "title", "text", "keywords", "language", "section", "word_count")
    assert {name: row[name] for name in same} == {name: data[name] for name in same}
    assert orjson.loads(row["authors"]) == data["authors"]
    assert row["published_at"] == datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert (row["published_precision"], row["kind"], row["access"]) == ("minute", "news", "free")
    assert (row["event_id"], row["event_time"], row["checked_at"]) == (event.id, event.time, event.time)
    kept = await database.fetchrow("select * from ingest.events")
    assert (kept["event_id"], kept["type"], kept["entry"]) == (event.id, event.type, event.entry)
    assert (kept["subject"], kept["article_id"]) == (data["url"], data["article_id"])
    assert orjson.loads(kept["data"]) == data


async def test_ids_are_those_of_a_source(sink: PostgresSink, database: Any) -> None:
    """Another namespace's event of the same id is another row of `events`."""
    (one,) = records(1, 1)
    assert await sink.write([one, elsewhere(one)]) == Written(2)
    assert await sink.write([elsewhere(one), one]) == Written(0, repeats=2)
    assert await database.fetchval("select count(*) from ingest.events") == 2


async def test_what_comes_again_changes_nothing(sink: PostgresSink, dsn: str, database: Any) -> None:
    """In one batch, in another, and from another process."""
    assert await sink.write([*records(1, 3), *records(3, 3)]) == Written(3, repeats=1)
    assert await sink.write(records(2, 5)) == Written(2, repeats=2)
    other = PostgresSink(dsn)
    await other.open()
    assert await other.write(records(1, 5)) == Written(0, repeats=5)
    await other.close()
    assert await database.fetchval("select count(*) from ingest.events") == 5
    assert await database.fetchval("select count(*) from ingest.articles") == 5


@pytest.mark.parametrize("seed", range(5))
async def test_the_newest_revision_stands_in_any_order(sink: PostgresSink, database: Any, seed: int) -> None:
    """However revisions come, together or apart, and again: an older one never overwrites a newer."""
    chance = random.Random(seed)
    events = [
        record(published(10 * article + revision, article=article, revision=revision))
        for article in (1, 2, 3)
        for revision in (1, 2, 3, 4)
    ]
    given = [*events, *chance.sample(events, 6)]
    chance.shuffle(given)
    while given:
        size = chance.randrange(1, 6)
        await sink.write(given[:size])
        given = given[size:]
    rows = await database.fetch("select revision, title, event_id from ingest.articles order by title")
    assert [(row["revision"], row["title"]) for row in rows] == [
        (4, "Ferry 14"),
        (4, "Ferry 24"),
        (4, "Ferry 34"),
    ]
    assert await database.fetchval("select count(*) from ingest.events") == 12


@pytest.mark.parametrize("order", [([1], [2]), ([2], [1]), ([1, 2],), ([2, 1],)])
async def test_meta_outlives_a_revision_without(
    sink: PostgresSink, database: Any, order: tuple[list[int], ...]
) -> None:
    """What was pushed with the URL stays when the article is read anew from an archive, in any order."""
    one = record(published(1), "1-0")
    data = orjson.loads(one.data)
    of_one = data | {"task": data["task"] | {"meta": {"desk": 7}}}
    of_two = data | {"revision": 2, "title": "Anew"}
    whole = {
        1: replace(one, data=orjson.dumps(of_one)),
        2: replace(one, id="anew", entry="2-0", data=orjson.dumps(of_two)),
    }
    for batch in order:
        await sink.write([whole[number] for number in batch])
    row = await database.fetchrow("select title, meta from ingest.articles")
    assert (row["title"], orjson.loads(row["meta"])) == ("Anew", {"desk": 7})


async def test_visits_and_dead_letters(sink: PostgresSink, database: Any) -> None:
    """A visit without news moves `checked_at` only forward; a dead letter is a row of its view."""
    await sink.write([record(unchanged(2, article=1, now=LATER)), record(published(1)), record(died(4))])
    await sink.write([record(unchanged(3, article=1, now=NOW))])
    row = await database.fetchrow("select event_time, checked_at from ingest.articles")
    assert row["event_time"] < row["checked_at"]
    assert row["checked_at"].date() == LATER.date()
    letters = await database.fetch("select reason, url, attempts from ingest.dead_letters")
    assert [tuple(letter) for letter in letters] == [("http_404", "https://example.com/news/4", 1)]


async def test_words_are_found_in_their_language(sink: PostgresSink, database: Any) -> None:
    """By their stems where PostgreSQL knows the language, as they are elsewhere; titles weigh most."""
    await sink.write(
        [
            record(published(1, language="de-AT", title="Die Brücken", text="Häuser am Fluss")),
            record(published(2, language="xx", title="Brücken", text="Haus")),
            record(published(3, language=None, title="Nothing", text="bridges")),
            record(published(4, language="en", title="Bridges", text="rivers")),
            record(published(5, language="en-GB", title="Rivers", text="a bridge " * 2)),
        ]
    )

    async def found(language: str, words: str) -> list[str]:
        query = f"websearch_to_tsquery(ingest.search_language('{language}'), $1)"
        matching = f"search @@ {query} order by ts_rank(search, {query}) desc, title"
        rows = await database.fetch(f"select title from ingest.articles where {matching}", words)
        return [row["title"] for row in rows]

    assert await found("de", "Brücke Haus") == ["Die Brücken"]
    assert await found("xx", "brücken") == ["Brücken"]
    assert await found("en", "bridge") == ["Bridges", "Rivers"]
    await database.execute("set enable_seqscan = off")
    plan = await database.fetch("explain select 1 from ingest.articles where search @@ to_tsquery('x')")
    assert "articles_by_search" in str(plan)


async def test_the_query_of_the_readme_runs(sink: PostgresSink, database: Any) -> None:
    """And finds what it is about."""
    await sink.write(
        [
            record(published(1, language="en", title="A ferry", text="It sails.")),
            record(published(2, language="en", title="Ferries", text="They are on strike.")),
        ]
    )
    readme = (ROOT / "README.md").read_text("utf-8")
    (query,) = re.findall(r"^```sql\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert [row["title"] for row in await database.fetch(query)] == ["A ferry"]


async def test_the_longest_texts_fit(sink: PostgresSink, database: Any) -> None:
    """A text of the most different words that there can be, long URLs, and bytes that are no text."""
    words = " ".join(chr(0x20000 + number) + chr(0x20000 + number % 7) for number in range(80_000))
    long = f"https://example.com/{'x' * 8000}"
    event = record(
        published(1, text=words, language="en", canonical_url=long, url=long, title="T\0itle \\u0000")
    )
    assert await sink.write([event]) == Written(1)
    row = await database.fetchrow("select title, url, length(text) as length, search from ingest.articles")
    assert (row["title"], row["url"], row["length"]) == ("T\ufffditle \\u0000", long, len(words))
    assert len(row["search"]) > 100_000


async def test_an_event_that_is_no_row_stops_no_other(sink: PostgresSink, database: Any) -> None:
    """It is rejected with the reason; its neighbours are written, all of them once."""
    good = records(1, 2)
    wide = record(published(3, word_count=2**70))
    odd = replace(good[0], id="x.4", attributes={})
    written = await sink.write([good[0], wide, odd, good[1]])
    assert (written.new, written.repeats) == (2, 0)
    assert written.rejected.keys() == {wide.id, odd.id}
    assert "source" in written.rejected[odd.id]
    assert await database.fetchval("select count(*) from ingest.events") == 2


async def test_many_processes_make_the_tables_and_write(dsn: str, database: Any) -> None:
    """At the same time, the same events: none fails, each event is once there."""
    sinks = [PostgresSink(dsn) for _ in range(5)]
    await asyncio.gather(*(sink.open() for sink in sinks))
    written = await asyncio.gather(*(sink.write(records(1, 30)) for sink in sinks))
    assert sum(each.new for each in written) == 30
    await asyncio.gather(*(sink.close() for sink in sinks))
    assert await database.fetchval("select count(*) from ingest.articles") == 30


async def test_who_may_only_write_is_enough_once_the_tables_are_there(
    sink: PostgresSink, database: Any, dsn: str
) -> None:
    """Neither schema nor tables are made anew by a user who may not."""
    await database.execute(
        "drop role if exists writer; create role writer login;"
        "grant usage on schema ingest to writer;"
        "grant select, insert, update on all tables in schema ingest to writer"
    )
    writer = PostgresSink(dsn.replace("ingest@", "writer@"))
    await writer.open()
    assert await writer.write(records(1, 2)) == Written(2)
    await writer.close()
    await database.execute("drop owned by writer; drop role writer")


async def test_without_create_nothing_is_made(dsn: str, database: Any) -> None:
    """What is missing is told, with what to do."""
    sink = PostgresSink(dsn, create=False)
    with pytest.raises(SinkUnusable, match="--print-schema"):
        await sink.open()
    assert await database.fetchval("select count(*) from pg_namespace where nspname = 'ingest'") == 0


async def test_a_table_of_somebody_else_is_told(dsn: str, database: Any) -> None:
    """A column that is missing is named."""
    await database.execute("create schema ingest; create table ingest.articles (title text)")
    with pytest.raises(SinkUnusable, match=r"search.*--print-schema"):
        await PostgresSink(dsn).open()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("mysql://h/db", "postgresql://user@host:5432/database"),
        ("nonsense", "postgresql://user@host:5432/database"),
        ("postgresql://h:port/db", "postgresql://user@host:5432/database"),
        ("postgresql://u:hunter2@no-such-host.invalid/db", "is the host's name right"),
    ],
)
async def test_a_wrong_address_is_told(change: str, said: str) -> None:
    """Without the password in it."""
    with pytest.raises(SinkUnusable, match=said) as told:
        await PostgresSink(change).open()
    assert "hunter2" not in str(told.value)


async def test_who_is_refused_is_told(postgres_server: PostgresServer, dsn: str, database: Any) -> None:
    """A wrong password, and a database that is not there."""
    await database.execute("drop role if exists guest; create role guest login password 'right'")
    by_tcp = f"postgresql://guest:wrong@127.0.0.1:{postgres_server.port}/postgres"
    with pytest.raises(SinkUnusable, match="password authentication failed") as told:
        await PostgresSink(by_tcp).open()
    assert "wrong" not in str(told.value)
    with pytest.raises(SinkUnusable, match="does not exist"):
        await PostgresSink(postgres_server.dsn("no_such_database")).open()


async def test_a_database_of_bytes_is_refused(postgres_server: PostgresServer) -> None:
    """Without UTF-8 most texts have no place."""
    connection = await asyncpg.connect(postgres_server.dsn("postgres"))
    await connection.execute("drop database if exists latin")
    await connection.execute("create database latin encoding 'LATIN1' template template0")
    await connection.close()
    with pytest.raises(SinkUnusable, match="ENCODING 'UTF8'"):
        await PostgresSink(postgres_server.dsn("latin")).open()


async def test_a_server_that_goes_away_is_waited_for(postgres_server: PostgresServer, dsn: str) -> None:
    """What fails meanwhile fails as what may pass; afterwards it goes on, with no event twice."""
    sink = PostgresSink(dsn)
    await sink.open()
    await sink.write(records(1, 2))
    postgres_server.stop()
    try:
        with pytest.raises(SinkUnavailable):
            await sink.write(records(2, 3))
        with pytest.raises(SinkUnavailable):
            await sink.write(records(2, 3))
    finally:
        postgres_server.start()
    assert await sink.write(records(2, 3)) == Written(1, repeats=1)
    await sink.close()


async def test_nobody_listens_yet() -> None:
    """A server that is not up yet is no fault of the address."""
    with pytest.raises(SinkUnavailable):
        await PostgresSink(f"postgresql://u@127.0.0.1:{free_port()}/db").open()
