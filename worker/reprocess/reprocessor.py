"""Each archived page is read anew, in its turn; what differs from the last known is its next revision.

Exactly once: the script that writes the event keeps the visit in the same step, and the visit names the
record. Whoever runs the same file again compares with that, and finds nothing to say.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from worker.archive.reader import Damaged, responses
from worker.changes import changed_fields, prints_of
from worker.errors import ExtractionFailed, NotAnArticle
from worker.events.envelope import reprocessed_event
from worker.extract.fingerprints import fingerprints
from worker.extract.indexing import NOINDEX, Indexing
from worker.fetch.robots import product_token
from worker.model import Record, Validators, Visit
from worker.reprocess.page import NoPage, page_of
from worker.runtime.stories import NO_STORIES
from worker.store.reprocessing import Reissue
from worker.store.visits import Known
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from worker.archive.reader import Archived
    from worker.clock import Clock
    from worker.extract.pool import ExtractionPool
    from worker.model import Article, Page
    from worker.runtime.stories import Stories
    from worker.settings import Settings
    from worker.store.headroom import Headroom
    from worker.store.reprocessing import Reprocessing

#: How long to wait for consumers, or for memory in Redis, before another try.
_FULL_PAUSE_S = 0.5

Kind = Literal["new", "updated", "unchanged", "superseded", "forgotten", "no_article", "no_page", "failed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one archived response. `why` says more of what is no article."""

    kind: Kind
    record: str
    url: str
    why: str = ""
    article: Article | None = None
    revision: int = 0
    changed_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A page and its article, on the way to be compared."""

    archived: Archived
    subject: str
    page: Page
    article: Article


class Reprocessor:
    """Reads archives with a pool, and publishes through the store; a `dry_run` writes nothing.

    `forgotten`: also what was published once and whose last visit Redis does not know any more.
    """

    def __init__(
        self,
        settings: Settings,
        store: Reprocessing,
        pool: ExtractionPool,
        headroom: Headroom,
        *,
        stories: Stories = NO_STORIES,
        clock: Clock,
        dry_run: bool = False,
        forgotten: bool = False,
    ) -> None:
        self._settings = settings
        self._store = store
        self._pool = pool
        self._headroom = headroom
        self._stories = stories
        self._clock = clock
        self._forgotten = forgotten
        self._robot = product_token(settings.user_agent)
        #: What a dry run would have published so far, by URL.
        self._would: dict[str, Known] | None = {} if dry_run else None
        self.counts: Counter[Kind] = Counter()
        self.waits = 0

    async def run(self, path: Path) -> AsyncIterator[Result]:
        """One result for each response of the file, in its order. Raises OSError, and Damaged behind them."""
        window = 2 * self._settings.extract_processes
        reading: deque[asyncio.Task[_Read | Result]] = deque()
        found = responses(path, limit_bytes=self._settings.body_limit_bytes)
        more, damage = True, None
        try:
            while reading or more:
                if more and len(reading) < window:
                    try:
                        archived = await asyncio.to_thread(next, found, None)
                    except (Damaged, OSError) as error:
                        archived, damage = None, error
                    if archived is not None:
                        reading.append(asyncio.create_task(self._read(archived)))
                    more = archived is not None
                elif reading:
                    # In the file's order: of two pages of one article the later one is the later revision.
                    yield await self._settled(await reading.popleft())
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        if damage is not None:
            raise damage

    async def _read(self, archived: Archived) -> _Read | Result:
        def no(kind: Kind, why: str) -> Result:
            return Result(kind, archived.record, archived.url, why)

        try:
            subject, page = page_of(archived, limit_bytes=self._settings.body_limit_bytes)
            article = await self._pool.extract(
                page.body,
                url=page.url,
                subject=subject,
                content_type=page.content_type,
                fetched_at=archived.date,
                hints=archived.hints,
                indexing=Indexing(page.robots_tag, self._robot, archived.date),
            )
        except NoPage as reason:
            return no("no_page", str(reason))
        except NotAnArticle as refusal:
            return no("no_article", refusal.why)
        except ExtractionFailed as failure:
            return no("failed", str(failure))
        if NOINDEX in article.extraction.warnings and self._settings.noindex == "refuse":
            return no("no_article", NOINDEX)
        return _Read(archived, subject, replace(page, body=b""), article)

    async def _settled(self, read: _Read | Result) -> Result:
        result = read if isinstance(read, Result) else await self._compared(read)
        self.counts[result.kind] += 1
        return result

    async def _compared(self, read: _Read) -> Result:
        host = host_key(read.subject, self._settings.host_grouping)
        while True:
            known = await self._known(read.subject, host)
            result, visit = self._judged(read, known)
            if visit is None:
                return result
            if self._would is not None:
                self._would[read.subject] = Known(Record(visit.revision, visit), visit.fetched_ms)
                return result
            match await self._publish(read, host, result, visit):
                case Reissue.DONE | Reissue.REPEATED:
                    return result
                case Reissue.FULL:
                    self.waits += 1
                    await self._clock.sleep(_FULL_PAUSE_S)

    async def _known(self, url: str, host: str) -> Known:
        if self._would is not None and url in self._would:
            return self._would[url]
        return await self._store.known(url, host)

    def _judged(self, read: _Read, known: Known) -> tuple[Result, Visit | None]:
        """What there is to say of the page, and the visit to keep if that is an event."""
        archived, last, revision = read.archived, known.record.visit, known.record.revision
        result = Result("unchanged", archived.record, read.subject, article=read.article, revision=revision)
        same = last is not None and last.record == archived.record
        fetched_ms = int(archived.date.timestamp() * 1000)
        if last is not None and not same and fetched_ms <= known.as_of_ms:
            return replace(result, kind="superseded"), None
        if last is None and revision and not self._forgotten:
            return replace(result, kind="forgotten"), None
        prints = prints_of(read.article)
        changed = changed_fields(last.prints, prints) if last else ()
        if last is not None and not changed:
            return result, None
        validators = last.validators if last and same else Validators(read.page.etag, read.page.last_modified)
        cluster = last.cluster if last else None
        visit = Visit(revision + 1, read.page.url, validators, prints, archived.record, fetched_ms, cluster)
        kind: Kind = "updated" if revision else "new"
        return replace(result, kind=kind, revision=revision + 1, changed_fields=changed), visit

    async def _publish(self, read: _Read, host: str, result: Result, visit: Visit) -> Reissue:
        if await self._headroom.is_short():
            return Reissue.FULL
        prints = fingerprints(read.article.text) if visit.cluster is None else ()
        cluster = await self._stories.cluster_of(read.article.article_id, prints, visit.cluster)
        visit = replace(visit, cluster=cluster)
        event = reprocessed_event(
            read.article,
            read.page,
            revision=result.revision,
            namespace=self._settings.namespace,
            fetched_at=read.archived.date,
            now=self._clock.now(),
            change="updated" if result.kind == "updated" else "new",
            changed_fields=result.changed_fields,
            cluster_id=visit.cluster,
        )
        return await self._store.publish(read.subject, host, event, visit)
