"""What a producer may push to the queue as JSON: the other half of the contract.

It is written out here, apart from `worker.urls.parse_item`, which judges the items: a test holds the two
together. The schema is wider where JSON Schema cannot follow: what is a URL, and sizes in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from worker.model import Priority  # noqa: TC001 - pydantic reads the annotations
from worker.urls import ID_LIMIT_CHARS, LAST_UNIX_S, URL_LIMIT_BYTES

_INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A queue item as a JSON object of at most 131,072 bytes. `null` is as good as absent."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=URL_LIMIT_BYTES,
            description="http or https; at most 8,192 bytes",
        ),
    ]
    id: Annotated[
        Annotated[str, Field(max_length=ID_LIMIT_CHARS)] | int | None,
        Field(description="the producer's own name for it; comes back as text in task.id"),
    ] = None
    priority: Annotated[
        Priority | None, Field(description="high goes before all normal URLs of its host")
    ] = None
    meta: Annotated[
        Any, Field(description="any JSON of at most 65,536 bytes; comes back untouched in task.meta")
    ] = None
    not_before: Annotated[
        Annotated[str, Field(pattern=_INSTANT)] | Annotated[float, Field(le=LAST_UNIX_S)] | None,
        Field(description="RFC 3339 with an offset, or Unix seconds; it is not fetched earlier"),
    ] = None
    recrawl_after_s: Annotated[
        Annotated[float, Field(ge=0)] | None,
        Field(description="take it even if it was seen, once its last visit is so many seconds ago"),
    ] = None
    force: Annotated[bool | None, Field(description="take it even if it was seen just now")] = None
