"""The AsyncAPI document: by the official parser, and against the events that are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from tests.events.asyncapi_parser import SOURCE, parsed
from tests.events.samples import ARTICLE, NOT_MODIFIED, NOW, PAGE, TASK
from worker.events.asyncapi import asyncapi
from worker.events.envelope import article_event, dead_event, malformed_event, unchanged_event
from worker.events.schema import SCHEMAS
from worker.model import SCHEMA_VERSION
from worker.store.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = SCHEMAS / f"asyncapi-{SCHEMA_VERSION}.json"
FIELDS = {
    "published": article_event(TASK, ARTICLE, PAGE, partition=0, namespace="ingest", fetched_at=NOW, now=NOW),
    "unchanged": unchanged_event(
        TASK, NOT_MODIFIED, partition=0, namespace="ingest", fetched_at=NOW, now=NOW
    ),
    "dead": dead_event(TASK, "http_404", None, partition=0, namespace="ingest", now=NOW),
}
MALFORMED = malformed_event(item="x", why="y", number=1, namespace="ingest", now=NOW)


def validator(message: str, part: str) -> Draft202012Validator:
    """Judges the headers or the payload of a message."""
    document = asyncapi()
    schema = document["components"]["messages"][message][part]
    return Draft202012Validator({**schema, "components": document["components"]})


def headers(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "data"}


def address(channel: str, **given: str) -> str:
    """The channel's address with its parameters filled in: their defaults, where none are given."""
    found = asyncapi()["channels"][channel]
    values = {name: parameter["default"] for name, parameter in found["parameters"].items()} | given
    return str(found["address"].format(**values))


def test_the_official_parser_finds_no_fault() -> None:
    """It is AsyncAPI 3, every reference leads somewhere, every parameter is declared."""
    document = parsed(DOCUMENT)
    assert document.faults == []
    assert set(document.messages) == {"url", "item", "published", "unchanged", "dead"}
    assert len(document.addresses) == 3


def test_the_official_parser_finds_faults(tmp_path: Path) -> None:
    """The test above can fail: a reference that leads nowhere, and a parameter that nobody declares."""
    broken = asyncapi()
    broken["operations"]["bury"]["channel"]["$ref"] = "#/channels/none"
    broken["channels"]["queue"]["parameters"] = {}
    (tmp_path / "broken.json").write_bytes(orjson.dumps(broken))
    assert len(parsed(tmp_path / "broken.json").faults) >= 2


def test_the_parsers_lock_names_no_registry() -> None:
    """Each package has its hash, and comes from whatever registry npm is set to."""
    packages = orjson.loads((SOURCE / "package-lock.json").read_bytes())["packages"]
    for path, package in packages.items():
        assert "resolved" not in package, path
        assert "integrity" in package or path == ""


def test_addresses_are_the_keys_in_redis() -> None:
    """With the defaults they are the keys of the default namespace; with a tag, those of its partition."""
    keys = Keys()
    assert address("queue") == keys.queue
    assert address("articles") == keys.articles()
    assert address("dead") == keys.dead()
    assert address("articles", tag=keys.tag(3)) == keys.articles(3)


@pytest.mark.parametrize("message", FIELDS)
def test_events_are_their_messages(message: str) -> None:
    """An entry's fields fit the headers, of which none is left out, and its data fits the payload."""
    fields = FIELDS[message]
    validator(message, "headers").validate(headers(fields))
    described = asyncapi()["components"]["messages"][message]["headers"]["properties"]
    assert described.keys() == headers(fields).keys()
    validator(message, "payload").validate(orjson.loads(fields["data"]))


@pytest.mark.parametrize("message", FIELDS)
def test_an_event_is_no_other_message(message: str) -> None:
    """Headers tell messages apart, as AsyncAPI wants it of those of one channel."""
    fits = [
        name for name, fields in FIELDS.items() if validator(message, "headers").is_valid(headers(fields))
    ]
    assert fits == [message]


def test_malformed_items_are_messages_without_a_subject() -> None:
    """A dead letter may lack a subject; an article never does."""
    validator("dead", "headers").validate(headers(MALFORMED))
    validator("dead", "payload").validate(orjson.loads(MALFORMED["data"]))
    nameless = {name: value for name, value in headers(FIELDS["published"]).items() if name != "subject"}
    assert not validator("published", "headers").is_valid(nameless)


def test_the_bindings_for_redis_are_empty() -> None:
    """The binding's specification reserves the name and forbids any property."""
    document = asyncapi()
    for part in ("servers", "channels", "operations"):
        assert all(found["bindings"] == {"redis": {}} for found in document[part].values())
