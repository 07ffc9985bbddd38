"""Whether everything that one JSON Schema allows is allowed by another: what a release may change. Pure.

An event's new schema must allow nothing that a released one forbids, since its readers rely on that one. For
queue items it is the other way round: whatever a released schema allows must still be taken.

It knows the keywords that our schemas use, and raises ValueError for any other rather than pass it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})
_LOWER = ("minimum", "minLength")
_UPPER = ("maximum", "maxLength")
_EXACT = ("pattern", "format")
_OF_ARRAYS = frozenset({"items"})
_OF_OBJECTS = frozenset({"properties", "required", "additionalProperties"})
_KNOWN = frozenset({"$ref", "anyOf", "type", "enum", "const", *_LOWER, *_UPPER, *_EXACT})
_ALL = _ANNOTATIONS | _KNOWN | _OF_ARRAYS | _OF_OBJECTS


def excess(narrow: Schema, wide: Schema) -> list[str]:
    """What `narrow` allows and `wide` does not, a sentence each; empty if there is nothing of the kind.

    Where it cannot tell, it says so: an empty list is a proof, a sentence need not be one.
    """
    return _Comparison(narrow, wide).excess(narrow, wide, "")


def bare(schema: Any) -> Any:
    """The schema without what is there for people alone, and in no order: equal where it means the same."""
    if isinstance(schema, list):
        return sorted((bare(each) for each in schema), key=repr)
    if not isinstance(schema, dict):
        return schema
    named = {"properties", "$defs"}
    return {
        name: {key: bare(each) for key, each in value.items()} if name in named else bare(value)
        for name, value in schema.items()
        if name not in _ANNOTATIONS or name == "$defs"
    }


@dataclass(slots=True)
class _Comparison:
    """Both schemas as wholes, for their references, and the pairs that are being compared."""

    narrow: Schema
    wide: Schema
    begun: set[tuple[int, int]] = field(default_factory=set)

    def excess(self, narrow: Schema, wide: Schema, at: str) -> list[str]:
        ours, theirs = _alternatives(narrow, self.narrow), _alternatives(wide, self.wide)
        return list(chain.from_iterable(self._fits_one(each, theirs, at) for each in ours))

    def _fits_one(self, narrow: Schema, choices: list[Schema], at: str) -> list[str]:
        alike = [choice for choice in choices if _types_fit(narrow, choice)]
        if not alike:
            return [f"{at or '/'} may be {narrow.get('type', 'anything')}"]
        return min((self._fits(narrow, choice, at) for choice in alike), key=len)

    def _fits(self, narrow: Schema, wide: Schema, at: str) -> list[str]:
        pair = (id(narrow), id(wide))
        if pair in self.begun:  # a type within itself: what it holds is being compared already
            return []
        self.begun.add(pair)
        found = self._single(narrow, wide, at)
        self.begun.discard(pair)
        return found

    def _single(self, narrow: Schema, wide: Schema, at: str) -> list[str]:
        if (values := _values(narrow)) is not None:
            judge = Draft202012Validator({**wide, "$defs": self.wide.get("$defs", {})})
            return [f"{at or '/'} may be {value!r}" for value in values if not judge.is_valid(value)]
        if _values(wide) is not None:
            return [f"{at or '/'} may be another value than {_values(wide)}"]
        return [
            *_bounds(narrow, wide, at),
            *(self._items(narrow, wide, at) if "items" in wide else ()),
            *(self._properties(narrow, wide, at) if _OF_OBJECTS & wide.keys() else ()),
        ]

    def _items(self, narrow: Schema, wide: Schema, at: str) -> list[str]:
        if narrow.get("type") not in {None, "array"}:
            return []
        return self.excess(narrow.get("items", {}), wide["items"], f"{at}/*")

    def _properties(self, narrow: Schema, wide: Schema, at: str) -> list[str]:
        if narrow.get("type") not in {None, "object"}:
            return []
        ours, theirs = narrow.get("properties", {}), wide.get("properties", {})
        rest, their_rest = _rest(narrow), _rest(wide)
        missing = set(wide.get("required", ())) - set(narrow.get("required", ()))
        found = [f"{at}/{name} may be missing" for name in sorted(missing)]
        for name in sorted(ours.keys() | theirs.keys()):
            our, their = ours.get(name, rest), theirs.get(name, their_rest)
            if our is None:
                continue
            if their is None:
                found.append(f"{at}/{name} may be there")
            else:
                found += self.excess(our, their, f"{at}/{name}")
        if rest is not None and their_rest is None:
            found.append(f"{at or '/'} may have any other field")
        elif rest is not None and their_rest is not None:
            found += self.excess(rest, their_rest, f"{at}/<any>")
        return found


def _alternatives(schema: Schema, whole: Schema) -> list[Schema]:
    """The schemas, without references, one of which a value must fit."""
    if unknown := schema.keys() - _ALL:
        raise ValueError(f"{', '.join(sorted(unknown))}: the comparison does not know this keyword")
    meant = schema.keys() - _ANNOTATIONS
    if "$ref" in meant or "anyOf" in meant:
        if len(meant) > 1:
            raise ValueError(f"{', '.join(sorted(meant))}: the comparison does not know them together")
        if "anyOf" in meant:
            return [each for branch in schema["anyOf"] for each in _alternatives(branch, whole)]
        return _alternatives(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": each} for each in schema["type"]]
    return [schema]


def _types_fit(narrow: Schema, wide: Schema) -> bool:
    asked = wide.get("type")
    if asked is None or _values(narrow) is not None:
        return True
    return narrow.get("type") == asked or (narrow.get("type"), asked) == ("integer", "number")


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _bounds(narrow: Schema, wide: Schema, at: str) -> list[str]:
    found = [name for name in _LOWER if name in wide and narrow.get(name, float("-inf")) < wide[name]]
    found += [name for name in _UPPER if name in wide and narrow.get(name, float("inf")) > wide[name]]
    found += [name for name in _EXACT if name in wide and narrow.get(name) != wide[name]]
    return [f"{at or '/'} is not held to {name} {wide[name]}" for name in found]


def _rest(schema: Schema) -> Schema | None:
    """What any other field must be; None where there must be none."""
    rest = schema.get("additionalProperties", True)
    if isinstance(rest, bool):
        return {} if rest else None
    return dict(rest)
