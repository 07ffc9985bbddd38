"""Log lines as they leave the process."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from worker.clock import FakeClock
from worker.telemetry.catalogue import faults_in
from worker.telemetry.log import (
    LogLineError,
    _LibraryHandler,
    configure_logging,
    get_logger,
    reset_logging,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

URL_FIELDS = {"task_id": "1", "url": "https://h/", "host": "h", "attempt": 0}


class Lines(io.BytesIO):
    """A stream that notes each write, and each flush as None."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes | None] = []

    def write(self, data: Any) -> int:
        self.calls.append(bytes(data))
        return super().write(data)

    def flush(self) -> None:
        self.calls.append(None)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def out() -> Iterator[Lines]:
    lines = Lines()
    configure_logging("json", "info", {"token", "key"}, lines, clock=FakeClock(), worker="w1", strict=True)
    yield lines
    reset_logging()


def test_a_line_is_json_with_its_head_first(out: Lines) -> None:
    """Timestamp, level, event and worker lead; what is None is left out; the catalogue agrees."""
    get_logger(**URL_FIELDS).info("retry_scheduled", reason="dns", delay_s=2.5)
    get_logger().info("robots_fetched", host="h", url="https://h/robots.txt", ttl_s=60, status=None)
    assert out.getvalue().splitlines()[0] == (
        b'{"timestamp":"2026-01-01T00:00:00.000Z","level":"info","event":"retry_scheduled","worker":"w1",'
        b'"task_id":"1","url":"https://h/","host":"h","attempt":0,"reason":"dns","delay_s":2.5}'
    )
    assert "status" not in out.lines[1]
    assert [faults_in(line) for line in out.lines] == [[], []]


def test_each_line_is_one_write_seen_at_once(out: Lines) -> None:
    """Other processes' lines cannot come in between, and no buffer keeps a line from its reader."""
    for count in range(3):
        get_logger().info("leases_released", count=count)
    assert [call is not None for call in out.calls] == [True, False] * 3
    assert all(call.endswith(b"\n") for call in out.calls if call)


def test_levels_below_the_setting_are_not_written(out: Lines) -> None:
    """At info, fetch_started is left out."""
    get_logger(**URL_FIELDS).debug("fetch_started")
    assert out.calls == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pa@ss@h/a?b=1", "https://***@h/a?b=1"),
        ("https://h/@user/a", "https://h/@user/a"),
        ("https://h/?a=1&TOKEN=abc&b=2&key=x#f", "https://h/?a=1&TOKEN=***&b=2&key=***#f"),
        ("https://h/?keys=1&monkey=2", "https://h/?keys=1&monkey=2"),
        ('{"url": "http://u:p@h/?token=x", "id": 1}', '{"url": "http://***@h/?token=***", "id": 1}'),
        ("GET /a?token=abc failed", "GET /a?token=*** failed"),
    ],
)
def test_secrets_in_urls_are_masked(out: Lines, text: str, shown: str) -> None:
    """User, password and the values of named parameters are hidden wherever a URL stands; nothing else."""
    get_logger().warning("fetch_failed", error=f"bad: {text}", target=text)
    assert out.lines[0]["target"] == shown
    assert out.lines[0]["error"] == f"bad: {shown}"


@pytest.mark.parametrize("password", ["p a", 'p"a', "p/a", "p?a#", "p@a", "p\\a"])
def test_item_that_is_no_url_shows_nothing_before_its_last_at(out: Lines, password: str) -> None:
    """What makes an address malformed may be a character of its password."""
    get_logger().warning("item_malformed", why="not an absolute URL", item=f"http://user:{password}@h:port/a")
    assert out.lines[0]["item"] == "http://***@h:port/a"


def test_secrets_inside_lists_and_objects_are_masked(out: Lines) -> None:
    """No depth hides a secret from the mask."""
    get_logger().info(
        "worker_stats", interval_s=1, counts={"at": ["http://u:p@h/"]}, rates={}, latency_ms={}, in_work=0
    )
    assert out.lines[0]["counts"] == {"at": ["http://***@h/"]}


@pytest.mark.parametrize(
    ("event", "fields", "fault"),
    [
        ("url_eaten", {}, "not in the catalogue"),
        ("leases_released", {"count": "3"}, "count is '3', not int"),
        ("leases_released", {"colour": "red"}, "colour is not a field"),
        ("host_penalised", {}, "level is 'info', not warning"),
    ],
)
def test_strict_mode_refuses_what_the_catalogue_does_not_know(
    out: Lines, event: str, fields: dict[str, Any], fault: str
) -> None:
    """In tests, a line outside the contract is an error at the place that wrote it."""
    with pytest.raises(LogLineError, match=fault):
        get_logger().info(event, **fields)
    assert out.calls == []


def test_in_production_an_unknown_line_is_written(out: Lines) -> None:
    """A slip in a log call must never stop the work."""
    configure_logging("json", stream=out, clock=FakeClock())
    get_logger().info("url_eaten", by="bear")
    assert out.lines == [
        {"timestamp": "2026-01-01T00:00:00.000Z", "level": "info", "event": "url_eaten", "by": "bear"}
    ]


def test_what_libraries_log_takes_the_same_form(out: Lines) -> None:
    """A library's warning is a library_log line; its chatter is left out; its traceback is a field."""
    library = logging.getLogger("aiohttp.client")
    library.info("chatter")
    library.warning("odd %s at http://u:p@h/", "thing")
    try:
        raise ValueError("deep")
    except ValueError:
        library.exception("failed")
    said, failed = out.lines
    assert (said["event"], said["logger"], said["level"]) == ("library_log", "aiohttp.client", "warning")
    assert said["message"] == "odd thing at http://***@h/"
    assert "ValueError: deep" in failed["traceback"]
    assert [faults_in(line) for line in out.lines] == [[], []]


def test_a_warning_of_python_is_a_line_too(out: Lines) -> None:
    """Nothing unstructured appears."""
    logging.captureWarnings(False)
    with warnings.catch_warnings():
        logging.captureWarnings(True)
        warnings.simplefilter("always")
        warnings.warn("old ways", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "old ways" in out.lines[0]["message"]


def test_configuring_again_replaces(out: Lines) -> None:
    """A second set-up does not write everything twice."""
    configure_logging("json", stream=out, worker="w2")
    logging.getLogger("x").warning("once")
    assert [line["worker"] for line in out.lines] == ["w2"]


def test_a_traceback_is_a_field_and_its_end_survives_the_cut(out: Lines) -> None:
    """A line fits into one write to a pipe; of a traceback the end is kept, of other text the start."""
    try:
        raise ValueError("x" * 20_000 + " the end")
    except ValueError as error:
        get_logger().error("internal_error", where="here", **told(error))
    [line] = out.lines
    assert len(out.getvalue()) <= 4096
    assert line["traceback"].endswith("the end\n")
    assert line["error"].startswith("ValueError: xxx")
    assert faults_in(line) == []


@pytest.mark.parametrize("value", ["half \ud83d a pair", 2**70])
def test_what_json_cannot_hold_is_written_all_the_same(out: Lines, value: object) -> None:
    """A lone surrogate or a giant number loses no line."""
    configure_logging("json", stream=out)
    get_logger().info("dead_purged", count=value)
    assert out.lines[0]["event"] == "dead_purged"


def test_the_console_form_is_for_people(out: Lines) -> None:
    """On no terminal it has no colours; it carries the same fields, masked as well."""
    configure_logging("console", stream=out, clock=FakeClock())
    get_logger(**URL_FIELDS | {"url": "http://u:p@h/"}).info("retry_scheduled", reason="dns", delay_s=2.5)
    text = out.getvalue().decode()
    assert "retry_scheduled" in text
    assert "url=http://***@h/" in text
    assert "\x1b" not in text


def test_auto_is_readable_on_a_terminal() -> None:
    """On a terminal `auto` is the console form, with colours."""
    leader, follower = os.openpty()
    with os.fdopen(follower, "wb") as terminal, os.fdopen(leader, "rb", buffering=0) as screen:
        configure_logging("auto", stream=terminal)
        get_logger().info("leases_released", count=3)
        reset_logging()
        assert b"\x1b[" in screen.read(4096)


def test_a_line_of_many_fields_is_never_cut_to_nothing(out: Lines) -> None:
    """Only long text is cut; a line that is long by its lists is written whole."""
    get_logger().info(
        "worker_stats",
        interval_s=1,
        counts={"urls": ["https://h/"] * 1000},
        rates={},
        latency_ms={},
        in_work=0,
    )
    assert len(out.lines[0]["counts"]["urls"]) == 1000


def test_a_record_that_cannot_be_formatted_is_reported(
    out: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library's faulty log call ends on stderr, as logging does it, and not in our stream or our code."""
    [handler] = (each for each in logging.getLogger().handlers if isinstance(each, _LibraryHandler))
    handler.handle(logging.makeLogRecord({"msg": "%d things", "args": ("many",), "levelno": logging.ERROR}))
    assert out.calls == []
    assert "Logging error" in capsys.readouterr().err


@pytest.mark.parametrize("listening", [True, False])
def test_a_closed_pipe_is_told_once(listening: bool) -> None:
    """The first line that nobody can read any more is announced to who listens; later ones go nowhere."""
    heard: list[str] = []
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stream:
        configure_logging(
            "json", stream=stream, on_broken_pipe=(lambda: heard.append("gone")) if listening else None
        )
        for count in range(3):
            get_logger().info("leases_released", count=count)
        reset_logging()
    assert heard == ["gone"] * listening


def test_a_reader_that_leaves_stops_the_lines_and_not_the_work() -> None:
    """After `| head` has gone, logging does nothing, says so once, and the process exits in order."""
    program = (
        "import sys\n"
        "from worker.telemetry.log import configure_logging, get_logger\n"
        "gone = lambda: print('gone', file=sys.stderr)\n"
        "configure_logging('json', on_broken_pipe=gone)\n"
        "for count in range(5000): get_logger().info('leases_released', count=count)\n"
        "print('done', file=sys.stderr)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"leases_released" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"gone\ndone\n"
        assert process.wait(10) == 0


def test_lines_of_several_processes_do_not_mix() -> None:
    """Four processes that write long lines into one pipe leave every line whole."""
    program = (
        "from worker.telemetry.log import configure_logging, get_logger\n"
        "configure_logging('json')\n"
        "for count in range(300): get_logger().info('url_refused', reason='x' * 9000, n=count)\n"
    )
    reading, writing = os.pipe()
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=writing) for _ in range(4)]
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        counts = [orjson.loads(line)["n"] for line in pipe]
    assert [process.wait(10) for process in processes] == [0] * 4
    assert sorted(counts) == sorted(list(range(300)) * 4)
