"""Copies of one story: a group that wants one article of each cluster is given that which came first.

What was chosen is kept by article, and not by event: the chosen event comes through when it comes again,
and so do later revisions of its article.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.events.event import Event
    from worker.store.choices import Choices

#: A choice is forgotten so long after the last event of its cluster: by default, no copy is found so late.
_KEPT_MS = 7 * 86_400_000


class Copies:
    """What a group was given of each cluster, for all its consumers."""

    def __init__(self, choices: Choices, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock

    async def is_one(self, event: Event) -> bool:
        """Whether the group was given another article of its cluster; if none, this one is its choice."""
        article = event.article
        if article is None or article.cluster_id is None:
            return False
        now_ms = int(self._clock.now().timestamp() * 1000)
        chosen = await self._choices.choose(
            article.cluster_id, article.article_id, now_ms=now_ms, kept_ms=_KEPT_MS
        )
        return chosen != article.article_id
