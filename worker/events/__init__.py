"""The public contract of the output streams: what events hold, their envelope and schema, how to read them.

`ArticleConsumer`, `SyncArticleConsumer`, `replay` and `Event` are imported when they are asked for: whoever
writes events, or prints a schema, need not load what reads them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.events.consumer import ArticleConsumer
    from worker.events.event import Event
    from worker.events.replaying import replay
    from worker.events.sync_consumer import SyncArticleConsumer

__all__ = ["ArticleConsumer", "Event", "SyncArticleConsumer", "replay"]

_WHERE = {
    "ArticleConsumer": "worker.events.consumer",
    "Event": "worker.events.event",
    "SyncArticleConsumer": "worker.events.sync_consumer",
    "replay": "worker.events.replaying",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
