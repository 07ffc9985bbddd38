"""The JSON Schemas (draft 2020-12) of the events' data, generated from the payload types and checked in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from worker.events.envelope import ARTICLE_SCHEMA, DEAD_SCHEMA, UNCHANGED_SCHEMA
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent
from worker.model import SCHEMA_VERSION

#: Where the checked-in files are.
SCHEMAS = Path(__file__).parent / "schemas"


def article_schema() -> dict[str, Any]:
    """The schema of `data` in an `article.published.v1` event."""
    return _schema(ArticleEvent, ARTICLE_SCHEMA)


def unchanged_schema() -> dict[str, Any]:
    """The schema of `data` in an `article.unchanged.v1` event."""
    return _schema(UnchangedEvent, UNCHANGED_SCHEMA)


def dead_schema() -> dict[str, Any]:
    """The schema of `data` in a `url.dead.v1` event."""
    return _schema(DeadEvent, DEAD_SCHEMA)


def schema_files() -> dict[str, bytes]:
    """The generated files by name."""
    return {
        f"article-{SCHEMA_VERSION}.json": _pretty(article_schema()),
        f"unchanged-{SCHEMA_VERSION}.json": _pretty(unchanged_schema()),
        f"dead-letter-{SCHEMA_VERSION}.json": _pretty(dead_schema()),
    }


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write the generated files over those in `folder`."""
    folder.mkdir(exist_ok=True)
    for name, content in schema_files().items():
        (folder / name).write_bytes(content)


def _schema(payload: type, urn: str) -> dict[str, Any]:
    generated = TypeAdapter(payload).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": urn, **generated}


def _pretty(schema: dict[str, Any]) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
