"""What should become of one URL of the sample site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.site.routes import routes

if TYPE_CHECKING:
    from tests.site.answers import Answer
    from worker.model import Priority

ARTICLE = "article"
DUPLICATE = "refused:duplicate"


@dataclass(frozen=True, slots=True)
class Expected:
    """One URL and its one end, with what an article must hold.

    `outcome` is `article`, `dead:<reason>` with a row of `worker.outcomes`, or `refused:duplicate`: the URL
    is the same article as an earlier row. For articles, `title`, `published_at`, `language` and `authors`
    are the whole truth (None or empty: the page does not say). `published_at` is RFC 3339 with the offset
    that the page gives, which names an instant; where the page gives none it ends in `-00:00`, as told at
    `worker.model.DateEvidence`. `must_contain` are stretches of the body, `must_not_contain` words of the
    page that are not of the article.
    """

    host: str
    path: str  # with its query
    outcome: str
    why: str  # what this row is here to try
    title: str | None = None
    published_at: str | None = None
    language: str | None = None  # the primary subtag
    authors: tuple[str, ...] = ()
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    priority: Priority = "normal"

    def url(self, port: int) -> str:
        """The URL on a site that serves at `port`."""
        return f"http://{self.host}:{port}{self.path}"

    @property
    def answer(self) -> Answer | None:
        """How the site answers it; None is the site's 404."""
        return routes()[self.host].get(self.path.partition("?")[0])

    @property
    def reason(self) -> str | None:
        """The row of `worker.outcomes` for a URL that dies."""
        return self.outcome.removeprefix("dead:") if self.outcome.startswith("dead:") else None
