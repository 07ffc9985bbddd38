"""The contract's files, generated from its types and checked in.

JSON Schemas (draft 2020-12) of the events' data and of the queue's items, and an AsyncAPI document of it all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter

from worker.events.asyncapi import asyncapi
from worker.events.envelope import ARTICLE_SCHEMA, DEAD_SCHEMA, UNCHANGED_SCHEMA
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent
from worker.events.queue_item import QueueItem
from worker.model import SCHEMA_VERSION

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaMode

ITEM_SCHEMA = f"urn:ingest:schema:queue-item:{SCHEMA_VERSION}"
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


def item_schema() -> dict[str, Any]:
    """The schema of a queue item that is an object."""
    return _schema(QueueItem, ITEM_SCHEMA, "validation")


def schema_files() -> dict[str, bytes]:
    """The generated files by name."""
    return {
        f"article-{SCHEMA_VERSION}.json": _pretty(article_schema()),
        f"unchanged-{SCHEMA_VERSION}.json": _pretty(unchanged_schema()),
        f"dead-letter-{SCHEMA_VERSION}.json": _pretty(dead_schema()),
        f"queue-item-{SCHEMA_VERSION}.json": _pretty(item_schema()),
        f"asyncapi-{SCHEMA_VERSION}.json": _pretty(asyncapi()),
    }


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write the generated files over those in `folder`."""
    folder.mkdir(exist_ok=True)
    for name, content in schema_files().items():
        (folder / name).write_bytes(content)


def _schema(payload: type, urn: str, mode: JsonSchemaMode = "serialization") -> dict[str, Any]:
    generated = TypeAdapter(payload).json_schema(mode=mode)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": urn, **generated}


def _pretty(schema: dict[str, Any]) -> bytes:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
