"""Copies of one story in PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sinks.records import published, record
from worker.errors import SinkUnusable
from worker.sinks.postgres import PostgresSink
from worker.sinks.sink import Written
from worker.sinks.tables import schema_sql


async def test_one_article_of_each_cluster(sink: PostgresSink, database: Any) -> None:
    """By SQL, whichever came first of it; those of no cluster stay apart."""
    clusters = ["a", "b", "a", None, None, "b"]
    events = [record(published(number, cluster_id=each)) for number, each in enumerate(clusters, 1)]
    await sink.write(events)
    rows = await database.fetch(
        "select distinct on (coalesce(cluster_id, article_id)) title from ingest.articles "
        "order by coalesce(cluster_id, article_id), title"
    )
    assert sorted(row["title"] for row in rows) == ["Ferry 1", "Ferry 2", "Ferry 4", "Ferry 5"]


async def test_a_table_of_an_earlier_version_gets_the_column(
    dsn: str, database: Any, sink: PostgresSink
) -> None:
    """By the schema as it is printed, and the sink says so."""
    await sink.write([])
    await database.execute("alter table ingest.articles drop column cluster_id")
    again = PostgresSink(dsn)
    with pytest.raises(SinkUnusable, match=r"cluster_id.*--print-schema"):
        await again.open()
    await database.execute(schema_sql("ingest"))
    assert await again.write([record(published(1, cluster_id="a"))]) == Written(1)
    await again.close()
