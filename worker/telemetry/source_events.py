"""The log events that tell of a source as a whole, not of one URL: part of the catalogue."""

from __future__ import annotations

from worker.telemetry.log_event import log_event

SOURCE_EVENTS = (
    log_event(
        "source_silent",
        "warning",
        "worker",
        "a source's articles stopped coming: its URLs die instead (`failing`), or few come (`quiet`)",
        "host:str why:str per_hour:float articles:int last_article_at:str silent_s:float limit_s:float "
        "ended:object again:bool?",
    ),
    log_event(
        "source_back", "info", "worker", "a silent source has articles again", "host:str silent_s:float"
    ),
    log_event(
        "field_lost",
        "warning",
        "worker",
        "a source's last articles lack a field that they used to have: most often a new layout",
        "host:str field:str learnt:float recent:float url:str? again:bool?",
    ),
    log_event(
        "field_found",
        "info",
        "worker",
        "a source's last articles have the lost field again",
        "host:str field:str learnt:float recent:float url:str",
    ),
)
