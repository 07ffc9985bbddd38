"""The contract as one AsyncAPI 3.0 document: what goes in by the queue, and what comes out by the streams.

Generated from the same types as the JSON Schemas, and checked in beside them.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from worker.events.envelope import (
    ARTICLE_PUBLISHED,
    ARTICLE_SCHEMA,
    ARTICLE_UNCHANGED,
    DEAD_SCHEMA,
    UNCHANGED_SCHEMA,
    URL_DEAD,
)
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent
from worker.events.queue_item import QueueItem
from worker.model import SCHEMA_VERSION
from worker.urls import URL_LIMIT_BYTES

#: The protocol has a binding for Redis, of which the specification says that it must hold no properties yet.
#: How an address is read or written in Redis is therefore told by `x-redis`.
_BINDINGS: dict[str, Any] = {"redis": {}}
_PAYLOADS = (ArticleEvent, UnchangedEvent, DeadEvent)


def asyncapi() -> dict[str, Any]:
    """The document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ingest",
            "version": SCHEMA_VERSION,
            "description": "URLs in a Redis queue become news-article events on a Redis stream, each exactly "
            "once. An entry is a CloudEvent 1.0 in binary mode: the headers of a message are the fields of "
            "the entry but `data`, and its payload is the JSON in `data`. Fields may come: pass over what "
            "you do not know.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "redis": {
                "host": "127.0.0.1:6379",
                "protocol": "redis",
                "description": "Redis or Valkey, as INGEST_REDIS_URL names it",
                "bindings": _BINDINGS,
            }
        },
        "channels": {"queue": _queue(), "articles": _stream("articles"), "dead": _stream("dead")},
        "operations": {
            "take": _operation("receive", "queue", "Each item comes to one article, or one dead letter."),
            "publish": _operation("send", "articles", "In order of their entry ids."),
            "bury": _operation("send", "dead", "What became no article, with the reason."),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _queue() -> dict[str, Any]:
    return {
        "address": "{namespace}:queue",
        "description": "A Redis list. An item is a URL, or a JSON object if its first byte is `{`.",
        "parameters": {
            "namespace": {"description": "INGEST_NAMESPACE", "default": "ingest"},
        },
        "messages": _named("url", "item"),
        "bindings": _BINDINGS,
        "x-redis": {"type": "list", "write": "RPUSH"},
    }


def _stream(name: str) -> dict[str, Any]:
    what = "Articles, and visits that found nothing new" if name == "articles" else "Dead letters"
    return {
        # The braces of the hash tag belong to the key, so that they cannot stand in the address itself,
        # where braces mark a parameter.
        "address": f"{{tag}}:{name}",
        "description": f"{what}: a Redis stream for each partition.",
        "parameters": {
            "tag": {
                "description": "The partition's hash tag, with its braces: the namespace and the number",
                "default": "{ingest:0}",
                "examples": ["{ingest:0}", "{ingest:1}"],
            },
        },
        "messages": _named("published", "unchanged") if name == "articles" else _named("dead"),
        "bindings": _BINDINGS,
        "x-redis": {"type": "stream", "read": "XREADGROUP", "acknowledge": "XACK"},
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": _BINDINGS,
    }


def _named(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _messages() -> dict[str, Any]:
    return {
        "url": {
            "title": "A URL, as it is",
            "contentType": "text/plain",
            "payload": {"type": "string", "minLength": 1, "maxLength": URL_LIMIT_BYTES},
            "bindings": _BINDINGS,
        },
        "item": {
            "title": "A URL with wishes",
            "contentType": "application/json",
            "payload": {"$ref": "#/components/schemas/QueueItem"},
            "bindings": _BINDINGS,
        },
        "published": _event(ARTICLE_PUBLISHED, ARTICLE_SCHEMA, ArticleEvent),
        "unchanged": _event(ARTICLE_UNCHANGED, UNCHANGED_SCHEMA, UnchangedEvent),
        "dead": _event(URL_DEAD, DEAD_SCHEMA, DeadEvent),
    }


def _event(kind: str, schema: str, payload: type) -> dict[str, Any]:
    return {
        "name": kind,
        "title": kind,
        "contentType": "application/json",
        "headers": _headers(kind, schema),
        "payload": {"$ref": f"#/components/schemas/{payload.__name__}"},
        "bindings": _BINDINGS,
    }


def _headers(kind: str, schema: str) -> dict[str, Any]:
    """The context attributes (CloudEvents 1.0.2, 3.1) as `worker.events.envelope` writes them."""
    attributes: dict[str, Any] = {
        "specversion": {"type": "string", "const": "1.0"},
        "id": {"type": "string", "minLength": 1, "description": "a repeat would carry the same"},
        "type": {"type": "string", "const": kind},
        "source": {
            "type": "string",
            "format": "uri-reference",
            "minLength": 1,
            "description": "/ingest/ and the namespace",
        },
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "when the event was written, in UTC",
        },
        "datacontenttype": {"type": "string", "const": "application/json"},
        "dataschema": {"type": "string", "format": "uri", "const": schema},
    }
    required = sorted(attributes)
    attributes["subject"] = {
        "type": "string",
        "minLength": 1,
        "description": "the canonical URL; absent for a malformed item",
    }
    if kind != URL_DEAD:
        required.append("subject")
    return {"type": "object", "required": required, "properties": attributes}


def _schemas() -> dict[str, Any]:
    """Each type once, by its name."""
    asked = [(payload, "serialization", TypeAdapter(payload)) for payload in _PAYLOADS]
    _, found = TypeAdapter.json_schemas(
        [*asked, (QueueItem, "validation", TypeAdapter(QueueItem))],  # type: ignore[list-item]
        ref_template="#/components/schemas/{model}",
    )
    return dict(found["$defs"])
