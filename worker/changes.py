"""Whether an article says anything else than at its last visit. Pure.

What an editor changes is compared, not what a site's machinery does: pictures, addresses of profiles and
markup differ from one request to the next on many sites.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Article

#: The fields of an article that are compared. Only ever appended to: a visit that an older release kept holds
#: the prints of its first ones.
COMPARED = (
    "title",
    "text",
    "authors",
    "published_at",
    "modified_at",
    "subtitle",
    "description",
    "section",
    "keywords",
    "language",
    "agency",
    "type",
)
_PRINT_BYTES = 6  # one change in 2^48 goes unseen
_PRINT_CHARS = 8


def prints_of(article: Article) -> str:
    """Eight characters for each compared field, in order: what the next visit is compared with."""
    return "".join(_print(_value(article, name)) for name in COMPARED)


def changed_fields(before: str, now: str) -> tuple[str, ...]:
    """The compared fields in which two visits' prints differ; fields that only one of them holds do not."""
    return tuple(
        name
        for name, old, new in zip(COMPARED, _split(before), _split(now), strict=False)  # see COMPARED
        if old != new
    )


def _value(article: Article, name: str) -> object:
    match name:
        case "text":
            return article.content_hash  # of the folded text: other spaces are no other text
        case "authors":
            return tuple(author.name for author in article.authors)
        case _:
            return getattr(article, name)


def _print(value: object) -> str:
    # repr, for it takes half a surrogate pair too, which no encoding does.
    digest = hashlib.blake2b(repr(value).encode(), digest_size=_PRINT_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _split(prints: str) -> list[str]:
    return [prints[start : start + _PRINT_CHARS] for start in range(0, len(prints), _PRINT_CHARS)]
