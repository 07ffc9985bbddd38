"""The hooks of a program that runs the pipeline itself: before a fetch, after an extraction, on an event.

All are coroutine functions. What one raises, or one that takes longer than its limit, is told as
`hook_failed` in the log. Before the event is written that is a failed try of the URL (reason `hook_failed`:
tried again, then a dead letter); once it is written, nothing else.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from pydantic import TypeAdapter

from worker.errors import FetchFailed
from worker.extract.text import measured, reading_time_s
from worker.model import Article
from worker.telemetry.log import get_logger, told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from worker.model import Page, Task


@dataclass(frozen=True, slots=True)
class Veto:
    """A hook's word that the URL shall become no article; `why` is the dead letter's `error`."""

    why: str


@dataclass(frozen=True, slots=True)
class Published:
    """An event that stands in its stream; one that was read from there is a `worker.events.Event`.

    `data` is its payload; `subject` is None for a malformed item.
    """

    id: str
    type: str
    subject: str | None
    time: str
    data: dict[str, Any]


class BeforeFetch(Protocol):
    """Asked before each request for a page, those of its redirects too; robots.txt has allowed it."""

    async def __call__(self, task: Task, /) -> Veto | None:
        """`task.target` is about to be asked for. A veto ends the URL as a dead letter `vetoed`."""


class AfterExtract(Protocol):
    """Asked once a page has been read, before anything is compared or published."""

    async def __call__(self, article: Article, page: Page, task: Task, /) -> Article | Veto | None:
        """The article to go on with; None is `article` as it is, a veto a dead letter `vetoed`.

        `article_id` and `url` must stay as they are. Counts and hashes follow a changed `text`, and
        `text` follows changed `paragraphs`.
        """


class OnEvent(Protocol):
    """Told of what was published: articles, unchanged ones and dead letters, at most once each."""

    async def __call__(self, event: Published, /) -> None:
        """The event stands in its stream; whatever happens here changes nothing about it."""


@dataclass(slots=True, eq=False)
class Hooks:
    """The hooks in the order in which they are asked; each may take `timeout_s`."""

    timeout_s: float = 60.0
    before_fetch: list[BeforeFetch] = field(default_factory=list)
    after_extract: list[AfterExtract] = field(default_factory=list)
    on_event: list[OnEvent] = field(default_factory=list)

    async def permit(self, task: Task) -> None:
        """Raises FetchFailed: `vetoed`, or `hook_failed`."""
        for hook in self.before_fetch:
            _obey(await self._asked("before_fetch", partial(hook, task), Veto))

    async def changed(self, article: Article, page: Page, task: Task) -> Article:
        """What the hooks make of the article. Raises FetchFailed: `vetoed`, or `hook_failed`."""
        for hook in self.after_extract:
            asked = partial(hook, article, page, task)
            answer = await self._asked("after_extract", asked, (Article, Veto))
            _obey(answer)
            if isinstance(answer, Article) and answer is not article:
                article = _accepted(article, answer)
        return article

    async def tell(self, fields: Mapping[str, str | bytes]) -> None:
        """Tell of an event, given as the fields of its entry. Raises nothing."""
        for hook in self.on_event:
            try:
                async with asyncio.timeout(self.timeout_s):
                    await hook(_event(fields))
            except Exception as error:
                get_logger().error("hook_failed", hook="on_event", event_id=str(fields["id"]), **told(error))

    async def _asked(
        self, name: str, ask: Callable[[], Awaitable[object]], kinds: type | tuple[type, ...]
    ) -> object | None:
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await ask()
            if answer is not None and not isinstance(answer, kinds):
                raise TypeError(f"{name} returned {type(answer).__name__}")
        except Exception as error:
            get_logger().error("hook_failed", hook=name, **told(error))
            raise FetchFailed("hook_failed", f"{name}: {type(error).__name__}: {error}") from error
        return answer


#: Of a worker that no program of one's own runs.
NO_HOOKS = Hooks()


def _obey(answer: object) -> None:
    if isinstance(answer, Veto):
        raise FetchFailed("vetoed", answer.why)


def _accepted(before: Article, after: Article) -> Article:
    """The hook's article, fit to be published. Raises FetchFailed("hook_failed") for one that is not."""
    if (after.article_id, after.url) != (before.article_id, before.url):
        raise FetchFailed(
            "hook_failed", "after_extract changed article_id or url, by which the fleet knows it"
        )
    try:
        # A value of a wrong type would end as a fault while the event is written, over and over.
        document = json.dumps(asdict(after), ensure_ascii=False).encode("utf-8", "replace")
        _article_type().validate_json(document)
        return _measured_anew(before, after)
    except (TypeError, ValueError) as error:
        get_logger().error("hook_failed", hook="after_extract", **told(error))
        raise FetchFailed("hook_failed", f"after_extract returned no valid article: {error}") from error


def _measured_anew(before: Article, after: Article) -> Article:
    text = after.text
    if text == before.text and after.paragraphs != before.paragraphs:
        text = "\n\n".join(paragraph.text for paragraph in after.paragraphs)
    if text == before.text:
        return after
    measures = measured(text)
    return replace(
        after,
        text=text,
        word_count=measures.word_count,
        reading_time_s=reading_time_s(measures.word_count),
        content_hash=measures.content_hash,
        simhash=measures.simhash,
    )


@cache
def _article_type() -> TypeAdapter[Article]:
    return TypeAdapter(Article)


def _event(fields: Mapping[str, str | bytes]) -> Published:
    subject = fields.get("subject")
    return Published(
        id=str(fields["id"]),
        type=str(fields["type"]),
        subject=None if subject is None else str(subject),
        time=str(fields["time"]),
        data=orjson.loads(fields["data"]),
    )
