"""The log events of what not everybody turns on: hooks, the archive; part of the catalogue."""

from __future__ import annotations

from worker.telemetry.log_event import log_event

OPTION_EVENTS = (
    log_event(
        "noindex_found",
        "warning",
        "url",
        "the page asks not to be indexed; `INGEST_NOINDEX` says what follows",
        "target:str? refused:bool",
    ),
    log_event(
        "hook_failed",
        "error",
        "process",
        "a hook of the program that runs the worker raised, or took too long",
        "hook:str error:str traceback:str? event_id:str? task_id:str? url:str? host:str? attempt:int?",
    ),
    log_event(
        "archive_file_closed",
        "info",
        "process",
        "a file of the archive is complete",
        "file:str size_bytes:int records:int",
    ),
    log_event(
        "archive_failed",
        "error",
        "process",
        "the archive cannot be written; URLs go on without it",
        "error:str folder:str",
    ),
    log_event(
        "archive_restored",
        "info",
        "process",
        "the archive is written again; what was fetched meanwhile is not in it",
        "lost:int",
    ),
)
