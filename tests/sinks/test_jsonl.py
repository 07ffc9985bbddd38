"""Events as lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from tests.sinks.records import died, elsewhere, record, records, unchanged
from worker.clock import FakeClock
from worker.errors import SinkUnusable
from worker.sinks.jsonl import JsonlSink
from worker.sinks.sink import Written

if TYPE_CHECKING:
    from pathlib import Path


def lines(folder: Path) -> list[bytes]:
    """The lines of all files, in the order of their names, the growing one last."""
    files = [*sorted(folder.glob("articles.2*.jsonl")), folder / "articles.jsonl"]
    return [line for file in files for line in file.read_bytes().splitlines()]


async def test_ids_are_those_of_a_source(tmp_path: Path) -> None:
    """Another namespace's event of the same id is another event, also after a restart."""
    (one,) = records(1, 1)
    for event in (one, elsewhere(one)):
        sink = JsonlSink(tmp_path / "articles.jsonl")
        await sink.open()
        assert await sink.write([event]) == Written(1)
        assert await sink.write([event]) == Written(0, repeats=1)
        await sink.close()
    assert len(lines(tmp_path)) == 2


async def test_a_line_is_the_whole_event(tmp_path: Path) -> None:
    """The CloudEvent's attributes, the entry's id, and its data; of all three kinds."""
    sink = JsonlSink(tmp_path / "articles.jsonl")
    await sink.open()
    given = [*records(1, 1), record(unchanged(2, article=1)), record(died(3))]
    assert await sink.write(given) == Written(3)
    await sink.close()
    for line, event in zip(lines(tmp_path), given, strict=True):
        assert orjson.loads(line) == {
            **event.attributes,
            "entry": event.entry,
            "data": orjson.loads(event.data),
        }


async def test_what_comes_again_is_not_written_again(tmp_path: Path) -> None:
    """Neither in the same batch, nor later, nor by the next process, nor after a rotation."""
    path = tmp_path / "articles.jsonl"
    sink = JsonlSink(path, rotate_bytes=1)
    await sink.open()
    assert await sink.write(records(1, 3)) == Written(3)
    assert await sink.write(records(2, 5)) == Written(2, repeats=2)
    assert await sink.write([*records(6, 6), *records(6, 6)]) == Written(1, repeats=1)
    await sink.close()
    again = JsonlSink(path, rotate_bytes=1)
    await again.open()
    assert await again.write(records(1, 7)) == Written(1, repeats=6)
    await again.close()
    assert [orjson.loads(line)["id"] for line in lines(tmp_path)] == [event.id for event in records(1, 7)]


async def test_a_quiet_file_is_renamed_in_time(tmp_path: Path) -> None:
    """With nothing new to write, the period's end comes all the same."""
    path = tmp_path / "articles.jsonl"

    class Ended(Exception):
        pass

    class Hours(FakeClock):
        async def sleep(self, seconds: float) -> None:
            if lines(tmp_path) and not path.read_bytes():
                raise Ended
            self.advance(1800)

    sink = JsonlSink(path, rotate_s=3600, clock=Hours())
    await sink.open()
    await sink.write(records(1, 1))
    with pytest.raises(Ended):
        await sink.attend()
    await sink.close()
    assert path.read_bytes() == b""
    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize("name", ["", "folder/", "file/articles.jsonl", "/proc/articles.jsonl"])
async def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path, name: str) -> None:
    """A folder in place of a file, a file in place of a folder, a file system that takes none."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(SinkUnusable, match="cannot write to"):
        await JsonlSink(tmp_path / name).open()
