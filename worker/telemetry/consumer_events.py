"""The log events of consumers, which run in other people's processes: part of the catalogue."""

from __future__ import annotations

from worker.telemetry.log_event import log_event
from worker.telemetry.sink_events import SINK_EVENTS

CONSUMER_EVENTS = (
    log_event(
        "group_created",
        "info",
        "process",
        "a consumer group was not there and was made, from that entry on",
        "group:str stream:str start:str",
    ),
    log_event(
        "event_taken_over",
        "info",
        "process",
        "an event is delivered again: whoever had it died, failed, or was too slow",
        "group:str stream:str entry:str owner:str deliveries:int",
    ),
    log_event(
        "event_rejected",
        "warning",
        "process",
        "an event was given up for this group and kept in its hash of rejected ones",
        "group:str stream:str entry:str reason:str deliveries:int",
    ),
    log_event(
        "event_unreadable",
        "warning",
        "process",
        "a replay left out an entry that is no event",
        "stream:str entry:str reason:str",
    ),
    log_event(
        "event_gone",
        "warning",
        "process",
        "an event was deleted from its stream while it was pending: this group never handled it",
        "group:str stream:str entry:str owner:str deliveries:int",
    ),
    log_event(
        "event_lapsed",
        "warning",
        "process",
        "an event was not handled within the idle limit: another consumer of the group may have it",
        "group:str stream:str entry:str",
    ),
    log_event(
        "consumer_waiting", "warning", "process", "Redis does not answer a consumer; retried", "error:str"
    ),
    log_event("consumer_resumed", "info", "process", "Redis answers a consumer again", "down_s:float"),
    *SINK_EVENTS,
)
