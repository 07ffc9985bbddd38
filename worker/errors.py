"""Every exception that ingest raises on purpose, and what the caller should do about it.

IngestError
├── Misconfigured            the user must change a setting; exit code 2
├── NoRedisServer            --embedded found no server binary; the message says what to install
├── StoreUnavailable         Redis did not answer, or asks for patience: try again later
├── StoreUnusable            Redis answered and will not serve us until an operator acts
│   └── StoreForbids         its ACL lacks a right
├── SinkUnavailable          what a sink writes to is away or full: try again later
├── SinkUnusable             what a sink writes to will not do until an operator acts
├── WorkerFailed             a bug ended the worker; its log has the traceback
├── Malformed                a queue item or URL that can never become a task: bury it
├── FetchFailed              the request had no usable page; `reason` is a row of `worker.outcomes`
├── NotAnArticle             the page holds no article: bury it
├── NoArticle                a URL that was asked for by hand has none; `reason` is a row of `worker.outcomes`
└── ExtractionFailed         the extraction process was killed
    ├── ExtractTimeout       it ran over its time
    └── ExtractCrashed       it died (segmentation fault, memory limit, a kill from outside)
"""

from __future__ import annotations

from typing import Literal


class IngestError(Exception):
    """The root of all errors of this project."""


class Misconfigured(IngestError):
    """Settings that cannot work. `faults` holds one sentence for each, naming the setting and the remedy."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class NoRedisServer(IngestError):
    """No redis-server or valkey-server of at least 6.2 could be found."""


class StoreUnavailable(IngestError):
    """Redis is unreachable, loading, out of memory or a replica: the same call may succeed later."""


class StoreUnusable(IngestError):
    """Redis refuses us for good (wrong password, too old, no permission). Tell the operator."""


class StoreForbids(StoreUnusable):
    """The ACL of Redis does not give our user a command, or a key."""


class SinkUnavailable(IngestError):
    """A file system or database that a sink writes to: the same write may succeed later."""


class SinkUnusable(IngestError):
    """A sink cannot write where it should, for good: tell the operator, who reads what to do."""


class WorkerFailed(IngestError):
    """A fault of our own ended the worker. Leases run out, and other workers go on."""


class Malformed(IngestError):
    """A queue item that cannot become a task. `why` says what is wrong, `item` quotes it, cut."""

    def __init__(self, why: str, item: str) -> None:
        super().__init__(f"{why}: {item!r}")
        self.why = why
        self.item = item


class FetchFailed(IngestError):
    """A request that brought no usable page.

    `reason` is a row of `worker.outcomes`; `retry_after_s` is what the server asked for, if it did; `took_s`
    is how long the request took, where whoever made it says so.
    """

    took_s: float | None = None

    def __init__(
        self, reason: str, detail: str = "", *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s


class NotAnArticle(IngestError):
    """The page was read and holds no article. `why` is a short word such as `too_short` or `no_title`.

    `elsewhere` is the absolute URL that the page names instead of itself, if it does, `named_by` what.
    """

    def __init__(
        self,
        why: str,
        detail: str = "",
        elsewhere: str | None = None,
        named_by: Literal["refresh", "canonical"] | None = None,
    ) -> None:
        super().__init__(why, detail, elsewhere, named_by)  # in args, to survive pickling between processes
        self.why = why
        self.detail = detail
        self.elsewhere = elsewhere
        self.named_by = named_by

    def __str__(self) -> str:
        return f"{self.why}: {self.detail}" if self.detail else self.why


class NoArticle(IngestError):
    """A URL that was taken through the pipeline without a queue, and became no article.

    `reason` is a row of `worker.outcomes`, `detail` what exactly went wrong. Nothing was tried again.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}" if detail != reason else reason)
        self.reason = reason
        self.detail = detail


class ExtractionFailed(IngestError):
    """The process that extracted the page is gone, and the page may be why."""


class ExtractTimeout(ExtractionFailed):
    """The extraction ran over its time and was killed."""


class ExtractCrashed(ExtractionFailed):
    """The extraction process died."""


def first_of(group: BaseExceptionGroup[IngestError]) -> IngestError:
    """The first error in a TaskGroup's group of groups: where all are of a kind, it speaks for all."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first
