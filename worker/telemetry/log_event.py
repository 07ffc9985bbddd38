"""What a log event is: a name, a level, and fields of known types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error", "any"]
Scope = Literal["process", "worker", "url"]

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list, tuple),
    "object": (dict,),
}
_ON_EVERY_LINE = "timestamp:str level:str event:str"
_OF_SCOPE: dict[Scope, str] = {
    "process": "worker:str?",
    "worker": "worker:str",
    "url": "worker:str task_id:str url:str host:str attempt:int",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a line; `type` is a word of the table: str, int, float, bool, list or object."""

    name: str
    type: str
    required: bool

    def fits(self, value: object) -> bool:
        """Whether `value` has the type; JSON keeps `true` and 1 apart, and so does this."""
        return isinstance(value, _TYPES[self.type]) and isinstance(value, bool) is (self.type == "bool")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One kind of line. `fields` are those beyond the ones that its scope carries."""

    name: str
    level: Level
    scope: Scope
    says: str
    fields: tuple[Field, ...]

    @property
    def all_fields(self) -> dict[str, Field]:
        """Every field that a line of this event may carry, by name."""
        common = _fields(f"{_ON_EVERY_LINE} {_OF_SCOPE[self.scope]}")
        return {field.name: field for field in (*common, *self.fields)}


def _fields(text: str) -> tuple[Field, ...]:
    """Fields from their short form: `name:type`, with a `?` where it may be missing."""
    parts = (part.split(":") for part in text.split())
    return tuple(Field(name, kind.rstrip("?"), not kind.endswith("?")) for name, kind in parts)


def log_event(name: str, level: Level, scope: Scope, says: str, fields: str = "") -> LogEvent:
    """An event from its short form: fields read `name:type`, or `name:type?` if they may be missing."""
    return LogEvent(name, level, scope, says, _fields(fields))
