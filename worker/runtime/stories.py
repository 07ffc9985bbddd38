"""The story that an article tells: decided before its event is written, and kept with its visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.extract.fingerprints import SHARED_BY_COPIES
from worker.store.clusters import Clusters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.settings import Settings
    from worker.store.connection import Connection
    from worker.store.keys import Keys


class Stories:
    """Clusters as the settings want them."""

    def __init__(self, clusters: Clusters | None = None) -> None:
        """Without `clusters` none is looked for."""
        self._clusters = clusters

    async def cluster_of(self, article: str, prints: Sequence[bytes], known: str | None) -> str | None:
        """`known`, that of an earlier revision; else what the fingerprints of the article say of its text.

        `article` is its id. None for a text that is too short, which has no fingerprints.

        Whoever dies behind this call leaves fingerprints that expire, and whoever asks again hears the same.
        """
        if known is not None or self._clusters is None:
            return known
        return await self._clusters.of(article, prints) if prints else None


NO_STORIES = Stories()


def stories_of(settings: Settings, connection: Connection, keys: Keys) -> Stories:
    """Stories that are known for INGEST_CLUSTER_DAYS."""
    days = settings.cluster_days
    return Stories(Clusters(connection, keys, days=days, least=SHARED_BY_COPIES) if days else None)
