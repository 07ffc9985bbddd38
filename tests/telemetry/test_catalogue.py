"""The closed set of log events, and the check of a line against it."""

from __future__ import annotations

from typing import Any

import pytest

from worker.telemetry.catalogue import CATALOGUE, catalogue_table, faults_in

LINE: dict[str, Any] = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "level": "info",
    "event": "retry_scheduled",
    "worker": "w1",
    "task_id": "17",
    "url": "https://example.com/a",
    "host": "example.com",
    "attempt": 1,
    "reason": "timeout",
    "delay_s": 4.5,
}


def test_a_good_line_has_no_faults() -> None:
    """A line with its required fields passes, and whole numbers pass as seconds."""
    assert faults_in(LINE) == []
    assert faults_in(LINE | {"delay_s": 4}) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"event": "url_eaten"}, "event 'url_eaten' is not in the catalogue"),
        ({"level": "debug"}, "retry_scheduled: level is 'debug', not info"),
        ({"delay_s": "4"}, "retry_scheduled: delay_s is '4', not float"),
        ({"attempt": True}, "retry_scheduled: attempt is True, not int"),
        ({"attempt": None}, "retry_scheduled: attempt is None, not int"),
        ({"colour": "red"}, "retry_scheduled: colour is not a field of it"),
        (
            {"timestamp": "2026-01-01T00:00:00Z"},
            "retry_scheduled: timestamp '2026-01-01T00:00:00Z' is not UTC with milliseconds",
        ),
    ],
)
def test_a_faulty_line_is_found_out(change: dict[str, Any], fault: str) -> None:
    """An unknown event or field, a wrong level, type or timestamp is named."""
    assert faults_in(LINE | change) == [fault]


@pytest.mark.parametrize("name", sorted(LINE))
def test_each_field_of_a_urls_line_is_required(name: str) -> None:
    """A line of a URL's life tells which worker, task, URL, host and attempt it is about."""
    line = {key: value for key, value in LINE.items() if key != name}
    assert faults_in(line)


def test_optional_fields_may_be_missing() -> None:
    """A field marked with ? is checked only where it stands."""
    line = LINE | {"event": "suspect_cleared"}
    del line["reason"], line["delay_s"]
    assert faults_in(line) == []
    assert faults_in(line | {"crashes": "one"}) == ["suspect_cleared: crashes is 'one', not int"]


def test_a_library_may_speak_at_any_level() -> None:
    """Only library_log has no level of its own, and even that must be one."""
    line = {"timestamp": LINE["timestamp"], "event": "library_log", "logger": "asyncio", "message": "x"}
    assert faults_in(line | {"level": "critical"}) == []
    assert faults_in(line | {"level": "loud"}) == ["library_log: level is 'loud', not any"]


def test_the_catalogue_is_consistent() -> None:
    """Names are snake_case, no field is declared twice, and the table shows each event."""
    table = catalogue_table()
    for name, event in CATALOGUE.items():
        assert name.replace("_", "").isalpha()
        assert name == name.lower()
        declared = [field.name for field in event.fields]
        assert len(declared) == len(set(declared))
        assert f"| `{name}` |" in table
    assert len(table.splitlines()) == len(CATALOGUE) + 2
