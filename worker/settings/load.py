"""From the environment to `Settings`, with all faults in one list; and the table of settings for the docs."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from worker.errors import Misconfigured
from worker.settings.fields import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

#: A name with our prefix that is no setting of a worker: the folder of the tests' data.
RESERVED = frozenset({"INGEST_SHARED"})
#: Kubernetes puts INGEST_SERVICE_HOST, INGEST_PORT=tcp://… and the like into every pod beside a Service named
#: `ingest` or `ingest-…`: refusing them would keep the worker from starting there.
_SERVICE_LINK = re.compile(
    r"INGEST_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_QUOTED_CHARS = 80


@dataclass(frozen=True, slots=True)
class _AtMost:
    """`name` may be at most `limit` divided by `parts`."""

    name: str
    limit: str
    parts: int
    why: str

    def holds(self, settings: Settings) -> bool:
        value: float = getattr(settings, self.name)
        limit: float = getattr(settings, self.limit)
        return value <= limit / self.parts

    def fault(self, settings: Settings) -> str:
        value, limit = getattr(settings, self.name), getattr(settings, self.limit)
        default = "" if self.limit in settings.model_fields_set else ", its default"
        bound = f"{'' if self.parts == 1 else f'1/{self.parts} of '}{_env_name(self.limit)}"
        return f"{_env_name(self.name)} is {value:g}, over {bound} ({limit:g}{default}): {self.why}"


_CONTRADICTIONS = (
    _AtMost("retry_base_s", "retry_max_s", 1, "the first delay cannot pass the longest"),
    _AtMost("connect_timeout_s", "total_timeout_s", 1, "connecting is a part of the whole request"),
    _AtMost("headers_timeout_s", "total_timeout_s", 1, "the headers are a part of the whole request"),
    _AtMost("stall_timeout_s", "total_timeout_s", 1, "a stall is a part of the whole request"),
    _AtMost("redis_timeout_s", "lease_s", 3, "a slow reply would lose leases"),
    _AtMost("feed_interval_min_s", "feed_interval_max_s", 1, "the shortest pause cannot pass the longest"),
)


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """The settings that `environ` gives, and over them `overrides`; empty text and `None` leave the default.

    Raises Misconfigured with one sentence for each fault: values that cannot be, names that are no setting,
    and values that contradict each other, also where others are wrong too.
    """
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): text for name, text in environ.items() if name.isupper() and text != ""}
    given = source() | {name: value for name, value in overrides.items() if value is not None}
    faults = list(_unknown_names(environ))
    wrong: set[str] = set()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        details = [detail for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        faults += [_value_fault(detail, given) for detail in details]
        wrong = {str(detail["loc"][0]) for detail in details}
        settings = Settings(**{name: value for name, value in given.items() if name not in wrong})
    faults += [
        rule.fault(settings)
        for rule in _CONTRADICTIONS
        if not wrong & {rule.name, rule.limit} and not rule.holds(settings)
    ]
    if faults:
        raise Misconfigured(faults)
    return settings


def settings_lines() -> Iterator[tuple[str, str, str]]:
    """Each setting: its name, its default as the environment would give it (empty: none), and what it is."""
    for name, field in Settings.model_fields.items():
        yield _env_name(name), "" if _told(field) else _default(name), field.description or ""


def settings_table() -> str:
    """A markdown table of all settings: name, default, what it is."""
    told = map(_told, Settings.model_fields.values())
    rows = (
        f"| `{name}` | {words or (f'`{default}`' if default else 'none')} | {says} |"
        for words, (name, default, says) in zip(told, settings_lines(), strict=True)
    )
    return "\n".join(("| setting | default | what it is |", "|---|---|---|", *rows)) + "\n"


def masked(value: str) -> str:
    """The value without the passwords that an address may carry: in `user:password@`, or in a query."""
    # To the last @: a password with an @ or / of its own is as common as it is wrong.
    value = re.sub(r"^(\w+:/*)?.*@", r"\1***@", value, flags=re.DOTALL)
    # No @ and no numeric port: the host was left out, and what follows the colon is the password.
    value = re.sub(r"(?<=//)([^/:@\[\]]*:)[^/@\]]*[^\d/@\]][^/@\]]*$", r"\1***", value)
    return re.sub(r"(password=)[^&]*", r"\1***", value)


def _env_name(field: str) -> str:
    return PREFIX + field.upper()


def _known_names() -> Iterable[str]:
    return [_env_name(field) for field in Settings.model_fields]


def _unknown_names(environ: Mapping[str, str]) -> Iterator[str]:
    known = _known_names()
    for name in sorted(environ):
        if not name.upper().startswith(PREFIX) or name in RESERVED or _SERVICE_LINK.fullmatch(name):
            continue
        if name not in known:
            # Without the prefix: all share it, and it makes any name look close to a short one.
            bare = [field.upper() for field in Settings.model_fields]
            meant = difflib.get_close_matches(name.upper().removeprefix(PREFIX), bare, n=1)
            yield f"{name} is not a setting" + (f"; did you mean {PREFIX}{meant[0]}?" if meant else "")


def _value_fault(detail: ErrorDetails, given: Mapping[str, Any]) -> str:
    name, *path = (str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden" and not path:
        return f"{name} is not a setting"
    secret = name in {"ops_token", "webhook_secret"}
    quoted = "***" if secret else masked(str(given[name]))
    quoted = quoted if len(quoted) <= _QUOTED_CHARS else quoted[: _QUOTED_CHARS - 1] + "…"
    where = f"at {'.'.join(path)}, " if path else ""
    return f"{_env_name(name)} is {quoted!r}: {where}{_expectation(name, detail)}"


def _expectation(name: str, detail: ErrorDetails) -> str:
    extra = Settings.model_fields[name].json_schema_extra
    match detail["type"]:
        case "string_pattern_mismatch" if isinstance(extra, dict):
            return f"it should be {extra['expects']}"
        case "extra_forbidden":
            return "there is no such name"
        case _:
            said = detail["msg"].removeprefix("Value error, ")
            return re.sub("^(Input|String) should", "it should", said)


def _told(field: FieldInfo) -> str:
    """The default in words, where it is not the same everywhere."""
    extra = field.json_schema_extra
    return str(extra.get("shown", "")) if isinstance(extra, dict) else ""


def _default(name: str) -> str:
    match getattr(Settings(), name):
        case None:
            return ""
        case bool() as switch:
            return str(switch).lower()
        case float() as number:
            return f"{number:g}"
        case frozenset() | tuple() as parts:
            return ",".join(sorted(map(str, parts)))
        case other:
            return str(other)
