"""The archive's files: rotation, names, and what a kill or a full disk leaves."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.archive.reading import records
from tests.archive.test_records import CAPTURE
from tests.archive.writing import until
from tests.chaos.fleet import ROOT, clean_environ
from worker.archive import writer
from worker.archive.reader import responses
from worker.archive.writer import Archive
from worker.telemetry.log import configure_logging, reset_logging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from worker.capture import Capture


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    """The log, strict."""
    stream = io.BytesIO()
    configure_logging("json", "debug", stream=stream, strict=True)
    yield stream
    reset_logging()


def events(stream: io.BytesIO) -> list[dict[str, object]]:
    """The log so far."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def files_in(folder: Path) -> list[Path]:
    """Sorted by name, which is by time."""
    return sorted(folder.iterdir())


def capture(number: int, body: bytes | None = None) -> Capture:
    """One of many."""
    record = f"0b5e7c1e-5a57-4b0e-8f0d-{number:012}"
    return replace(CAPTURE, record=record, body=CAPTURE.body if body is None else body)


async def test_files_are_complete_at_their_size(tmp_path: Path, stream: io.BytesIO) -> None:
    """Rotated by size, each with a name of its own and a first record that names it; nothing stays open."""
    async with Archive(tmp_path / "a", file_bytes=3_000, facts={"software": "ingest/1"}) as archive:
        for number in range(12):
            await archive.keep(capture(number, os.urandom(500)))
        await until(lambda: any(event["event"] == "archive_file_closed" for event in events(stream)))
        assert len(list((tmp_path / "a").glob("*.warc.gz.open"))) <= 1
    files = files_in(tmp_path / "a")
    assert len(files) > 2
    assert all(file.name.endswith(f"-{os.getpid()}-{file.name.split('-', 4)[4]}") for file in files)
    kept = [record for file in files for record in records(file)]
    infos = [record for record in kept if record.kind == "warcinfo"]
    assert [info.fields["WARC-Filename"] for info in infos] == [file.name for file in files]
    ids = [record.fields["WARC-Record-ID"] for record in kept if record.kind == "response"]
    assert ids == [f"<urn:uuid:{capture(number).record}>" for number in range(12)]
    assert all(file.stat().st_size < 3_000 + 2_500 for file in files)
    closed = [event for event in events(stream) if event["event"] == "archive_file_closed"]
    assert [event["file"] for event in closed] == [file.name for file in files]
    assert sum(int(str(event["records"])) for event in closed) == len(kept)


async def test_an_archive_of_nothing_is_no_file(tmp_path: Path) -> None:
    """A worker that fetched nothing leaves nothing."""
    async with Archive(tmp_path / "a", file_bytes=1_000, facts={}):
        pass
    assert not (tmp_path / "a").exists()


async def test_two_archives_in_one_folder(tmp_path: Path) -> None:
    """Each writes to files of its own, in one process too."""
    async with (
        Archive(tmp_path, file_bytes=10**9, facts={}) as one,
        Archive(tmp_path, file_bytes=10**9, facts={}) as other,
    ):
        for number in range(6):
            await (one, other)[number % 2].keep(capture(number))
    assert [len(records(file)) for file in files_in(tmp_path)] == [7, 7]


async def test_a_folder_that_cannot_be_is_told_once(
    tmp_path: Path, stream: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are dropped meanwhile, and counted once it can be written again."""
    monkeypatch.setattr(writer, "_TRIED_AGAIN_S", 0.0)
    (tmp_path / "a").write_text("in the way")
    async with Archive(tmp_path / "a", file_bytes=10**9, facts={}) as archive:
        for number in range(3):
            await archive.keep(capture(number))
        await until(lambda: bool(events(stream)) and archive._pending_bytes == 0)
        (tmp_path / "a").unlink()
        await archive.keep(capture(3))
    names = [event["event"] for event in events(stream)]
    assert names == ["archive_failed", "archive_restored", "archive_file_closed"]
    assert events(stream)[1]["lost"] == 3
    (file,) = (tmp_path / "a").iterdir()
    assert len(records(file)) == 3


async def test_a_disk_that_hangs_holds_up_nobody_for_long(
    tmp_path: Path, stream: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what may wait in memory, records are dropped; the worker ends all the same."""
    monkeypatch.setattr(writer, "_PENDING_BYTES", 10_000)
    monkeypatch.setattr(writer, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(writer, "_LAST_WORDS_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    stuck = asyncio.Event()

    def hang(path: Path, *_: object) -> int:
        archive._loop.call_soon_threadsafe(stuck.set)
        os.close(os.open(tmp_path / "pipe", os.O_RDONLY))  # until somebody opens it to write
        raise OSError("gone")

    monkeypatch.setattr(writer._File, "begin", hang)
    async with Archive(tmp_path, file_bytes=10**9, facts={}) as archive:
        await archive.keep(capture(0))
        await stuck.wait()
        for number in range(1, 8):
            await archive.keep(capture(number))
    assert [event["event"] for event in events(stream)] == ["archive_failed"]
    os.close(os.open(tmp_path / "pipe", os.O_WRONLY))  # lets the thread go


def started(*words: str) -> subprocess.Popen[str]:
    """A process that writes an archive; it says `full` or `ready`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.archive.writing", *words],
        cwd=ROOT,
        env=clean_environ(),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_full_disk_loses_records_and_nothing_else(tmp_path: Path) -> None:
    """What was written before is whole, told by a name, and readable to its last record."""
    with started(str(tmp_path), "20000") as process:
        out, _ = process.communicate(timeout=60)
    lines = [json.loads(line) for line in out.splitlines()]
    assert next(line["event"] for line in lines if line["event"].startswith("archive")) == "archive_failed"
    assert "File too large" in next(line["error"] for line in lines if line["event"] == "archive_failed")
    assert process.returncode == 0
    file, *others = sorted(tmp_path.iterdir())
    assert file.name.endswith(".warc.gz")
    kept = records(file)
    assert len(kept) > 3
    assert file.stat().st_size <= 20_000
    assert others == []


@pytest.mark.parametrize("cut", [0, 1, 700])
def test_what_a_killed_process_leaves_is_readable(tmp_path: Path, cut: int) -> None:
    """Whole records, by SIGKILL in the middle of it; and a last one that is cut hides none before it."""
    with started(str(tmp_path), "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    (file,) = tmp_path.iterdir()
    assert file.name.endswith(".warc.gz.open")
    os.truncate(file, file.stat().st_size - cut)
    found = [archived.record for archived in responses(file, limit_bytes=10_000)]
    assert len(found) >= 99
    assert found == [capture(number).record for number in range(len(found))]
