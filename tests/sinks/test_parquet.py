"""Events as Parquet files."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq
import pytest

from tests.events.samples import ARTICLE, NOW
from tests.sinks.records import died, elsewhere, published, record, records, unchanged
from worker.errors import SinkUnavailable, SinkUnusable
from worker.events.payload import ArticleEvent
from worker.sinks.parquet import ParquetSink
from worker.sinks.parts import Parts, Span
from worker.sinks.recent import RecentIds
from worker.sinks.sink import Written

if TYPE_CHECKING:
    from pathlib import Path


async def opened(root: Path) -> ParquetSink:
    """A sink, open."""
    sink = ParquetSink(root)
    await sink.open()
    return sink


def rows(root: Path, kind: str = "articles") -> list[dict[str, Any]]:
    """All rows of a kind, by entry."""
    files = sorted(root.glob(f"{kind}/day=*/*.parquet"))
    return sorted(
        (row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()),
        key=lambda row: str(row["entry"]),
    )


def days(root: Path) -> dict[str, list[str]]:
    """The folders of days, by kind."""
    kinds = [kind for kind in root.iterdir() if kind.is_dir()]
    return {kind.name: sorted(day.name for day in kind.iterdir()) for kind in kinds}


def ids(root: Path, kind: str = "articles") -> list[str]:
    """The event ids of all rows, sorted."""
    return sorted(row["event_id"] for row in rows(root, kind))


async def test_ids_are_those_of_a_source(tmp_path: Path) -> None:
    """Another namespace's event of the same id is another event, in other files of the same time, too."""
    (one,) = records(1, 1)
    for event in (one, elsewhere(one)):
        sink = await opened(tmp_path)
        assert await sink.write([event]) == Written(1)
        assert await sink.write([event]) == Written(0, repeats=1)
        await sink.close()
    assert {row["event_source"] for row in rows(tmp_path)} == {"/ingest/ingest", "/ingest/other"}


async def test_a_row_has_every_field(tmp_path: Path) -> None:
    """Each field of the data is a column as it is, `meta` as JSON; instants stand beside the page's texts."""
    sink = await opened(tmp_path)
    (event,) = records(1, 1)
    assert await sink.write([event]) == Written(1)
    await sink.close()
    (row,) = rows(tmp_path)
    data = orjson.loads(event.data)
    provenance = dict(row["extraction"].pop("provenance"))
    assert provenance == data["extraction"].pop("provenance")
    meta = row["task"].pop("meta")
    assert data["task"].pop("meta") == (meta and orjson.loads(meta))
    assert {field.name for field in fields(ArticleEvent)} <= row.keys()
    assert {name: row[name] for name in data} == data
    assert row["published_utc"] == datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert row["modified_utc"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert (row["event_id"], row["entry"], row["event_type"]) == (event.id, event.entry, event.type)
    assert row["event_time"] == event.time


async def test_files_are_by_type_and_day(tmp_path: Path) -> None:
    """The day is that of the event in UTC; the three types have folders of their own."""
    sink = await opened(tmp_path)
    await sink.write([*records(1, 40), record(unchanged(50, article=1)), record(died(51))])
    await sink.close()
    assert days(tmp_path) == {
        "articles": ["day=2026-01-02", "day=2026-01-03"],
        "unchanged": ["day=2026-01-02"],
        "dead": ["day=2026-01-02"],
    }
    whole = pq.read_table(tmp_path / "articles")  # as one data set, with `day` from the folders
    assert whole.num_rows == 40
    assert set(whole.column("day").to_pylist()) == {"2026-01-02", "2026-01-03"}
    assert rows(tmp_path, "dead")[0]["reason"] == "http_404"


@pytest.mark.parametrize("remembered", [0, 1000])
async def test_what_comes_again_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    """However batches are cut this time, by this process or the next: told by spans of time or by ids."""
    chance, events, written = random.Random(7), records(1, 60), 0
    monkeypatch.setattr("worker.sinks.parquet.RecentIds", lambda: RecentIds(remembered))
    for _ in range(6):
        sink = await opened(tmp_path)
        for _ in range(5):
            start = chance.randrange(60)
            batch = events[start : start + chance.randrange(1, 30)]
            chance.shuffle(batch)
            written += (await sink.write(batch)).new
        await sink.close()
    sink = await opened(tmp_path)
    written += (await sink.write([*events, *events])).new
    await sink.close()
    assert written == 60
    assert ids(tmp_path) == sorted(event.id for event in events)


async def test_an_event_in_another_entry_is_known_by_its_id(tmp_path: Path) -> None:
    """Published anew after a failover that had lost it."""
    sink = await opened(tmp_path)
    (event,) = records(1, 1)
    await sink.write([event])
    await sink.close()
    again = await opened(tmp_path)
    later = replace(event, entry="1999999999999-0")
    assert await again.write([later]) == Written(0, repeats=1)
    await again.close()


async def test_what_a_crash_left_unfinished_is_dropped(tmp_path: Path) -> None:
    """A file has its name once it is whole; others go."""
    sink = await opened(tmp_path)
    await sink.write(records(1, 3))
    await sink.close()
    half = tmp_path / "articles" / "day=2026-01-02" / ".1-2-0123456789abcdef.parquet.unfinished"
    half.write_bytes(b"PAR1")
    sink = await opened(tmp_path)
    with pytest.raises(FileNotFoundError):
        half.read_bytes()
    assert await sink.write(records(1, 4)) == Written(1, repeats=3)
    await sink.close()


async def test_an_event_that_fits_no_column_stops_no_other(tmp_path: Path) -> None:
    """It is rejected with the reason; its neighbours are written."""
    sink = await opened(tmp_path)
    good = records(1, 2)
    image = replace(ARTICLE.images[0], width=10**19)
    too_wide = record(published(3, images=(image,), now=NOW + timedelta(hours=3)))
    unknown = replace(good[0], id="x.4", type="article.sung.v9")
    written = await sink.write([*good, too_wide, unknown])
    await sink.close()
    assert (written.new, written.repeats) == (2, 0)
    assert written.rejected.keys() == {too_wide.id, unknown.id}
    assert "too large" in written.rejected[too_wide.id]
    assert "article.sung.v9" in written.rejected[unknown.id]
    assert ids(tmp_path) == sorted(event.id for event in good)


async def test_one_process_writes(tmp_path: Path) -> None:
    """A second sink in the same folder is refused."""
    sink = await opened(tmp_path)
    with pytest.raises(SinkUnusable, match="another process"):
        await opened(tmp_path)
    await sink.close()


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(SinkUnusable, match=r"cannot write to .*file"):
        await opened(tmp_path / "file")


async def test_a_folder_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The write fails as one that may succeed later, and then it does."""
    sink = await opened(tmp_path / "root")
    (tmp_path / "root").rename(tmp_path / "away")
    with pytest.raises(SinkUnavailable):
        await sink.write(records(1, 1))
    (tmp_path / "away").rename(tmp_path / "root")
    assert await sink.write(records(1, 1)) == Written(1)
    await sink.close()


def test_only_files_of_the_same_time_are_read(tmp_path: Path) -> None:
    """New events cost no look into old files."""
    parts = Parts(tmp_path)
    parts.open()
    folder = tmp_path / "articles" / "day=2026-01-02"
    folder.mkdir(parents=True)
    old = folder / f"100-200-{'0' * 16}.parquet"
    old.write_bytes(b"no parquet at all")
    again = Parts(tmp_path)
    parts.close()
    again.open()
    assert again.known(folder, Span(201, 300)) == set()
    with pytest.raises(SinkUnusable, match=f"{old.name} is no Parquet file of ours"):
        again.known(folder, Span(200, 300))
    old.unlink()
    assert again.known(folder, Span(200, 300)) == set()
    again.close()
