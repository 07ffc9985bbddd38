"""ingest: URLs in a Redis queue become clean news-article events, each exactly once.

`from worker import Ingest` is the way to run it inside of a program. What stands in `__all__` is public, and
imported when it is asked for: `import worker` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.errors import (
        IngestError,
        Malformed,
        Misconfigured,
        NoArticle,
        StoreUnavailable,
        StoreUnusable,
    )
    from worker.hooks import AfterExtract, BeforeFetch, OnEvent, Published, Veto
    from worker.library.ingest import Ingest
    from worker.model import Article, Page, Task

__version__ = "0.1.0"

__all__ = [
    "AfterExtract",
    "Article",
    "BeforeFetch",
    "Ingest",
    "IngestError",
    "Malformed",
    "Misconfigured",
    "NoArticle",
    "OnEvent",
    "Page",
    "Published",
    "StoreUnavailable",
    "StoreUnusable",
    "Task",
    "Veto",
    "__version__",
]
_HOMES = {
    "worker.errors": {
        *("IngestError", "Malformed", "Misconfigured", "NoArticle", "StoreUnavailable", "StoreUnusable"),
    },
    "worker.hooks": {"AfterExtract", "BeforeFetch", "Published", "OnEvent", "Veto"},
    "worker.library.ingest": {"Ingest"},
    "worker.model": {"Article", "Page", "Task"},
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
