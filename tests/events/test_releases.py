"""What was released stays: `released` holds the contract as of each release; nothing there is ever edited.

A new field takes a new minor version of `worker.model.SCHEMA_VERSION`; whatever fails here, a new major one.
A release copies `worker/events/schemas` to `tests/events/released`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.events.compatibility import bare, excess
from worker.events.asyncapi import asyncapi
from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD
from worker.events.schema import schema_files
from worker.model import SCHEMA_VERSION

RELEASED = Path(__file__).parent / "released"
CURRENT = {name.removesuffix(f"-{SCHEMA_VERSION}.json"): content for name, content in schema_files().items()}


def version(name: str) -> tuple[int, int]:
    """1 and 0 of article-1.0.json and of 1.0."""
    major, minor = name.removesuffix(".json").rpartition("-")[2].split(".")
    return int(major), int(minor)


NOW = version(SCHEMA_VERSION)
FILES = sorted(file.name for file in RELEASED.iterdir())
#: What readers and producers of today rely on: the releases under this major version.
HELD = [name for name in FILES if version(name)[0] == NOW[0]]
DOCUMENTS = [name for name in HELD if name.startswith("asyncapi-")]


def released(name: str) -> dict[str, Any]:
    return dict(orjson.loads((RELEASED / name).read_bytes()))


def current(name: str) -> dict[str, Any]:
    return dict(orjson.loads(CURRENT[name.rpartition("-")[0]]))


def attributes(document: dict[str, Any], message: str) -> dict[str, Any]:
    """A message's headers; the name of its schema, which tells the minor version, may be any."""
    headers = dict(document["components"]["messages"][message].get("headers", {}))
    if headers:
        del headers["properties"]["dataschema"]["const"]
    return headers


@pytest.mark.parametrize("name", [name for name in HELD if not name.startswith(("asyncapi-", "queue-item-"))])
def test_readers_of_a_released_schema_can_read_todays_events(name: str) -> None:
    """No event of today is anything that a released schema forbids."""
    assert excess(current(name), released(name)) == []


@pytest.mark.parametrize("name", [name for name in HELD if name.startswith("queue-item-")])
def test_items_of_a_released_schema_are_still_taken(name: str) -> None:
    """Whatever a producer was allowed to push it still is."""
    assert excess(released(name), current(name)) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_channels_and_attributes_stay(name: str) -> None:
    """Every channel is where it was, with its messages; their attributes are what they were."""
    old, new = released(name), asyncapi()
    for channel, was in old["channels"].items():
        found = new["channels"][channel]
        assert [found[key] for key in ("address", "x-redis")] == [was[key] for key in ("address", "x-redis")]
        assert found["messages"].keys() >= was["messages"].keys()
        assert [each["default"] for each in found["parameters"].values()] == [
            each["default"] for each in was["parameters"].values()
        ]
    for message in old["components"]["messages"]:
        assert excess(attributes(new, message), attributes(old, message)) == []


@pytest.mark.parametrize("name", [name for name in HELD if version(name) == NOW and name not in DOCUMENTS])
def test_a_released_version_is_not_changed(name: str) -> None:
    """What is added gets a new version: a reader may tell by it what there is. Descriptions may change."""
    assert bare(current(name)) == bare(released(name)), "raise SCHEMA_VERSION in worker/model.py"


def test_every_part_of_the_contract_is_held() -> None:
    """Each file of today has a release to be compared with, and no release is of a later version."""
    assert {name.rpartition("-")[0] for name in HELD} == CURRENT.keys()
    assert max(version(name) for name in FILES) <= NOW


@pytest.mark.parametrize("kind", [ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD])
def test_types_tell_the_major_version(kind: str) -> None:
    """A reader of the old type is given nothing that it cannot read."""
    assert kind.endswith(f".v{NOW[0]}")
