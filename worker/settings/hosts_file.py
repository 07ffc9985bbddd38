"""The hosts' file: TOML, one table for each host that differs, read anew while a worker runs.

["example.com"]
spacing_s = 5
slots = 1
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from worker.errors import Misconfigured
from worker.grouping import group_of
from worker.settings.fields import HostOverride
from worker.settings.values import by_host_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from worker.settings.fields import Settings


def host_rules(settings: Settings) -> dict[str, HostOverride]:
    """Host → what differs for it: `INGEST_HOST_OVERRIDES` over `INGEST_HOSTS_FILE`, value by value.

    Raises Misconfigured with one sentence for each fault, naming file, line, table and remedy.
    """
    rules = {} if settings.hosts_file is None else read_hosts_file(settings.hosts_file)
    for host, override in settings.host_overrides.items():
        given = override.model_dump(exclude_none=True)
        rules[host] = rules.get(host, HostOverride()).model_copy(update=given)
    grouped = {host: group_of(host, settings.host_grouping) for host in rules}
    if faults := [
        f"{host} has rules of its own, but counts as {group} while INGEST_HOST_GROUPING is "
        f"{settings.host_grouping}: write {group} instead"
        for host, group in grouped.items()
        if host != group
    ]:
        raise Misconfigured(faults)
    return rules


def read_hosts_file(path: Path) -> dict[str, HostOverride]:
    """What the file says. Raises Misconfigured with one sentence for each fault."""
    try:
        return _read(path)
    except RecursionError as error:  # in the parser, or in telling what stands there
        raise Misconfigured([f"{path} nests too deep: a host has values, and nothing below them"]) from error


def _read(path: Path) -> dict[str, HostOverride]:
    try:
        text = path.read_text()
        tables = tomllib.loads(text)
    except OSError as error:
        says = f"INGEST_HOSTS_FILE {path}: {error.strerror}; create the file, or unset the setting"
        raise Misconfigured([says]) from error
    except ValueError as error:  # TOMLDecodeError, which names the line, or UnicodeDecodeError
        says = f'{path} is not TOML: {error}. A host reads ["example.com"], a value spacing_s = 5'
        raise Misconfigured([says]) from error
    rules: dict[str, HostOverride] = {}
    faults: list[str] = []
    for name, table in tables.items():
        try:
            [(host, override)] = by_host_key({name: _override(table)}).items()
        except ValidationError as error:
            faults += [f"{_place(path, text, name)}: {_fault(detail)}" for detail in error.errors()]
        except ValueError as error:
            faults.append(f"{_place(path, text, name)}: {str(error).partition(', as in')[0]}")
        else:
            if host in rules:
                faults.append(f"{_place(path, text, name)}: it is {host} once more; leave one of the two")
            rules[host] = override
    if faults:
        raise Misconfigured(faults)
    return rules


def _override(table: object) -> HostOverride:
    if not isinstance(table, dict):
        raise ValueError('values belong under a host: write ["example.com"] above them')
    for dotted in _tables_within(table):
        raise ValueError(f'a name with dots needs quotes: write ["….{dotted}"] instead of [….{dotted}]')
    return HostOverride(**table)


def _tables_within(table: Mapping[str, Any]) -> Iterator[str]:
    """The names, dotted, of the tables in a table: what TOML makes of [example.com]."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield next((f"{name}.{inner}" for inner in _tables_within(value)), name)


def _fault(detail: Any) -> str:
    name = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, HostOverride.model_fields, n=1)
        known = near[0] if near else ", ".join(HostOverride.model_fields)
        return f"there is no {name}; {'did you mean' if near else 'known are'} {known}?"
    return f"{name} is {detail['input']!r}: " + re.sub("^Input should", "it should", detail["msg"])


def _place(path: Path, text: str, name: str) -> str:
    """Where the table begins, for people."""
    first = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(name)}(?!\w)""")
    line = next((n for n, row in enumerate(text.splitlines(), start=1) if first.match(row)), None)
    return f"{path}{'' if line is None else f', line {line}'}, {name!r}"
