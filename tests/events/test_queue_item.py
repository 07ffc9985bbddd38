"""The schema of queue items against what is taken from the queue, and against README's table."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.chaos.fleet import ROOT
from worker.errors import Malformed
from worker.events.schema import item_schema
from worker.urls import parse_item

URL = "https://example.com/a"
SCHEMA = Draft202012Validator(item_schema())
FIELDS = sorted(item_schema()["properties"])
INSTANTS = st.builds(
    lambda moment, separator, offset: moment.isoformat(separator) + offset,
    st.datetimes(),
    st.sampled_from("Tt "),
    st.sampled_from(["Z", "z", "+01:00", "-05:30", "+24:00", ""]),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["normal", "high", "2026-01-01T01:00:00Z", "2026-01-01T01:00:00", "x" * 1025, URL]),
    INSTANTS,
    st.lists(st.booleans(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)


def accepted(item: dict[str, Any]) -> bool:
    try:
        parse_item(orjson.dumps(item))
    except Malformed:
        return False
    return True


@given(st.sampled_from([*FIELDS, "prioritty"]), VALUES)
@settings(max_examples=500)
def test_what_is_taken_fits_the_schema(field: str, value: Any) -> None:
    """The schema refuses nothing that is taken, so a producer may check by it."""
    item = {"url": URL} | {field: value}
    if accepted(item):
        SCHEMA.validate(item)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": None},
        {"url": 5},
        {"id": 1.5},
        {"id": True},
        {"id": "x" * 1025},
        {"priority": "low"},
        {"not_before": "2026-01-01T01:00:00"},
        {"not_before": "tomorrow"},
        {"not_before": True},
        {"not_before": 1_767_225_600_000},
        {"recrawl_after_s": -1},
        {"recrawl_after_s": "1"},
        {"recrawl_after_s": True},
        {"force": 1},
        {"prioritty": "high"},
    ],
)
def test_what_the_schema_refuses_is_malformed(fields: dict[str, Any]) -> None:
    """Each of these is found by the schema, and is not taken from the queue."""
    item = {"url": URL} | fields
    assert not SCHEMA.is_valid(item)
    assert not accepted(item)


def test_url_is_all_that_is_needed() -> None:
    """As README says."""
    SCHEMA.validate({"url": URL})
    assert not SCHEMA.is_valid({"id": "x"})


def test_readme_has_each_field() -> None:
    """The table under Producing lists what the schema has."""
    producing = (
        (ROOT / "README.md").read_text("utf-8").partition("## Producing")[2].partition("**Feeds.**")[0]
    )
    assert sorted(re.findall(r"^\| `(\w+)` \|", producing, re.MULTILINE)) == FIELDS
