"""The comparison of schemas: by brute force over small ones, and for each kind of change of a real one."""

from __future__ import annotations

from copy import deepcopy
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.events.compatibility import bare, excess
from worker.events.schema import article_schema, item_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], Any]

LEAVES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"type": "null"},
        {"type": "string"},
        {"type": "string", "minLength": 2},
        {"type": "string", "maxLength": 1},
        {"type": "string", "pattern": "^x"},
        {"type": "integer"},
        {"type": "integer", "minimum": 1},
        {"type": "number", "maximum": 1},
        {"type": ["string", "null"]},
        {"enum": ["x", 0]},
        {"enum": ["x"], "type": "string"},
        {"const": 1},
        {"$ref": "#/$defs/Named"},
    ]
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner)},
        optional={
            "required": st.lists(st.sampled_from("ab"), unique=True),
            "additionalProperties": st.booleans() | inner,
        },
    )
    arrays = st.builds(lambda items: {"type": "array", "items": items}, inner)
    unions = st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=2))
    return objects | arrays | unions


SCHEMAS = st.builds(
    lambda schema, named: schema | {"$defs": {"Named": named}},
    st.recursive(LEAVES, nested, max_leaves=4),
    LEAVES.filter(lambda leaf: "$ref" not in leaf),
)
ATOMS: list[Any] = [None, 0, 1, 2, 0.5, "", "x", "xy", "y", True]
FLAT: list[Any] = [*ATOMS, *([atom] for atom in ATOMS), {}, *({"a": atom} for atom in ATOMS)]
DOCUMENTS: list[Any] = [
    *FLAT,
    *({"a": one, "b": other} for one, other in product(ATOMS[:7], repeat=2)),
    *({"b": atom} for atom in ATOMS),
    *({"c": atom} for atom in ATOMS),
    *([each] for each in FLAT[len(ATOMS) :]),
    *({"a": each} for each in FLAT[len(ATOMS) :]),
]


@given(SCHEMAS, SCHEMAS)
@settings(max_examples=150, deadline=None)
def test_nothing_is_overlooked(narrow: dict[str, Any], wide: dict[str, Any]) -> None:
    """Where nothing is found, every document that the one allows is allowed by the other."""
    if excess(narrow, wide):
        return
    ours, theirs = Draft202012Validator(narrow), Draft202012Validator(wide)
    assert [each for each in DOCUMENTS if ours.is_valid(each) and not theirs.is_valid(each)] == []


@given(SCHEMAS)
def test_a_schema_exceeds_not_itself(schema: dict[str, Any]) -> None:
    """No alarm without a change."""
    assert excess(schema, deepcopy(schema)) == []


def at(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """The schema at a path such as Access/status, of a named type, or title, of the whole."""
    *named, name = path.split("/")
    holder = schema["$defs"][named[0]] if named else schema
    return dict(holder["properties"])[name]  # type: ignore[no-any-return]


def replaced(path: str, **by: Any) -> Change:
    def change(schema: dict[str, Any]) -> None:
        found = at(schema, path)
        found.clear()
        found.update(by)

    return change


def removed(name: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        del schema["properties"][name]
        schema["required"].remove(name)

    return change


def added(name: str) -> Change:
    return lambda schema: schema["properties"].update({name: {"type": "string"}})


INCOMPATIBLE: dict[str, tuple[str, Change]] = {
    "removed": ("/title", removed("title")),
    "made optional": ("/title", lambda schema: schema["required"].remove("title")),
    "optional within": ("/*/name", lambda schema: schema["$defs"]["Author"]["required"].remove("name")),
    "removed within": ("/evidence", lambda schema: schema["$defs"]["Access"]["properties"].pop("evidence")),
    "another type": ("/title", replaced("title", type="integer")),
    "a wider type": ("/word_count", replaced("word_count", type="number", minimum=0)),
    "nullable": ("/title", replaced("title", anyOf=[{"type": "string"}, {"type": "null"}])),
    "any": ("/title", replaced("title")),
    "a new word": ("/change", lambda schema: at(schema, "change")["enum"].append("deleted")),
    "a new word within": ("/status", lambda schema: at(schema, "Access/status")["enum"].append("trial")),
    "no set of words": ("/type", replaced("type", type="string")),
    "a lower bound": ("/revision", lambda schema: at(schema, "revision").update(minimum=0)),
    "no bound": ("/bytes", lambda schema: at(schema, "Fetch/bytes").pop("minimum")),
    "no format": ("/url", lambda schema: at(schema, "url").pop("format")),
    "other items": ("/keywords/*", lambda schema: at(schema, "keywords")["items"].update(type="integer")),
    "another map": (
        "/provenance/<any>",
        lambda schema: at(schema, "Extraction/provenance").update(additionalProperties={"type": "integer"}),
    ),
    "another object": ("/fetch", lambda schema: at(schema, "fetch").update({"$ref": "#/$defs/TaskRef"})),
}
COMPATIBLE: dict[str, Change] = {
    "nothing": lambda schema: None,
    "added": added("mood"),
    "added and required": lambda schema: (added("mood")(schema), schema["required"].append("mood")),
    "a word less": lambda schema: at(schema, "change")["enum"].remove("updated"),
    "one word": replaced("change", const="new"),
    "never null": replaced("subtitle", type="string"),
    "a higher bound": lambda schema: at(schema, "revision").update(minimum=2),
    "required within": lambda schema: schema["$defs"]["Author"]["required"].append("url"),
    "other words about it": lambda schema: at(schema, "title").update(description="x", title="y"),
}


@pytest.mark.parametrize("kind", INCOMPATIBLE)
def test_incompatible_changes_of_events_are_found(kind: str) -> None:
    """Each is named by its place, and nothing else is."""
    where, change = INCOMPATIBLE[kind]
    changed = article_schema()
    change(changed)
    found = excess(changed, article_schema())
    assert found
    assert all(where in each for each in found)


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_compatible_changes_of_events_pass(kind: str) -> None:
    """A reader of the released schema can read what these allow."""
    changed = article_schema()
    COMPATIBLE[kind](changed)
    assert excess(changed, article_schema()) == []


ITEMS: dict[str, tuple[bool, Change]] = {
    "added": (True, added("depth")),
    "a wider type": (True, replaced("force")),
    "a word more": (True, lambda schema: at(schema, "priority")["anyOf"][0]["enum"].append("low")),
    "added and required": (False, lambda schema: (added("d")(schema), schema["required"].append("d"))),
    "removed": (False, lambda schema: schema["properties"].pop("force")),
    "a word less": (False, lambda schema: at(schema, "priority")["anyOf"][0]["enum"].remove("high")),
    "null forbidden": (False, replaced("force", type="boolean")),
    "shorter": (False, lambda schema: at(schema, "url").update(maxLength=100)),
}


@pytest.mark.parametrize("kind", ITEMS)
def test_changes_of_queue_items(kind: str) -> None:
    """Here the released schema must allow nothing that the new one forbids: old producers go on."""
    fine, change = ITEMS[kind]
    changed = item_schema()
    change(changed)
    assert (excess(item_schema(), changed) == []) is fine


@pytest.mark.parametrize(
    ("narrow", "wide", "found"),
    [
        ({"type": "object"}, {"type": "object", "additionalProperties": False}, "/ may have any other field"),
        ({}, {"properties": {"a": {"type": "string"}}}, "/a may be anything"),
        ({}, {"items": {"type": "string"}}, "/* may be anything"),
    ],
)
def test_what_an_open_schema_allows_is_found(
    narrow: dict[str, Any], wide: dict[str, Any], found: str
) -> None:
    """Silence allows anything: any other field, any type."""
    assert excess(narrow, wide) == [found]


def test_a_type_within_itself_is_compared() -> None:
    """A comment with answers: the comparison ends, and finds what is within."""
    node = {"type": "object", "properties": {"text": {"type": "string"}, "answers": {"type": "array"}}}
    old: dict[str, Any] = {"$ref": "#/$defs/Node", "$defs": {"Node": deepcopy(node)}}
    old["$defs"]["Node"]["properties"]["answers"]["items"] = {
        "anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]
    }
    new = deepcopy(old)
    assert excess(new, old) == []
    new["$defs"]["Node"]["properties"]["text"] = {"type": "integer"}
    assert excess(new, old) == ["/text may be integer"]


@pytest.mark.parametrize(
    "schema", [{"oneOf": []}, {"not": {}}, {"exclusiveMinimum": 0}, {"anyOf": [], "type": "string"}]
)
def test_unknown_keywords_are_refused(schema: dict[str, Any]) -> None:
    """What the comparison cannot judge it does not pass over."""
    with pytest.raises(ValueError, match="does not know"):
        excess(schema, {"type": "string"})
    with pytest.raises(ValueError, match="does not know"):
        excess({"type": "string"}, schema)


def test_bare_schemas_are_equal_where_they_mean_the_same() -> None:
    """Words for people and the order of lists are left out; fields called `title` are not."""
    schema = {
        "title": "T",
        "properties": {"title": {"type": "string", "description": "d"}},
        "required": ["a", "b"],
    }
    other = {"properties": {"title": {"type": "string"}}, "required": ["b", "a"]}
    assert bare(schema) == other | {"required": ["a", "b"]} == bare(other)
    assert bare(schema) != bare({**other, "properties": {}})
