"""The closed set of log events: what each line means and which fields it carries, with their units.

Tools may build on this as on an interface. Every line carries `timestamp` (RFC 3339, UTC, milliseconds),
`level` and `event`; a worker's lines carry `worker`; each line of a URL's life also `task_id`, `url`
(canonical), `host` (the host key of the request at hand) and `attempt` (failed attempts so far).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.telemetry.consumer_events import CONSUMER_EVENTS
from worker.telemetry.feed_events import FEED_EVENTS
from worker.telemetry.log_event import log_event as _event
from worker.telemetry.option_events import OPTION_EVENTS
from worker.telemetry.source_events import SOURCE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.telemetry.log_event import Field

_LEVELS = ("debug", "info", "warning", "error", "critical")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_EVENTS = (
    # The worker's own life
    _event(
        "worker_started",
        "info",
        "worker",
        "a worker takes up work",
        "version:str pid:int redis:str namespace:str partitions:int concurrency:int extract_processes:int",
    ),
    _event("ops_listening", "info", "worker", "metrics, probes and dashboard are served", "address:str"),
    _event("ops_refused", "warning", "worker", "a wrong token at the ops port", "address:str count:int"),
    _event("worker_stopping", "info", "worker", "a worker ends what is in work", "reason:str in_work:int"),
    _event(
        "worker_stopped",
        "info",
        "worker",
        "a worker is done; what it had not finished is given back",
        "reason:str uptime_s:float published:int unchanged:int buried:int released:int",
    ),
    _event(
        "worker_stats",
        "info",
        "worker",
        "rates (per second), stage latencies (p50, p95, p99 in ms) and the state of the frontier",
        "interval_s:float counts:object rates:object latency_ms:object in_work:int tasks:int? queue:int? "
        "waiting:int? leased:int? ready_hosts:int? later:int? overdue_s:float? backlog:int? "
        "oldest_lease_s:float? memory_bytes:int?",
    ),
    _event(
        "claiming_paused",
        "warning",
        "worker",
        "no URL is claimed: consumers lag (`backlog`), or Redis is almost full (`memory`)",
        "why:str limit:int?",
    ),
    _event("claiming_resumed", "info", "worker", "there is room again", "paused_s:float"),
    _event(
        "internal_error",
        "error",
        "process",
        "a fault of our own: please report it",
        "where:str error:str traceback:str? task_id:str? url:str? host:str? attempt:int?",
    ),
    _event("library_log", "any", "process", "what a library said", "logger:str message:str traceback:str?"),
    _event("dns_fallback", "warning", "process", "c-ares cannot start: lookups go on threads", "error:str"),
    # Redis
    _event(
        "redis_unavailable",
        "warning",
        "worker",
        "Redis does not answer, or refuses; retried",
        "error:str retry_in_s:float?",
    ),
    _event("waiting_forbidden", "warning", "worker", "no right to BLMOVE: the queue is polled", "error:str"),
    _event("redis_restored", "info", "worker", "Redis answers again", "down_s:float"),
    _event("redis_unusable", "error", "process", "Redis refuses us for good; the worker ends", "error:str"),
    _event(
        "embedded_redis_started",
        "info",
        "process",
        "a private redis-server runs",
        "pid:int address:str version:str data_dir:str server:str?",
    ),
    _event(
        "embedded_redis_stopped",
        "info",
        "process",
        "the private redis-server ended",
        "pid:int exit_code:int?",
    ),
    # From the queue into the frontier
    _event(
        "url_accepted",
        "info",
        "url",
        "a URL entered the frontier: one terminal event will follow",
        "id:str? priority:str? requested_url:str? revision:int? not_before:str?",
    ),
    _event("url_refused", "info", "worker", "a URL was not accepted", "reason:str url:str host:str id:str?"),
    _event(
        "item_malformed",
        "warning",
        "worker",
        "a queue item went to the dead stream as malformed",
        "why:str item:str task_id:str? event_id:str?",
    ),
    _event(
        "frontier_full",
        "warning",
        "worker",
        "admission stops; items stay in the queue",
        "waiting:int limit:int queue:int?",
    ),
    _event(
        "taken_adopted",
        "warning",
        "worker",
        "items that a dead worker took went back to the queue",
        "owner:str count:int",
    ),
    # Fetching
    _event("fetch_started", "debug", "url", "a request goes out", "target:str? suspect:bool?"),
    _event(
        "page_fetched",
        "info",
        "url",
        "a page arrived",
        "status:int wire_bytes:int body_bytes:int? duration_ms:int content_type:str? target:str?",
    ),
    _event(
        "redirect_followed",
        "info",
        "url",
        "the response points elsewhere, by its status or its page; that request waits its turn",
        "status:int location:str by:str? hops:int? duration_ms:int?",
    ),
    _event(
        "robots_fetched",
        "info",
        "worker",
        "a host's robots.txt was asked for",
        "host:str url:str ttl_s:float? status:int? crawl_delay_s:float? error:str? duration_ms:int?",
    ),
    _event(
        "fetch_failed",
        "warning",
        "url",
        "a request brought no usable page",
        "reason:str error:str? status:int? duration_ms:int? retry_after_s:float? target:str?",
    ),
    _event("retry_scheduled", "info", "url", "the URL is tried again later", "reason:str delay_s:float"),
    _event(
        "host_penalised",
        "warning",
        "worker",
        "a host that asks for rest is left alone",
        "host:str reason:str hold_s:float",
    ),
    _event(
        "host_opened",
        "warning",
        "worker",
        "a host failed time after time, or its probe did: its URLs wait, uncounted",
        "host:str reason:str hold_s:float",
    ),
    _event(
        "host_half_open", "info", "worker", "one request, the probe, tries a host", "host:str task_id:str"
    ),
    _event("host_closed", "info", "worker", "the probe was answered: all is as before", "host:str"),
    _event("host_rules_loaded", "info", "worker", "the hosts' file was read anew", "path:str hosts:int"),
    _event(
        "host_rules_refused",
        "error",
        "worker",
        "the hosts' file is faulty: the rules stay as they were",
        "path:str error:str",
    ),
    # The end of a URL
    _event(
        "article_published",
        "info",
        "url",
        "an article event was written and the lease ended",
        "article_id:str event_id:str revision:int change:str changed_fields:list? word_count:int? "
        "paragraphs:int? title:str? confidence:float? completeness:str? extract_ms:int? age_ms:int? "
        "copy_of:str? body_bytes:int?",
    ),
    _event(
        "article_unchanged",
        "info",
        "url",
        "the article was as at its last visit: an event of that was written and the lease ended",
        "article_id:str event_id:str revision:int status:int extract_ms:int? age_ms:int?",
    ),
    _event(
        "url_buried",
        "warning",
        "url",
        "a dead letter was written and the lease ended",
        "reason:str event_id:str? error:str? attempts:int? age_ms:int?",
    ),
    *SOURCE_EVENTS,
    *OPTION_EVENTS,
    *FEED_EVENTS,
    # Leases and crashes
    _event(
        "lease_lost",
        "warning",
        "url",
        "the lease had gone to another worker; nothing was written",
        "step:str",
    ),
    _event(
        "lease_reaped",
        "warning",
        "url",
        "a worker fell silent; its URL runs next as a suspect",
        "crashes:int owner:str? token:int?",
    ),
    _event("leases_released", "info", "worker", "unfinished URLs were given back uncounted", "count:int"),
    _event("suspect_started", "info", "url", "a URL that may kill its process runs alone", "crashes:int"),
    _event(
        "suspect_died", "error", "worker", "the suspects' process died; its URL is reaped", "exit_code:int"
    ),
    _event("suspect_cleared", "info", "url", "a suspect did no harm this time", "crashes:int?"),
    _event(
        "extract_killed",
        "warning",
        "url",
        "the process that read the page was killed",
        "reason:str error:str? duration_ms:int?",
    ),
    # Consumers
    *CONSUMER_EVENTS,
    # The operator
    _event(
        "dead_retried",
        "info",
        "process",
        "dead letters were put back to work",
        "count:int event_id:str? url:str?",
    ),
    _event("dead_purged", "info", "process", "dead letters were deleted", "count:int reason:str?"),
)

CATALOGUE = {event.name: event for event in _EVENTS}


def faults_in(line: Mapping[str, object]) -> list[str]:
    """What in a parsed line differs from the catalogue, a sentence each; an empty list is a good line."""
    event = CATALOGUE.get(str(line.get("event")))
    if event is None:
        return [f"event {line.get('event')!r} is not in the catalogue"]
    fields = event.all_fields
    faults = [f"{name} is missing" for name, field in fields.items() if field.required and name not in line]
    faults += shape_faults(line)
    stamp = line.get("timestamp")
    if isinstance(stamp, str) and not _TIMESTAMP.fullmatch(stamp):
        faults.append(f"timestamp {stamp!r} is not UTC with milliseconds")
    return [f"{event.name}: {fault}" for fault in faults]


def shape_faults(line: Mapping[str, object]) -> list[str]:
    """As `faults_in`, for a line not yet complete: only its event's name, level and the fields it has."""
    event = CATALOGUE.get(str(line.get("event")))
    if event is None:
        return [f"event {line.get('event')!r} is not in the catalogue"]
    fields = event.all_fields
    faults = [f"{name} is not a field of it" for name in line if name not in fields]
    faults += [
        f"{name} is {value!r}, not {fields[name].type}"
        for name, value in line.items()
        if name in fields and not fields[name].fits(value)
    ]
    level = line.get("level")
    if level not in (_LEVELS if event.level == "any" else (event.level,)):
        faults.append(f"level is {level!r}, not {event.level}")
    return faults


def catalogue_table() -> str:
    """A markdown table of all events: name, level, what it says, its fields beside those of its scope."""
    rows = (
        f"| `{event.name}` | {event.level} | {event.scope} | {event.says} | {_shown(event.fields)} |"
        for event in _EVENTS
    )
    head = ("| event | level | scope | meaning | fields (`?` may be missing) |", "|---|---|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def _shown(fields: tuple[Field, ...]) -> str:
    return ", ".join(f"`{field.name}{'' if field.required else '?'}` {field.type}" for field in fields) or "–"
