"""From events to rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.sinks.records import published, record, records
from worker.sinks.rows import article_rows, storable
from worker.sinks.tables import ARTICLE_COLUMNS, LANGUAGES, is_identifier, schema_sql

_texts = st.text(st.sampled_from("\0\\u0aé"), max_size=8)
_json = st.recursive(
    _texts | st.none() | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), max_size=12))
def test_of_each_article_the_newest_revision_is_left(given_: list[tuple[int, int]]) -> None:
    """In whatever order they come; rows stand in the order of ids, in which they are locked."""
    events = [record(published(10 * a + r, article=a, revision=r)) for a, r in given_]
    rows = [dict(zip(ARTICLE_COLUMNS, row, strict=True)) for row in article_rows(events)]
    newest = {f"https://example.com/news/{a}": max(r for b, r in given_ if a == b) for a, _ in given_}
    assert {row["url"]: row["revision"] for row in rows} == newest
    assert [row["article_id"] for row in rows] == sorted(row["article_id"] for row in rows)


@given(_json)
def test_no_nul_is_left(meta: Any) -> None:
    """Whatever the producer's JSON holds, and nothing else changes: not a backslash and five letters."""
    event = records(1, 1)[0]
    data = orjson.dumps({"meta": meta})
    kept = storable(replace(event, data=data)).data
    assert "\0" not in str(orjson.loads(kept))
    assert orjson.loads(data.replace(b"\\\\", b"//").replace(b"\\u0000", "\ufffd".encode())) == orjson.loads(
        kept.replace(b"\\\\", b"//")
    )


def test_names_of_schemas_need_no_quotes() -> None:
    """Others are refused: the name becomes part of statements."""
    assert all(map(is_identifier, ("ingest", "_a", "news_2")))
    assert not any(map(is_identifier, ("", "A", "2news", "a-b", "a;b", "a b", "ä", "x" * 64, "a\n")))


def test_only_languages_of_the_server_are_named() -> None:
    """A name that it does not know would be an error."""
    made = schema_sql("ingest", {"english", "simple"})
    assert [tag for tag, name in LANGUAGES.items() if f"pg_catalog.{name}" in made] == ["en"]
