"""The log events of sinks, which are consumers: part of the catalogue."""

from __future__ import annotations

from worker.telemetry.log_event import log_event

SINK_EVENTS = (
    log_event(
        "sink_started",
        "info",
        "process",
        "a sink takes up events, as a consumer of its group",
        "sink:str where:str group:str consumer:str",
    ),
    log_event(
        "sink_stopped",
        "info",
        "process",
        "a sink ended; what it wrote is acknowledged, and `owed` is kept on its disk for a receiver",
        "sink:str reason:str written:int repeats:int rejected:int owed:int",
    ),
    log_event(
        "sink_waiting",
        "warning",
        "process",
        "what a sink writes to is away or full; retried, and nothing is acknowledged meanwhile",
        "sink:str error:str",
    ),
    log_event(
        "event_refused",
        "warning",
        "process",
        "a receiver cannot take an event: it is kept in the outbox, from which `dropped` older ones went",
        "where:str outbox:str id:str attempts:int reason:str dropped:int",
    ),
    log_event(
        "sink_keeps_refused",
        "warning",
        "process",
        "so many refused events are kept in the outbox: `--retry-refused` sends them again",
        "where:str outbox:str set_aside:int",
    ),
    log_event("sink_resumed", "info", "process", "a sink can write again", "sink:str down_s:float"),
)
