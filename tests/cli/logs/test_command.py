"""`ingest logs`, run as a process over files."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.cli.conftest import COMMAND, environ, run
from worker.telemetry.catalogue import faults_in

if TYPE_CHECKING:
    from pathlib import Path

URL = {"task_id": "1", "url": "http://a.example/1", "host": "a.example", "attempt": 0}
PAGE = {"status": 200, "wire_bytes": 10, "body_bytes": 10}


def line(second: int, level: str, event: str, **fields: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-01-01T00:00:{second:02}.000Z",
        "level": level,
        "event": event,
        "worker": "w1",
        **fields,
    }


ENDED: dict[str, Any] = {"reason": "no suspect waits", "uptime_s": 1.5, "published": 0, "unchanged": 0}
ENDED |= {"buried": 1, "released": 0}
NIGHT = [
    line(0, "info", "url_accepted", **URL),
    line(0, "info", "url_accepted", **URL | {"task_id": "2"}),
    line(0, "info", "url_refused", reason="duplicate", url="http://a.example/1", host="a.example"),
    line(1, "warning", "item_malformed", why="no URL", item="x"),
    line(1, "info", "page_fetched", **URL, **PAGE, duration_ms=100),
    line(2, "info", "page_fetched", **URL | {"host": "slow.example"}, **PAGE, duration_ms=900),
    line(3, "info", "article_published", **URL, article_id="a", event_id="a.1", revision=1, change="new"),
    line(3, "warning", "fetch_failed", **URL | {"task_id": "2"}, reason="timeout", duration_ms=200),
    line(3, "info", "retry_scheduled", **URL | {"task_id": "2"}, reason="timeout", delay_s=1.5),
    line(4, "warning", "redis_unavailable", error="refused"),
    line(9, "info", "redis_restored", down_s=5.25),
    line(9, "warning", "claiming_paused", why="memory"),
    line(10, "warning", "url_buried", **URL | {"task_id": "2"}, reason="http_404", age_ms=10000),
    line(11, "error", "internal_error", where="pipeline", error="ValueError: seven"),
    line(13, "error", "internal_error", where="pipeline", error="ValueError: seven"),
    line(14, "info", "leases_released", count=3),
    line(14, "info", "worker_stopped", **ENDED, worker="w2-suspects"),
    line(15, "warning", "claiming_paused", why="backlog", worker="w2"),
]


def written(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in lines)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A log with some of everything."""
    assert [fault for each in NIGHT for fault in faults_in(each)] == []
    file = tmp_path / "worker.log"
    file.write_bytes(written(NIGHT))
    return file


def test_figures_are_those_of_the_lines(night: Path) -> None:
    """With --json, everything that the log tells is counted, with its times."""
    told = run("logs", str(night), "--json").json
    assert told["outcomes"] == {"accepted": 3, "articles": 1, "unchanged": 0, "dead": 2, "refused": 1}
    assert told["dead"] == {"malformed": 1, "http_404": 1}
    assert (told["refused"], told["retries"]) == ({"duplicate": 1}, {"timeout": 1})
    assert (told["began"], told["ended"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:15.000Z")
    assert (told["span_s"], told["lines"], told["skipped"]) == (15.0, len(NIGHT), 0)
    slow, ready = told["hosts"]
    assert (slow["host"], slow["mean_ms"], slow["failed"]) == ("slow.example", 900.0, 0)
    assert (ready["host"], ready["timed"], ready["mean_ms"], ready["failed"]) == ("a.example", 2, 150.0, 1)
    assert told["outages"]["total_s"] == 5.25
    assert told["outages"]["lasting"] == 0
    assert told["pauses"]["why"] == {"memory": 1, "backlog": 1}
    assert told["pauses"]["lasting"] == 2
    assert told["leases"] == {"lost": 0, "reaped": 0, "released": 3}
    assert told["errors"] == [
        {
            "error": "internal_error: ValueError: seven",
            "count": 2,
            "first": "2026-01-01T00:00:11.000Z",
            "last": "2026-01-01T00:00:13.000Z",
        }
    ]
    assert [worker["worker"] for worker in told["workers"]] == ["w1", "w2-suspects", "w2"]
    rates = told["over_time"]["rates"]
    assert told["over_time"]["step_s"] == 1
    assert (rates["articles"][3], rates["dead"][1], sum(rates["errors"])) == (1, 1, 2)


def test_one_screen_holds_it(night: Path) -> None:
    """On a terminal of 80 by 40, all of it fits, and no line is broken."""
    leader, follower = os.openpty()
    try:
        subprocess.run(
            [*COMMAND, "logs", str(night)],
            stdout=follower,
            check=True,
            timeout=60,
            env=environ() | {"TERM": "dumb", "COLUMNS": "80"},
        )
        os.set_blocking(leader, False)
        lines = os.read(leader, 65536).decode().splitlines()
    finally:
        os.close(leader)
        os.close(follower)
    text = "\n".join(lines)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    facts = ("1 articles", "http_404 1", "slow.example", "ValueError: seven", "█", "5.2 s in all")
    for fact in (*facts, "0 stopped"):
        assert fact in text


def test_stdin_with_names_of_containers(night: Path) -> None:
    """`-` is stdin, and what docker-compose puts before each line is passed over."""
    named = "".join(f"worker_1  | {each}\n" for each in night.read_text().splitlines())
    assert run("logs", "-", "--json", stdin=named).json == run("logs", str(night), "--json").json


def test_files_are_added_up(night: Path) -> None:
    """Two files count as one log."""
    assert run("logs", str(night), str(night), "--json").json["outcomes"]["accepted"] == 6


def test_lines_that_are_not_ours_are_counted(night: Path) -> None:
    """Broken and foreign lines, and one that a crash cut off, are passed over and told."""
    foreign = (b"Traceback (most recent call last):\n", b'{"event": "lunch"}\n', b'[1]\n{"a": [}\n\xff\n')
    wrong_times = b'{"event": "url_accepted", "timestamp": 7}\n{"event": ["x"], "timestamp": "x"}\n'
    night.write_bytes(b"".join(foreign) + wrong_times + night.read_bytes() + written(NIGHT)[:30])
    told = run("logs", str(night), "--json").json
    assert (told["lines"], told["skipped"]) == (len(NIGHT), 8)
    assert "8 that are not ours" in run("logs", str(night)).out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b"127.0.0.1 - - GET /\n" * 3, "none of its 3 lines is one of ingest's events"),
        (b"\x00" * 1_000_000, "is no log of ours"),
        (b'{"event":"url_accepted","timestamp":"soon"}\n', "INGEST_LOG_FORMAT=json"),
    ],
)
def test_what_is_no_log_of_ours_is_an_error(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A missing, an empty and a foreign file are told by name, and the exit code is 1."""
    file = tmp_path / "access.log"
    if content is not None:
        file.write_bytes(content)
    ran = run("logs", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert str(file) in ran.err


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    """A folder cannot be read."""
    assert "Is a directory" in run("logs", str(tmp_path)).err


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    """With more kinds of errors than a screen holds, and more hosts than memory keeps, it says so."""
    file = tmp_path / "worker.log"
    errors = [line(1, "error", "internal_error", where="x", error=f"E{n}") for n in range(9)]
    hosts = [line(2, "warning", "host_opened", host=f"h{n}", reason="dns", hold_s=1) for n in range(20_001)]
    file.write_bytes(written(errors + hosts))
    said = run("logs", str(file)).out
    assert "and 4 more kinds" in said
    assert "of the quick ones, some are forgotten" in said
    told = run("logs", str(file), "--json").json
    assert (told["hosts_complete"], told["errors_complete"], len(told["errors"])) == (False, True, 9)
