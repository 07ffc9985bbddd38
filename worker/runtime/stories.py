"""The story that an article tells: decided before its event is written, and kept with its visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.extract.fingerprints import SHARED_BY_COPIES, fingerprints
from worker.store.clusters import Clusters

if TYPE_CHECKING:
    from worker.model import Article
    from worker.settings import Settings
    from worker.store.connection import Connection
    from worker.store.keys import Keys


class Stories:
    """Clusters as the settings want them."""

    def __init__(self, clusters: Clusters | None = None) -> None:
        """Without `clusters` none is looked for."""
        self._clusters = clusters

    async def cluster_of(self, article: Article, known: str | None) -> str | None:
        """`known`, that of an earlier revision; else what the text says. None for a text that is too short.

        Whoever dies behind this call leaves fingerprints that expire, and whoever asks again hears the same.
        """
        if known is not None or self._clusters is None:
            return known
        prints = fingerprints(article.text)
        if not prints:
            return None
        return await self._clusters.of(article.article_id, prints, least=SHARED_BY_COPIES)


NO_STORIES = Stories()


def stories_of(settings: Settings, connection: Connection, keys: Keys) -> Stories:
    """Stories that are known for INGEST_CLUSTER_DAYS."""
    days = settings.cluster_days
    return Stories(Clusters(connection, keys, days=days) if days else None)
