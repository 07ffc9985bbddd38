"""What this worker has seen of each source since it last told the fleet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.urls import host_key

if TYPE_CHECKING:
    from worker.grouping import Grouping
    from worker.model import Article, Task

#: A page of fewer words is a teaser, whatever else it says.
_FULL_WORDS = 100
#: Fields of an article that a layout may lose, each with a bit of its own. A page without a title or a body
#: is no article at all: that is told as silence.
FIELDS = (
    *("text", "published_at", "modified_at", "authors", "section", "description", "images", "keywords"),
    *("language", "subtitle"),
)


def found_in(article: Article) -> int:
    """Which of `FIELDS` the article has, the first one in the lowest bit; `text` is one of 100 words."""
    found = int(article.word_count >= _FULL_WORDS)
    for bit, name in enumerate(FIELDS[1:], 1):
        if getattr(article, name):
            found |= 1 << bit
    return found


@dataclass(slots=True)
class Seen:
    """How URLs of one source ended."""

    articles: list[tuple[int, str]] = field(default_factory=list)  # `found_in` and the URL, oldest first
    unchanged: int = 0
    died: int = 0
    dead: Counter[str] = field(default_factory=Counter)  # by reason, since the last article
    failed: int = 0  # died since the last article, unchanged ones included

    def article(self, found: int, url: str) -> None:
        """Note one that was published."""
        self.articles.append((found, url))
        self.dead.clear()
        self.failed = 0

    def same(self) -> None:
        """Note one that is as it was."""
        self.unchanged += 1
        self.failed = 0

    def death(self, reason: str) -> None:
        """Note a dead letter."""
        self.died += 1
        self.failed += 1
        self.dead[reason] += 1

    def then(self, later: Seen) -> Seen:
        """Both, `later` after this."""
        ended = bool(later.articles or later.unchanged)
        return Seen(
            self.articles + later.articles,
            self.unchanged + later.unchanged,
            self.died + later.died,
            later.dead if later.articles else self.dead + later.dead,
            later.failed if ended else self.failed + later.failed,
        )


class Sightings:
    """What was seen, by source: the host key of the URL that was accepted, whatever it redirects to.

    Of more than `limit` sources at once the others go unseen; 0 sees nothing.
    """

    def __init__(self, limit: int, grouping: Grouping = "host") -> None:
        self._limit = limit
        self._grouping = grouping
        self._seen: dict[str, Seen] = {}

    def published(self, task: Task, found: int) -> None:
        """The event of an article was written; for `found` see `found_in`."""
        if seen := self._of(task):
            seen.article(found, task.url)

    def unchanged(self, task: Task) -> None:
        """An article was as it was."""
        if seen := self._of(task):
            seen.same()

    def buried(self, task: Task, reason: str) -> None:
        """The URL became a dead letter."""
        if seen := self._of(task):
            seen.death(reason)

    def _of(self, task: Task) -> Seen | None:
        source = host_key(task.url, self._grouping) if task.redirects else task.host
        if source not in self._seen and len(self._seen) < self._limit:
            self._seen[source] = Seen()
        return self._seen.get(source)

    def taken(self) -> dict[str, Seen]:
        """All that was seen since the last time."""
        seen, self._seen = self._seen, {}
        return seen

    def put_back(self, source: str, seen: Seen) -> None:
        """Keep what could not be told for the next time."""
        later = self._seen.get(source)
        self._seen[source] = seen.then(later) if later else seen
