"""Files of lines: what a crash leaves, rotation, and whose they are."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sinks.records import records
from worker.clock import FakeClock
from worker.errors import SinkUnavailable, SinkUnusable
from worker.sinks.segments import Segments
from worker.sinks.sink import json_of, key_of

if TYPE_CHECKING:
    from pathlib import Path

LINES = [json_of(record) + b"\n" for record in records(1, 9)]
KEYS = [key_of(record) for record in records(1, 9)]


def opened(
    path: Path, *, limit_bytes: int = 0, every_s: float = 0, clock: FakeClock | None = None
) -> Segments:
    """A file of lines, open."""
    segments = Segments(path, limit_bytes=limit_bytes, every_s=every_s, clock=clock or FakeClock())
    segments.open()
    return segments


@given(cut=st.integers(0, len(LINES[2]) - 1), zeros=st.integers(0, 9000))
def test_what_a_crash_left_half_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, cut: int, zeros: int
) -> None:
    """Any part of a line, and pages of zeros with lines behind them, go; whole lines before stay."""
    path = tmp_path_factory.mktemp("s") / "articles.jsonl"
    lost = b"\0" * zeros + b"\n" + LINES[3] if zeros else b""
    path.write_bytes(LINES[0] + LINES[1] + LINES[2][:cut] + lost)
    segments = opened(path)
    assert segments.recent_keys(10) == KEYS[:2]
    segments.append([LINES[4]])
    segments.close()
    assert path.read_bytes() == LINES[0] + LINES[1] + LINES[4]


def test_it_is_renamed_before_it_would_be_too_long(tmp_path: Path) -> None:
    """No file is over the limit, unless by one batch; the order of names is that of lines."""
    path = tmp_path / "articles.jsonl"
    segments = opened(path, limit_bytes=len(LINES[0]) * 3 + 10)
    for line in LINES:
        segments.append([line])
    assert [file.read_bytes() for file in [*segments.renamed(), path]] == [
        b"".join(LINES[:3]),
        b"".join(LINES[3:6]),
        b"".join(LINES[6:]),
    ]
    assert segments.recent_keys(4) == KEYS[3:]
    assert segments.recent_keys(100) == KEYS
    segments.close()


def test_a_new_period_begins_a_new_file(tmp_path: Path) -> None:
    """Also if the process was not there when the period began; an empty file is not renamed."""
    path, clock = tmp_path / "articles.jsonl", FakeClock()
    segments = opened(path, every_s=3600, clock=clock)
    segments.rotate_if_due()
    segments.append([LINES[0]])
    clock.step(3599)
    segments.append([LINES[1]])
    assert segments.renamed() == []
    clock.step(1)
    segments.rotate_if_due()
    assert [file.read_bytes() for file in segments.renamed()] == [LINES[0] + LINES[1]]
    assert [file.name for file in segments.renamed()] == ["articles.20260101T010000Z-001.jsonl"]
    segments.append([LINES[2]])
    segments.close()
    moment = (clock.now() + timedelta(seconds=10)).timestamp()
    os.utime(path, (moment, moment))
    clock.step(7200)
    again = opened(path, every_s=3600, clock=clock)
    again.append([LINES[3]])
    assert [file.read_bytes() for file in again.renamed()] == [LINES[0] + LINES[1], LINES[2]]
    assert path.read_bytes() == LINES[3]
    again.close()


def test_names_go_on_when_the_clock_goes_back(tmp_path: Path) -> None:
    """The order of names stays that of lines."""
    path, clock = tmp_path / "articles.jsonl", FakeClock()
    segments = opened(path, limit_bytes=1, clock=clock)
    for line in LINES[:3]:
        segments.append([line])
    clock.step(-86_400)
    for line in LINES[3:]:
        segments.append([line])
    assert [file.read_bytes() for file in segments.renamed()] == LINES[:-1]
    segments.close()


def test_a_file_that_somebody_took_away_is_begun_anew(tmp_path: Path) -> None:
    """Rotated by another program, or deleted: lines go where the name leads."""
    path = tmp_path / "articles.jsonl"
    segments = opened(path)
    segments.append([LINES[0]])
    path.rename(tmp_path / "elsewhere")
    segments.append([LINES[1]])
    segments.close()
    assert path.read_bytes() == LINES[1]


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A name given by mistake harms no file, and the message says what to do."""
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"years of work, no line feed at its end")
    with pytest.raises(SinkUnusable, match="choose another name"):
        opened(path)
    assert path.read_bytes().startswith(b"years of work")


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    """File and line."""
    path = tmp_path / "articles.jsonl"
    path.write_bytes(LINES[0] + b"{}\n")
    with pytest.raises(SinkUnusable, match=r"line 2 of .*articles\.jsonl"):
        opened(path).recent_keys(5)


def test_one_process_writes(tmp_path: Path) -> None:
    """A second one is refused, and let in once the first was killed."""
    path = tmp_path / "articles.jsonl"
    code = (
        "import sys, time; from pathlib import Path; from worker.clock import SystemClock;"
        "from worker.sinks.segments import Segments;"
        f"Segments(Path({str(path)!r}), limit_bytes=0, every_s=0, clock=SystemClock()).open();"
        "print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(SinkUnusable, match="another process"):
            opened(path)
        holder.kill()
    opened(path).close()


def test_a_full_disk_leaves_no_half_batch(tmp_path: Path) -> None:
    """What was written of a batch before the disk was full is cut off again, and later it goes on."""
    path = tmp_path / "articles.jsonl"
    code = (
        "import resource, signal; from pathlib import Path; from worker.clock import SystemClock;"
        "from worker.errors import SinkUnavailable; from worker.sinks.segments import Segments;"
        "from tests.sinks.test_segments import LINES;"
        f"segments = Segments(Path({str(path)!r}), limit_bytes=0, every_s=0, clock=SystemClock());"
        "segments.open(); segments.append(LINES[:1]);"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "limits = resource.getrlimit(resource.RLIMIT_FSIZE);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINES[0]) + 50, limits[1]))\n"
        "try:\n segments.append(LINES[1:3])\n"
        "except SinkUnavailable as error:\n print(error)\n"
        f"assert Path({str(path)!r}).read_bytes() == LINES[0]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, limits); segments.append(LINES[3:4])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "cannot write to" in ran.stdout
    assert path.read_bytes() == LINES[0] + LINES[3]


def test_a_folder_that_goes_away_is_a_trouble_that_may_pass(tmp_path: Path) -> None:
    """While events come, a file system that is away is waited for."""
    path = tmp_path / "folder" / "articles.jsonl"
    segments = opened(path)
    path.unlink()
    (tmp_path / "folder").rename(tmp_path / "away")
    with pytest.raises(SinkUnavailable, match="No such file"):
        segments.append([LINES[0]])
    (tmp_path / "away").rename(tmp_path / "folder")
    segments.append([LINES[1]])
    segments.close()
    assert path.read_bytes() == LINES[1]
