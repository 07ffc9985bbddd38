"""Logging: one JSON line an occurrence on stdout, each a single write, with the secrets in URLs masked.

    log = get_logger(task_id="17", url=url, host=host, attempt=0)
    log.info("page_fetched", status=200, wire_bytes=4711, body_bytes=20815, duration_ms=120)

Names, levels and fields are those of `worker.telemetry.catalogue`; a field that is None is left out. What
libraries log through the standard library comes out in the same form, as `library_log`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import orjson
import structlog

from worker.clock import Clock, SystemClock
from worker.telemetry.catalogue import shape_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from structlog.typing import EventDict, FilteringBoundLogger, Processor

LogFormat = Literal["json", "console", "auto"]

#: PIPE_BUF: what one write puts into a pipe whole, so that lines of several processes never mix.
_LINE_BYTES = 4096
_SHORTEST_CUT_CHARS = 100
# To the last @ before path, query and fragment: a password may hold an @ (WHATWG URL, 4.4, authority state).
# Of http(s) URLs as browsers read them, with any slashes or none; a password may hold ' < and >.
_USERINFO = re.compile(r"""((?:\bhttps?:[/\\]*+|://))[^/?#\s"\\]*@""", re.IGNORECASE)
#: In a queue item that is no URL, a password may hold anything: all up to the last @ is masked.
_ITEM_USERINFO = re.compile(r"((?:\bhttps?:[/\\]*+|://)).*@", re.IGNORECASE | re.DOTALL)
_MASK = "***"
_NOTHING_TO_MASK = frozenset({int, float, bool})
#: What makes the loggers of a program that runs the pipeline itself: at most one.
_PROGRAMS: list[Callable[..., object]] = []


class LogLineError(ValueError):
    """A line that the catalogue does not know. Raised in strict mode only: add the event or mend the call."""


def configure_logging(
    format: LogFormat = "auto",  # noqa: A002 - the setting's own word
    level: str = "info",
    mask_query: Iterable[str] = (),
    stream: BinaryIO | None = None,
    *,
    clock: Clock | None = None,
    worker: str | None = None,
    strict: bool = False,
    on_broken_pipe: Callable[[], None] | None = None,
) -> None:
    """Set up logging for this process; a later call replaces an earlier one.

    `auto` is the readable form on a terminal and JSON elsewhere. `stream` is stdout if not given. With
    `worker`, every line carries that name. `strict` raises LogLineError for an unknown event, field or level
    and for a wrong type. When the reader of the stream goes away, later lines are dropped and
    `on_broken_pipe` is called once.
    """
    _PROGRAMS.clear()
    out = stream if stream is not None else sys.stdout.buffer
    on_terminal = out.isatty()
    console = format == "console" or (format == "auto" and on_terminal)
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        _Frame(clock or SystemClock(), {"worker": worker} if worker else {}),
        _Masking(mask_query),
        *([_refuse_unknown] if strict else []),
        _console_lines(colors=on_terminal) if console else _json_line,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines(out, on_broken_pipe),
        cache_logger_on_first_use=False,
    )
    _adopt_library_logs(logging.getLevelNamesMapping()[level.upper()])


def log_to_standard_library(level: str = "info", mask_query: Iterable[str] = ()) -> None:
    """Hand every line to the standard library's logger `ingest`: as JSON, and its fields as `record.ingest`.

    For a program of one's own: neither its structlog nor its logging is configured.
    """
    processors = (
        structlog.processors.add_log_level,
        _Frame(SystemClock(), {}),
        _Masking(mask_query),
        _record_line,
    )
    wrapper = structlog.make_filtering_bound_logger(level)
    _PROGRAMS.clear()
    _PROGRAMS.append(
        partial(structlog.wrap_logger, logging.getLogger("ingest"), processors, wrapper_class=wrapper)
    )


def reset_logging() -> None:
    """Undo `configure_logging` and `log_to_standard_library`."""
    _PROGRAMS.clear()
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)


def get_logger(**bound: object) -> FilteringBoundLogger:
    """A logger whose lines all carry `bound`."""
    if _PROGRAMS:
        return cast("FilteringBoundLogger", _PROGRAMS[0](**bound))
    logger = structlog.get_logger()
    # Bound now: what binds at the first line does so anew at each.
    return cast("FilteringBoundLogger", logger.bind(**bound) if bound else logger)


def told(error: BaseException) -> dict[str, str]:
    """The fields `error` and `traceback` of an `internal_error` line."""
    return {
        "error": f"{type(error).__name__}: {error}",
        "traceback": "".join(traceback.format_exception(error)),
    }


class _Frame:
    """Puts timestamp, level, event and worker first, and leaves out what is None."""

    def __init__(self, clock: Clock, constant: Mapping[str, str]) -> None:
        self._clock = clock
        self._constant = constant

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        stamp = self._clock.now().isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        line = {
            "timestamp": stamp,
            "level": event.pop("level"),
            "event": event.pop("event"),
            **self._constant,
        }
        line |= {name: value for name, value in event.items() if value is not None}
        return line


class _Masking:
    """Masks user and password of every URL, and the values of the query parameters named."""

    def __init__(self, names: Iterable[str]) -> None:
        alternatives = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        self._query = (
            re.compile(rf"""([?&;](?:{alternatives})=)[^&;#\s"'<>\\]+""", re.IGNORECASE)
            if alternatives
            else None
        )

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        for name, value in event.items():
            # Most values hold nothing to mask, and are left as they are.
            if type(value) is str:
                if "@" in value or "=" in value:
                    event[name] = self._text(value)
            elif type(value) not in _NOTHING_TO_MASK:
                event[name] = self._masked(value)
        if isinstance(item := event.get("item"), str):
            event["item"] = _ITEM_USERINFO.sub(rf"\g<1>{_MASK}@", item)
        return event

    def _masked(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case dict():
                return {key: self._masked(item) for key, item in value.items()}
            case list() | tuple():
                return [self._masked(item) for item in value]
            case _:
                return value

    def _text(self, text: str) -> str:
        if "@" in text:
            text = _USERINFO.sub(rf"\g<1>{_MASK}@", text)
        if self._query and "=" in text:
            text = self._query.sub(rf"\g<1>{_MASK}", text)
        return text


def _refuse_unknown(_logger: object, _method: str, event: EventDict) -> EventDict:
    if faults := shape_faults(event):
        raise LogLineError(f"{event.get('event')}: {'; '.join(faults)}")
    return event


def _json_line(_logger: object, _method: str, event: EventDict) -> bytes:
    line = _dumped(event)
    while len(line) >= _LINE_BYTES:
        name = max(
            (name for name, value in event.items() if isinstance(value, str)),
            key=lambda name: len(event[name]),
        )
        text = event[name]
        if len(text) < _SHORTEST_CUT_CHARS:
            break
        half = len(text) // 2
        # What went wrong stands at a traceback's end, and what a text is about at its start.
        event[name] = f"…{text[-half:]}" if name == "traceback" else f"{text[:half]}…"
        line = _dumped(event)
    return line


def _record_line(_logger: object, _method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    return (_json_line(None, "", dict(event)).decode(),), {"extra": {"ingest": dict(event)}}


def _dumped(event: EventDict) -> bytes:
    try:
        return orjson.dumps(event, default=str)
    except orjson.JSONEncodeError:
        # Lone surrogates (of a file name, say) and integers over 64 bits: a line with a "?" beats none.
        return json.dumps(event, default=str, ensure_ascii=False).encode("utf-8", "replace")


def _console_lines(*, colors: bool) -> Processor:
    console = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=20)

    def render(logger: Any, method: str, event: EventDict) -> bytes:
        return str(console(logger, method, event)).encode("utf-8", "replace")

    return render


class _Lines:
    """The stream, as structlog's logger: each line is one write, and seen at once."""

    def __init__(self, stream: BinaryIO, on_broken_pipe: Callable[[], None] | None) -> None:
        self._stream = stream
        self._on_broken_pipe = on_broken_pipe

    def __call__(self, *_args: object) -> _Lines:
        return self

    def msg(self, line: bytes) -> None:
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except BrokenPipeError:
            # The buffer still holds the line, and Python's exit would fail on it again: let it go nowhere.
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())
            if self._on_broken_pipe:
                self._on_broken_pipe()

    log = debug = info = warn = warning = err = error = critical = exception = fatal = failure = msg


class _LibraryHandler(logging.Handler):
    """Turns a library's log record into a `library_log` line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a record that cannot be formatted is reported by logging itself, on stderr."""
        try:
            fields = {"logger": record.name, "message": record.getMessage()}
            if record.exc_info and record.exc_info[1]:
                fields["traceback"] = told(record.exc_info[1])["traceback"]
            get_logger().log(record.levelno, "library_log", **fields)
        except Exception:
            self.handleError(record)


def _adopt_library_logs(level: int) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)
    # Below a warning, libraries speak of their own affairs; with `debug`, someone wants to hear them.
    root.addHandler(_LibraryHandler(level if level < logging.INFO else max(level, logging.WARNING)))
    logging.captureWarnings(True)
