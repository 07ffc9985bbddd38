"""`deploy/lnav/ingest.json`: lnav shows and filters our lines, with a column for each of their fields."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.deploy.programs import DEPLOY, output_of, program
from worker.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.deploy.conftest import Run

FILE = DEPLOY / "lnav/ingest.json"
FORMAT: dict[str, Any] = json.loads(FILE.read_text())["ingest_log"]
KINDS = {
    "str": "string",
    "int": "integer",
    "float": "float",
    "bool": "boolean",
    "list": "json",
    "object": "json",
}
#: lnav makes a column of each value and quotes no name: one of these would cost us the whole table.
SQL_WORDS = {"group", "limit", "where"}


@pytest.fixture
def lnav(tmp_path: Path, run: Run) -> Callable[..., str]:
    """Runs commands over the log of a real run, with our format and without the user's own."""
    folder = tmp_path / ".lnav/formats/ingest"
    folder.mkdir(parents=True)
    shutil.copy(FILE, folder)
    path = program("lnav")

    def commands(*words: str) -> str:
        options = [option for word in words for option in ("-c", word)]
        environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TERM": "dumb"}
        return output_of(path, "-n", *options, run.log, environ=environ)

    return commands


def test_fields_are_those_of_the_catalogue() -> None:
    """Each field of any event is a value of its kind; none is missing, and none is of no event."""
    fields = {name: field for event in CATALOGUE.values() for name, field in event.all_fields.items()}
    wanted = {
        name: KINDS[field.type]
        for name, field in fields.items()
        if name not in SQL_WORDS | {FORMAT["timestamp-field"], FORMAT["level-field"]}
    }
    assert {name: value["kind"] for name, value in FORMAT["value"].items()} == wanted
    shown = {part["field"] for part in FORMAT["line-format"] if isinstance(part, dict)}
    assert shown - {"__timestamp__", "__level__"} <= wanted.keys()


def test_lines_are_counted_by_event(lnav: Callable[..., str], run: Run) -> None:
    """The table `ingest_log` has every line, and its columns are our fields."""
    told = lnav(
        ";SELECT event, count(*) AS lines, max(duration_ms) AS ms FROM ingest_log GROUP BY event",
        ":write-csv-to -",
    )
    rows = list(csv.DictReader(io.StringIO(told)))
    lines = [orjson.loads(line) for line in run.log.read_bytes().splitlines()]
    assert {row["event"]: int(row["lines"]) for row in rows} == Counter(line["event"] for line in lines)
    (pages,) = [row for row in rows if row["event"] == "page_fetched"]
    assert int(pages["ms"]) == max(line["duration_ms"] for line in lines if line["event"] == "page_fetched")


def test_lines_are_filtered_by_their_fields(lnav: Callable[..., str], run: Run) -> None:
    """`:filter-expr` sees fields, and a level hides what is below it; each line stays one line."""
    shown = lnav(":filter-expr :event = 'url_buried' AND :reason = 'not_article'").splitlines()
    assert len(shown) == run.ledger.reasons["dead:not_article"]
    assert all(" warning url_buried " in line and " not_article " in line for line in shown)
    warnings = lnav(":set-min-log-level warning").splitlines()
    lines = [orjson.loads(line) for line in run.log.read_bytes().splitlines()]
    assert len(warnings) == sum(line["level"] in {"warning", "error"} for line in lines)
