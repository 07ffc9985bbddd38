"""The log events of feeds and of those who look at them: part of the catalogue."""

from __future__ import annotations

from worker.telemetry.log_event import log_event

FEED_EVENTS = (
    log_event(
        "feeder_started",
        "info",
        "worker",
        "a process looks at feeds from here on",
        "version:str pid:int redis:str namespace:str feeds:int concurrency:int",
    ),
    log_event(
        "feeder_stopped",
        "info",
        "worker",
        "a process looks at feeds no longer",
        "looked:int pushed:int",
    ),
    log_event(
        "feed_checked",
        "info",
        "worker",
        "a feed was looked at; `new` of its `entries` went into the queue (`status` 304: it had not changed)",
        "feed_id:str feed:str status:int new:int entries:int? kind:str? passed_over:int? broken:str? "
        "sitemaps:int? duration_ms:int interval_s:float next_in_s:float",
    ),
    log_event(
        "feed_failed",
        "warning",
        "worker",
        "a feed could not be had, or is none (`not_feed`): it is looked at again, ever later",
        "feed_id:str feed:str reason:str error:str? status:int? failures:int next_in_s:float",
    ),
    log_event(
        "feed_postponed",
        "debug",
        "worker",
        "a feed waits for its host, or for room",
        "feed_id:str feed:str next_in_s:float",
    ),
    log_event(
        "feeds_paused",
        "warning",
        "worker",
        "no feed is looked at: the queue is long (`queue`), or Redis is almost full (`memory`)",
        "why:str limit:int?",
    ),
    log_event("feeds_resumed", "info", "worker", "there is room again for what feeds list", "paused_s:float"),
    log_event(
        "feed_ended",
        "warning",
        "worker",
        "a feed is looked at no longer: it is gone for good (410), or says that it is complete",
        "feed_id:str feed:str reason:str",
    ),
    log_event(
        "feed_moved",
        "info",
        "worker",
        "a feed has moved for good, and is asked for there from now on",
        "feed_id:str feed:str location:str",
    ),
    log_event(
        "feed_added",
        "info",
        "worker",
        "a sitemap of an index is watched from now on",
        "feed_id:str feed:str parent:str",
    ),
    log_event(
        "feed_taken_over",
        "warning",
        "worker",
        "whoever looked at a feed fell silent; another one looks at it",
        "feed_id:str feed:str crashes:int",
    ),
    log_event(
        "feed_lease_lost",
        "warning",
        "worker",
        "a feed had gone to another process, or was removed; nothing more was pushed",
        "feed_id:str feed:str step:str",
    ),
)
