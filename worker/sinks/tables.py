"""The tables of PostgreSQL that events go to, and the statements that fill them. Pure text.

`events` has every event, for good, by its source and id. `articles` has the newest revision of each article,
by the article's id, with a full-text index in its own language. `dead_letters` is a view of `events`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.events.envelope import URL_DEAD

if TYPE_CHECKING:
    from collections.abc import Collection

_LANGUAGES = (
    "ar:arabic ca:catalan da:danish de:german el:greek en:english es:spanish et:estonian eu:basque "
    "fi:finnish fr:french ga:irish hi:hindi hu:hungarian hy:armenian id:indonesian it:italian "
    "lt:lithuanian nb:norwegian ne:nepali nl:dutch nn:norwegian no:norwegian pt:portuguese ro:romanian "
    "ru:russian sr:serbian sv:swedish ta:tamil tr:turkish yi:yiddish"
)
#: What PostgreSQL calls its text search configurations, by the primary subtag of BCP 47.
LANGUAGES = dict(pair.split(":") for pair in _LANGUAGES.split())
#: Those of PostgreSQL 14 to 17: Estonian came with 18.
SINCE_14 = frozenset(LANGUAGES.values()) - {"estonian"}
#: Of the text, in characters: a tsvector holds less than 1 MiB, and four bytes for each character fit.
_SEARCHED_CHARS = 200_000
#: Words that are no names without quotes (PostgreSQL 17, appendix C: reserved, with or without exceptions).
_WORDS_OF_SQL = (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate "
    "collation column concurrently constraint create cross current_catalog current_date current_role "
    "current_schema current_time current_timestamp current_user default deferrable desc distinct do else end "
    "except false fetch for foreign freeze from full grant group having ilike in initially inner intersect "
    "into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null "
    "offset on only or order outer overlaps placing primary references returning right select session_user "
    "similar some symmetric system_user table tablesample then to trailing true union unique user using "
    "variadic verbose when where window with"
)
_RESERVED = frozenset(_WORDS_OF_SQL.split())
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")

EVENT_COLUMNS = {
    "event_id": "text not null",
    "type": "text not null",
    "time": "timestamptz not null",
    "article_id": "text",
    "subject": "text",
    "source": "text not null",
    "entry": "text not null",
    "data": "jsonb not null",
}
ARTICLE_COLUMNS = {
    "article_id": "text primary key",
    "revision": "bigint not null",
    "event_id": "text not null",
    "event_time": "timestamptz not null",
    "checked_at": "timestamptz not null",
    "url": "text not null",
    "canonical_url": "text not null",
    "title": "text not null",
    "subtitle": "text",
    "description": "text",
    "authors": "jsonb not null",
    "agency": "text",
    "publisher_name": "text",
    "publisher_domain": "text",
    "section": "text",
    "keywords": "text[] not null",
    "language": "text",
    "published_at": "timestamptz",
    "published_precision": "text",
    "modified_at": "timestamptz",
    "text": "text not null",
    "word_count": "bigint not null",
    "images": "jsonb not null",
    "access": "text not null",
    "completeness": "text not null",
    "kind": "text not null",
    "content_hash": "text not null",
    "simhash": "text not null",
    "cluster_id": "text",
    "meta": "jsonb",
}


def is_identifier(name: str) -> bool:
    """Whether a schema may be called so without quotes."""
    return bool(_IDENTIFIER.fullmatch(name)) and name not in _RESERVED


def schema_sql(schema: str, configurations: Collection[str] = SINCE_14) -> str:
    """What makes the tables; `configurations` are the text search configurations that the server knows."""
    cases = "\n".join(
        f"    when '{tag}' then 'pg_catalog.{name}'::regconfig"
        for tag, name in LANGUAGES.items()
        if name in configurations
    )
    language = f"{schema}.search_language(language)"
    return f"""\
create schema if not exists {schema};

-- By the primary subtag of a BCP 47 tag; 'simple', which knows no stems, for all that is not known here.
create or replace function {schema}.search_language(tag text) returns regconfig
language plpgsql immutable parallel safe as $$ begin  -- and not sql, which would be planned anew for each row
  return case split_part(lower(tag), '-', 1)
{cases}
    else 'pg_catalog.simple'::regconfig
  end;
end $$;

create table if not exists {schema}.events (
{_columns(EVENT_COLUMNS)},
  written_at timestamptz not null default now(),
  primary key (source, event_id)
);
create index if not exists events_by_time on {schema}.events (time);
create index if not exists events_by_article on {schema}.events (article_id);

create table if not exists {schema}.articles (
{_columns(ARTICLE_COLUMNS)},
  written_at timestamptz not null default now(),
  search tsvector generated always as (
    setweight(to_tsvector({language}, left(title, 2000)), 'A')
    || setweight(to_tsvector({language}, left(coalesce(subtitle, ''), 2000)), 'B')
    || setweight(to_tsvector({language}, left(coalesce(description, ''), 2000)), 'B')
    || setweight(to_tsvector({language}, left(text, {_SEARCHED_CHARS})), 'D')
  ) stored
);
alter table {schema}.articles add column if not exists cluster_id text;
create index if not exists articles_by_search on {schema}.articles using gin (search);
create index if not exists articles_by_date on {schema}.articles (published_at);
create index if not exists articles_by_cluster on {schema}.articles (cluster_id);
create index if not exists articles_by_url on {schema}.articles using hash (url);

create or replace view {schema}.dead_letters as
  select event_id, time, data->>'reason' as reason, data->>'url' as url, data->>'item' as item,
    data->>'error' as error, (data->>'attempts')::bigint as attempts
  from {schema}.events where type = '{URL_DEAD}';
"""


def insert_events(schema: str) -> str:
    """Takes an array for each column; returns source and id of those that were not there."""
    values = ", ".join(
        f"${number}::{kind.split()[0]}[]" if kind.split()[0] != "jsonb" else f"${number}::text[]"
        for number, kind in enumerate(EVENT_COLUMNS.values(), 1)
    )
    names = list(EVENT_COLUMNS)
    picked = ", ".join(f"{name}::jsonb" if name == "data" else name for name in names)
    return (
        f"insert into {schema}.events ({', '.join(names)}) select {picked} "
        f"from unnest({values}) as given({', '.join(names)}) "
        "on conflict (source, event_id) do nothing returning source, event_id"
    )


def upsert_article(schema: str) -> str:
    """Takes a value for each column. An older revision changes nothing.

    A newer one without `meta`, such as one that was read anew from an archive, leaves what is there.
    """
    places = ", ".join(f"${number}" for number in range(1, len(ARTICLE_COLUMNS) + 1))
    kept = {"article_id", "checked_at", "meta"}
    changes = ", ".join(f"{name} = excluded.{name}" for name in ARTICLE_COLUMNS if name not in kept)
    return (
        f"insert into {schema}.articles as ours ({', '.join(ARTICLE_COLUMNS)}) "
        f"values ({places}) on conflict (article_id) do update set {changes}, written_at = now(), "
        "meta = coalesce(excluded.meta, ours.meta), "
        f"checked_at = greatest(ours.checked_at, excluded.checked_at) where ours.revision < excluded.revision"
    )


def fill_meta(schema: str) -> str:
    """Takes an article's id, and the `meta` of a revision that came after a newer one without."""
    return f"update {schema}.articles set meta = $2 where article_id = $1 and meta is null"


def touch_article(schema: str) -> str:
    """Takes an article's id, and when it was found as it was."""
    return f"update {schema}.articles set checked_at = greatest(checked_at, $2) where article_id = $1"


def probes(schema: str) -> list[str]:
    """Queries that fail where a table or a column is missing."""
    return [
        f"select {', '.join(columns)} from {schema}.{table} limit 0"
        for table, columns in (("events", EVENT_COLUMNS), ("articles", [*ARTICLE_COLUMNS, "search"]))
    ]


def _columns(columns: dict[str, str]) -> str:
    return ",\n".join(f"  {name} {kind}" for name, kind in columns.items())
